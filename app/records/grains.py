"""What groups are made of: fields, and dates by year, quarter, month, week or day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.records.paths import Located, refuse
from app.records.sorting import SortKey, option_order, read_text, reader_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.records.sources import Source

#: Grain → to_char pattern; weeks are ISO 8601's, of the ISO year.
_GRAINS: Final = {
    "year": "YYYY",
    "quarter": 'YYYY-"Q"Q',
    "month": "YYYY-MM",
    "week": 'IYYY-"W"IW',
    "day": "YYYY-MM-DD",
}
_KINDS: Final = frozenset({"text", "number", "boolean", "date", "datetime", "time", "duration", "option", "link"})


@dataclass(frozen=True, slots=True)
class GroupKey:
    """One part of a group's key: its name in the answer, the SQL it groups and is ordered by, its JSON form."""

    name: str
    located: Located
    sql: sa.ColumnElement[Any]
    order: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]
    read: Callable[[object], object]
    decode: Callable[[Sequence[Any]], object] | None

    def sort_key(self, column: sa.ColumnElement[Any]) -> SortKey:
        """How groups are ordered, ``column`` being ``sql`` as a subquery names it."""
        return SortKey(self.name, descending=False, sql=self.order(column), nullable=True, read=self.read)


def parse_groups(source: Source, names: Sequence[str]) -> tuple[GroupKey, ...]:
    """Group keys of a ``group_by`` parameter. Raises InvalidInput at ``?group_by``."""
    groups = tuple(_group(source, item) for item in names)
    if len({group.name for group in groups}) < len(groups):
        raise refuse("?group_by", "group.invalid", "A field can be there once.")
    return groups


def _group(source: Source, item: str) -> GroupKey:
    path, _, grain = item.partition(":")
    located = source.need(path, "?group_by")
    if located.kind not in _KINDS or located.composite:
        raise refuse("?group_by", "group.unsupported", f"Records can't be grouped by {path}.")
    if located.kind in ("date", "datetime"):
        if grain and grain not in _GRAINS:
            raise refuse("?group_by", "group.grain", f"{grain} is none of {', '.join(_GRAINS)}.")
        pattern = sa.literal_column(f"'{_GRAINS[grain or 'day']}'", sa.Text())
        text = sa.func.to_char(day_of(located), pattern, type_=sa.Text())
        return GroupKey(path, located, text, _as_it_is, read_text, None)
    if grain:
        raise refuse("?group_by", "group.grain", f"{path} holds no dates; leave :{grain} out.")
    decode = partial(_of_part, located) if located.part else located.field.type.decode
    choices = option_order(located)
    if choices:
        return GroupKey(path, located, located.sql, partial(_rank, choices), read_text, decode)
    return GroupKey(path, located, located.sql, _as_it_is, reader_for(located.column.sql_type), decode)


def _of_part(located: Located, parts: Sequence[Any]) -> object:
    return located.field.type.decode_part(located.part, parts[0])


def day_of(located: Located) -> sa.ColumnElement[Any]:
    """A date, or the wall clock of a point in time in the tenant's zone (parameter ``zone``)."""
    if located.kind == "datetime":
        return sa.func.timezone(sa.bindparam("zone", type_=sa.Text()), located.sql, type_=sa.DateTime())
    return located.sql


def _as_it_is(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return column


def _rank(choices: list[str], sql: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Position among the options in their order; what is no option any more comes after them, by name."""
    whens = {name: f"{index:06}" for index, name in enumerate(choices)}
    return sa.case(whens, value=sql, else_=sa.literal("~", sa.Text()).concat(sql))
