"""Which columns a read selects and how a positional row becomes the record's JSON form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.metadata.fieldtypes.base import FieldType
from app.metadata.fieldtypes.date import DateType
from app.metadata.fieldtypes.datetime import DatetimeType
from app.metadata.fieldtypes.decimal import DecimalType
from app.metadata.fieldtypes.entries import EntryList
from app.metadata.fieldtypes.many import TextArray
from app.metadata.fieldtypes.single import SingleColumn
from app.metadata.fieldtypes.uuid import UuidType
from app.metadata.reach import ACTIONS
from app.records import reach
from app.records.paths import MAY, TITLE, refuse, title_of

if TYPE_CHECKING:
    from app.records.query import JSONRecord
    from app.records.sources import Source

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
#: Decoders of lists: what is loaded, or an empty list.
_LISTS: Final = frozenset({EntryList.decode, TextArray.decode})
#: The part of a column that repeats values of another one for an index; nobody reads it.
_ONLY_TO_SEARCH: Final = "all"


@dataclass(frozen=True, slots=True)
class Projection:
    """Selected columns: the first one of each field in order, then the others of fields with several.

    ``record`` turns a row (further columns behind are ignored) into JSON form.
    """

    columns: tuple[sa.ColumnElement[Any], ...]
    record: Callable[[Sequence[Any]], JSONRecord]


_Decode = Callable[[Sequence[Any]], object]


def project(source: Source, fields: tuple[str, ...]) -> Projection:
    """Columns for the ``fields`` asked for; none asked means all. ``id`` is always the first column.

    Raises UnknownField at ``?fields``.
    """
    wanted = ["id", *(path for path in fields if path != "id")] if fields else _all_fields(source)
    names = tuple(dict.fromkeys(wanted))
    columns: list[sa.ColumnElement[Any]] = []
    further: list[sa.ColumnElement[Any]] = []
    decoders: list[tuple[str, Callable[[Sequence[Any]], Any], _Decode]] = []
    for place, path in enumerate(names):
        (first, *others), decode = _column_group(source, path)
        columns.append(first)
        at = len(names) + len(further)
        further += others
        if decode is not None:
            decoders.append((path, _parts(place, at, at + len(others)), decode))
    return Projection((*columns, *further), _reader(names, decoders))


def _parts(place: int, at: int, end: int) -> Callable[[Sequence[Any]], Any]:
    """Picks a field's columns out of a row: the first where the field is, the others behind all first ones."""
    return itemgetter(place, *range(at, end)) if end > at else itemgetter(slice(place, place + 1))


def _all_fields(source: Source) -> list[str]:
    return ["id", *(name for name, field in source.object.fields.items() if field.shown and name != "id")]


def _column_group(source: Source, path: str) -> tuple[list[sa.ColumnElement[Any]], _Decode | None]:
    """A path's columns and, where the loaded value is not the JSON form already, its decoder."""
    if path == TITLE:
        return [title_of(source.object, source.base)], None
    if path.startswith(MAY):
        return [_allowed(source, path.removeprefix(MAY))], None
    located = source.need(path, "?fields")
    if located.part:
        kind, part = located.field.type, located.part
        as_loaded = type(kind).decode_part is FieldType.decode_part
        return [located.sql], None if as_loaded else lambda parts: kind.decode_part(part, parts[0])
    if not located.field.shown:
        raise refuse("?fields", "field.unknown", f"{path} holds no value.")
    forms = located.field.forms
    columns = [located.of_form(at) for at, column in enumerate(forms) if column.part != _ONLY_TO_SEARCH]
    kind = located.field.type
    return columns, None if type(kind).decode in _AS_LOADED else kind.decode


def _allowed(source: Source, name: str) -> sa.ColumnElement[bool]:
    """Whether the row is in reach for an action; the row itself is one that may be read."""
    if name not in ACTIONS:
        raise refuse("?fields", "field.unknown", f"There is no action called {name!r}.")
    condition = reach.predicate(source.catalog, source.object, source.row, name)
    return sa.true() if condition is None else sa.func.coalesce(condition, sa.false())


def _reader(
    names: tuple[str, ...], decoders: list[tuple[str, Callable[[Sequence[Any]], Any], _Decode]]
) -> Callable[[Sequence[Any]], JSONRecord]:
    lists = tuple(name for name, _, decode in decoders if getattr(decode, "__func__", None) in _LISTS)
    others = tuple(decoder for decoder in decoders if decoder[0] not in lists)

    def record(row: Sequence[Any]) -> JSONRecord:
        made: JSONRecord = dict(zip(names, row, strict=False))
        for name in lists:
            if made[name] is None:
                made[name] = []
        for name, parts, decode in others:
            made[name] = decode(parts(row))
        return made

    return record
