"""What an object's table is to be: a pure description, made from the compiled object. ``diff`` compares two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from app.metadata.ddl.indexes import Index, indexes
from app.metadata.ddl.names import foreign_key_name, index_name
from app.metadata.searchtext import LANGUAGE, LANGUAGE_DEFAULT, SEARCH, search_sql
from app.metadata.sortkeys import TITLE, TITLE_KEY, quoted, sort_key_sql, title_sql

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from app.metadata.model import Catalog, Field, ObjectType


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)

#: System NOT NULLs and defaults; everything else a person may leave empty is checked by the write path (DESIGN §5).
_COLUMN_EXTRAS: Final = {
    "id": "primary key default uuidv7()",
    "version": "not null default 1",
    "created_at": "not null default clock_timestamp()",
    "updated_at": "not null default clock_timestamp()",
}
#: Written by the engine from the acting member only; members are never deleted, so no race to guard, and every import
#: row would pay for the check.
_UNGUARDED: Final = frozenset({"created_by", "updated_by"})
#: Targets that are no objects; their tables are called like them.
SYSTEM_TABLES: Final = frozenset({"member", "team"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column; with ``expression`` a VIRTUAL one. ``extra`` are its constraints and default."""

    name: str
    type: str
    extra: str = ""
    expression: str = ""
    collation: str = ""

    @property
    def definition(self) -> str:
        """As CREATE TABLE and ADD COLUMN write it."""
        collate = f" collate {self.collation}" if self.collation else ""
        made = f" generated always as ({self.expression}) virtual" if self.expression else ""
        return f"{quoted(self.name)} {self.type}{collate}{made} {self.extra}".rstrip()


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A link's column and the table it points to.

    NO ACTION, checked at the end of the statement, so that set-based deletes may take parent and child in one;
    DEFERRABLE for a purge that needs several. What deleting does is the write path's (``on_delete``).
    """

    name: str
    column: str
    target: str

    @property
    def definition(self) -> str:
        """The constraint."""
        return (
            f"constraint {quoted(self.name)} foreign key ({quoted(self.column)})"
            f" references {quoted(self.target)} (id) deferrable initially immediate"
        )


@dataclass(frozen=True, slots=True)
class Check:
    """A condition two writers could break."""

    name: str
    condition: str

    @property
    def definition(self) -> str:
        """The constraint."""
        return f"constraint {quoted(self.name)} check ({self.condition})"


@dataclass(frozen=True, slots=True)
class Table:
    """One table, each part by its name; columns in the order they are made."""

    name: str
    columns: Mapping[str, Column]
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    foreign_keys: Mapping[str, ForeignKey] = field(default_factory=dict[str, ForeignKey])
    indexes: Mapping[str, Index] = field(default_factory=dict[str, Index])

    def bare(self) -> Table:
        """What stays of it while it is hidden: the values, and nothing that bites or costs."""
        return Table(self.name, {name: column for name, column in self.columns.items() if not column.expression})


def shapes(catalog: Catalog, *, leaving_out: Container[str] = ()) -> dict[str, Table]:
    """Every table of ``catalog`` by its name, link targets before what links to them as far as there are no circles."""
    tables = {obj.name: obj.table for obj in catalog.objects.values()}
    return {obj.table: shape(obj, tables) for obj in _parents_first(catalog) if obj.table not in leaving_out}


def shape(object_type: ObjectType, tables: Mapping[str, str]) -> Table:
    """The table of ``object_type``; ``tables`` tells the table of each object."""
    keys = [
        ForeignKey(foreign_key_name(object_type.table, column), column, tables.get(target, target))
        for column, target in foreign_keys(object_type)
    ]
    keys += [
        ForeignKey(foreign_key_name(object_type.table, column.name), column.name, column.references)
        for one in object_type.fields.values()
        for column in one.columns
        if column.references
    ]
    checks = [
        Check(
            index_name(object_type.table, column_stem(one), "check"),
            f"num_nonnulls({', '.join(quoted(column.name) for column in one.columns)}) = 1",
        )
        for one in object_type.fields.values()
        if one.type.name == "reference" and one.stored
    ]
    return Table(
        object_type.table,
        _by_name(_columns(object_type)),
        _by_name(checks),
        _by_name(keys),
        _by_name(indexes(object_type)),
    )


def column_stem(one: Field) -> str:
    """The part that all columns of a field begin with: its physical name."""
    column = one.columns[0]
    return (column.name.rpartition("__")[0] or column.name) if column.part else column.name


def foreign_keys(object_type: ObjectType) -> Iterator[tuple[str, str]]:
    """(column, target object) of every link and every part of a reference."""
    for one in object_type.fields.values():
        if one.name in _UNGUARDED or not one.to or one.computed:
            continue
        for column in one.columns:
            yield column.name, column.part or one.to[0]


def _columns(object_type: ObjectType) -> Iterator[Column]:
    for one in object_type.fields.values():
        made = one.formula.sql if one.formula is not None else ()
        for at, column in enumerate(one.columns):
            yield Column(column.name, column.sql_type, _COLUMN_EXTRAS.get(one.name, ""), made[at] if made else "")
    yield Column("trash_id", "uuid")
    title = title_sql(object_type)
    yield Column(TITLE, "text", expression=title)
    yield Column(TITLE_KEY, "text", expression=sort_key_sql(title), collation="pg_unicode_fast")
    search = search_sql(object_type)
    if search is not None:
        yield Column(LANGUAGE, "text", f"default {LANGUAGE_DEFAULT}")
        yield Column(SEARCH, "tsvector", expression=search)


def _by_name(parts: Iterable[_Named]) -> dict[str, _Named]:
    return {part.name: part for part in parts}


def _parents_first(catalog: Catalog) -> list[ObjectType]:
    order: dict[str, ObjectType] = {}
    visiting: set[str] = set()

    def visit(object_type: ObjectType) -> None:
        if object_type.name in order or object_type.name in visiting:
            return
        visiting.add(object_type.name)
        for _, target in foreign_keys(object_type):
            if target in catalog.objects:
                visit(catalog.objects[target])
        order[object_type.name] = object_type

    for object_type in catalog.objects.values():
        visit(object_type)
    return list(order.values())
