"""``uuid``: an identity, written by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_LENGTH = 36


class UuidType(SingleColumn):
    """A UUID, in JSON its 36 characters in lower case."""

    name = "uuid"
    condition = "link"
    sql_type = "uuid"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """The usual form with hyphens."""
        return as_uuid(raw)

    def decode(self, parts: Sequence[Any]) -> object:
        """A uuid arrives as text."""
        return parts[0]

    def to_json(self, value: Any) -> object:
        """36 characters."""
        return None if value is None else str(value)

    def json_sql(self, columns: Sequence[str]) -> str:
        """As text."""
        return f"to_jsonb({columns[0]})"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format uuid or null."""
        return nullable({"type": "string", "format": "uuid"})


def as_uuid(raw: object, code: str = "uuid.invalid") -> UUID | None:
    """``raw`` as UUID, ``None`` when empty. Raises ValueProblem with ``code``."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, UUID):
        return raw
    if isinstance(raw, str) and len(raw.strip()) == _LENGTH:
        try:
            return UUID(raw.strip())
        except ValueError:
            pass
    raise ValueProblem(code, "Must be an id like 0198f3c2-7c3a-7b1e-9a52-3f0e6f2f8a11")


TYPE = UuidType()
