"""Which columns a read selects and how a positional row becomes the record's JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.date import DateType
from app.metadata.fieldtypes.datetime import DatetimeType
from app.metadata.fieldtypes.decimal import DecimalType
from app.metadata.fieldtypes.single import SingleColumn
from app.metadata.fieldtypes.uuid import UuidType
from app.records.paths import TITLE, Source, column_of, refuse, sql_type, title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from app.records.query import JSONRecord

#: Decoders that answer what the read connection has loaded: not calling them saves a fifth of a long list's time.
_AS_LOADED: Final = frozenset(
    {
        SingleColumn.decode,
        UuidType.decode,
        DateType.decode,
        DatetimeType.decode,
        DecimalType.decode,
    }
)


@dataclass(frozen=True, slots=True)
class Projection:
    """Selected columns in order; ``record`` turns a row (further columns behind are ignored) into JSON form."""

    columns: tuple[sa.ColumnElement[Any], ...]
    record: Callable[[Sequence[Any]], JSONRecord]


def project(source: Source, fields: tuple[str, ...]) -> Projection:
    """Columns for the ``fields`` asked for; none asked means all. ``id`` is always the first column.

    Raises UnknownField at ``?fields``.
    """
    wanted = ["id", *(path for path in fields if path != "id")] if fields else _all_fields(source)
    columns: list[sa.ColumnElement[Any]] = []
    names: list[str] = []
    starts: list[int] = []
    decoders: list[tuple[str, int, int, Callable[[Sequence[Any]], object]]] = []
    for path in dict.fromkeys(wanted):
        names.append(path)
        starts.append(len(columns))
        added, decode = _column_group(source, path)
        if decode is not None:
            decoders.append((path, len(columns), len(columns) + len(added), decode))
        columns += added
    return Projection(tuple(columns), _reader(tuple(names), starts, tuple(decoders)))


def _all_fields(source: Source) -> list[str]:
    return ["id", *(name for name, field in source.object.fields.items() if field.columns and name != "id")]


def _column_group(
    source: Source, path: str
) -> tuple[list[sa.ColumnElement[Any]], Callable[[Sequence[Any]], object] | None]:
    """A path's columns and, where the loaded value is not the JSON form already, its decoder."""
    if path == TITLE:
        return [title_of(source.object, source.base)], None
    located = source.need(path, "?fields")
    if located.part:
        return [located.sql], None
    if not located.field.columns:
        raise refuse("?fields", "field.unknown", f"{path} holds no value.")
    columns = [column_of(located.alias, c.name, sql_type(c.sql_type)) for c in located.field.columns]
    kind = located.field.type
    return columns, None if type(kind).decode in _AS_LOADED else kind.decode


def _reader(
    names: tuple[str, ...],
    starts: list[int],
    decoders: tuple[tuple[str, int, int, Callable[[Sequence[Any]], object]], ...],
) -> Callable[[Sequence[Any]], JSONRecord]:
    if len(starts) == 1:
        return lambda row: {names[0]: row[0]}
    pick: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(*starts)

    def record(row: Sequence[Any]) -> JSONRecord:
        made: JSONRecord = dict(zip(names, pick(row), strict=True))
        for name, start, stop, decode in decoders:
            made[name] = decode(row[start:stop])
        return made

    return record
