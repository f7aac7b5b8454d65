"""``reference``: a record of one of several objects. One foreign-key column a target, exactly one of them set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.metadata.fieldtypes.base import FieldType, ValueProblem
from app.metadata.fieldtypes.uuid import as_uuid
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field


@dataclass(frozen=True, slots=True)
class Reference:
    """An object's name and a record's id."""

    object: str
    id: UUID


class ReferenceType(FieldType):
    """JSON ``{"object": "task", "id": "…"}``. The instance a field holds knows its targets (``specialise``)."""

    name = "reference"
    condition = "none"
    sortable = False

    def __init__(self, targets: tuple[str, ...] = ()) -> None:
        self.targets = targets

    def specialise(self, targets: tuple[str, ...]) -> FieldType:
        """The type with these targets."""
        return ReferenceType(targets)

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """A column a target."""
        return tuple(Column(f"{field_name}__{target}", "uuid", target) for target in self.targets)

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An object with ``object`` and ``id``."""
        if raw is None or raw == "" or isinstance(raw, Reference):
            return raw or None
        given = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
        if not set(given) <= {"object", "id", "title"} or not given:
            raise ValueProblem("reference.type", 'Must be like {"object": "company", "id": "…"}')
        target = given.get("object")
        if target not in self.targets:
            raise ValueProblem("reference.object", f"Must be one of {', '.join(self.targets)}", "object")
        record = as_uuid(given.get("id"), "reference.id")
        if record is None:
            raise ValueProblem("reference.id", "Must name a record by its id", "id")
        return Reference(str(target), record)

    def bind(self, value: Any) -> tuple[object, ...]:
        """A parameter a target, all but one null."""
        return tuple(value.id if value is not None and value.object == target else None for target in self.targets)

    def decode(self, parts: Sequence[Any]) -> object:
        """The target that is set."""
        for target, part in zip(self.targets, parts, strict=True):
            if part is not None:
                return {"object": target, "id": part}
        return None

    def to_json(self, value: Any) -> object:
        """Object and id."""
        return None if value is None else {"object": value.object, "id": str(value.id)}

    def json_sql(self, columns: Sequence[str]) -> str:
        """The target that is set."""
        branches = " ".join(
            f"when {column} is not null then jsonb_build_object('object', '{target}', 'id', {column})"
            for target, column in zip(self.targets, columns, strict=True)
        )
        return f"case {branches} end" if branches else "null::jsonb"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An object or null."""
        return {
            "type": ["object", "null"],
            "properties": {
                "object": {"type": "string", "enum": list(self.targets)},
                "id": {"type": "string", "format": "uuid"},
            },
            "required": ["object", "id"],
            "additionalProperties": False,
        }

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """The id; pages show the record's title instead."""
        return str(cast("dict[str, object]", value)["id"]) if isinstance(value, dict) else ""


TYPE = ReferenceType()
