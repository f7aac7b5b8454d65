"""The common shape of several texts in one array column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence


class TextArray(SingleColumn):
    """Value: a tuple of texts, ``None`` when empty. JSON: an array, ``[]`` when empty."""

    sql_type = "text[]"
    sortable = False
    many: ClassVar[bool] = True

    def bind(self, value: Any) -> tuple[object, ...]:
        """A list, which psycopg sends as an array."""
        return (list(value) if value else None,)

    def decode(self, parts: Sequence[Any]) -> object:
        """An array; null is an empty one."""
        return parts[0] or []

    def to_json(self, value: Any) -> object:
        """An array."""
        return list(value) if value else []

    def json_sql(self, columns: Sequence[str]) -> str:
        """An array; null is an empty one."""
        return f"coalesce(to_jsonb({columns[0]}), '[]'::jsonb)"


def split_cell(text: str, separator: re.Pattern[str]) -> list[object]:
    """The items in a cell of a file: a JSON array, as an export writes what separators can't tell, else texts."""
    if text.lstrip().startswith("["):
        try:
            return msgspec.json.decode(text, type=list[object])
        except msgspec.MsgspecError:
            pass
    return [*separator.split(text)]


def listed(raw: object) -> list[object]:
    """``raw`` as a list: a single value is a list of one, empty is an empty list. Raises ValueProblem."""
    if raw is None or raw == "":
        return []
    if isinstance(raw, (list, tuple)):
        return list(raw)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(raw, (str, dict)):
        return [raw]
    raise ValueProblem("list.type", "Must be a list")
