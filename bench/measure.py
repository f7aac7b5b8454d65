"""Processor time and memory of process trees: what a request costs, whoever waits for whom."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process, its children, and those of them that ended."""
    total = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            times = process.cpu_times()
            total += _own(process, times.user + times.system) + times.children_user + times.children_system
    return total


def _own(process: psutil.Process, ticks: float) -> float:
    """A living process's time by the scheduler's own count, which has no ticks of 10 ms; elsewhere ``ticks``."""
    tasks = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9 if tasks else ticks


def pss_of(pid: int) -> float:
    """MB of memory of a process and its children; what they share is counted once (proportional set size)."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 1e6


@dataclass(slots=True)
class Meter:
    """Counts the time of one side (server or raw process) and of PostgreSQL."""

    side: int
    postgres: int
    #: The side is the process that started PostgreSQL, whose time is then in its own.
    inside: bool = False
    side_before: float = 0.0
    postgres_before: float = 0.0

    def start(self) -> None:
        """Begin."""
        self.side_before, self.postgres_before = cpu_of(self.side), cpu_of(self.postgres)

    def read(self, n: int) -> Cost:
        """Milliseconds a request since ``start``."""
        postgres = (cpu_of(self.postgres) - self.postgres_before) * 1000 / n
        side = (cpu_of(self.side) - self.side_before) * 1000 / n
        return Cost(side - postgres if self.inside else side, postgres)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time a request."""

    side: float
    postgres: float

    @property
    def sum(self) -> float:
        """Both."""
        return self.side + self.postgres


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
