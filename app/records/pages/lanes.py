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


def lane_heads(scope: TenantScope, obj: ObjectType, group_by: str, keys: Sequence[Any]) -> dict[Any, Stage]:
    """What heads each column, by its key; None is where the field is empty."""
    if group_by == "stage":
        return {one.name: one for pipeline in obj.pipelines.values() for one in pipeline.stages.values()}
    field = obj.fields[group_by]
    called: dict[Any, Stage] = {None: Stage(name="", label=f"No {field.label.lower()}", status="open")}
    for name, option in field.options.items():
        called[name] = Stage(name=name, label=option.label, status="open", color=option.color)
    linked = [str(key) for key in keys if key is not None] if len(field.to) == 1 else []
    known = titles(scope, {field.to[0]: linked}) if linked else {}
    for key in linked:
        called[key] = Stage(name=key, label=known.get((field.to[0], key), "") or "Out of sight", status="open")
    return {key: called[key] for key in keys if key in called}


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
