"""Keeps the processes of `rapport up` alive: starts them, starts them again when they die, stops them in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.servers.process import die_with_parent, open_log

#: A process that ran this long was healthy: its next death starts the pauses anew.
_HEALTHY_SECONDS = 30.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class Child:
    """One process of ours. ``grace`` seconds lie between its SIGTERM, a second one, and SIGKILL."""

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str]
    grace: float = 10.0
    process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _pause: float = _FIRST_PAUSE
    _not_before: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone; it dies with us."""
        with open_log(self.log) as stream:
            self.process = subprocess.Popen(  # noqa: S603 (ourselves)
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=dict(self.environ),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (as in process.spawn)
            )
        self._started_at = time.monotonic()

    def check(self) -> str | None:
        """Start it again when it is dead and its pause is over; a line for people when something happened."""
        if self.process is not None and self.process.poll() is None:
            return None
        now = time.monotonic()
        if self.process is not None:
            code = self.process.returncode
            if now - self._started_at > _HEALTHY_SECONDS:
                self._pause = _FIRST_PAUSE
            self._not_before, self.process = now + self._pause, None
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return f"{self.name} ended ({_describe(code)}); it starts again ({self.log})"
        if now >= self._not_before:
            self.start()
        return None

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_stopped(self) -> None:
        """Wait for its end, with more force as time passes."""
        if self.process is None:
            return
        for force in (self.process.terminate, self.process.kill, None):
            try:
                self.process.wait(self.grace)
                break
            except subprocess.TimeoutExpired:
                if force is not None:
                    force()
        self.process = None


@dataclass(slots=True)
class Supervisor:
    """The children and the loop over them. ``revive`` starts servers again and names those that were dead."""

    children: list[Child]
    revive: Callable[[], list[str]]
    report: Callable[[str], None]
    stopping: bool = field(default=False)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            child.start()

    def tend(self) -> None:
        """Look at everything once; call it a few times a second."""
        for name in self.revive():
            self.report(f"{name} had stopped; it runs again")
        for child in self.children:
            line = child.check()
            if line is not None:
                self.report(line)

    def stop(self) -> None:
        """Ask all at once, then wait for each."""
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.wait_stopped()


def own_command(*arguments: str) -> list[str]:
    """This program again, whatever it was started as."""
    return [sys.executable, "-m", "app.cli", *arguments]


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
