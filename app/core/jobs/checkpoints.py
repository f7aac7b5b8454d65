"""Where a long job says how far it is, hears that it was cancelled, and makes way for others.

A worker runs one job at a time. So that a long one of one tenant does not hold up the others, it stops at a checkpoint
once it has had its share and somebody waits; it goes on, in a new attempt, behind those that waited.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.core.jobs import store

if TYPE_CHECKING:
    from collections.abc import Generator

    import sqlalchemy as sa

    from app.core.jobs.store import Attempt

#: Seconds a job may keep a worker while others wait.
SHARE: Final = 1.5


class JobCancelled(Exception):
    """Somebody cancelled the job: it ends here."""


class MadeWay(Exception):
    """The job had its share and goes on later."""


@dataclass(slots=True)
class _Running:
    engine: sa.Engine
    attempt: Attempt
    makes_way: bool
    recurs: bool
    since: float = field(default_factory=time.monotonic)


_running: ContextVar[_Running | None] = ContextVar("running", default=None)


@contextmanager
def running(engine: sa.Engine, attempt: Attempt, *, makes_way: bool, recurs: bool = False) -> Generator[None]:
    """Checkpoints inside the block are this attempt's. ``recurs``: a schedule asked for it."""
    token = _running.set(_Running(engine, attempt, makes_way, recurs))
    try:
        yield
    finally:
        _running.reset(token)


def cause_of_job() -> dict[str, str] | None:
    """What events that this job writes say of it; None outside of a job."""
    job = _running.get()
    if job is None:
        return None
    cause = {"job": str(job.attempt.job)}
    return {**cause, "schedule": job.attempt.name} if job.recurs else cause


def checkpoint(done: int | None = None, total: int | None = None) -> None:
    """Call between two pieces of work that are committed, ``done`` of ``total`` so far. Outside of a job: nothing.

    Raises:
        JobCancelled: the job ends; ``on_cancel`` follows.
        MadeWay: another job waits; this one is run again from its start and must find its place by itself.
    """
    job = _running.get()
    if job is None:
        return
    cancelled, others_wait = store.progress(job.engine, job.attempt.job, job.attempt.number, done, total)
    if cancelled:
        raise JobCancelled
    if others_wait and job.makes_way and time.monotonic() - job.since >= SHARE:
        raise MadeWay
