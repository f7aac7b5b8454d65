"""The schema of each kind as people write it, shorthands included: for editors and for whoever makes components."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.metadata import kinds
from app.metadata.kinds import schema as form

if TYPE_CHECKING:
    from app.metadata.kinds.base import Kind, Nested
    from app.metadata.kinds.schema import Schema

_SELF: dict[str, Schema] = {
    "remove": {"const": True, "description": "Take it away; what a lower layer has is hidden."},
    "reset": {
        "anyOf": [{"const": True}, {"type": "array", "items": {"type": "string"}}],
        "description": "Take back what the workspace says of it, or of these leaves.",
    },
    "renamed_from": {
        "type": ["string", "null"],
        "description": "The name it had before: it keeps its data. Null: it is new, whatever goes at the same time.",
    },
}


def written_schema(name: str) -> Schema:
    """The JSON Schema of one written component of a kind. Raises KeyError.

    Components are patches: nothing is required but the name.
    """
    kind: Kind | Nested = kinds.ROOTS.get(name) or kinds.NESTED[name]
    widening = _Widening()
    properties = widening.properties(kind.schema)
    if name in kinds.NESTED:
        properties |= form.standing()
    called: dict[str, Schema] = {
        "kind": {"const": name, "description": "The kind."},
        "name": {"type": "string", "description": f"Its name, {kind.named}."},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": kind.help,
        "type": "object",
        "properties": called | properties | _SELF,
        "required": ["kind", "name"],
        "additionalProperties": False,
        "$defs": widening.items,
    }


class _Widening:
    """What may be written where a schema says what is kept; items are told once, under ``$defs``."""

    def __init__(self) -> None:
        self.items: dict[str, Schema] = {}

    def node(self, schema: Schema) -> Schema:
        """Whatever stands somewhere."""
        plain: Schema = {key: value for key, value in schema.items() if not key.startswith("x-") and key != "required"}
        if form.is_collection(schema):
            return self._collection(schema, plain)
        if form.is_mapping(schema):
            return plain | {"additionalProperties": _or_null(self.node(form.below(schema, "x") or {}))}
        if schema.get("type") == "object":
            return plain | {"properties": self.properties(schema)}
        return _leaf(schema, plain)

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """The keys of a record, short ones included."""
        found = {name: _or_null(self.node(inner)) for name, inner in form.properties_of(schema).items()}
        if "default_formula" in found:
            short = {"type": "object", "properties": {"value": {"type": "string"}}, "additionalProperties": False}
            found["default"] = found["default"] | {"anyOf": [*cast("list[Schema]", found["default"]["anyOf"]), short]}
        for alias, name in cast("dict[str, str]", schema.get("x-aliases") or {}).items():
            found[alias] = found[name] | {"description": f"Short for `{name}`."}
        return found

    def _collection(self, schema: Schema, plain: Schema) -> Schema:
        """Items as a map by name, or as a list in the wanted order."""
        item = form.below(schema, "x") or {}
        key = str(item["description"]).lower().removeprefix("a ").rstrip(".").partition(".")[0].replace(" ", "_")
        called: dict[str, Schema] = {"name": {"type": "string", "description": "Its name, in a list."}}
        told: Schema = {"type": "object", "description": item["description"], "additionalProperties": False}
        self.items[key] = told | {"properties": called | self.properties(item) | _SELF}
        ref: Schema = {"$ref": f"#/$defs/{key}"}
        texts: list[Schema] = [{"type": "string"}] if schema.get("x-shorthand") else []
        by_name = plain | {"additionalProperties": {"anyOf": [ref, *texts, {"type": "null"}]}}
        in_order: Schema = {"type": "array", "items": {"anyOf": [ref | {"required": ["name"]}, {"type": "string"}]}}
        return {"description": schema["description"], "anyOf": [by_name, in_order]}


def _leaf(schema: Schema, plain: Schema) -> Schema:
    if schema.get("x-many"):
        item = cast("Schema", schema.get("items") or {})
        kept = {key: value for key, value in item.items() if not key.startswith("x-")}
        return {"description": schema["description"], "anyOf": [plain | {"items": kept}, _leaf(item, kept)]}
    if schema.get("x-decimal"):
        return {"description": schema["description"], "anyOf": [plain, {"type": "number"}]}
    return plain


def _or_null(schema: Schema) -> Schema:
    """Null takes a lower layer's leaf away."""
    return {"description": schema.get("description", ""), "anyOf": [schema, {"type": "null"}]}
