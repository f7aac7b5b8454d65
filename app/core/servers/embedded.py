"""The servers of one home as one thing: started once, shared by the processes that come later."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.core import valkey
from app.core.servers import postgres, process
from app.core.servers.layout import Layout, ServerError, make_home
from app.core.servers.postgres import START_TIMEOUT, Postgres
from app.core.servers.valkey import Valkey

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.config import Config

Progress = Callable[[str], None]


def _silent(_line: str) -> None:
    """Report nothing."""


@dataclass(slots=True)
class Embedded:
    """PostgreSQL and Valkey run by this process. Use it from a thread that lives as long as they should."""

    postgres: Postgres
    valkey: Valkey
    progress: Progress = field(default=_silent)

    @classmethod
    def of(cls, home: Path, progress: Progress = _silent) -> Embedded:
        """The servers of ``home``, not started."""
        layout = Layout(make_home(home))
        return cls(Postgres(layout), Valkey(layout), progress)

    def start(self) -> None:
        """Start both; nothing stays running when one fails."""
        try:
            self.progress("Starting PostgreSQL" if self.postgres.data.exists() else "Creating the database cluster")
            self.postgres.start()
            self.progress("Starting Valkey")
            self.valkey.start()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start again what died; the names of those."""
        revived: list[str] = []
        for name, server in (("PostgreSQL", self.postgres), ("Valkey", self.valkey)):
            if not server.alive():
                server.start()
                revived.append(name)
        return revived

    def stop(self) -> None:
        """Stop both, PostgreSQL last."""
        self.valkey.stop()
        self.postgres.stop()


@contextlib.contextmanager
def running(config: Config, progress: Progress = _silent, *, own: bool = False) -> Generator[Embedded | None]:
    """Provide the embedded servers for the time of the block.

    Another process that runs them for this home is joined (None is given: it owns them); else they are started, and
    stopped at the end. With server URLs in the environment there is nothing to do. ``own``: never join, wait for the
    other process (a command) to end.

    Raises:
        ServerError: they can't be started.
    """
    if not config.embedded:
        yield None
        return
    lock_file = make_home(config.home) / "servers.lock"
    lock = _lock_or_join(config, lock_file, None if own else answers)
    if lock is None:
        yield None
        return
    servers = Embedded.of(config.home, progress)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
        os.close(lock)


def _lock_or_join(config: Config, lock_file: Path, joins: Callable[[Config], bool] | None) -> int | None:
    """Take the lock of the one process that runs the servers; None once another's servers answer ``joins``."""
    deadline = time.monotonic() + START_TIMEOUT
    while (lock := process.try_lock(lock_file)) is None:
        if joins is not None and joins(config):
            return None
        if time.monotonic() > deadline:
            raise ServerError(f"another process has held the servers of {config.home} for too long: {lock_file}")
        time.sleep(0.1)
    return lock


def answers(config: Config) -> bool:
    """Whether both embedded servers answer now."""
    return postgres.answers(config.superuser_url) and valkey.answers(config.redis_url)
