"""One attempt of one job, in a worker's process."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import traceback
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core.errors import Conflict, RapportError, TooManyRequests
from app.core.jobs import store
from app.core.jobs.checkpoints import JobCancelled, MadeWay, running
from app.core.jobs.registry import JobKind, Registry, registry
from app.core.jobs.schedules import schedules

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from uuid import UUID

    import sqlalchemy as sa

    from app.core.jobs.store import Attempt
    from app.core.ports import Runtime

_LOG = logging.getLogger("rapport.jobs")

#: A quarter of the lease: three heartbeats may fail before another worker takes over.
_HEARTBEAT_SECONDS = 5.0
#: As in the pod's functions.
_LEASE = timedelta(seconds=20)
_LONGEST_PAUSE = 900.0
_EXIT_LEASE_LOST = 75
_SERVER_ERRORS = 500


def execute(
    runtime: Runtime,
    pod: int,
    job: UUID,
    kinds: Registry = registry,
    *,
    started: Callable[[int, int], None] | None = None,
    makes_way: bool = True,
) -> bool:
    """Take the job, run it, say in the database how it went. False when there was nothing to run.

    Never raises for what the job does: the queue's own bookkeeping is of no use to us. ``started`` is told the number
    of the attempt and how many of them count. ``makes_way``: a long job stops at a checkpoint while others wait.
    """
    engine = runtime.databases.pod(pod)
    attempt = store.start(engine, job)
    if attempt is None:
        return False
    if started is not None:
        started(attempt.number, attempt.tries)
    kind = kinds.get(attempt.name)
    if kind is None and attempt.cancelled:
        store.end(engine, attempt.job, attempt.number)
    elif kind is None:
        # Perhaps a newer version's: leave time for the upgrade of this worker.
        _put_back(engine, attempt, 8, f"unknown job {attempt.name}")
    elif attempt.cancelled:
        _run(runtime, engine, kind, attempt, _cancel)
    elif attempt.tries > kind.max_attempts:
        _put_back(engine, attempt, 0, "its worker was killed in every attempt")
    else:
        _run(runtime, engine, kind, attempt, _work, makes_way=makes_way)
    return True


def _work(runtime: Runtime, kind: JobKind, attempt: Attempt) -> None:
    try:
        kind.function(runtime, attempt.tenant, attempt.args)
    except JobCancelled:
        _cancel(runtime, kind, attempt)


def _cancel(runtime: Runtime, kind: JobKind, attempt: Attempt) -> None:
    if kind.on_cancel is not None:
        kind.on_cancel(runtime, attempt.tenant, attempt.args)


def _run(
    runtime: Runtime,
    engine: sa.Engine,
    kind: JobKind,
    attempt: Attempt,
    act: Callable[[Runtime, JobKind, Attempt], None],
    *,
    makes_way: bool = False,
) -> None:
    try:
        with (
            _heartbeat(engine, attempt),
            running(engine, attempt, makes_way=makes_way, recurs=schedules.knows(attempt.name)),
        ):
            act(runtime, kind, attempt)
    except MadeWay:
        store.make_way(engine, attempt.job, attempt.number)
    except Exception as error:  # noqa: BLE001 (whatever a job raises is recorded and retried)
        _LOG.warning(
            "job %s %s of tenant %s, attempt %d: %s",
            attempt.name,
            attempt.job,
            attempt.tenant,
            attempt.tries,
            _where(error),
        )
        attempts = 0 if _permanent(error) else kind.max_attempts
        _put_back(engine, attempt, attempts, _reason(error))
    else:
        store.end(engine, attempt.job, attempt.number)


def _put_back(engine: sa.Engine, attempt: Attempt, max_attempts: int, reason: str) -> None:
    pause = backoff(attempt.tries) if attempt.tries < max_attempts else None
    store.retry(engine, attempt.job, attempt.number, pause, reason)


def give_back(runtime: Runtime, pod: int, job: UUID, number: int, tries: int) -> None:
    """Say for a process that was killed that its job is free; its lease need not run out.

    ``number`` is its attempt's, the ``tries``-th that counts.

    Whether attempts are left is judged when the next one starts.
    """
    store.retry(runtime.databases.pod(pod), job, number, min(backoff(tries), _LEASE), "its process was killed")


def backoff(attempt: int) -> timedelta:
    """The pause after a failed attempt: 2, 4, 8 … seconds up to 15 minutes, half of it by chance."""
    whole = min(2.0**attempt, _LONGEST_PAUSE)
    return timedelta(seconds=whole / 2 + random.uniform(0, whole / 2))  # noqa: S311 (spreads load, guards nothing)


def _permanent(error: Exception) -> bool:
    """Whether trying again can't help: the request itself is wrong or its object is gone."""
    if isinstance(error, Conflict | TooManyRequests):
        return False
    return isinstance(error, RapportError) and error.status < _SERVER_ERRORS


def _reason(error: Exception) -> str:
    """What is stored: a class or code, never a message, which may quote field values."""
    return error.code if isinstance(error, RapportError) else f"{type(error).__module__}.{type(error).__qualname__}"


def _where(error: Exception) -> str:
    """The same with the place it was raised, for the log; without the message for the same reason."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return f"{_reason(error)} at " + " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))


@contextmanager
def _heartbeat(engine: sa.Engine, attempt: Attempt) -> Generator[None]:
    """Extend the lease from a thread for the time of the block.

    A lost lease means that another worker runs the job now: this process ends at once.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_HEARTBEAT_SECONDS):
            kept = True
            with contextlib.suppress(Exception):  # the database is away for a moment: the next beat tries again
                kept = store.extend(engine, attempt.job, attempt.number)
            if not kept and not done.is_set():
                _LOG.error("job %s %s lost its lease; this attempt ends", attempt.name, attempt.job)
                os._exit(_EXIT_LEASE_LOST)

    thread = threading.Thread(target=beat, name=f"heartbeat-{attempt.job}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)
