"""The calling tenant's API as an OpenAPI 3.1 document: its own objects and fields, not ours in general."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.events.causes import KINDS as CAUSES
from app.records.openapi_paths import REF, Schema, object_paths, parameters, workspace_paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.metadata.model import Catalog, Field, ObjectType

#: Kinds of events: what happened to a record, and what one act did to many.
_CHANGES: Final = ("created", "updated", "trashed", "restored", "destroyed", "merged")
_SUMMARIES: Final = ("bulk", "imported", "import_undone", "erased")
#: What happens to members and keys (``tenants.log``).
_ACCESS: Final = ("member_invited", "member_joined", "member_changed", "signed_in", "key_created", "key_revoked")
PROBLEM: Final = "application/problem+json"
_TITLES: Final = {
    "400": "The body is not what its Content-Type says",
    "401": "No credential, or not a valid one",
    "403": "The credential's role lacks the right",
    "404": "Unknown, in the trash, or another workspace's",
    "409": "The state does not allow this now",
    "412": "The record was changed meanwhile",
    "413": "The body is larger than this route reads",
    "415": "The body is of a type this route does not read",
    "422": "Something in the request is not acceptable; errors[] points at it",
    "429": "Too many requests; see Retry-After",
}


def document(catalog: Catalog, *, server: str, title: str, others: dict[str, Any] | None = None) -> Schema:
    """The whole document. ``others`` are paths of routes that are not about records, as their slices describe them."""
    paths: dict[str, Any] = {}
    for obj in catalog.objects.values():
        paths |= object_paths(obj)
    paths |= workspace_paths()
    for path, item in (others or {}).items():
        paths.setdefault(path, item)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{title} · Rapport API",
            "version": "1",
            "description": _INTRODUCTION,
        },
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "tags": [{"name": obj.name, "description": obj.plural} for obj in catalog.objects.values()]
        + [{"name": "workspace", "description": "The workspace as a whole"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key: `rap_…`"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-rapport",
                    "description": "A signed-in member",
                },
            },
            "parameters": parameters(),
            "responses": {f"Problem{status}": _problem(text) for status, text in _TITLES.items()}
            | {"Problem": _problem("What went wrong")},
            "schemas": _shared_schemas() | dict(_schemas(catalog.objects.values())),
        },
    }


_INTRODUCTION: Final = (
    "Records are flat JSON objects; links are ids; decimals are strings; money is an amount with its currency. "
    'Lists page by cursor. Filters are conditions such as `stage == "won" && amount > 1000`. '
    "Errors are problem+json (RFC 9457) and point at what is wrong."
)


def record_schema(obj: ObjectType) -> Schema:
    """A record as the API answers it."""
    return {
        "type": "object",
        "title": obj.label,
        "properties": {name: _property(field) for name, field in obj.fields.items() if field.columns},
    }


def input_schema(obj: ObjectType, *, patch: bool) -> Schema:
    """What may be sent to create a record, or to change one."""
    writable = {
        name: field for name, field in obj.fields.items() if field.columns and not field.system and not field.readonly
    }
    schema: Schema = {
        "type": "object",
        "title": f"{obj.label}, {'changes' if patch else 'new'}",
        "properties": {name: _input_property(field) for name, field in writable.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in writable.items() if field.required and field.default is None]
    if required and not patch:
        schema["required"] = required
    return schema


def _property(field: Field) -> Schema:
    schema: Schema = dict(field.type.json_schema(field))
    schema.setdefault("title", field.label)
    if field.help:
        schema.setdefault("description", field.help)
    if field.system or field.readonly:
        schema["readOnly"] = True
    return schema


def _input_property(field: Field) -> Schema:
    """Money takes a bare number too, which is the tenant's currency; decimals may be numbers."""
    schema = _property(field)
    kind = field.type.condition
    if kind in ("number", "money"):
        return {"title": field.label, "anyOf": [schema, {"type": ["number", "string"]}]}
    if field.type.parts or field.type.name == "link":
        return {"title": field.label, "anyOf": [schema, {"type": ["string", "object"]}]}
    return schema


def _schemas(objects: Iterable[ObjectType]) -> Iterable[tuple[str, Schema]]:
    for obj in objects:
        yield obj.name, record_schema(obj)
        yield f"{obj.name}.new", input_schema(obj, patch=False)
        yield f"{obj.name}.changes", input_schema(obj, patch=True)
        yield f"{obj.name}.page", _page({REF: f"#/components/schemas/{obj.name}"})


def _page(item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": {"type": "array", "items": item},
            "next": {"type": ["string", "null"], "description": "Cursor of the next page"},
            "total": {"type": ["integer", "null"]},
        },
    }


def _shared_schemas() -> dict[str, Schema]:
    return {
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "code", "detail", "errors"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "code": {"type": "string", "examples": ["record.invalid"]},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": {REF: "#/components/schemas/FieldError"}},
            },
        },
        "FieldError": {
            "type": "object",
            "required": ["pointer", "code", "message"],
            "properties": {
                "pointer": {"type": "string", "description": "JSON pointer into the body, or ?name of a parameter"},
                "code": {"type": "string"},
                "message": {"type": "string"},
            },
        },
        "Events": _page({REF: "#/components/schemas/Event"}),
        "Feed": _feed(),
        "Event": {
            "type": "object",
            "properties": {
                "seq": {"type": ["integer", "null"]},
                "id": {"type": "string", "format": "uuid"},
                "at": {"type": "string", "format": "date-time"},
                "actor": {"type": "object"},
                "kind": {"enum": [*_CHANGES, *_SUMMARIES, *_ACCESS]},
                "object": {"type": "string"},
                "record_id": {"type": ["string", "null"], "format": "uuid", "description": "A summary's own act"},
                "diff": {"type": ["object", "null"], "description": "Null also where it was erased"},
                "cause": _cause(),
            },
        },
    }


def _cause() -> Schema:
    """The chain from who began it to the record."""
    return {
        "type": ["object", "null"],
        "description": "Null for a change somebody made by itself; `by` is who began the import, act or job",
        "properties": {
            "kind": {"enum": list(CAUSES)},
            "id": {"type": "string"},
            "by": {"type": ["object", "null"]},
        },
    }


def _feed() -> Schema:
    """The change feed pages by ``seq``, not by cursor."""
    page = _page({REF: "#/components/schemas/Event"})
    page["properties"]["next"] = {"type": ["integer", "null"], "description": "`after` of the next page"}
    return page


def _problem(text: str) -> Schema:
    return {"description": text, "content": {PROBLEM: {"schema": {REF: "#/components/schemas/Problem"}}}}
