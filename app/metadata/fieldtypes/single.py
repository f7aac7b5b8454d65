"""The common shape: one column, whose text form is the JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from app.metadata.fieldtypes.base import FieldType
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.model import Field


class SingleColumn(FieldType):
    """A type of one column; value, bound parameter and JSON form are the same unless a subclass differs."""

    sql_type: ClassVar[str] = "text"
    binds_itself: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        """A subclass that binds in its own way does not bind itself."""
        if "bind" in cls.__dict__:
            cls.binds_itself = False

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """One column named like the field."""
        return (Column(field_name, self.sql_type),)

    def bind(self, value: Any) -> tuple[object, ...]:
        """The value itself."""
        return (value,)

    def decode(self, parts: Sequence[Any]) -> object:
        """The column as loaded."""
        return parts[0]

    def to_json(self, value: Any) -> object:
        """The value itself."""
        return value

    def json_sql(self, columns: Sequence[str]) -> str:
        """``to_jsonb`` of the column."""
        return f"to_jsonb({columns[0]})"

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """The JSON form as text."""
        return "" if value is None else str(value)


def nullable(schema: dict[str, object]) -> dict[str, object]:
    """The OpenAPI 3.1 schema that also allows null."""
    return schema | {"type": [schema["type"], "null"]}
