"""A long import holds up nobody, and ends when it is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from app.core.jobs import admin, checkpoints, request_job
from app.core.jobs.execute import execute
from app.core.servers.process import die_with_parent
from app.imports import tasks
from tenants.scope import SYSTEM, enter_job
from tests.support.imports import begin, outcome, query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


assert tasks.run  # registers the job


@pytest.fixture(autouse=True)
def no_other_jobs(runtime: Runtime) -> Iterator[None]:
    """Before and after."""

    def clean() -> None:
        runtime.redis.flushdb()
        with runtime.databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql("delete from pod.job")

    clean()
    yield
    clean()


def companies(rows: int) -> bytes:
    return "\n".join(["name,external_id", *(f"Company {n},e{n}" for n in range(rows))]).encode()


def job_of(runtime: Runtime, tenant: Tenant) -> admin.JobRow:
    (row,) = admin.list_jobs(runtime.databases.pod(1), tenant=tenant.id)
    return row


def created(runtime: Runtime, tenant: Tenant) -> list[tuple[Any, ...]]:
    return query(runtime, tenant, "select count(*), count(distinct external_id) from o_company")


def test_an_import_that_makes_way_goes_on_where_it_was(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SHARE", 0.0)
    busy, other = new_tenant(), new_tenant()
    with enter_job(runtime.databases, other.id, actor=SYSTEM, write=True) as scope:
        request_job(scope, "test.never_taken")
    started = begin(runtime, busy, companies(1700), object="company")
    job = job_of(runtime, busy).id
    assert execute(runtime, 1, job)
    row = job_of(runtime, busy)
    assert (row.state, row.attempts) == ("waiting", 0)
    assert row.progress is not None
    assert 0 < row.progress < 1
    attempts = 1
    while admin.list_jobs(runtime.databases.pod(1), tenant=busy.id):
        assert execute(runtime, 1, job)
        attempts += 1
    assert attempts > 2
    result = outcome(runtime, busy, started)
    assert (result["state"], result["created"], result["failed"]) == ("done", 1700, 0)
    assert created(runtime, busy) == [(1700, 1700)]


def test_a_cancelled_import_ends_after_its_batch_and_says_so(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(1700), object="company")
    job = job_of(runtime, tenant).id
    engine = runtime.databases.pod(1)
    progress = checkpoints.store.progress

    def cancelled_meanwhile(*given: Any) -> tuple[bool, bool]:
        admin.cancel(engine, [job])
        return progress(*given)

    monkeypatch.setattr(checkpoints.store, "progress", cancelled_meanwhile)
    assert execute(runtime, 1, job)
    result = outcome(runtime, tenant, started)
    assert (result["state"], result["error"]) == ("failed", "It was cancelled.")
    assert 0 < result["created"] < 1700
    assert created(runtime, tenant) == [(result["created"], result["created"])]
    assert admin.list_jobs(engine) == []


def test_an_import_cancelled_before_it_began_writes_nothing(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(10), object="company")
    job = job_of(runtime, tenant).id
    assert admin.cancel(runtime.databases.pod(1), [job]) == [job]
    assert execute(runtime, 1, job)
    result = outcome(runtime, tenant, started)
    assert (result["state"], result["created"], result["error"]) == ("failed", 0, "It was cancelled.")


@pytest.mark.scale
def test_an_import_of_fifty_thousand_rows_delays_another_tenants_job_by_five_seconds_at_most(
    runtime: Runtime, new_tenant: NewTenant, record_property: Callable[[str, object], None]
) -> None:
    busy, other = new_tenant(), new_tenant()
    started = begin(runtime, busy, companies(50_000), object="company")
    processes = [start(runtime, role) for role in ("relay", "worker")]
    delays: list[float] = []
    try:
        wait_for(lambda: outcome(runtime, busy, started)["created"] > 0)
        while len(delays) < 8 and outcome(runtime, busy, started)["state"] == "running":
            delays.append(delay(runtime, other, len(delays)))
        still = outcome(runtime, busy, started)["state"]
        wait_for(lambda: outcome(runtime, busy, started)["state"] == "done")
    finally:
        for process in processes:
            for fork in psutil.Process(process.pid).children():
                fork.kill()
            process.kill()
            process.communicate()
    record_property("fairness", {"delays": [round(seconds, 2) for seconds in delays], "import": still})
    print("delays:", [round(seconds, 2) for seconds in delays])  # noqa: T201 (a figure to report)
    assert delays
    assert max(delays) <= 5
    assert created(runtime, busy) == [(50_000, 50_000)]


def delay(runtime: Runtime, tenant: Tenant, number: int) -> float:
    """Seconds from asking for a job to its effect."""
    before = time.monotonic()
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        request_job(scope, "test.mark", {"key": f"mark {number}"})
    wait_for(lambda: query(runtime, tenant, "select name from setting where name = %s", f"mark {number}") != [])
    return time.monotonic() - before


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def start(runtime: Runtime, role: str) -> subprocess.Popen[bytes]:
    """A worker or a relay that knows imports too."""
    config = runtime.config
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.app.imports.process", role),
            *(config.database_url, config.owner_url, config.redis_url, config.storage_url),
        ],
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process
