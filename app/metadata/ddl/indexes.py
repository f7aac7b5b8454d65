"""Which indexes a table gets: few, since every one is paid for by each write and by each spare schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.ddl.names import index_name, unique_name
from app.metadata.rollups import feed_indexes
from app.metadata.searchtext import search_sql
from app.metadata.sortkeys import equal_key_sql, quoted, sort_key_sql, title_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import Field, ObjectType

#: The day an amount converts by and its weight (``app.records.metrics``).
_FIGURES: Final = ("close_on", "probability")
#: Types of values that fit any index entry.
_SHORT: Final = frozenset({"date", "datetime", "percent", "decimal", "integer"})


@dataclass(frozen=True, slots=True)
class Index:
    """An index: what stands behind ON in its statement."""

    name: str
    table: str
    rest: str
    unique: bool = False

    def statement(self, *, concurrently: bool = False) -> str:
        """CREATE INDEX."""
        unique = "unique " if self.unique else ""
        beside = "concurrently " if concurrently else ""
        return f"create {unique}index {beside}{quoted(self.name)} on {quoted(self.table)} {self.rest}"


def indexes(object_type: ObjectType) -> list[Index]:
    """All indexes of an object besides its primary key."""
    found = [index for field in object_type.fields.values() if field.columns for index in _of_field(object_type, field)]
    found += [_index(object_type, name, rest) for name, rest in feed_indexes(object_type)]
    if object_type.timeline:
        found += _of_title(object_type)
    search = search_sql(object_type)
    if search is not None:
        found.append(_index(object_type, "search", f"using gin (({search}))"))
    sort = object_type.default_sort.lstrip("-")
    if sort in object_type.fields and object_type.timeline and object_type.fields[sort].stored:
        found.append(_of_sort(object_type, object_type.fields[sort], {index.name for index in found}))
    if object_type.has_pipeline:
        found.append(
            _index(object_type, "board", f"(pipeline, stage, id){_figures(object_type)} where deleted_at is null")
        )
    found.append(_index(object_type, "trash", "(deleted_at, id) where deleted_at is not null"))
    return found


def _of_sort(object_type: ObjectType, field: Field, taken: set[str]) -> Index:
    """The list's own order; a field that is ``indexed`` too has the plain name already."""
    column = field.columns[0].name
    rest = _by_key(column) if keyed(field) else f"({quoted(column)}, id)"
    index = _index(object_type, column, rest)
    return index if index.name not in taken else Index(index_name(object_type.table, column, "sort"), index.table, rest)


def keyed(field: Field) -> bool:
    """Whether the index of a field is on its sort key: a text may be longer than an index entry."""
    return field.columns[0].sql_type == "text" and field.type.condition == "text"


def _by_key(column: str) -> str:
    return f"(({sort_key_sql(quoted(column))}), id)"


def _figures(object_type: ObjectType) -> str:
    """What a board's totals are made of, so that they are read from the index alone, however wide the records are."""
    money = next((field for field in object_type.fields.values() if field.type.name == "money"), None)
    if money is None:
        return ""
    further = [object_type.fields[name] for name in _FIGURES if name in object_type.fields]
    columns = [
        quoted(column.name)
        for field in (money, *(one for one in further if one.stored and one.type.name in _SHORT))
        for column in field.columns
    ]
    return f" include ({', '.join(columns)})"


def _of_title(object_type: ObjectType) -> list[Index]:
    """Sorting and prefixes by (key, id); anything inside the title by trigrams. Both on the text of ``_title_key``."""
    key = sort_key_sql(title_sql(object_type))
    return [
        _index(object_type, "title", f"(({key}), id)"),
        _index(object_type, "title_part", f"using gin (({key}) ext.gin_trgm_ops)"),
    ]


def _of_field(object_type: ObjectType, field: Field) -> Iterator[Index]:
    if field.formula is not None:
        yield from _of_formula(object_type, field, field.formula.sql)
        return
    name = field.columns[0].name
    column, table = quoted(name), object_type.table
    if field.unique == "exact":
        yield Index(unique_name(table, name), table, f"({column}) where deleted_at is null", unique=True)
    elif field.unique:
        yield Index(
            unique_name(table, name), table, f"(({equal_key_sql(column)})) where deleted_at is null", unique=True
        )
    if field.indexed and keyed(field):
        yield _index(object_type, name, _by_key(name))
    elif field.indexed:
        for one in field.columns:
            quoted_name = quoted(one.name)
            yield _index(object_type, one.name, f"({quoted_name}) where {quoted_name} is not null")
    for one in field.columns:
        if one.part == "all":
            yield _index(object_type, one.name, f"using gin ({quoted(one.name)})")
        elif one.references:
            yield _index(object_type, one.name, f"({quoted(one.name)}) where {quoted(one.name)} is not null")


def _of_formula(object_type: ObjectType, field: Field, texts: tuple[str, ...]) -> Iterator[Index]:
    """On the text of its VIRTUAL columns: the planner finds it behind their names. Texts by their sort key."""
    for column, text in zip(field.columns, texts, strict=True) if field.indexed else ():
        if column.part == "currency":
            continue
        key = f"(({sort_key_sql(f'({text})')}), id)" if column.sql_type == "text" else f"(({text}), id)"
        yield _index(object_type, column.name, key)


def _index(object_type: ObjectType, what: str, rest: str) -> Index:
    return Index(index_name(object_type.table, what), object_type.table, rest)
