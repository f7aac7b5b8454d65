"""The columns of a board: stages, the options of a field, or the records a link leads to; and their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata.model import Stage
from app.records.titles import titles
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.metadata.arrangement import View
    from app.metadata.model import ObjectType
    from app.records.pages.values import Reader
    from tenants.scope import TenantScope

_FUNCTIONS: Final = {
    "sum": "Sum", "avg": "Average", "min": "Smallest", "max": "Largest", "weighted": "By probability",
}  # fmt: skip


#: Types of fields whose values make columns that a card can be moved between.
_MOVING: Final = frozenset({"stage", "pipeline", "select", "link"})


def is_movable(obj: ObjectType, name: str) -> bool:
    """Whether moving a card between the columns that a field makes can write it."""
    field = obj.fields.get(name)
    return field is not None and field.writable and field.type.name in _MOVING and len(field.to) <= 1


def asks(obj: ObjectType, stage: Stage) -> str:
    """The field that a move into a stage always asks for."""
    return "lost_reason" if stage.status == "lost" and "lost_reason" in obj.fields else ""


def with_none(obj: ObjectType, name: str, groups: Any) -> list[dict[str, Any]]:
    """The groups of a board, and an empty one of records without a value where cards can lose it."""
    found: list[dict[str, Any]] = list(groups)
    field = obj.fields[name]
    losable = is_movable(obj, name) and field.type.name in ("select", "link") and not field.required
    if losable and all(group["key"] is not None for group in found):
        found.append({"key": None, "count": 0, "data": [], "next": None})
    return found


def lane_heads(scope: TenantScope, obj: ObjectType, group_by: str, keys: Sequence[Any]) -> dict[Any, Stage]:
    """What heads each column, by its key; None is where the field is empty. What was removed is called by its name."""
    field = obj.fields[group_by]
    called: dict[Any, Stage] = {key: Stage(name=str(key), label=str(key), status="open") for key in keys}
    called[None] = Stage(name="", label=f"No {field.label.lower()}", status="open")
    for name, option in field.options.items():
        called[name] = Stage(name=name, label=option.label, status="open", color=option.color)
    if group_by == "stage":
        called |= {one.name: one for pipeline in obj.pipelines.values() for one in pipeline.stages.values()}
    linked = [str(key) for key in keys if key is not None] if len(field.to) == 1 else []
    known = titles(scope, {field.to[0]: linked}) if linked else {}
    for key in linked:
        called[key] = Stage(name=key, label=known.get((field.to[0], key), "") or "Out of sight", status="open")
    return {key: called[key] for key in keys}


def mark_of(obj: ObjectType, name: str, group: Mapping[str, Any]) -> str:
    """What a column is marked as whose records stay and which takes no more."""
    field = obj.fields[name]
    if group.get("retired"):
        return "Retired"
    gone = group["key"] is not None and not field.to and group["key"] not in field.options
    return "Removed" if gone else ""


def why_closed(obj: ObjectType, name: str, group: Mapping[str, Any], head: Stage) -> str:
    """Why no card can be moved to a column, "" where one can."""
    mark = mark_of(obj, name, group)
    if mark:
        return f"{head.label} is {mark.lower()}: nothing can be moved into it."
    field = obj.fields[name]
    return f"{field.label} is required." if group["key"] is None and field.required else ""


def figures_of(
    obj: ObjectType, view: View | None, group: Mapping[str, Any], reader: Reader
) -> tuple[tuple[str, str], ...]:
    """The figures a view chooses, in words."""
    found: list[tuple[str, str]] = []
    for metric in view.metrics if view is not None else ():
        function, _, name = metric.partition(":")
        value = group.get(f"{function}_{name}") if name else None
        if value is not None and name in obj.fields:
            written = formats.money if obj.fields[name].type.name == "money" else formats.number
            text = written(value, reader.locale)
            found.append((f"{_FUNCTIONS.get(function, function)} of {obj.fields[name].label.lower()}", text))
    return tuple(found)
