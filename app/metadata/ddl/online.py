"""One statement of a change that runs beside writers: an index built, a guard checked; safe to begin again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

import psycopg

from app.metadata.sortkeys import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.metadata.ddl.shape import Table

    Connection = psycopg.Connection[tuple[Any, ...]]

_INDEX: LiteralString = (
    "select x.indisvalid from pg_index x join pg_class i on i.oid = x.indexrelid"
    " where i.relnamespace = current_schema()::regnamespace and i.relname = %s"
)
_GUARD: LiteralString = (
    "select k.convalidated from pg_constraint k join pg_class t on t.oid = k.conrelid"
    " where t.relnamespace = current_schema()::regnamespace and k.conname = %s"
)
#: What rows forbid, and what it is called.
_BROKEN: Final[dict[type[psycopg.Error], str]] = {
    psycopg.errors.UniqueViolation: "unique",
    psycopg.errors.ProgramLimitExceeded: "long",
    psycopg.errors.ForeignKeyViolation: "link",
    psycopg.errors.CheckViolation: "link",
}


def run(connection: Connection, spec: Mapping[str, str], wanted: Callable[[], bool]) -> tuple[str, str | None]:
    """Run a statement unless it is done, or not wanted any more; the state it ends in and why it failed.

    ``connection`` has no transaction around, as building beside writers wants. What rows forbid is a failure.
    """
    if not wanted():
        return "dropped", None
    valid = _validity(connection, spec)
    if valid:
        return "done", None
    if valid is False:
        _take_away(connection, spec)
    try:
        connection.execute(cast("LiteralString", spec["ddl"]))
    except tuple(_BROKEN) as broken:
        _take_away(connection, spec)
        return "failed", _BROKEN[type(broken)]
    if not wanted():
        _take_away(connection, spec)
        return "dropped", None
    return "done", None


def asked_for(table: Table | None, spec: Mapping[str, str]) -> bool:
    """Whether a description of tables still asks for the statement."""
    if table is None:
        return False
    if spec["op"] == "add_index":
        index = table.indexes.get(spec["name"])
        return index is not None and index.statement(concurrently=True) == spec["ddl"]
    return spec["name"] in table.foreign_keys or spec["name"] in table.checks


def _validity(connection: Connection, spec: Mapping[str, str]) -> bool | None:
    """Whether an index or guard is valid; None when it is not there."""
    row = connection.execute(_INDEX if spec["op"] == "add_index" else _GUARD, (spec["name"],)).fetchone()
    return None if row is None else bool(row[0])


def _take_away(connection: Connection, spec: Mapping[str, str]) -> None:
    """An index of no use; a guard that does not hold for all rows yet holds for new ones and stays."""
    if spec["op"] == "add_index":
        connection.execute(cast("LiteralString", f"drop index concurrently if exists {quoted(spec['name'])}"))
