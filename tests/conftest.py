"""What every test may use: servers started once a run, and a closed network."""

from __future__ import annotations

import os

import pytest
import redis
from hypothesis import settings

from tests.kill.table import pytest_terminal_summary  # noqa: F401 - a hook
from tests.support import network
from tests.support import servers as test_servers
from tests.support.servers import Servers, TestServers
from tests.support.tenants import (  # noqa: F401 - fixtures of every test
    databases,
    new_tenant,
    read_scope,
    runtime,
    scope,
    tenant,
    two_tenants,
)

_RUN: list[TestServers] = []


def pytest_configure(config: pytest.Config) -> None:
    """Close the network; with xdist, start the servers before its workers, which inherit the environment."""
    # A busy machine is no failure: nothing here is timed.
    settings.register_profile("suite", settings(), deadline=None)
    settings.load_profile("suite")
    network.close()
    parallel = bool(getattr(config.option, "numprocesses", None)) and "PYTEST_XDIST_WORKER" not in os.environ
    if parallel and not config.option.collectonly and test_servers.known() is None:
        _start()


def _start() -> None:
    _RUN.append(TestServers.start())
    _RUN[-1].tell()


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    while _RUN:
        _RUN.pop().stop()


@pytest.fixture(scope="session")
def servers() -> Servers:
    """PostgreSQL and Valkey of this run; in a run without xdist they start when first asked for."""
    found = test_servers.known()
    if found is None:
        _start()
        found = test_servers.known()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def superuser_url(servers: Servers) -> str:
    """The test cluster's superuser, on the database ``postgres``."""
    return servers.postgres


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """A Valkey database of this test worker, empty at the start."""
    with redis.Redis.from_url(servers.valkey) as client:
        client.flushdb()
    return servers.valkey
