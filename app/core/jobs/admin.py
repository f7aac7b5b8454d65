"""What an operator sees and does with jobs of a pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

JobState = Literal["waiting", "rung", "running", "failed"]

# A tenant's role may write any moment, infinity too, which is more than a datetime holds.
_LIST = sa.text(
    "select id, tenant, name, state, attempt, greatest(least(run_at, '9999-12-30'), '0001-01-02'), error, created_at,"
    " cancelled, done, total"
    " from pod.list_jobs(:state, :limit) order by id"
)
_CANCEL = sa.text("select pod.cancel_job(:job)")
_REPLAY = sa.text("select pod.replay_job(:job)")
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as listed; ``error`` is a class or code."""

    id: UUID
    tenant: UUID
    name: str
    state: JobState
    attempts: int
    run_at: datetime
    error: str | None
    created_at: datetime
    cancelled: bool
    done: int | None
    total: int | None

    @property
    def progress(self) -> float | None:
        """Which part is done, 0 to 1; None for a job that does not say."""
        return round(min((self.done or 0) / self.total, 1.0), 3) if self.total else None

    def document(self) -> dict[str, object]:
        """Make the JSON form."""
        return {
            "id": str(self.id),
            "tenant": str(self.tenant),
            "name": self.name,
            "state": self.state,
            "attempts": self.attempts,
            "run_at": self.run_at.isoformat(),
            "error": self.error,
            "created_at": self.created_at.isoformat(),
            "cancelled": self.cancelled,
            "progress": self.progress,
        }


def list_jobs(
    engine: sa.Engine, *, state: str | None = None, tenant: UUID | None = None, limit: int = _ALL
) -> list[JobRow]:
    """Jobs of a pod that have not ended well yet: the newest ``limit``, oldest first."""
    with engine.connect() as connection:
        found = connection.execute(_LIST, {"state": state, "limit": limit if tenant is None else _ALL})
        rows = [JobRow(*row) for row in found if tenant is None or row.tenant == tenant]
    return rows[-limit:]


def replay(engine: sa.Engine, jobs: Iterable[UUID]) -> list[UUID]:
    """Let failed jobs wait again with no attempts counted; the ids of those found."""
    with engine.begin() as connection:
        return [job for job in jobs if connection.execute(_REPLAY, {"job": job}).scalar()]


def cancel(engine: sa.Engine, jobs: Iterable[UUID]) -> list[UUID]:
    """Mark jobs as cancelled; the ids of those found. One that runs stops at its next checkpoint, if it has any."""
    with engine.begin() as connection:
        return [job for job in jobs if connection.execute(_CANCEL, {"job": job}).scalar()]
