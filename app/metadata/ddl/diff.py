"""The statements between two descriptions of tables; making a tenant's tables is the difference from nothing.

Nothing that holds values is ever dropped here: a column or table that is not wanted any more loses what bites (foreign
keys, checks, unique indexes) and costs (indexes, VIRTUAL columns), and keeps its values until a purge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from app.metadata.ddl.shape import Table
from app.metadata.sortkeys import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.ddl.indexes import Index
    from app.metadata.ddl.shape import Check, Column, ForeignKey

Safety: TypeAlias = Literal["instant", "online", "rewrite", "destructive"]
Tables: TypeAlias = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Step:
    """One statement. ``name`` is the part of the table it is about; ``online`` ones run in a job, one by itself."""

    op: str
    table: str
    name: str
    ddl: str
    safety: Safety = "instant"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database holds beside the description: hidden parts, and tables too large to be worked on at once.

    ``guards`` are names of constraints.
    """

    tables: frozenset[str] = frozenset()
    columns: frozenset[tuple[str, str]] = frozenset()
    guards: frozenset[str] = frozenset()
    large: frozenset[str] = field(default_factory=frozenset[str])


NOTHING: Tables = {}
#: Members are never deleted: a key to them bites nobody, and dropping it would lock what every request reads.
_NEVER_GOING: Final = frozenset({"member"})
_FRESH = Standing()


def difference(before: Tables, after: Tables, standing: Standing = _FRESH) -> list[Step]:
    """Statements that make ``after`` of ``before``, in order; names are unqualified (search_path = the schema)."""
    steps: list[Step] = []
    for name, table in before.items():
        steps += _taken(table, after.get(name, table.bare()))
    late: list[Step] = []
    made = set(before) | standing.tables
    for name, table in after.items():
        new = name not in made
        made.add(name)
        if new:
            steps += _create(table, made | _outside(after))
            late += [
                _add_key(table, key)
                for key in table.foreign_keys.values()
                if key.target not in made and key.target in after
            ]
        else:
            known = before.get(name, Table(name, {}))
            steps += _columns(known, table, standing)
            late += _guards(known, table, standing)
    return steps + late


def _outside(after: Tables) -> set[str]:
    """Tables foreign keys point to that no description makes: those of the system."""
    return {key.target for table in after.values() for key in table.foreign_keys.values()} - set(after)


def _create(table: Table, made: set[str]) -> Iterator[Step]:
    parts = [column.definition for column in table.columns.values()]
    parts += [check.definition for check in table.checks.values()]
    parts += [key.definition for key in table.foreign_keys.values() if key.target in made]
    body = ",\n  ".join(parts)
    yield Step("create_table", table.name, "", f"create table {quoted(table.name)} (\n  {body}\n)")
    for index in table.indexes.values():
        yield Step("add_index", table.name, index.name, index.statement())


def _taken(before: Table, after: Table) -> Iterator[Step]:
    """What goes: first what stands in the way of anything else."""
    alter = f"alter table {quoted(before.name)}"
    for key in before.foreign_keys.values():
        if after.foreign_keys.get(key.name) != key and key.target not in _NEVER_GOING:
            yield Step(
                "drop_foreign_key", before.name, key.name, f"{alter} drop constraint if exists {quoted(key.name)}"
            )
    for check in before.checks.values():
        if after.checks.get(check.name) != check:
            yield Step("drop_check", before.name, check.name, f"{alter} drop constraint if exists {quoted(check.name)}")
    for index in before.indexes.values():
        if after.indexes.get(index.name) != index:
            yield Step("drop_index", before.name, index.name, f"drop index if exists {quoted(index.name)}")
    for column in before.columns.values():
        if column.expression and not _same_kind(after.columns.get(column.name), column):
            yield Step("drop_column", before.name, column.name, f"{alter} drop column if exists {quoted(column.name)}")


def _same_kind(one: Column | None, other: Column) -> bool:
    """Whether an expression can be exchanged in place."""
    return one is not None and bool(one.expression) and (one.type, one.collation) == (other.type, other.collation)


def _columns(before: Table, after: Table, standing: Standing) -> Iterator[Step]:
    """Columns that hold values first: expressions name them."""
    alter = f"alter table {quoted(after.name)}"
    for column in after.columns.values():
        there = column.name in before.columns or (after.name, column.name) in standing.columns
        if not column.expression and not there:
            yield Step("add_column", after.name, column.name, f"{alter} add column {column.definition}")
    for column in after.columns.values():
        known = before.columns.get(column.name)
        if column.expression and column != known:
            if known is None or not _same_kind(known, column):
                yield Step("add_column", after.name, column.name, f"{alter} add column {column.definition}")
            elif after.checks or before.checks:
                # PostgreSQL 18 does not exchange the expression of a VIRTUAL column beside CHECK constraints.
                yield Step("drop_column", after.name, column.name, f"{alter} drop column {quoted(column.name)}")
                yield Step("add_column", after.name, column.name, f"{alter} add column {column.definition}")
            else:
                text = f"{alter} alter column {quoted(column.name)} set expression as ({column.expression})"
                yield Step("set_expression", after.name, column.name, text)


def _guards(before: Table, after: Table, standing: Standing) -> Iterator[Step]:
    large = after.name in standing.large
    for check in after.checks.values():
        if before.checks.get(check.name) != check:
            yield from _add_check(after, check, large=large)
    for key in after.foreign_keys.values():
        if before.foreign_keys.get(key.name) != key and not (
            key.name in standing.guards and key.target in _NEVER_GOING
        ):
            yield from _add_guarded_key(after, key, large=large)
    for index in after.indexes.values():
        if before.indexes.get(index.name) != index:
            yield _add_index(after, index, large=large)


def _add_check(table: Table, check: Check, *, large: bool) -> Iterator[Step]:
    alter = f"alter table {quoted(table.name)}"
    unchecked = " not valid" if large else ""
    yield Step("add_check", table.name, check.name, f"{alter} add {check.definition}{unchecked}")
    if large:
        yield _validate(table, check.name)


def _add_guarded_key(table: Table, key: ForeignKey, *, large: bool) -> Iterator[Step]:
    step = _add_key(table, key)
    if not large:
        yield step
        return
    yield Step(step.op, step.table, step.name, f"{step.ddl} not valid")
    yield _validate(table, key.name)


def _add_key(table: Table, key: ForeignKey) -> Step:
    return Step("add_foreign_key", table.name, key.name, f"alter table {quoted(table.name)} add {key.definition}")


def _validate(table: Table, name: str) -> Step:
    ddl = f"alter table {quoted(table.name)} validate constraint {quoted(name)}"
    return Step("validate", table.name, name, ddl, "online")


def _add_index(table: Table, index: Index, *, large: bool) -> Step:
    safety: Safety = "online" if large else "instant"
    return Step("add_index", table.name, index.name, index.statement(concurrently=large), safety)
