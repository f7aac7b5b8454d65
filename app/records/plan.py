"""What a write needs to know of an object, worked out once per spec instead of once per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.fieldtypes.file import FileType
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from app.metadata.model import Field, ObjectType

_PLANS: Final = ShapeCache()


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Fields by what the write path does with them.

    ``pairs`` holds (single, list), e.g. ``email`` and ``emails``. ``conditional``: whether the object's own spec has
    conditions (stage gates, defaults by formula), beside its rules. ``retiring`` are the fields with options that
    records may keep and none may come to.
    """

    defaults: tuple[Field, ...]
    required: tuple[Field, ...]
    links: tuple[Field, ...]
    acyclic: tuple[Field, ...]
    unique: tuple[Field, ...]
    pairs: tuple[tuple[str, str], ...]
    files: tuple[Field, ...]
    conditional: bool
    retiring: frozenset[str]


def plan_of(object_type: ObjectType) -> WritePlan:
    """Answer the plan of an object."""
    return _PLANS.get(object_type.spec_hash, lambda: _build(object_type))


def _build(object_type: ObjectType) -> WritePlan:
    fields = tuple(object_type.fields.values())
    writable = tuple(field for field in fields if not field.system)
    return WritePlan(
        defaults=tuple(field for field in writable if field.default is not None),
        required=tuple(field for field in writable if field.required),
        links=tuple(field for field in fields if field.to),
        acyclic=tuple(field for field in fields if field.acyclic),
        unique=tuple(field for field in fields if field.unique),
        pairs=tuple((field.name, field.primary_of) for field in fields if field.primary_of),
        files=tuple(field for field in fields if isinstance(field.type, FileType)),
        conditional=any(field.default_formula for field in fields) or _gated(object_type),
        retiring=frozenset(f.name for f in fields if any(option.retired for option in f.options.values())),
    )


def _gated(object_type: ObjectType) -> bool:
    stages = (stage for pipeline in object_type.pipelines.values() for stage in pipeline.stages.values())
    return any(stage.enter_if or stage.leave_if for stage in stages)
