"""What one round of the relay does; its processes are in jobs/test_processes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest

from app.core.jobs import request_job
from app.core.jobs.queue import open_queue
from app.core.jobs.request import wait_for_wake, wake
from app.core.ports import Ports, Runtime
from app.core.relay import Relay
from tenants.scope import SYSTEM, Tenant, enter_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tenants import NewTenant


@pytest.fixture
def quiet(runtime: Runtime) -> Iterator[Runtime]:
    """A runtime of its own ports, with no job and no queue of another test."""

    def clean() -> None:
        runtime.redis.flushdb()
        with runtime.databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql("delete from pod.job")

    clean()
    ports = Ports(pods=lambda _: [1], pending=lambda _: [], keep_spares=lambda _, __: 0)
    yield dataclasses.replace(runtime, ports=ports)
    clean()


def ask(runtime: Runtime, tenant: Tenant, count: int) -> None:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        for _ in range(count):
            request_job(scope, "test.thing")


def test_the_queue_is_kept_short_and_filled_up_as_it_empties(quiet: Runtime, tenant: Tenant) -> None:
    ask(quiet, tenant, 10)
    relay = Relay(quiet)
    assert relay.round() == 6
    assert relay.round() == 0
    open_queue(quiet.redis).empty()
    assert relay.round() == 4


def test_the_queue_holds_thirty_two_entries_of_all_tenants(quiet: Runtime, new_tenant: NewTenant) -> None:
    for tenant in [new_tenant() for _ in range(7)]:
        ask(quiet, tenant, 6)
    assert Relay(quiet).round() == 32
    assert open_queue(quiet.redis).count == 32


def test_what_was_lost_with_the_queue_is_rung_again_when_its_lease_ran_out(quiet: Runtime, tenant: Tenant) -> None:
    ask(quiet, tenant, 3)
    relay = Relay(quiet)
    assert relay.round() == 3
    quiet.redis.flushdb()
    assert relay.round() == 0
    with quiet.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql("update pod.job set lease_until = now() - interval '1 s'")
    assert relay.round() == 3


def test_a_tenant_whose_sealing_fails_rests_and_holds_up_nobody(quiet: Runtime) -> None:
    broken, healthy = uuid4(), uuid4()
    sealed: list[UUID] = []

    def seal(_runtime: Runtime, tenant: UUID) -> int:
        sealed.append(tenant)
        if tenant == broken:
            raise ValueError("its events are odd")
        return 1

    quiet.ports.pending = lambda _: [broken, healthy]
    quiet.ports.seal = seal
    relay = Relay(quiet)
    assert relay.round() == 1
    assert relay.round() == 1
    assert sealed == [broken, healthy, healthy]


def test_a_database_that_is_away_ends_the_round(quiet: Runtime) -> None:
    def seal(_runtime: Runtime, _tenant: UUID) -> int:
        raise psycopg.OperationalError("server closed the connection")

    quiet.ports.pending = lambda _: [uuid4()]
    quiet.ports.seal = seal
    with pytest.raises(psycopg.OperationalError):
        Relay(quiet).round()


def test_spares_are_kept_when_there_is_nothing_else_to_do(quiet: Runtime, tenant: Tenant) -> None:
    asked: list[int] = []
    quiet.ports.keep_spares = lambda _, wanted: asked.append(wanted) or 0
    ask(quiet, tenant, 1)
    relay = Relay(quiet, spares=2)
    relay.round()
    assert asked == []
    relay.round()
    relay.round()
    assert asked == [2], "and not in every round"


def test_a_wake_is_heard_once_however_often_it_was_rung(quiet: Runtime) -> None:
    for _ in range(5):
        wake(quiet.redis)
    assert quiet.redis.llen("rapport:bell") == 1
    wait_for_wake(quiet.redis, 5)
    assert quiet.redis.llen("rapport:bell") == 0
