"""What an operator sees and does with jobs; as the owner of schema ``pod``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIST = sa.text(
    "select j.id, t.id as tenant, j.name, j.state, j.attempts, j.run_at, j.error, j.created_at "
    "from pod.job j join pod.tenant t on t.role = j.tenant "
    "where (cast(:state as text) is null or j.state = :state) "
    "and (cast(:tenant as uuid) is null or t.id = :tenant) order by j.created_at, j.id limit :limit"
)
_REPLAY = sa.text(
    "update pod.job set state = 'waiting', attempts = 0, run_at = now(), lease_until = null "
    "where state = 'dead' and (cast(:ids as uuid[]) is null or id = any(:ids)) returning id"
)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as listed; ``error`` is a class or code."""

    id: UUID
    tenant: UUID
    name: str
    state: str
    attempts: int
    run_at: datetime
    error: str | None
    created_at: datetime

    def document(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "id": str(self.id),
            "tenant": str(self.tenant),
            "name": self.name,
            "state": self.state,
            "attempts": self.attempts,
            "run_at": self.run_at.isoformat(),
            "error": self.error,
            "created_at": self.created_at.isoformat(),
        }


def list_jobs(engine: sa.Engine, *, state: str | None, tenant: UUID | None, limit: int) -> list[JobRow]:
    """Jobs of a pod, oldest first."""
    with engine.connect() as connection:
        rows = connection.execute(_LIST, {"state": state, "tenant": tenant, "limit": limit})
        return [JobRow(*row) for row in rows]


def replay(engine: sa.Engine, jobs: Sequence[UUID] | None) -> list[UUID]:
    """Dead jobs (these, or all) wait again with no attempts counted; the ids of those found."""
    with engine.begin() as connection:
        return list(connection.execute(_REPLAY, {"ids": None if jobs is None else list(jobs)}).scalars())
