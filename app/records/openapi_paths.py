"""The paths of the per-tenant OpenAPI document: an object's routes, written once for every object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.records.query import MAX_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.metadata.model import ObjectType

Schema = dict[str, Any]

REF: Final = "$ref"
_JSON: Final = "application/json"
_BASE: Final = "/api/v1/records"
_COMMON_ERRORS: Final = ("401", "403", "404", "422", "429")
#: What may be wrong with a body as such.
_BODY_ERRORS: Final = ("400", "413", "415")
_MODE: Final[Schema] = {"enum": ["create", "update", "upsert", "delete"], "default": "create"}
_EVENTS: Final[Schema] = {REF: "#/components/schemas/Events"}


def parameters() -> dict[str, Schema]:
    """The parameters operations share."""

    def query(name: str, text: str, schema: Schema) -> Schema:
        return {"name": name, "in": "query", "description": text, "schema": schema}

    return {
        "filter": query("filter", 'A condition: `stage == "won" && amount > 1000`', {"type": "string"}),
        "sort": query(
            "sort", "Fields joined by commas, a minus sign descends; `title` works always", {"type": "string"}
        ),
        "fields": query("fields", "Fields joined by commas; `company.name` looks one link further", {"type": "string"}),
        "limit": query(
            "limit", "Records a page", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}
        ),
        "cursor": query("cursor", "`next` of the page before", {"type": "string"}),
        "total": query("total", "Whether to count", {"enum": ["exact", "estimate", "none"], "default": "none"}),
        "trash": query("trash", "Trashed records only, or with the others", {"enum": ["only", "with"]}),
        "group_by": query("group_by", "Fields joined by commas; dates as `close_on:quarter`", {"type": "string"}),
        "metrics": query(
            "metrics",
            "`count`, `sum:amount`, `avg:`, `min:`, `max:`, `weighted:`; joined by commas",
            {"type": "string"},
        ),
        "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
        "if_match": {
            "name": "If-Match",
            "in": "header",
            "description": "The version read",
            "schema": {"type": "string"},
        },
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A repeat with the same key gets the first answer",
            "schema": {"type": "string"},
        },
    }


def _use(*names: str) -> list[Schema]:
    return [{REF: f"#/components/parameters/{name}"} for name in names]


def _operation(
    tag: str,
    name: str,
    summary: str,
    answer: tuple[str, str, Schema | None],
    parameters: Iterable[str] = (),
    **more: Any,
) -> Schema:
    status, text, schema = answer
    success: Schema = {"description": text}
    if schema is not None:
        success["content"] = {_JSON: {"schema": schema}}
    codes = sorted({*_COMMON_ERRORS, *more.pop("errors", ()), *(_BODY_ERRORS if "requestBody" in more else ())})
    errors = more.pop("also", {}) | {code: {REF: f"#/components/responses/Problem{code}"} for code in codes}
    return {
        "tags": [tag],
        "operationId": f"{tag}_{name}",
        "summary": summary,
        "parameters": [*_use(*parameters), *more.pop("extra", [])],
        "responses": {status: success, **errors},
        **more,
    }


def _json(schema: Schema, kind: str = _JSON) -> Schema:
    return {"required": True, "content": {kind: {"schema": schema}}}


def object_paths(obj: ObjectType) -> dict[str, Any]:
    """Every path of one object's records."""
    return _collection(obj) | _record(obj) | _upsert_and_bulk(obj) | _figures(obj)


def _schema(obj: ObjectType, suffix: str = "") -> Schema:
    return {REF: f"#/components/schemas/{obj.name}{suffix}"}


def _collection(obj: ObjectType) -> dict[str, Any]:
    name, one, many = obj.name, obj.label.lower(), obj.plural.lower()
    listed = ("filter", "sort", "fields", "limit", "cursor", "total", "trash")
    return {
        f"{_BASE}/{name}": {
            "get": _operation(
                name, "list", f"List {many}", ("200", f"A page of {many}", _schema(obj, ".page")), listed
            ),
            "post": _operation(
                name,
                "create",
                f"Create a {one}",
                ("201", "The new record", _schema(obj)),
                ("idempotency_key",),
                errors=("409",),
                requestBody=_json(_schema(obj, ".new")),
            ),
        },
    }


def _record(obj: ObjectType) -> dict[str, Any]:
    name, one, record = obj.name, obj.label.lower(), _schema(obj)
    destroy = {"name": "destroy", "in": "query", "description": "For good", "schema": {"type": "boolean"}}
    after = {"name": "after", "in": "query", "description": "Id of an event", "schema": {"type": "string"}}
    field = {"name": "field", "in": "query", "description": "Only its changes", "schema": {"enum": sorted(obj.fields)}}
    return {
        f"{_BASE}/{name}/{{id}}": {
            "parameters": _use("id"),
            "get": _operation(name, "get", f"Read a {one}", ("200", "The record", record), ("fields", "trash")),
            "patch": _operation(
                name,
                "change",
                f"Change a {one}",
                ("200", "The record as it is now", record),
                ("if_match", "idempotency_key"),
                errors=("409", "412"),
                requestBody=_json(_schema(obj, ".changes"), "application/merge-patch+json"),
            ),
            "delete": _operation(
                name,
                "delete",
                f"Move a {one} to the trash",
                ("204", "Gone", None),
                ("if_match",),
                errors=("409", "412"),
                extra=[destroy],
            ),
        },
        f"{_BASE}/{name}/{{id}}/restore": {
            "parameters": _use("id"),
            "post": _operation(name, "restore", f"Restore a {one}", ("200", "The record", record), errors=("409",)),
        },
        f"{_BASE}/{name}/{{id}}/events": {
            "parameters": _use("id"),
            "get": _operation(
                name,
                "events",
                f"What happened to a {one}",
                ("200", "Events", _EVENTS),
                ("limit",),
                extra=[after, field],
            ),
        },
    }


def _upsert_and_bulk(obj: ObjectType) -> dict[str, Any]:
    name, one, many = obj.name, obj.label.lower(), obj.plural.lower()
    unique = [field.name for field in obj.fields.values() if field.unique]
    return {
        f"{_BASE}/{name}/by/{{unique_field}}/{{value}}": {
            "parameters": [
                {"name": "unique_field", "in": "path", "required": True, "schema": {"type": "string", "enum": unique}},
                {"name": "value", "in": "path", "required": True, "schema": {"type": "string"}},
            ],
            "put": _operation(
                name,
                "upsert",
                f"Change the {one} with this value, or create it",
                ("200", "The record was there", _schema(obj)),
                ("if_match", "idempotency_key"),
                errors=("409", "412"),
                also={"201": {"description": "The record is new", "content": {_JSON: {"schema": _schema(obj)}}}},
                requestBody=_json(_schema(obj, ".changes")),
            ),
        },
        f"{_BASE}/{name}/bulk": {
            "post": _operation(
                name,
                "bulk",
                f"Write many {many}",
                ("200", "A result a row", {"type": "object"}),
                ("idempotency_key",),
                requestBody=_json({"type": "array", "maxItems": 10_000, "items": {"type": "object"}}),
                extra=[
                    {
                        "name": "mode",
                        "in": "query",
                        "schema": _MODE,
                    },
                    {"name": "match", "in": "query", "schema": {"type": "string"}},
                    {"name": "atomic", "in": "query", "schema": {"type": "boolean"}},
                ],
            ),
        },
    }


def _figures(obj: ObjectType) -> dict[str, Any]:
    name, many = obj.name, obj.plural.lower()
    grouped = ("group_by", "metrics", "filter", "limit", "cursor")
    carded = ("group_by", "metrics", "limit", "fields", "filter", "sort")
    figures, columns = ("200", "Groups and their figures", {"type": "object"}), ("200", "Columns", {"type": "object"})
    return {
        f"{_BASE}/{name}/aggregate": {"get": _operation(name, "aggregate", f"Figures over {many}", figures, grouped)},
        f"{_BASE}/{name}/board": {"get": _operation(name, "board", f"{obj.plural} in columns", columns, carded)},
    }


def workspace_paths() -> dict[str, Any]:
    """Paths about all objects at once."""
    anything: Schema = {"type": "object"}
    return {
        "/api/v1/search": {
            "get": _operation(
                "workspace",
                "search",
                "Find records of any object",
                ("200", "Best first", anything),
                ("limit",),
                extra=[
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
                    {"name": "object", "in": "query", "schema": {"type": "string"}},
                ],
            ),
        },
        "/api/v1/events": {
            "get": _operation(
                "workspace",
                "events",
                "The change feed",
                ("200", "Events by seq", {REF: "#/components/schemas/Feed"}),
                ("limit",),
                extra=[{"name": "after", "in": "query", "schema": {"type": "integer"}}],
            ),
        },
    }
