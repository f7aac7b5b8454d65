"""Processor time of process trees: what a request costs, whoever waits for whom."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import psutil


def cpu_of(pid: int) -> float:
    """Seconds of user and system time of a process, its children, and those of them that ended."""
    total = 0.0
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


@dataclass(slots=True)
class Meter:
    """Counts the time of one side (server or raw process) and of PostgreSQL."""

    side: int
    postgres: int
    side_before: float = 0.0
    postgres_before: float = 0.0

    def start(self) -> None:
        """Begin."""
        self.side_before, self.postgres_before = cpu_of(self.side), cpu_of(self.postgres)

    def read(self, n: int) -> Cost:
        """Milliseconds a request since ``start``."""
        side = (cpu_of(self.side) - self.side_before) * 1000 / n
        return Cost(side, (cpu_of(self.postgres) - self.postgres_before) * 1000 / n)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time a request."""

    side: float
    postgres: float

    @property
    def sum(self) -> float:
        """Both."""
        return self.side + self.postgres
