"""A whole upgrade: whoever is behind in a queue, some first, a few at a time; what is busy goes to the end.

Nothing of it is kept but what is done in each tenant, so a run that was killed is simply run again.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import exc

from app.core.errors import Conflict, RapportError
from tenants.provisioning import release as releases
from tenants.provisioning.spares import owner_transaction
from tenants.registry.pods import pod_numbers
from tenants.scope import Tenant
from tenants.upgrades.one import NotNowError, Place, Result, look_at_one, upgrade_one
from tenants.upgrades.report import Report, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.core.ports import Layers, Runtime
    from tenants.provisioning.release import Release

_LOG: Final = logging.getLogger("rapport.upgrade")
#: Attempts at a tenant in which others are at work, with pauses that grow to the longest: about 20 s.
_ATTEMPTS: Final = 16
_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_BEHIND: Final = """
select id, schema, role, lock, state = 'spare', claim is not null, coalesce(slug, ''), coalesce(name, ''),
       coalesce(currency, 'EUR'), coalesce(timezone, 'UTC'), coalesce(locale, 'en')
  from pod.tenant
 where state in ('active', 'suspended', 'spare') and (system_version <> %s or platform is distinct from %s)
 order by state = 'spare', md5(id::text)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``canary`` is the share that goes first, ``budget`` the share that may fail before everything stops."""

    pod: int | None = None
    canary: float = 0.01
    budget: float = 0.01
    workers: int = 2
    #: At a tenant in which others are at work.
    attempts: int = _ATTEMPTS
    dry: bool = False


class NotInForceError(Conflict):
    """Another version of the program was put in force in a pod."""

    code = "upgrade.not_in_force"
    title = "Another version is in force"


def upgrade(runtime: Runtime, options: Options, tell: Callable[[Report], None] | None = None) -> Report:
    """Bring every tenant that is behind to this program's version; ``tell`` hears of the progress.

    Raises:
        NotInForceError: `rapport migrate` of another version ran later than this one's.
    """
    release = releases.of(runtime.ports)
    places = [place for pod in _pods(runtime, options.pod) for place in _behind(runtime, pod, release, dry=options.dry)]
    run = _Run(runtime, release, runtime.ports.layers(release.platform), options, tell or (lambda _report: None))
    began = time.monotonic()
    run.report.found = len(places)
    tenants = [place for place in places if not place.spare]
    first = math.ceil(len(tenants) * options.canary)
    if options.dry:
        run.look(tenants)
    elif run.through(tenants[:first], allowed=0, stopping="the first workspaces failed"):
        allowed = math.ceil(len(tenants) * options.budget)
        rest = [*tenants[first:], *(place for place in places if place.spare)]
        run.through(rest, allowed=allowed, stopping="too many workspaces failed")
    run.report.plans, run.report.seconds = run.layers.count, time.monotonic() - began
    return run.report


def behind(runtime: Runtime, pod: int) -> int:
    """How many workspaces of a pod are not at this program's version."""
    release = releases.of(runtime.ports)
    with owner_transaction(runtime.databases, pod) as connection:
        rows = connection.execute(_BEHIND, (release.system, release.platform)).fetchall()
    return sum(not row[4] for row in rows)


def _pods(runtime: Runtime, pod: int | None) -> list[int]:
    numbers = pod_numbers(runtime.databases)
    if pod is not None and pod not in numbers:
        raise NoSuchPodError(f"There is no pod {pod}.")
    return numbers if pod is None else [pod]


class NoSuchPodError(RapportError):
    """The pod asked for is not registered."""

    title = "There is no such pod"


def _behind(runtime: Runtime, pod: int, release: Release, *, dry: bool) -> list[Place]:
    """Who is behind in a pod, in an order that has nothing to do with age; spares last."""
    with owner_transaction(runtime.databases, pod) as connection:
        newest = releases.in_force(connection)
        known = connection.execute("select from pod.release where blueprint = %s", (release.blueprint,)).fetchone()
        if known is None and not dry:
            releases.put_in_force(connection, release)
        elif known is not None and newest != release.blueprint:
            message = f"Another version of Rapport is in force in pod {pod}: run `rapport migrate` of this one first."
            raise NotInForceError(message)
        rows = connection.execute(_BEHIND, (release.system, release.platform)).fetchall()
    return [place_of(pod, row) for row in rows]


def place_of(pod: int, row: tuple[Any, ...]) -> Place:
    """Of a row as ``_BEHIND`` reads it."""
    id_, schema, role, lock, spare, claimed, slug, name, currency, timezone, locale = row
    tenant = Tenant(id_, pod, schema, role, slug, name, currency, timezone, locale, "")
    return Place(tenant, lock, spare, claimed)


@dataclass(slots=True)
class _Queue:
    """Places by when they may be tried; empty when nobody works on one either."""

    _heap: list[tuple[float, int, Place, int]] = field(default_factory=list[tuple[float, int, Place, int]])
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _out: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, place: Place, attempt: int = 0, after: float = 0.0) -> None:
        """To be tried in ``after`` seconds, behind those that may be tried now."""
        with self._changed:
            ready = time.monotonic() + after if after else 0.0
            heapq.heappush(self._heap, (ready, next(self._numbers), place, attempt))
            self._changed.notify()

    def take(self) -> tuple[Place, int] | None:
        """The next one; waits for it. None when there will be none."""
        with self._changed:
            while True:
                if not self._heap and not self._out:
                    return None
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    _, _, place, attempt = heapq.heappop(self._heap)
                    self._out += 1
                    return place, attempt
                self._changed.wait(wait)

    def gave_back(self) -> None:
        """One that was taken is done with, or was put again."""
        with self._changed:
            self._out -= 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget what nobody has begun."""
        with self._changed:
            self._heap.clear()
            self._changed.notify_all()


@dataclass(slots=True)
class _Run:
    """One upgrade with its workers."""

    runtime: Runtime
    release: Release
    layers: Layers
    options: Options
    tell: Callable[[Report], None]
    report: Report = field(default_factory=Report)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _crash: list[BaseException] = field(default_factory=list[BaseException])

    def through(self, places: Sequence[Place], *, allowed: int, stopping: str) -> bool:
        """Go through ``places``; False when more failed than allowed."""
        queue = _Queue()
        for place in places:
            queue.put(place)
        before = len(self.report.failed)

        def check() -> None:
            if len(self.report.failed) - before > allowed and not self.report.stopped:
                self.report.stopped = stopping
                queue.clear()

        workers = [
            threading.Thread(target=self._work, args=(queue, check), name=f"upgrade-{number}", daemon=True)
            for number in range(min(self.options.workers, len(places)))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self._crash:
            raise self._crash[0]
        return not self.report.stopped

    def look(self, places: Iterable[Place]) -> None:
        """What would be done."""
        self.report.dry = True
        for place in places:
            try:
                laying = look_at_one(self.runtime.databases, place, self.layers)
            except (RapportError, psycopg.Error) as error:
                self.report.failed.append(_trouble(place, error))
            else:
                self.report.take(place, Result("done", 0.0, laying.steps, laying.notices, laying.conflicts))

    def _work(self, queue: _Queue, check: Callable[[], None]) -> None:
        while (taken := queue.take()) is not None:
            place, attempt = taken
            try:
                self._try(queue, place, attempt)
            except BaseException as defect:  # noqa: BLE001 (told by whoever waits for this thread)
                self._crash.append(defect)
                queue.clear()
            finally:
                with self._lock:
                    check()
                    self.tell(self.report)
                queue.gave_back()

    def _try(self, queue: _Queue, place: Place, attempt: int) -> None:
        try:
            result = upgrade_one(self.runtime.databases, place, self.release, self.layers, attempt)
        except NotNowError as busy:
            with self._lock:
                self.report.retries += 1
                if attempt + 1 >= self.options.attempts:
                    self.report.skipped.append(_trouble(place, busy))
                    return
            pause = min(_PAUSE * 2**attempt, _LONGEST_PAUSE) * random.uniform(0.5, 1.5)  # noqa: S311 (spreads load)
            queue.put(place, attempt + 1, pause)
        except (RapportError, psycopg.Error, exc.SQLAlchemyError) as error:
            _LOG.warning("workspace %s could not be upgraded: %s", place.tenant.id, error)
            with self._lock:
                self.report.failed.append(_trouble(place, error))
        else:
            with self._lock:
                self.report.take(place, result)


def _trouble(place: Place, error: Exception) -> Trouble:
    lines = str(getattr(error, "detail", "") or getattr(error, "orig", "") or error).strip().splitlines()
    known = "others were at work in it all the time" if isinstance(error, NotNowError) else type(error).__name__
    return Trouble(str(place.tenant.id), place.tenant.pod, lines[0] if lines else known)
