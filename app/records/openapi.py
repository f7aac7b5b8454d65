"""The calling tenant's API as an OpenAPI 3.1 document: its own objects and fields, not ours in general."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from app.events import causes
from app.http.openapi import Schema, of_parts, page_of, schema, shared
from app.records.bulk import MODES
from app.records.openapi_paths import object_paths, row_schema, workspace_paths
from app.records.openapi_schemas import schemas_of
from tenants.log import Kind

if TYPE_CHECKING:
    from app.metadata.model import Catalog

#: Kinds of events: what happened to a record, and what one act did to many.
_CHANGES: Final = ("created", "updated", "trashed", "restored", "destroyed", "merged")
_SUMMARIES: Final = ("bulk", "imported", "import_undone", "erased")
#: What happens to people, roles and sharing (``tenants.log``).
_ACCESS: Final = get_args(Kind)
_INTRODUCTION: Final = (
    "Records are flat JSON objects; links are ids; decimals are strings; money is an amount with its currency. "
    'Lists page by cursor. Filters are conditions such as `stage == "won" && amount > 1000`. '
    "Errors are problem+json (RFC 9457) and point at what is wrong."
)
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_NO_ID: Final[Schema] = {"type": ["string", "null"], "format": "uuid"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}


def document(catalog: Catalog, *, server: str, title: str, others: dict[str, Any] | None = None) -> Schema:
    """The whole document. ``others`` are paths of routes that are not about records, as their slices describe them."""
    paths: dict[str, Any] = {}
    components = shared()
    components["schemas"] |= _schemas()
    for obj in catalog.objects.values():
        paths |= object_paths(obj)
        components["schemas"] |= schemas_of(obj)
        components["schemas"] |= {f"{obj.name}.row": row_schema(), f"{obj.name}.board": _board(obj.name)}
    paths |= workspace_paths(list(catalog.objects))
    unread = catalog.whole.objects.keys() - catalog.objects.keys() if catalog.whole else frozenset[str]()
    for path, item in (others or {}).items():
        if not any(f"/records/{name}/" in path for name in unread):
            paths.setdefault(path, item)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{title} · Rapport API", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "tags": [{"name": obj.name, "description": obj.plural} for obj in catalog.objects.values()]
        + [{"name": "workspace", "description": "The workspace as a whole"}],
        "paths": paths,
        "components": components,
    }


def _schemas() -> dict[str, Schema]:
    """What answers about all objects look like."""
    return {
        "Money": of_parts({"amount": {"type": "string", "format": "decimal"}, "currency": {"type": "string"}}),
        "Events": page_of(schema("Event"), _NO_ID | {"description": "`after` of the next page"}),
        "Feed": page_of(schema("Event"), {"type": ["integer", "null"], "description": "`after` of the next page"}),
        "Event": _event(),
        "Actor": of_parts({"kind": {"type": "string"}, "id": _NO_ID, "name": {"type": "string"}}),
        "Found": of_parts(
            {
                "object": {"type": "string"},
                "id": _ID,
                "title": {"type": "string"},
                "snippet": {
                    "type": "string",
                    "contentMediaType": "text/html",
                    "description": "Text around what was found, escaped; what was found is in `<mark>`",
                },
                "score": {"type": "number", "minimum": 0},
            }
        ),
        "Figures": _figures(),
        "Unconverted": _unconverted({"group": {"type": "object"}}),
        "BulkResult": _bulk_result(),
    }


def _event() -> Schema:
    cause = of_parts(
        {
            "kind": {"enum": list(causes.KINDS)},
            "id": {"type": "string"},
            "by": {"anyOf": [schema("Actor"), {"type": "null"}]},
        }
    )
    return of_parts(
        {
            "seq": {"type": ["integer", "null"], "description": "Its place in the feed; null until it is sealed"},
            "id": _ID,
            "at": {"type": "string", "format": "date-time"},
            "actor": schema("Actor"),
            "kind": {"enum": [*_CHANGES, *_SUMMARIES, *_ACCESS]},
            "object": {"type": "string"},
            "record_id": _NO_ID,
            "diff": {
                "type": ["object", "null"],
                "description": "`{field: [old, new]}` of a change, the record of one destroyed, figures of a summary",
            },
            "cause": {"anyOf": [cause, {"type": "null"}], "description": "Why: the import, bulk call, … it belongs to"},
        }
    )


def _figure() -> Schema:
    return {
        "anyOf": [{"type": ["string", "number", "null"]}, schema("Money")],
        "description": "Money in the workspace's currency, other sums and averages as strings",
    }


def _figures() -> Schema:
    row: Schema = {
        "type": "object",
        "properties": {"group": {"type": "object", "description": "Keys by field"}, "count": _COUNT},
        "required": ["group"],
        "additionalProperties": _figure(),
    }
    page = page_of(row)
    page["properties"]["unconverted"] = {"type": "array", "items": schema("Unconverted")}
    page["required"].append("unconverted")
    return page


def _unconverted(of_group: dict[str, Schema]) -> Schema:
    amount: Schema = {"type": "string", "format": "decimal"}
    rest: dict[str, Schema] = {"currency": {"type": "string"}, "amount": amount, "count": _COUNT}
    described = of_parts({"metric": {"type": "string"}, **of_group, **rest})
    return described | {"description": "Amounts in a currency without a rate, which the figures leave out"}


def _board(name: str) -> Schema:
    key: Schema = {"type": ["string", "null"]}
    column: Schema = {
        "type": "object",
        "properties": {
            "key": key,
            "retired": {"const": True, "description": "Stands here while records are in it; none can come to it"},
            "count": _COUNT,
            "data": {"type": "array", "items": schema(f"{name}.selected")},
            "next": {"type": ["string", "null"], "description": "Cursor of the list of this column"},
        },
        "required": ["key", "data", "next"],
        "additionalProperties": _figure(),
    }
    stray = {"type": "array", "items": _unconverted({"key": key})}
    return of_parts({"groups": {"type": "array", "items": column}, "unconverted": stray})


def _bulk_result() -> Schema:
    done = {"create": "created", "update": "updated", "delete": "deleted"}
    result = of_parts(
        {
            "index": _COUNT,
            "status": {"enum": [*(done[mode] for mode in MODES if mode in done), "failed"]},
            "id": _ID,
            "errors": {"type": "array", "items": schema("FieldError"), "minItems": 1},
        },
        optional=("id", "errors"),
    )
    counts = dict.fromkeys(("created", "updated", "deleted", "failed"), _COUNT)
    return of_parts({"results": {"type": "array", "items": result}, **counts})
