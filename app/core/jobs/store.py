"""The functions of schema ``pod`` around ``pod.job``; each call is its own short transaction."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime, timedelta
    from uuid import UUID

    import psycopg
    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job taken for one attempt; ``number`` is the fence that makes late words of earlier attempts void."""

    job: UUID
    tenant: UUID
    name: str
    args: dict[str, Any]
    number: int
    cancelled: bool = False
    #: Attempts that made way for other jobs: they don't count.
    yields: int = 0

    @property
    def tries(self) -> int:
        """Attempts that count, this one included."""
        return self.number - self.yields


@contextmanager
def _connection(engine: sa.Engine) -> Generator[psycopg.Connection[tuple[Any, ...]]]:
    """The driver's connection out of the pool, committed at the end."""
    raw = engine.raw_connection()
    try:
        connection: psycopg.Connection[tuple[Any, ...]] = raw.driver_connection  # pyright: ignore[reportAssignmentType]
        yield connection
        raw.commit()
    except BaseException:
        raw.invalidate()
        raise
    finally:
        raw.close()


def _row(engine: sa.Engine, query: LiteralString, params: tuple[object, ...]) -> tuple[Any, ...] | None:
    with _connection(engine) as connection:
        return connection.execute(query, params).fetchone()


def due(engine: sa.Engine, limit: int, patience: timedelta) -> list[tuple[UUID, str]]:
    """Lease up to ``limit`` jobs to be rung, as id and name, tenants taking turns.

    One rung before counts as lost from the queue when nobody started it within its lease plus ``patience``.
    """
    with _connection(engine) as connection:
        rows = connection.execute("select id, name from pod.due_jobs(%s, %s)", (limit, patience)).fetchall()
    return [(row[0], row[1]) for row in rows]


def start(engine: sa.Engine, job: UUID) -> Attempt | None:
    """Take the job for one attempt; None when it is gone or another worker has it."""
    row = _row(engine, "select tenant, name, args, attempt, cancelled, yields from pod.start_job(%s)", (job,))
    return None if row is None else Attempt(job, *row)


def extend(engine: sa.Engine, job: UUID, attempt: int) -> bool:
    """Keep the lease; False when it was lost to another attempt."""
    return _said(_row(engine, "select pod.extend_job(%s, %s)", (job, attempt)))


def end(engine: sa.Engine, job: UUID, attempt: int) -> bool:
    """The job is done; its row goes."""
    return _said(_row(engine, "select pod.end_job(%s, %s)", (job, attempt)))


def retry(engine: sa.Engine, job: UUID, attempt: int, pause: timedelta | None, reason: str) -> bool:
    """Put the job back for later, or aside for an operator (``pause`` None)."""
    return _said(_row(engine, "select pod.retry_job(%s, %s, %s, %s)", (job, attempt, pause, reason)))


def progress(engine: sa.Engine, job: UUID, attempt: int, done: int | None, total: int | None) -> tuple[bool, bool]:
    """Say how far the attempt is; whether the job was cancelled, and whether another one waits for a worker."""
    row = _row(
        engine, "select cancelled, others_wait from pod.progress_job(%s, %s, %s, %s)", (job, attempt, done, total)
    )
    return (False, False) if row is None else (row[0], row[1])


def make_way(engine: sa.Engine, job: UUID, attempt: int) -> bool:
    """Put the job behind those that wait now; the attempt does not count."""
    return _said(_row(engine, "select pod.yield_job(%s, %s)", (job, attempt)))


def tick(engine: sa.Engine, name: str, slot: datetime, spread: timedelta) -> int | None:
    """Ask for the recurring job ``name`` of every active tenant; None when ``slot`` had been asked for before."""
    row = _row(engine, "select pod.tick(%s, %s, %s)", (name, slot, spread))
    return None if row is None else row[0]


def _said(row: tuple[Any, ...] | None) -> bool:
    return row is not None and bool(row[0])
