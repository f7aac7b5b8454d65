"""What ``sort=-amount,name`` means: keys that order every record exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.metadata.generated import sql_type
from app.metadata.sortkeys import sort_key_sql
from app.records.environment import folded
from app.records.paths import (
    Located,
    hint,
    link_target,
    refuse,
    text_key,
    title_key_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.metadata.model import Field
    from app.records.sources import Source

#: ``sort=title`` orders by what a record is called, whatever its fields are.
TITLE_SORT: Final = "title"
_MAX_KEYS: Final = 5
#: Columns the engine always fills: no range of empty values, one statement branch less.
_NEVER_EMPTY: Final = frozenset({"id", "version", "created_at", "updated_at"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key: its SQL, direction, and how a cursor's value of it becomes a parameter."""

    path: str
    descending: bool
    sql: sa.ColumnElement[Any]
    nullable: bool
    read: Callable[[object], object]


def parse_sort(source: Source, text: str) -> tuple[SortKey, ...]:
    """Keys of a ``sort`` parameter. Raises InvalidInput at ``?sort``."""
    keys: list[SortKey] = []
    for item in (part.strip() for part in text.split(",")):
        path = item.lstrip("-+")
        if not path or len(item) - len(path) > 1:
            raise refuse("?sort", "sort.invalid", "Write field names joined by commas, a minus sign for descending.")
        if any(key.path == path for key in keys):
            raise refuse("?sort", "sort.invalid", f"{path} is there twice.")
        keys.append(_key(source, path, descending=item.startswith("-")))
    if len(keys) > _MAX_KEYS:
        raise refuse("?sort", "sort.invalid", f"At most {_MAX_KEYS} sort keys.")
    return tuple(keys)


def _key(source: Source, path: str, *, descending: bool) -> SortKey:
    if (path == TITLE_SORT and path not in source.object.fields) or source.object.title == (path,):
        return SortKey(path, descending, title_key_of(source.object, source.base), True, read_text)
    located = source.locate(path)
    if located is None:
        known = [TITLE_SORT, *source.names()]
        raise refuse("?sort", "field.unknown", f"{source.object.label} has no field {path!r}.{hint(path, known)}")
    return key_of(source, located, descending=descending)


def key_of(source: Source, located: Located, *, descending: bool) -> SortKey:
    """The sort key of a located field. Raises InvalidInput when its values have no order."""
    field, path = located.field, located.path
    if located.composite or not (located.part or field.type.sortable):
        raise refuse("?sort", "sort.unsupported", f"{path} can't be sorted by.")
    if "." not in path and (target := link_target(source.catalog, field)):
        alias = source.join(field, target)
        if target.name in ("member", "team"):
            return SortKey(path, descending, text_key(sa.column("name", sa.Text(), _selectable=alias)), True, read_text)
        return SortKey(path, descending, title_key_of(target, alias), True, read_text)
    choices = option_order(located)
    if choices:
        ranked = sa.func.array_position(sa.literal(choices, pg.ARRAY(sa.Text())), located.sql, type_=sa.Integer())
        return SortKey(path, descending, ranked, True, _READERS["integer"])
    base_type = located.column.sql_type.partition("(")[0]
    if base_type == "text":
        return SortKey(path, descending, _text_key(located), True, read_text)
    reader = _READERS.get(base_type)
    if reader is None:
        raise refuse("?sort", "sort.unsupported", f"{path} can't be sorted by.")
    return SortKey(path, descending, located.sql, path not in _NEVER_EMPTY, reader)


def _text_key(located: Located) -> sa.ColumnElement[Any]:
    """A text as it sorts; an indexed one by the text of its index, one without columns by its expression."""
    field = located.field
    if located.expressions:
        return folded(located.sql)
    if field.indexed or located.owner.default_sort.lstrip("-") == field.name:
        rendered = str(located.sql.compile(dialect=pg.dialect()))
        return sa.literal_column(sort_key_sql(rendered), sa.Text())
    return text_key(located.sql)


def option_order(located: Located) -> list[str]:
    """Names of a select's options, or of an object's stages, in their order; empty for other fields."""
    field: Field = located.field
    if located.part:
        return []
    if field.name == "stage" and located.owner.has_pipeline:
        return list(dict.fromkeys(name for pipeline in located.owner.pipelines.values() for name in pipeline.stages))
    if field.type.condition == "option" and field.options:
        return sorted(field.options, key=lambda name: field.options[name].rank)
    return []


def reader_for(column_type: str) -> Callable[[object], object]:
    """How a cursor's value of a column of this type is read; it raises ValueError for what is none."""
    return _READERS.get(column_type.partition("(")[0], read_text)


def read_text(value: object) -> object:
    """Read a text from a cursor; it raises ValueError for what is none."""
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("text expected")
    return value


def _number(value: object) -> object:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("number expected") from None
    if not number.is_finite():
        raise ValueError("number expected")
    return number


def _integer(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        raise ValueError("integer expected")
    return value


def _boolean(value: object) -> object:
    if value not in (True, False):
        raise ValueError("boolean expected")
    return bool(value)


def _moment(value: object) -> object:
    return datetime.fromisoformat(str(value))


def _day(value: object) -> object:
    return date.fromisoformat(str(value))


def _clock(value: object) -> object:
    return time.fromisoformat(str(value))


def _uuid(value: object) -> object:
    return UUID(str(value))


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "text": read_text,
    "uuid": _uuid,
    "integer": _integer,
    "bigint": _number,
    "numeric": _number,
    "boolean": _boolean,
    "date": _day,
    "time": _clock,
    "timestamptz": _moment,
}


def type_of(key: SortKey) -> sa.types.TypeEngine[Any]:
    """Core's type of a key's values."""
    return key.sql.type if not isinstance(key.sql.type, sa.types.NullType) else sql_type("text")
