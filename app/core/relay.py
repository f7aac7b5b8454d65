"""The relay: gives new events their order and rings due jobs. Any number may run: the database decides."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import redis
from sqlalchemy import exc

from app.core.jobs import queue, store
from app.core.jobs.request import wait_for_wake
from app.core.jobs.schedules import Ticker

if TYPE_CHECKING:
    import threading

    from app.core.ports import Runtime

_LOG = logging.getLogger("rapport.relay")

#: Waiting entries in the queue. Kept short, so that fairness between tenants is the database's, and little is lost
#: with Valkey.
_QUEUE_LENGTH = 32
#: An entry lost from a queue that never runs empty is rung again after this.
_PATIENCE = timedelta(minutes=10)
_IDLE_SECONDS = 0.5
_SPARES_SECONDS = 15.0
_LONGEST_PAUSE = 60.0


def is_away(error: Exception) -> bool:
    """Whether ``error`` says that a server can't be reached, or is going down or coming up."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, psycopg.OperationalError):
        return cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P"))
    return isinstance(cause, redis.RedisError | OSError)


def server_of(error: Exception) -> str:
    """Which server ``error`` is about, for a line in the log."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    return (
        "PostgreSQL"
        if isinstance(cause, psycopg.Error)
        else "Valkey"
        if isinstance(cause, redis.RedisError)
        else "A server"
    )


@dataclass(slots=True)
class Relay:
    """One relay process's state: what failed lately and is left alone for a while."""

    runtime: Runtime
    spares: int = 3
    _resting: dict[UUID, tuple[float, float]] = field(default_factory=dict[UUID, tuple[float, float]])
    _spares_at: float = 0.0
    _ticker: Ticker = field(default_factory=Ticker)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; a server that is away is waited for."""
        pause = _IDLE_SECONDS
        while not stop.is_set():
            try:
                busy = self.round()
                pause = _IDLE_SECONDS
                if not busy:
                    wait_for_wake(self.runtime.redis, _IDLE_SECONDS)
            except Exception as error:
                if not is_away(error):
                    raise
                _LOG.warning("%s is away; next look in %.1f s", server_of(error), pause)
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def round(self) -> int:
        """Look once at everything; how much was done."""
        done = self.seal_pending()
        for pod in self.runtime.ports.pods(self.runtime):
            self._ticker.tick(self.runtime.databases.pod(pod), pod)
            done += self.ring_due(pod)
        if not done and time.monotonic() >= self._spares_at:
            self._spares_at = time.monotonic() + _SPARES_SECONDS
            self._keep_spares()
        return done

    def seal_pending(self) -> int:
        """Seal the new events of each tenant that has any; one tenant's trouble is not another's."""
        sealed = 0
        for tenant in self.runtime.ports.pending(self.runtime):
            resting = self._resting.get(tenant)
            if resting is not None and resting[0] > time.monotonic():
                continue
            try:
                sealed += self.runtime.ports.seal(self.runtime, tenant)
            except Exception as error:
                if is_away(error):
                    raise
                self._rest(tenant, error)
            else:
                self._resting.pop(tenant, None)
        return sealed

    def ring_due(self, pod: int) -> int:
        """Ring what is due in the pod, as far as the queue is short; how many."""
        waiting = queue.open_queue(self.runtime.redis)
        room = _QUEUE_LENGTH - waiting.count
        if room <= 0:
            return 0
        # With an empty queue whatever was rung and not started is lost.
        patience = _PATIENCE if room < _QUEUE_LENGTH else timedelta()
        due = store.due(self.runtime.databases.pod(pod), room, patience)
        for job, name in due:
            queue.ring(waiting, pod, job, name)
        return len(due)

    def _keep_spares(self) -> None:
        try:
            self.runtime.ports.keep_spares(self.runtime, self.spares)
        except Exception as error:
            if is_away(error):
                raise
            _LOG.warning("spare workspaces could not be made: %s", type(error).__name__)

    def _rest(self, tenant: UUID, error: Exception) -> None:
        pause = min(self._resting.get(tenant, (0.0, 0.5))[1] * 2, _LONGEST_PAUSE)
        self._resting[tenant] = (time.monotonic() + pause, pause)
        _LOG.warning("sealing for tenant %s failed (%s); again in %.0f s", tenant, type(error).__name__, pause)
