"""A tenant's metadata as its schema holds it: pins, overrides, physical names, what sources stated.

Texts are unqualified, so that a scope reads them and the engine, as the schema's owner with the same search_path, reads
and writes them. Nothing but the engine (``apply``) writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from psycopg.types.json import Jsonb

from app.metadata.layers import Override
from app.metadata.physical import Physical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    import psycopg

    from app.metadata.leaves import Document

    #: Any: what a column holds.
    Connection = psycopg.Connection[tuple[Any, ...]]

#: What reads: a scope's ``execute``, or an owner connection's with the tenant's search_path.
Execute: TypeAlias = "Callable[..., psycopg.Cursor[tuple[Any, ...]]]"

#: One statement for all a catalog is built from.
_READ: Final = """
select 'layer', layer, hash, null::jsonb, null::jsonb, place::text, null, null::timestamptz, false from metadata_layer
union all
select 'override', component, path, base, value, null, null, null, false from metadata_override
union all
select 'physical', component, path, to_jsonb("table"), to_jsonb("column"), born, type, hidden_at, sensitive
  from metadata_physical
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """All a catalog is built from; ``pins`` are (layer, hash), lowest first."""

    version: int
    pins: tuple[tuple[str, str], ...]
    overrides: tuple[Override, ...]
    physical: tuple[Physical, ...]


def read(execute: Execute, version: int) -> Stored:
    """What the schema on the search_path holds."""
    pins: list[tuple[int, str, str]] = []
    overrides: list[Override] = []
    physical: list[Physical] = []
    for what, one, two, first, second, place, type_, hidden_at, sensitive in execute(_READ).fetchall():
        if what == "layer":
            pins.append((int(place), one, two))
        elif what == "override":
            overrides.append(Override(one, two, first, second))
        else:
            physical.append(Physical(first, second, one, two, type_, hidden_at, sensitive, place))
    overrides.sort(key=lambda override: (override.component, override.path))
    physical.sort(key=lambda row: row.key)
    return Stored(version, tuple((layer, hash_) for _, layer, hash_ in sorted(pins)), tuple(overrides), tuple(physical))


def said_by(execute: Execute) -> dict[tuple[str, str], tuple[str | None, datetime]]:
    """By component and path of the tenant's own layer: who said it last, by name, and when."""
    rows = execute(
        "select o.component, o.path, m.name, o.at from metadata_override o left join member m on m.id = o.by"
    ).fetchall()
    return {(component, path): (name, at) for component, path, name, at in rows}


def sources(execute: Execute) -> dict[str, Document]:
    """What each source stated last."""
    return dict(execute("select source, document from metadata_source").fetchall())


def seed(execute: Execute) -> str:
    """What names of tables and columns are made from."""
    row = execute("select value from setting where name = 'metadata_names'").fetchone()
    return str(row[0]) if row else ""


def write_overrides(
    connection: Connection, known: Iterable[Override], wanted: Iterable[Override], by: UUID | None
) -> None:
    """Make the tenant's layer ``wanted``; rows that stay the same keep who made them and when."""
    before = {(one.component, one.path): one for one in known}
    after = {(one.component, one.path): one for one in wanted}
    gone = sorted(before.keys() - after.keys())
    new = [one for key, one in sorted(after.items()) if before.get(key) != one]
    if gone:
        connection.execute(
            "delete from metadata_override o using jsonb_to_recordset(%s) g (component text, path text)"
            " where o.component = g.component and o.path = g.path",
            (Jsonb([{"component": component, "path": path} for component, path in gone]),),
        )
    if new:
        rows = [{"component": o.component, "path": o.path, "base": o.base, "value": o.value} for o in new]
        connection.execute(
            "insert into metadata_override (component, path, base, value, by)"
            " select component, path, nullif(base, 'null'), nullif(value, 'null'), %s"
            " from jsonb_to_recordset(%s) n (component text, path text, base jsonb, value jsonb)"
            " on conflict (component, path) do update set base = excluded.base, value = excluded.value,"
            " by = excluded.by, at = now()",
            (by, Jsonb(rows)),
        )


def write_physical(connection: Connection, known: Iterable[Physical], wanted: Iterable[Physical]) -> None:
    """Make the physical names ``wanted``."""
    before = {row.key: row for row in known}
    after = {row.key: row for row in wanted}
    gone = sorted(before.keys() - after.keys())
    new = [row for key, row in sorted(after.items()) if before.get(key) != row]
    # A name may pass from one row to another in one change: the old one lets go of it first.
    moved = [row.key for row in new if row.key in before and before[row.key].hidden_at is None]
    if gone or moved:
        connection.execute(
            'delete from metadata_physical p using jsonb_to_recordset(%s) g ("table" text, "column" text)'
            ' where p."table" = g."table" and p."column" = g."column"',
            (Jsonb([{"table": table, "column": column} for table, column in (*gone, *moved)]),),
        )
    if new:
        rows = [
            {"table": row.table, "column": row.column, "component": row.component, "path": row.path, "type": row.type,
             "hidden_at": row.hidden_at.isoformat() if row.hidden_at else None, "sensitive": row.sensitive,
             "born": row.born}
            for row in new
        ]  # fmt: skip
        connection.execute(
            'insert into metadata_physical ("table", "column", component, path, type, hidden_at, sensitive, born)'
            ' select "table", "column", component, path, type, hidden_at, sensitive, born from jsonb_to_recordset(%s) n'
            ' ("table" text, "column" text, component text, path text, type text, hidden_at timestamptz,'
            ' sensitive boolean, born text) on conflict ("table", "column") do update set'
            " component = excluded.component, path = excluded.path, type = excluded.type,"
            " hidden_at = excluded.hidden_at, sensitive = excluded.sensitive, born = excluded.born",
            (Jsonb(rows),),
        )


def write_pins(connection: Connection, pins: Iterable[tuple[str, str]]) -> None:
    """Lay the tenant over these layers, lowest first."""
    rows = [{"layer": layer, "place": place, "hash": hash_} for place, (layer, hash_) in enumerate(pins)]
    connection.execute(
        "insert into metadata_layer (layer, place, hash) select layer, place, hash"
        " from jsonb_to_recordset(%s) n (layer text, place integer, hash text)"
        " on conflict (layer) do update set place = excluded.place, hash = excluded.hash",
        (Jsonb(rows),),
    )


def write_source(connection: Connection, source: str, stated: Mapping[str, object], version: int) -> None:
    """What ``source`` states now."""
    connection.execute(
        "insert into metadata_source (source, document, version) values (%s, %s, %s) on conflict (source) do update"
        " set document = excluded.document, version = excluded.version, at = now()",
        (source, Jsonb(stated), version),
    )
