"""The PostgreSQL and Valkey of a test run: the product's own launcher, started once by the controlling process.

xdist workers find them through the environment. To run against servers of your own set both variables.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.servers.embedded import Embedded
from app.core.servers.layout import Layout
from app.core.servers.postgres import Postgres
from app.core.servers.valkey import Valkey

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTGRES_VARIABLE = "RAPPORT_TEST_POSTGRES_URL"
VALKEY_VARIABLE = "RAPPORT_TEST_REDIS_URL"
#: Set where the servers end with the run, and all that tests made with them.
PASSING_VARIABLE = "RAPPORT_TEST_SERVERS_PASS"

#: A crash of the machine may lose a test's data, nothing may wait for a disk.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "autovacuum_naptime": "1min",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Where a test finds the servers: ``postgres`` as superuser, ``valkey`` with a database number of its own."""

    postgres: str
    valkey: str
    #: They end with the run: nothing has to be tidied up in them.
    passing: bool = False


@dataclass(slots=True)
class TestServers:
    """Servers in a temporary home, gone at the end (or with this process)."""

    __test__ = False

    home: Path
    embedded: Embedded
    servers: Servers

    @classmethod
    def start(cls) -> TestServers:
        """Start both in a fresh folder."""
        home = Path(tempfile.mkdtemp(prefix="rapport-tests-", dir="/tmp"))
        home.chmod(0o711)
        layout = Layout(home)
        embedded = Embedded(Postgres(layout, settings=_FAST), Valkey(layout))
        embedded.start()
        found = Servers(layout.postgres_url("postgres", "postgres"), layout.valkey_url(), passing=True)
        return cls(home, embedded, found)

    def tell(self) -> None:
        """Tell child processes through the environment."""
        os.environ[POSTGRES_VARIABLE] = self.servers.postgres
        os.environ[VALKEY_VARIABLE] = self.servers.valkey
        os.environ[PASSING_VARIABLE] = "1"

    def stop(self) -> None:
        """Stop both and remove every trace."""
        if os.environ.get(POSTGRES_VARIABLE) == self.servers.postgres:
            del os.environ[POSTGRES_VARIABLE]
            os.environ.pop(VALKEY_VARIABLE, None)
            os.environ.pop(PASSING_VARIABLE, None)
        self.embedded.stop()
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def another_pair() -> Iterator[Servers]:
    """Servers beside those of the run, for a test that fills a whole cluster; gone at the end."""
    started = TestServers.start()
    try:
        yield started.servers
    finally:
        started.stop()


def known() -> Servers | None:
    """The servers somebody has started for us, None when nobody has."""
    postgres, valkey = os.environ.get(POSTGRES_VARIABLE), os.environ.get(VALKEY_VARIABLE)
    if not postgres or not valkey:
        return None
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    number = int(worker.removeprefix("gw")) % 60 + 1
    return Servers(postgres, f"{valkey}?db={number}", passing=PASSING_VARIABLE in os.environ)
