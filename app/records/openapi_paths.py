"""The paths of the per-tenant OpenAPI document: an object's routes, written once for every object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.http.openapi import Schema, answer, body, component, follow, of_parts, operation, query, schema
from app.records.bulk import MAX_ROWS, MODES
from app.records.openapi_asking import asking
from app.records.query import MAX_LIMIT

if TYPE_CHECKING:
    from app.metadata.model import ObjectType

_BASE: Final = "/api/v1/records"
_TAG: Final = "workspace"
_MERGE: Final = ("application/json", "application/merge-patch+json")
_NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
#: Types of which any text is a value.
_TEXTS: Final = ("text", "long_text", "rich_text")
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_WRITTEN: Final = ("ETag", "Idempotency-Replayed")


def object_paths(obj: ObjectType) -> dict[str, Any]:
    """Every path of one object's records."""
    return _collection(obj) | _record(obj) | _history(obj) | _upsert(obj) | _bulk(obj) | _figures(obj)


def _operation(obj: ObjectType, name: str, summary: str, answers: dict[str, Schema], **more: Any) -> Schema:
    return operation(summary, answers, operationId=f"{obj.name}_{name}", tags=[obj.name], **more)


def _body(obj: ObjectType, form: str, *kinds: str) -> Schema:
    """A record to write, with an example where the texts that are required are all it takes."""
    needed = [field for field in obj.fields.values() if field.required and field.columns and field.default is None]
    named = needed or [obj.fields[name] for name in obj.title if name in obj.fields and not obj.fields[name].readonly]
    texts = all(field.type.name in _TEXTS for field in named)
    example = {field.name: f"{field.label} of a {obj.label.lower()}" for field in named if not field.system}
    return body(schema(f"{obj.name}.{form}"), *kinds, example=example if texts and example else None)


def _collection(obj: ObjectType) -> dict[str, Any]:
    ask, one, many = asking(obj), obj.label.lower(), obj.plural.lower()
    listed = ("filter", "sort", "fields", "limit", "cursor", "total", "trash")
    page = answer(f"A page of {many}", schema(f"{obj.name}.page"), headers=("Link",))
    made = answer("The new record", schema(obj.name), headers=("Location", *_WRITTEN))
    follows = ("get", "change", "delete", "restore", "events")
    made["links"] = {name: follow(f"{obj.name}_{name}", id="$response.body#/id") for name in follows}
    return {
        f"{_BASE}/{obj.name}": {
            "get": _operation(obj, "list", f"List {many}", {"200": page}, parameters=[ask[name] for name in listed]),
            "post": _operation(
                obj,
                "create",
                f"Create a {one}",
                {"201": made},
                parameters=[component("parameters", "confirm")],
                request=_body(obj, "new"),
                write=True,
            ),
        },
    }


def _record(obj: ObjectType) -> dict[str, Any]:
    ask, one, if_match = asking(obj), obj.label.lower(), component("parameters", "if_match")
    record, changed = schema(obj.name), answer("The record as it is now", schema(obj.name), headers=_WRITTEN)
    destroy = query("destroy", "For good, past the trash", {"type": "boolean", "default": False})
    trashed = query("trash", "`with` shows it in the trash too", {"enum": ["with"]})
    same = {"description": "Not changed since", "headers": {"ETag": component("headers", "ETag")}}
    return {
        f"{_BASE}/{obj.name}/{{id}}": {
            "parameters": [component("parameters", "id")],
            "get": _operation(
                obj,
                "get",
                f"Read a {one}",
                {"200": answer("The record", schema(f"{obj.name}.selected"), headers=("ETag",)), "304": same},
                parameters=[ask["fields"], trashed, component("parameters", "if_none_match")],
            ),
            "patch": _operation(
                obj,
                "change",
                f"Change a {one}",
                {"200": changed},
                description="A JSON merge patch (RFC 7396): what is left out stays, null empties.",
                parameters=[component("parameters", "confirm"), if_match],
                request=_body(obj, "changes", *_MERGE),
                errors=("412",),
                write=True,
            ),
            "delete": _operation(
                obj,
                "delete",
                f"Move a {one} to the trash",
                {"204": answer("Gone", headers=("Idempotency-Replayed",))},
                parameters=[destroy, if_match],
                errors=("412",),
                write=True,
            ),
        },
        f"{_BASE}/{obj.name}/{{id}}/restore": {
            "parameters": [component("parameters", "id")],
            "post": _operation(
                obj,
                "restore",
                f"Restore a {one}",
                {"200": answer("The record", record, headers=_WRITTEN)},
                write=True,
            ),
        },
    }


def _history(obj: ObjectType) -> dict[str, Any]:
    return {
        f"{_BASE}/{obj.name}/{{id}}/events": {
            "parameters": [component("parameters", "id")],
            "get": _operation(
                obj,
                "events",
                f"What happened to a {obj.label.lower()}",
                {"200": answer("Events, oldest first", schema("Events"))},
                parameters=[
                    asking(obj)["limit"],
                    query("after", "`next` of the page before: the id of an event", _ID),
                    query("field", "Only its changes", {"enum": sorted(obj.fields)}),
                ],
            ),
        },
    }


def _upsert(obj: ObjectType) -> dict[str, Any]:
    unique = [field.name for field in obj.fields.values() if field.unique]
    if not unique:
        return {}
    record = schema(obj.name)
    text = "Its value, escaped as a part of an address is"
    return {
        f"{_BASE}/{obj.name}/by/{{unique_field}}/{{value}}": {
            "parameters": [
                {
                    "name": "unique_field",
                    "in": "path",
                    "required": True,
                    "description": "A unique field",
                    "schema": {"enum": unique},
                },
                {
                    "name": "value",
                    "in": "path",
                    "required": True,
                    "description": text,
                    "schema": {"type": "string", "minLength": 1},
                },
            ],
            "put": _operation(
                obj,
                "upsert",
                f"Change the {obj.label.lower()} with this value, or create it",
                {
                    "200": answer("The record was there and is now so", record, headers=_WRITTEN),
                    "201": answer("The record is new", record, headers=("Location", *_WRITTEN)),
                },
                parameters=[component("parameters", "confirm"), component("parameters", "if_match")],
                request=_body(obj, "changes"),
                errors=("412",),
                write=True,
            ),
        },
    }


def _bulk(obj: ObjectType) -> dict[str, Any]:
    rows: Schema = {"type": "array", "maxItems": MAX_ROWS, "items": schema(f"{obj.name}.row")}
    fields = sorted({"id", *(field.name for field in obj.fields.values() if field.unique)})
    request = body(rows)
    lines = {"schema": {"type": "string", "description": "A row a line"}}
    request["content"] |= dict.fromkeys(_NDJSON, lines)
    return {
        f"{_BASE}/{obj.name}/bulk": {
            "post": _operation(
                obj,
                "bulk",
                f"Write many {obj.plural.lower()}",
                {"200": answer("A result a row", schema("BulkResult"), headers=("Idempotency-Replayed",))},
                description=f"Up to {MAX_ROWS:,} rows, each with a result of its own; with `atomic` all or none (422).",
                parameters=[
                    query("mode", "What each row means", {"enum": [*MODES], "default": "create"}),
                    query("match", "The field whose value names the record", {"type": "string", "examples": fields}),
                    query("atomic", "One wrong row refuses all", {"type": "boolean", "default": False}),
                    component("parameters", "confirm"),
                ],
                request=request,
                write=True,
            ),
        },
    }


def row_schema() -> Schema:
    """A row of a bulk call; a wrong one gets its own result instead of refusing the call."""
    return {
        "type": ["object", "string", "number", "boolean", "array", "null"],
        "description": "An object as for creating or changing, with `id` when that names the record.",
    }


def _figures(obj: ObjectType) -> dict[str, Any]:
    ask, many = asking(obj), obj.plural.lower()
    grouped = ("group_by", "metrics", "filter", "limit", "cursor")
    carded = ("columns_by", "metrics", "limit", "fields", "filter", "sort")
    figures = answer("Groups and their figures", schema("Figures"), headers=("Link",))
    columns = answer("Columns with their first cards", schema(f"{obj.name}.board"))
    return {
        f"{_BASE}/{obj.name}/aggregate": {
            "get": _operation(
                obj, "aggregate", f"Figures over {many}", {"200": figures}, parameters=[ask[name] for name in grouped]
            )
        },
        f"{_BASE}/{obj.name}/board": {
            "get": _operation(
                obj, "board", f"{obj.plural} in columns", {"200": columns}, parameters=[ask[name] for name in carded]
            )
        },
    }


def workspace_paths(objects: list[str]) -> dict[str, Any]:
    """Paths about all objects at once."""
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
    found = of_parts({"data": {"type": "array", "items": schema("Found")}})
    return {
        "/api/v1/search": {
            "get": operation(
                "Find records of any object",
                {"200": answer("Best first", found)},
                operationId="workspace_search",
                tags=[_TAG],
                parameters=[
                    query(
                        "q", "Words, the start of one, an address, a number, a URL", {"type": "string"}, required=True
                    )
                    | {"example": "acme"},
                    query("object", "Only of these, joined by commas", {"type": "string", "examples": objects[:3]}),
                    query("limit", "How many", limit | {"default": 10}),
                ],
            ),
        },
        "/api/v1/events": {
            "get": operation(
                "The change feed",
                {"200": answer("Events by seq", schema("Feed"))},
                operationId="workspace_events",
                tags=[_TAG],
                parameters=[
                    query("after", "`next` of the page before", {"type": "integer", "minimum": 0, "default": 0}),
                    query("limit", "Events a page", limit | {"default": 50}),
                ],
            ),
        },
    }
