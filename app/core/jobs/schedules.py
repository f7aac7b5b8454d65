"""Recurring jobs: each is asked for once a slot for every active tenant, however many relays run.

A slot is a whole multiple of the interval since 1970 (UTC). ``pod.tick`` remembers the last one of each schedule and
asks in the same transaction; a slot in which no relay ran is not made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.core import clock
from app.core.jobs import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The job ``name`` (registered as any other) every ``every``, spread over ``spread`` so that none crowd."""

    name: str
    every: timedelta
    spread: timedelta

    def slot(self, now: datetime) -> datetime:
        """The beginning of the slot ``now`` is in."""
        return _EPOCH + (now - _EPOCH) // self.every * self.every


class Schedules:
    """The recurring jobs of this program, filled while modules are imported."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: dict[str, Schedule] = {}

    def add(self, name: str, every: timedelta, spread: timedelta | None = None) -> None:
        """Let the job ``name`` recur; without ``spread`` over a tenth of the interval."""
        if name in self._known:
            raise ValueError(f"the job {name} recurs already")
        self._known[name] = Schedule(name, every, every / 10 if spread is None else spread)

    def knows(self, name: str) -> bool:
        """Whether the job ``name`` recurs."""
        return name in self._known

    def all(self) -> list[Schedule]:
        """All of them by name."""
        return [self._known[name] for name in sorted(self._known)]


schedules: Final = Schedules()


class Ticker:
    """Asks a pod for what is due; remembers what it asked for, so that a slot costs one statement."""

    def __init__(self, known: Schedules = schedules) -> None:
        """Nothing was asked for yet by this process."""
        self._known = known
        self._asked: dict[tuple[int, str], datetime] = {}

    def tick(self, engine: sa.Engine, pod: int) -> int:
        """How many jobs were asked for."""
        return sum(self._ask(engine, pod, schedule) for schedule in self._due(pod, clock.now()))

    def _due(self, pod: int, now: datetime) -> Iterable[Schedule]:
        return [one for one in self._known.all() if self._asked.get((pod, one.name)) != one.slot(now)]

    def _ask(self, engine: sa.Engine, pod: int, schedule: Schedule) -> int:
        slot = schedule.slot(clock.now())
        asked = store.tick(engine, schedule.name, slot, schedule.spread)
        self._asked[pod, schedule.name] = slot
        return asked or 0
