"""Schemas of records: what the API answers with, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from app.http.openapi import Schema, of_parts, page_of, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.metadata.model import Field, ObjectType


_TEXT: Final[Schema] = {"type": ["string", "null"]}
_EMPTY: Final[Schema] = {"const": ""}
#: Kinds of the condition language that are written in more than one JSON type.
_LOOSE: Final[dict[str, Schema]] = {
    "number": {"type": ["number", "string", "null"]},
    "boolean": {"type": ["boolean", "string", "null"]},
}
#: Types whose texts are taken as they are: no blanks are cut off before they are measured.
_LIMITED: Final = ("text", "long_text")


def schemas_of(obj: ObjectType) -> dict[str, Schema]:
    """The components of one object."""
    return {
        obj.name: record_schema(obj),
        f"{obj.name}.selected": selected_schema(obj),
        f"{obj.name}.new": input_schema(obj, patch=False),
        f"{obj.name}.changes": input_schema(obj, patch=True),
        f"{obj.name}.page": _page(obj),
    }


def record_schema(obj: ObjectType) -> Schema:
    """A whole record as the API answers it."""
    return of_parts({field.name: _property(field) for field in _stored(obj)}, title=obj.label)


def selected_schema(obj: ObjectType) -> Schema:
    """A record of which ``fields`` may have asked for a part, or for fields of what it links to."""
    return {
        "type": "object",
        "title": f"{obj.label}, as far as asked for",
        "description": "All fields, or with `fields` only those; `company.name` stands under that very name.",
        "properties": record_schema(obj)["properties"],
        "required": ["id"],
    }


def input_schema(obj: ObjectType, *, patch: bool) -> Schema:
    """What may be sent to create a record, or to change one."""
    writable = [field for field in _stored(obj) if field.writable]
    described: Schema = {
        "type": "object",
        "title": f"{obj.label}, {'changes' if patch else 'new'}",
        "properties": {field.name: _input_property(field) for field in writable},
        "additionalProperties": False,
    }
    required = [field.name for field in writable if field.required and field.default is None]
    if required and not patch:
        described["required"] = required
    return described


def _stored(obj: ObjectType) -> list[Field]:
    return [field for field in obj.fields.values() if field.shown]


def _page(obj: ObjectType) -> Schema:
    page = page_of(schema(f"{obj.name}.selected"))
    page["properties"]["total"] = {"type": ["integer", "null"], "minimum": 0, "description": "Null unless asked for"}
    page["required"].append("total")
    return page


def _property(field: Field) -> Schema:
    described: Schema = dict(field.type.json_schema(field))
    described.setdefault("title", field.label)
    if field.help:
        described.setdefault("description", field.help)
    if not field.writable:
        described["readOnly"] = True
    if options := described.get("enum"):
        described["enum"] = list(dict.fromkeys(options))
    return described


def _input_property(field: Field) -> Schema:
    """What a field takes: its JSON form, and the looser forms people and programs write."""
    described = _property(field)
    told: Schema = {name: described[name] for name in ("title", "description", "examples") if name in described}
    return told | _taken(field, described)


def _taken(field: Field, described: Schema) -> Schema:
    """The types a field's ``coerce`` reads. An empty text is the same as null everywhere."""
    name, kind = field.type.name, field.type.condition
    if field.primary_of:
        return {"anyOf": [_TEXT, _entry()]}
    if "enum" in described:
        return {"enum": ["", *described["enum"]]}
    if taken := _COMPOSED.get(name):
        return taken(described)
    if kind in _LOOSE:
        return _LOOSE[kind]
    if described["type"] == "array":
        return {"anyOf": [{"type": "array", "items": _TEXT}, _TEXT]}
    return _TEXT | ({"maxLength": described["maxLength"]} if name in _LIMITED else {})


def _formatted(described: Schema) -> Schema:
    return {"anyOf": [_TEXT | {"format": described["format"]}, _EMPTY]}


def _money(described: Schema) -> Schema:
    number: Schema = {"type": ["number", "string", "null"]}
    return {"anyOf": [_partly(described, number), number]}


def _link(described: Schema) -> Schema:
    known = _TEXT | {"format": described["format"]}
    return {"anyOf": [known, _EMPTY, _object({"id": {"anyOf": [known, _EMPTY]}, "object": {}, "title": {}})]}


def _reference(described: Schema) -> Schema:
    parts = cast("dict[str, Schema]", described["properties"])
    return {"anyOf": [{"enum": ["", None]}, _object({**parts, "title": {}}, required=["object", "id"])]}


def _address(described: Schema) -> Schema:
    return {"anyOf": [{"enum": ["", None]}, _object(dict.fromkeys(described["properties"], _TEXT))]}


def _place(described: Schema) -> Schema:
    parts = {name: {"type": ["number", "string", "null"]} for name in described["properties"]}
    return {"anyOf": [_TEXT, _object(parts)]}


def _length(_described: Schema) -> Schema:
    return {"type": ["string", "number", "null"], "description": "PT1H30M, 1:30, 1h 30m; a number is seconds"}


def _any(_described: Schema) -> Schema:
    return {"description": "Any JSON"}


def _entries(described: Schema) -> Schema:
    items: Schema = {"type": "array", "items": {"anyOf": [_TEXT, _entry()]}, "maxItems": described["maxItems"]}
    return {"anyOf": [_TEXT, items, _entry()]}


def _file(described: Schema) -> Schema:
    """The id from an upload, or the object as it was read, of which the id counts."""
    known = _TEXT | {"format": "uuid"}
    return {"anyOf": [known, _EMPTY, _object({**{name: {} for name in described["properties"]}, "id": known})]}


def _object(properties: dict[str, Any], required: Iterable[str] = ()) -> Schema:
    described: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return described | ({"required": list(required)} if required else {})


def _partly(described: Schema, amount: Schema) -> Schema:
    """Money without its currency is the workspace's."""
    currency = {"type": ["string", "null"], "description": "ISO 4217; the workspace's when left out"}
    return _object({**described["properties"], "amount": amount, "currency": currency})


def _entry() -> Schema:
    return _object({"value": _TEXT, "label": _TEXT, "primary": {}, "valid": {}, "typed": _TEXT})


_COMPOSED: Final = {
    "money": _money,
    "link": _link,
    "reference": _reference,
    "address": _address,
    "file": _file,
    "image": _file,
    "geo": _place,
    "duration": _length,
    "json": _any,
    "emails": _entries,
    "phones": _entries,
    "date": _formatted,
    "datetime": _formatted,
    "uuid": _formatted,
}
