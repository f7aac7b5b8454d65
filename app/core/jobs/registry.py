"""The kinds of jobs this program knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from app.core.ports import Runtime

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
    on_cancel: JobFunction | None = None


class Registry:
    """Kinds by name; filled while modules are imported, closed after start."""

    def __init__(self) -> None:
        """Start empty and open."""
        self._kinds: dict[str, JobKind] = {}
        self._closed = False

    def add(self, kind: JobKind) -> None:
        """Refuses a second kind of the same name, and any after ``close``."""
        if self._closed:
            raise RuntimeError(f"the job {kind.name} comes too late: the registry is closed after start")
        if kind.name in self._kinds:
            raise ValueError(f"the job {kind.name} is registered twice")
        self._kinds[kind.name] = kind

    def close(self) -> None:
        """From now on nothing can be added."""
        self._closed = True

    def get(self, name: str) -> JobKind | None:
        """The kind, or None for a name this version does not know."""
        return self._kinds.get(name)

    def names(self) -> list[str]:
        """All known names, sorted."""
        return sorted(self._kinds)


registry = Registry()


def register(
    name: str, *, timeout: int = 300, max_attempts: int = 8, on_cancel: JobFunction | None = None
) -> Callable[[JobFunction], JobFunction]:
    """Make ``fn(runtime, tenant_id, args)`` the job ``name`` (``feature.verb``).

    ``on_cancel`` runs in its place, or after it stopped at a checkpoint, when the job was cancelled.
    """

    def add(function: JobFunction) -> JobFunction:
        registry.add(JobKind(name, function, timeout, max_attempts, on_cancel))
        return function

    return add
