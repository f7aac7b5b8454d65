"""`rapport up`: everything on one machine, with one command."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click

from app.cli import relay, web, worker
from app.core.config import Config
from app.core.servers import embedded, process
from app.core.servers.layout import ServerError, make_home
from app.core.supervisor import Child, Supervisor

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType

_TICK_SECONDS = 0.2
_READY_SECONDS = 300.0
_PAUSE_SECONDS = 5.0
#: What a running job is given to end by itself when we stop.
_JOB_SECONDS = 2.0


@click.command()
@click.option("--host", default="127.0.0.1", envvar="RAPPORT_LISTEN", show_default=True, help="Address to listen on.")
@click.option("--workers", type=click.IntRange(1), default=None, help="Web processes (default: one per core).")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Background jobs run at a time.")
@click.option("--spares", type=click.IntRange(0), default=3, show_default=True, help="Spare workspaces kept ready.")
def up(host: str, workers: int | None, jobs: int, spares: int) -> None:
    """Start servers, web, worker and relay; keep them running until Ctrl-C."""
    config = Config.from_env()
    # The children read the same settings again.
    os.environ |= {"RAPPORT_HOME": str(config.home), "PORT": str(config.port)}
    stop = _Stop()
    with contextlib.suppress(_StopRequestedError), _only_one(config):
        _refuse_taken_port(host, config.port)
        _say("Rapport is starting")
        with contextlib.ExitStack() as stack:
            with stop.at_once():
                servers = stack.enter_context(embedded.running(config, _say, own=True))
            _migrate(stop)
            children = _children(config, host, workers, jobs=jobs, spares=spares)
            supervisor = Supervisor(children, lambda: _revive(servers, stop), _say)
            try:
                supervisor.start()
                _wait_ready(config, host, supervisor, stop)
                _say(f"Rapport is ready at {config.base_url}")
                while True:
                    stop.wait(_TICK_SECONDS)
                    _tend(supervisor, stop)
            finally:
                _say("Stopping")
                supervisor.stop()
    _say("Rapport has stopped")


class _StopRequestedError(Exception):
    """Ctrl-C or SIGTERM."""


class _Stop:
    """Turns the signals into an exception at well-chosen places, so that nothing is left half done."""

    def __init__(self) -> None:
        self._requested = False
        self._at_once = False
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in numbers:
            signal.signal(number, self._request)
        # Whoever started us may have had them blocked, which is inherited.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    def _request(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True
        if self._at_once:
            self._at_once = False
            raise _StopRequestedError

    @contextlib.contextmanager
    def at_once(self) -> Generator[None]:
        """A block that a signal may end anywhere: one that waits long and leaves nothing that outlives us."""
        self._at_once = True
        try:
            self.check()
            yield
        finally:
            self._at_once = False

    def check(self) -> None:
        """Raise when a stop was asked for."""
        if self._requested:
            raise _StopRequestedError

    def wait(self, seconds: float) -> None:
        """Sleep; a signal ends it."""
        with self.at_once():
            time.sleep(seconds)


def _say(line: str) -> None:
    """Print a line; that nobody listens any more must never keep us from stopping in order."""
    try:
        click.echo(line)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextlib.contextmanager
def _only_one(config: Config) -> Generator[None]:
    lock = process.try_lock(make_home(config.home) / "up.lock")
    if lock is None:
        raise ServerError(
            f"`rapport up` already runs for {config.home}; stop it, or set RAPPORT_HOME to another folder"
        )
    try:
        yield
    finally:
        os.close(lock)


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ServerError(
                    f"port {port} is in use: stop what listens there, or start with PORT=<number>"
                ) from error
            raise ServerError(f"can't listen on {host} port {port}: {error.strerror}") from error


def _migrate(stop: _Stop) -> None:
    """Migrate in a process of its own: what it loads and creates is not needed afterwards. Load the rest meanwhile."""
    _say("Bringing the databases up to date")
    command = [sys.executable, "-m", "app.cli", "migrate", "--spares", "1"]
    child = subprocess.Popen(  # noqa: S603 (ourselves)
        command,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us alone
        preexec_fn=process.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
    )
    try:
        with stop.at_once():
            web.preload()
        with stop.at_once():  # once more: an import may swallow an exception, not a request
            code = child.wait()
    finally:
        process.stop(child, [(signal.SIGTERM, 5), (signal.SIGKILL, 5)])
    if code != 0:
        raise ServerError("the databases could not be brought up to date (see above)")


def _children(config: Config, host: str, workers: int | None, *, jobs: int, spares: int) -> list[Child]:
    logs = config.home / "log"
    logs.mkdir(exist_ok=True, mode=0o700)
    return [
        Child("web", lambda: web.serve(host, config.port, workers, threads=4), logs / "web.log"),
        *(_worker(number, logs) for number in range(1, jobs + 1)),
        Child("relay", lambda: relay.run(spares), logs / "relay.log"),
    ]


def _worker(number: int, logs: Path) -> Child:
    """Jobs go on after any death, so nobody waits long for one to end: not we, and it not without us."""
    return Child(f"worker{number}", worker.run, logs / "worker.log", grace=_JOB_SECONDS, orphaned=signal.SIGKILL)


def _revive(servers: embedded.Embedded | None, stop: _Stop) -> list[str]:
    """Start dead servers again; their recovery may take minutes, a stop does not wait for it."""
    if servers is None:
        return []
    with stop.at_once():
        return servers.revive()


def _tend(supervisor: Supervisor, stop: _Stop) -> None:
    try:
        supervisor.tend()
    except ServerError as error:
        _say(f"{error}\nTrying again in {_PAUSE_SECONDS:.0f} s")
        stop.wait(_PAUSE_SECONDS)


def _wait_ready(config: Config, host: str, supervisor: Supervisor, stop: _Stop) -> None:
    _say("Starting web, worker and relay")
    deadline = time.monotonic() + _READY_SECONDS
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    while not _is_ready(address, config.port, config.base_domain):
        if time.monotonic() > deadline:
            raise ServerError(f"the web server did not become ready; look into {config.home / 'log'}")
        stop.wait(_TICK_SECONDS)
        _tend(supervisor, stop)


def _is_ready(address: str, port: int, host_header: str) -> bool:
    """Whether /readyz answers 200; a plain socket, since this process loads no HTTP client."""
    request = f"GET /readyz HTTP/1.1\r\nHost: {host_header}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((address, port), timeout=5) as connection:
            connection.sendall(request.encode("ascii"))
            return connection.makefile("rb").readline().split()[1:2] == [b"200"]
    except OSError:
        return False
