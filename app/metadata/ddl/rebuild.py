"""A table written anew: PostgreSQL counts every column a table ever had, dropped ones too, and takes 1,600.

Formulas that change and fields that are purged use columns up. The copy has the columns that are there, hidden ones
with their values included, and the table's own name; nothing else of the workspace notices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.ddl.diff import Step
from app.metadata.ddl.names import within_limit
from app.metadata.ddl.shape import Table
from app.metadata.sortkeys import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.ddl.shape import ForeignKey

#: From so many columns ever used on, a table is written anew by the next change that adds one (DESIGN §5).
MOST_ATTRIBUTES: Final = 1_200
#: So many columns, hidden ones included, an object may need: some are left for releases.
MOST_COLUMNS: Final = 1_500

#: A foreign key with the table it is of.
Key = tuple[str, "ForeignKey"]


@dataclass(frozen=True, slots=True)
class Worn:
    """A table to be written anew: what it is to be, what it has (column → type), the keys that lead to it."""

    table: Table
    columns: Mapping[str, str]
    leading: tuple[Key, ...] = ()
    #: Those of them that lead to it afterwards too.
    staying: tuple[Key, ...] = ()


def used_up(before: Table | None, after: Table, held: frozenset[str]) -> int:
    """How many columns are made to come from ``before`` to ``after``; VIRTUAL ones count whenever they change."""
    known = (before or Table(after.name, {})).columns
    return sum(
        column != known.get(name) if column.expression else name not in held for name, column in after.columns.items()
    )


def rewritten(worn: Worn) -> Iterator[Step]:
    """The table without its foreign keys; everything else that is new comes after."""
    table = worn.table
    for other, key in worn.leading:
        yield _step(table, f"alter table {quoted(other)} drop constraint if exists {quoted(key.name)}")
    copy = within_limit(f"{table.name}__new")
    parts = [column.definition for column in table.columns.values()]
    parts += [f"{quoted(name)} {type_}" for name, type_ in sorted(worn.columns.items()) if name not in table.columns]
    parts += [check.definition for check in table.checks.values()]
    body = ",\n  ".join(parts)
    yield _step(table, f"create table {quoted(copy)} (\n  {body}\n)")
    kept = [name for name in sorted(worn.columns) if name not in table.columns or not table.columns[name].expression]
    names = ", ".join(quoted(name) for name in kept)
    yield _step(table, f"insert into {quoted(copy)} ({names}) select {names} from {quoted(table.name)}")
    yield _step(table, f"drop table {quoted(table.name)}")
    yield _step(table, f"alter table {quoted(copy)} rename to {quoted(table.name)}")
    key_name, wanted = within_limit(f"{copy}_pkey"), within_limit(f"{table.name}_pkey")
    yield _step(table, f"alter table {quoted(table.name)} rename constraint {quoted(key_name)} to {quoted(wanted)}")
    for index in table.indexes.values():
        yield _step(table, index.statement())


def keyed(worn: Worn) -> Iterator[Step]:
    """Its foreign keys and those that lead to it, once all tables are there."""
    for other, key in (*((worn.table.name, key) for key in worn.table.foreign_keys.values()), *worn.staying):
        yield _step(worn.table, f"alter table {quoted(other)} add {key.definition}")


def _step(table: Table, ddl: str) -> Step:
    return Step("rewrite", table.name, "", ddl, "rewrite")
