"""Durable background work: asked for in a tenant's transaction, delivered through RQ, the truth is ``pod.job``.

The queue is only the doorbell. A row in ``pod.job`` is leased by the relay, rung into RQ, run by a worker that keeps
extending the lease, and ended in the database. A lease that runs out (killed worker, emptied Valkey) is rung again, so
every job runs at least once and must be safe to run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids

if TYPE_CHECKING:
    from app.core.ports import Runtime, SqlScope

#: Any: JSON values.
JobArgs = dict[str, Any]
JobFunction = Callable[["Runtime", UUID, JobArgs], None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """What the registry knows of one kind of job. ``timeout`` in seconds, per attempt."""

    name: str
    function: JobFunction
    timeout: int
    max_attempts: int


class Registry:
    """The kinds of jobs this program knows; filled while modules are imported, closed after start."""

    def __init__(self) -> None:
        """Start empty."""
        self._kinds: dict[str, JobKind] = {}

    def add(self, kind: JobKind) -> None:
        """Refuses a second kind of the same name."""
        if kind.name in self._kinds:
            raise ValueError(f"the job {kind.name} is registered twice")
        self._kinds[kind.name] = kind

    def get(self, name: str) -> JobKind | None:
        """The kind, or None for a name this version does not know."""
        return self._kinds.get(name)

    def names(self) -> list[str]:
        """All known names, sorted."""
        return sorted(self._kinds)


registry = Registry()


def register(name: str, *, timeout: int = 300, max_attempts: int = 8) -> Callable[[JobFunction], JobFunction]:
    """Make ``fn(runtime, tenant_id, args)`` the job ``name`` (``feature.verb``)."""

    def add(function: JobFunction) -> JobFunction:
        registry.add(JobKind(name, function, timeout, max_attempts))
        return function

    return add


def request_job(scope: SqlScope, name: str, args: Mapping[str, object] | None = None) -> UUID:
    """Ask for a job in the scope's own transaction: it runs when, and only when, that commits.

    ``args`` holds ids and small settings, never field values: the row is outside the tenant's schema.
    """
    job_id = ids.uuid7()
    scope.execute("insert into pod.job (id, name, args) values (%s, %s, %s)", (job_id, name, Jsonb(dict(args or {}))))
    return job_id
