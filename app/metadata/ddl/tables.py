"""CREATE TABLE for objects: real columns, VIRTUAL title and search columns, foreign keys, indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.ddl.indexes import indexes
from app.metadata.ddl.names import foreign_key_name
from app.metadata.searchtext import LANGUAGE, LANGUAGE_DEFAULT, SEARCH, search_sql
from app.metadata.sortkeys import TITLE, TITLE_KEY, quoted, sort_key_sql, title_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import Catalog, Field, ObjectType

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
_SYSTEM_TABLES: Final = frozenset({"member", "team"})


def tenant_tables(catalog: Catalog) -> list[str]:
    """The statements that make all tables of ``catalog``, in order, one statement an element.

    Names are unqualified: run them with the tenant's schema as search_path, after its system tables (member, team).
    Foreign keys are NO ACTION, checked at the end of the statement, so that set-based deletes may take parent and child
    in one; they are DEFERRABLE for a purge that needs several. What deleting does is the write path's (``on_delete``).
    """
    statements: list[str] = []
    late: list[str] = []
    made: set[str] = set(_SYSTEM_TABLES)
    for object_type in _parents_first(catalog):
        made.add(object_type.name)
        statements.append(_create_table(object_type, made))
        statements += indexes(object_type)
        late += [
            f"alter table {quoted(object_type.table)} add {_foreign_key(object_type, column, target)}"
            for column, target in foreign_keys(object_type)
            if target not in made
        ]
    return statements + late


def foreign_keys(object_type: ObjectType) -> Iterator[tuple[str, str]]:
    """(column, target object) of every link and every part of a reference."""
    for field in object_type.fields.values():
        if field.name in _UNGUARDED or not field.to:
            continue
        for column in field.columns:
            yield column.name, column.part or field.to[0]


def target_table(target: str) -> str:
    """The table behind a link's target: objects have ``o_`` tables, members and teams are system tables."""
    return target if target in _SYSTEM_TABLES else f"o_{target}"


def _create_table(object_type: ObjectType, made: set[str]) -> str:
    parts = [_column(field, at) for field in object_type.fields.values() for at in range(len(field.columns))]
    parts.append(f"{quoted('trash_id')} uuid")
    title = title_sql(object_type)
    parts.append(f"{quoted(TITLE)} text generated always as ({title}) virtual")
    parts.append(
        f"{quoted(TITLE_KEY)} text collate pg_unicode_fast generated always as ({sort_key_sql(title)}) virtual"
    )
    search = search_sql(object_type)
    if search is not None:
        parts.append(f"{quoted(LANGUAGE)} text default {LANGUAGE_DEFAULT}")
        parts.append(f"{quoted(SEARCH)} tsvector generated always as ({search}) virtual")
    parts += [
        f"check (num_nonnulls({', '.join(quoted(column.name) for column in field.columns)}) = 1)"
        for field in object_type.fields.values()
        if field.type.name == "reference"
    ]
    parts += [
        _foreign_key(object_type, column, target) for column, target in foreign_keys(object_type) if target in made
    ]
    body = ",\n  ".join(parts)
    return f"create table {quoted(object_type.table)} (\n  {body}\n)"


def _column(field: Field, at: int) -> str:
    column = field.columns[at]
    extra = _COLUMN_EXTRAS.get(field.name, "")
    return f"{quoted(column.name)} {column.sql_type} {extra}".rstrip()


def _foreign_key(object_type: ObjectType, column: str, target: str) -> str:
    name = quoted(foreign_key_name(object_type.table, column))
    return (
        f"constraint {name} foreign key ({quoted(column)}) references {quoted(target_table(target))} (id)"
        " deferrable initially immediate"
    )


def _parents_first(catalog: Catalog) -> list[ObjectType]:
    """Link targets before what links to them, as far as there are no circles."""
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
