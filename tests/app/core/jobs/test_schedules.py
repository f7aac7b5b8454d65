"""Recurring jobs: once a slot for every tenant, however many relays run and whenever they start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine

from app.core.jobs import admin
from app.core.jobs.schedules import Schedules, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Tenant

HOUR = timedelta(hours=1)
NOON = datetime(2031, 5, 4, 12, 20, tzinfo=UTC)


@pytest.fixture
def hourly(runtime: Runtime) -> Iterator[Schedules]:
    """A schedule of this test; the pod remembers none before and after."""

    def clean() -> None:
        with runtime.databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql("delete from pod.job where name = 'test.hourly'")
            connection.exec_driver_sql("delete from pod.schedule")

    clean()
    made = Schedules()
    made.add("test.hourly", HOUR, timedelta())
    yield made
    clean()


def asked(runtime: Runtime, tenant: Tenant) -> list[UUID]:
    jobs = admin.list_jobs(runtime.databases.pod(1), tenant=tenant.id)
    return [row.id for row in jobs if row.name == "test.hourly"]


def test_each_slot_is_asked_for_once_by_however_many_relays(
    runtime: Runtime, two_tenants: tuple[Tenant, Tenant], hourly: Schedules
) -> None:
    engine = runtime.databases.pod(1)
    for hour in range(3):
        with time_machine.travel(NOON + hour * HOUR, tick=False), ThreadPoolExecutor(8) as pool:
            relays = [Ticker(hourly) for _ in range(8)]
            counts = [work.result() for work in [pool.submit(relay.tick, engine, 1) for relay in relays]]
            assert sum(count > 0 for count in counts) == 1, counts
            assert [relay.tick(engine, 1) for relay in relays] == [0] * 8
        assert [len(asked(runtime, tenant)) for tenant in two_tenants] == [hour + 1] * 2


def test_a_relay_that_starts_again_in_the_same_slot_asks_for_nothing(
    runtime: Runtime, tenant: Tenant, hourly: Schedules
) -> None:
    with time_machine.travel(NOON, tick=False):
        assert Ticker(hourly).tick(runtime.databases.pod(1), 1) > 0
    with time_machine.travel(NOON + timedelta(minutes=39), tick=False):
        assert Ticker(hourly).tick(runtime.databases.pod(1), 1) == 0
    # A clock that goes wrong for a moment does not start the slot again.
    with time_machine.travel(NOON - HOUR, tick=False):
        assert Ticker(hourly).tick(runtime.databases.pod(1), 1) == 0
    assert len(asked(runtime, tenant)) == 1


def test_slots_nobody_was_there_for_are_not_made_up_for(runtime: Runtime, tenant: Tenant, hourly: Schedules) -> None:
    with time_machine.travel(NOON, tick=False):
        Ticker(hourly).tick(runtime.databases.pod(1), 1)
    with time_machine.travel(NOON + 5 * HOUR, tick=False):
        Ticker(hourly).tick(runtime.databases.pod(1), 1)
    assert len(asked(runtime, tenant)) == 2


def test_a_job_recurs_by_one_schedule_only(hourly: Schedules) -> None:
    with pytest.raises(ValueError, match="already"):
        hourly.add("test.hourly", HOUR)
