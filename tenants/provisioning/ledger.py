"""What is under way across databases, so that a step interrupted is found and finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core import ids
from tenants.registry import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.core.db import Databases


@dataclass(frozen=True, slots=True)
class Entry:
    """One act under way: its kind, state and what the steps need."""

    id: UUID
    kind: str
    state: str
    tenant: UUID | None
    pod: int | None
    person: UUID | None


def write(
    connection: sa.Connection, entry: UUID, kind: str, *, tenant: UUID | None = None, args: Mapping[str, object]
) -> None:
    """Open an entry in the caller's transaction."""
    connection.execute(sa.insert(tables.ledger).values(id=entry, kind=kind, tenant=tenant, args=dict(args)))


def open_entry(databases: Databases, kind: str, *, tenant: UUID, pod: int) -> UUID:
    """Open an entry of its own."""
    entry = ids.uuid7()
    with databases.control.begin() as connection:
        write(connection, entry, kind, tenant=tenant, args={"pod": pod})
    return entry


def close(connection: sa.Connection, entry: UUID, state: str) -> bool:
    """Mark an entry ``done`` or ``undone``; what its steps needed to know goes.

    False when it is not open any more: for ``done``, when somebody began to take it back.
    """
    open_states = ["running"] if state == "done" else ["running", "undoing"]
    closed = (
        sa.update(tables.ledger)
        .where(tables.ledger.c.id == entry, tables.ledger.c.state.in_(open_states))
        .values(state=state, args={}, updated_at=sa.func.now())
    )
    return connection.execute(closed).rowcount == 1


def begin_undoing(databases: Databases, entry: UUID) -> bool:
    """From here on the entry can't become ``done``; False when it is closed already."""
    marked = (
        sa.update(tables.ledger)
        .where(tables.ledger.c.id == entry, tables.ledger.c.state.in_(["running", "undoing"]))
        .values(state="undoing", updated_at=sa.func.now())
    )
    with databases.control.begin() as connection:
        return connection.execute(marked).rowcount == 1


def read(databases: Databases, entry: UUID) -> Entry | None:
    """One entry."""
    with databases.control.connect() as connection:
        row = connection.execute(_select().where(tables.ledger.c.id == entry)).first()
    return None if row is None else Entry(*row)


def take_stale(databases: Databases, older_than: float) -> list[Entry]:
    """Open entries nobody has touched for so many seconds, marked as touched: two takers share them out."""
    ledger = tables.ledger
    before = sa.func.now() - timedelta(seconds=older_than)
    with databases.control.begin() as connection:
        chosen = list(
            connection.scalars(
                sa.select(ledger.c.id)
                .where(ledger.c.state.in_(["running", "undoing"]), ledger.c.updated_at <= before)
                .order_by(ledger.c.id)
                .limit(100)
                .with_for_update(skip_locked=True)
            )
        )
        connection.execute(
            sa.update(ledger)
            .where(ledger.c.id.in_(chosen))
            .values(updated_at=sa.func.now(), attempts=ledger.c.attempts + 1)
        )
        rows = connection.execute(_select().where(ledger.c.id.in_(chosen)).order_by(ledger.c.id)).all()
    return [Entry(*row) for row in rows]


def _select() -> sa.Select[*tuple[Any, ...]]:
    ledger = tables.ledger
    return sa.select(
        ledger.c.id,
        ledger.c.kind,
        ledger.c.state,
        ledger.c.tenant,
        ledger.c.args["pod"].as_integer(),
        sa.cast(ledger.c.args["person"].as_string(), sa.Uuid),
    )
