"""Which indexes a table gets: few, since every one is paid for by each write and by each spare schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.ddl.names import index_name, unique_name
from app.metadata.searchtext import search_sql
from app.metadata.sortkeys import equal_key_sql, quoted, sort_key_sql, title_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import Field, ObjectType

#: The day an amount converts by and its weight (``app.records.metrics``).
_FIGURES: Final = ("close_on", "probability")


def indexes(object_type: ObjectType) -> list[str]:
    """The statements for an object's indexes; the table is new and empty."""
    found = [statement for field in object_type.fields.values() for statement in _of_field(object_type, field)]
    if object_type.timeline:
        found += _of_title(object_type)
    search = search_sql(object_type)
    if search is not None:
        found.append(_index(object_type, "search", f"using gin (({search}))"))
    sort = object_type.default_sort.lstrip("-")
    if sort in object_type.fields and object_type.timeline:
        column = quoted(object_type.fields[sort].columns[0].name)
        found.append(_index(object_type, sort, f"({column}, id)"))
    if object_type.has_pipeline:
        found.append(
            _index(object_type, "board", f"(pipeline, stage, id){_figures(object_type)} where deleted_at is null")
        )
    found.append(_index(object_type, "trash", "(deleted_at, id) where deleted_at is not null"))
    return found


def _figures(object_type: ObjectType) -> str:
    """What a board's totals are made of, so that they are read from the index alone, however wide the records are."""
    money = next((field for field in object_type.fields.values() if field.type.name == "money"), None)
    if money is None:
        return ""
    further = [object_type.fields[name] for name in _FIGURES if name in object_type.fields]
    columns = [quoted(column.name) for field in (money, *further) for column in field.columns]
    return f" include ({', '.join(columns)})"


def _of_title(object_type: ObjectType) -> list[str]:
    """Sorting and prefixes by (key, id); anything inside the title by trigrams. Both on the text of ``_title_key``."""
    key = sort_key_sql(title_sql(object_type))
    return [
        _index(object_type, "title", f"(({key}), id)"),
        _index(object_type, "title_part", f"using gin (({key}) ext.gin_trgm_ops)"),
    ]


def _of_field(object_type: ObjectType, field: Field) -> Iterator[str]:
    column = quoted(field.columns[0].name)
    name = quoted(unique_name(object_type.table, field.name))
    table = quoted(object_type.table)
    if field.unique == "exact":
        yield f"create unique index {name} on {table} ({column}) where deleted_at is null"
    elif field.unique:
        yield f"create unique index {name} on {table} (({equal_key_sql(column)})) where deleted_at is null"
    if field.indexed:
        for one in field.columns:
            quoted_name = quoted(one.name)
            yield _index(object_type, one.name, f"({quoted_name}) where {quoted_name} is not null")
    for one in field.columns:
        if one.part == "all":
            yield _index(object_type, one.name, f"using gin ({quoted(one.name)})")


def _index(object_type: ObjectType, what: str, rest: str) -> str:
    return f"create index {quoted(index_name(object_type.table, what))} on {quoted(object_type.table)} {rest}"
