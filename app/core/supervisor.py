"""Keeps the processes of `rapport up` alive: forks them, forks them again when they die, stops them in order.

They are forks and not programs of their own, because what the supervisor has loaded is then in memory once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from app.core.servers.process import die_with_parent, name_process, open_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: A process that ran this long was healthy: its next death starts the pauses anew.
_HEALTHY_SECONDS = 30.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_HIGHEST_DESCRIPTOR = 4096


@dataclass(slots=True)
class Child:
    """One process of ours.

    ``grace`` seconds lie between its SIGTERM, a second one, and SIGKILL. ``orphaned`` is what the kernel sends it when
    the supervisor was killed.
    """

    name: str
    run: Callable[[], None]
    log: Path
    grace: float = 10.0
    orphaned: signal.Signals = signal.SIGTERM
    pid: int | None = None
    _code: int = 0
    _died: bool = False
    _started_at: float = 0.0
    _pause: float = _FIRST_PAUSE
    _not_before: float = 0.0

    def start(self) -> None:
        """Fork it into a session of its own, so that Ctrl-C reaches the supervisor alone; it dies with us."""
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(self, parent)
        self.pid = pid
        self._started_at = time.monotonic()

    def alive(self) -> bool:
        """Whether it runs; a dead one is reaped."""
        if self.pid is None:
            return False
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if pid == 0:
            return True
        # What it had started itself (the web server's processes) must not live on with its port.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self._code, self.pid, self._died = os.waitstatus_to_exitcode(status), None, True
        return False

    def check(self) -> str | None:
        """Start it again when it is dead and its pause is over; a line for people when it died."""
        if self.alive():
            return None
        now = time.monotonic()
        if self._died:
            self._died = False
            if now - self._started_at > _HEALTHY_SECONDS:
                self._pause = _FIRST_PAUSE
            pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
            self._not_before = now + pause
            return f"{self.name} ended ({_describe(self._code)}) and starts again in {pause:g} s; its log is {self.log}"
        if now >= self._not_before:
            self.start()
        return None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to a living one."""
        if self.alive() and self.pid is not None:
            os.kill(self.pid, number)

    def wait_stopped(self) -> None:
        """Wait for its end, with more force as time passes."""
        for force in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            deadline = time.monotonic() + self.grace
            while self.alive():
                if time.monotonic() > deadline:
                    self.send(force)
                    break
                time.sleep(0.02)
            else:
                return


@dataclass(slots=True)
class Supervisor:
    """The children and the loop over them. ``revive`` starts servers again and names those that were dead."""

    children: list[Child]
    revive: Callable[[], list[str]]
    report: Callable[[str], None]

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
            child.send(signal.SIGTERM)
        for child in self.children:
            child.wait_stopped()


def _become(child: Child, parent: int) -> NoReturn:
    """In the fork: leave everything of the supervisor behind, then be the child until the end."""
    code = 1
    try:
        os.setsid()
        die_with_parent(child.orphaned, parent)()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        with open_log(child.log) as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        # Locks and whatever else is open belong to the supervisor alone.
        os.closerange(3, _HIGHEST_DESCRIPTOR)
        name_process(f"rapport-{child.name}")
        child.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 (the end of a process: nobody is left to handle it)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
