"""The query parameters of lists, figures and boards, with examples from the object's own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.http.openapi import Schema, query
from app.records.query import MAX_LIMIT

if TYPE_CHECKING:
    from app.metadata.model import ObjectType

#: Kinds of the condition language a metric can add up.
_SUMMED: Final = frozenset({"number", "money", "duration"})


def asking(obj: ObjectType) -> dict[str, Schema]:
    """Parameters by name. ``columns_by`` is what a board calls ``group_by``: one field, which has a default."""
    text: Schema = {"type": "string"}
    name, amount = obj.title[0] if obj.title else "id", _amount(obj)
    sort = f"-created_at,{name}"
    condition, path = _condition(obj), _path(obj)
    grain = "created_at:quarter"
    return {
        "filter": query("filter", f"A condition, such as `{condition}`", text | {"examples": [condition]}),
        "sort": query(
            "sort",
            "Fields joined by commas, a minus sign descends; `title` works always",
            text | {"examples": [sort], "default": obj.default_sort},
        ),
        "fields": query(
            "fields", "Fields joined by commas, also of what is linked", text | {"examples": [f"{name},{path}"]}
        ),
        "limit": query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "examples": [20]}),
        "cursor": query("cursor", "`next` of the page before", text),
        "total": query(
            "total",
            "Whether to count: never needed for paging",
            {"enum": ["exact", "estimate", "none"], "default": "none"},
        ),
        "trash": query("trash", "Trashed records only, or with the others", {"enum": ["only", "with"]}),
        "group_by": query(
            "group_by",
            "Fields joined by commas, up to four; dates by `year`, `quarter`, `month`, `week`, `day`",
            text | {"examples": [f"{'stage,' if obj.has_pipeline else ''}{grain}"]},
        ),
        "columns_by": query(
            "group_by",
            "A select, a stage or a link; the stage when left out",
            text | {"examples": ["stage" if obj.has_pipeline else "owner"]},
        ),
        "metrics": query(
            "metrics",
            "`count`, `sum:`, `avg:`, `min:`, `max:`, `weighted:` and a field; joined by commas, up to twelve",
            text | {"examples": [f"count,sum:{amount}" if amount else "count,max:created_at"], "default": "count"},
        ),
    }


def _amount(obj: ObjectType) -> str:
    fields = (name for name, field in obj.fields.items() if field.type.condition in _SUMMED and not field.system)
    return next(fields, "")


def _condition(obj: ObjectType) -> str:
    if obj.has_pipeline:
        return 'stage_status == "open" && created_at >= date("2026-01-01")'
    return 'created_at >= date("2026-01-01")'


def _path(obj: ObjectType) -> str:
    """A field of a linked record."""
    return "owner.name" if "owner" in obj.fields else "created_by.name"
