"""A long job says how far it is, ends when it was cancelled, and makes way for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.jobs import JobKind, Registry, admin, checkpoint, checkpoints, store
from app.core.jobs.execute import execute
from tenants.scope import SYSTEM, enter_job
from tests.app.core.jobs.test_execute import NONE, ask, engine, state  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


def kinds(steps: list[int], cancelled: list[UUID]) -> Registry:
    """A job of five steps that goes on after the last it noted."""

    def work(_runtime: Runtime, _tenant: UUID, _args: dict[str, Any]) -> None:
        while len(steps) < 5:
            steps.append(len(steps))
            checkpoint(len(steps), 5)

    registry = Registry()
    registry.add(JobKind("test.count", work, 60, 2, lambda _runtime, tenant, _args: cancelled.append(tenant)))
    registry.add(JobKind("test.other", lambda *_: None, 60, 2))
    return registry


def test_progress_is_listed(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:  # noqa: F811
    job = ask(runtime, tenant)
    seen: list[float | None] = []

    def work(_runtime: Runtime, _tenant: UUID, _args: dict[str, Any]) -> None:
        checkpoint(3, 4)
        row = state(engine, job)
        assert row is not None
        seen.append(row.progress)

    registry = Registry()
    registry.add(JobKind("test.count", work, 60, 2))
    assert execute(runtime, 1, job, registry)
    assert seen == [0.75]


def test_a_moment_beyond_all_calendars_can_be_listed(
    runtime: Runtime,
    engine: sa.Engine,  # noqa: F811
    new_tenant: NewTenant,
) -> None:
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("insert into pod.job (id, name, run_at) values (uuidv7(), 'test.never', 'infinity')")
    (row,) = admin.list_jobs(engine, tenant=tenant.id)
    assert row.run_at.year == 9999


def test_a_job_makes_way_while_others_wait_and_loses_no_attempt(
    runtime: Runtime,
    engine: sa.Engine,  # noqa: F811
    two_tenants: tuple[Tenant, Tenant],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoints, "SHARE", 0.0)
    steps: list[int] = []
    registry = kinds(steps, [])
    long = ask(runtime, two_tenants[0])
    other = ask(runtime, two_tenants[1], "test.other")
    for done in range(1, 4):
        assert execute(runtime, 1, long, registry)
        assert len(steps) == done
        row = state(engine, long)
        assert row is not None
        assert (row.state, row.attempts, row.error) == ("waiting", 0, None)
        assert [job for job, _ in store.due(engine, 1, NONE)] in ([other], [long]), "the other one is first"
    assert execute(runtime, 1, other, registry)
    assert execute(runtime, 1, long, registry)
    assert len(steps) == 5
    assert admin.list_jobs(engine) == []


def test_a_job_with_a_process_of_its_own_makes_no_way(
    runtime: Runtime,
    engine: sa.Engine,  # noqa: F811
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoints, "SHARE", 0.0)
    steps: list[int] = []
    job, other = ask(runtime, tenant), ask(runtime, tenant, "test.other")
    assert execute(runtime, 1, job, kinds(steps, []), makes_way=False)
    assert len(steps) == 5
    assert [row.id for row in admin.list_jobs(engine)] == [other]


@pytest.mark.parametrize("state_before", ["waiting", "failed"])
def test_a_cancelled_job_does_not_begin(
    runtime: Runtime,
    engine: sa.Engine,  # noqa: F811
    tenant: Tenant,
    state_before: str,
) -> None:
    steps: list[int] = []
    cancelled: list[UUID] = []
    job = ask(runtime, tenant)
    if state_before == "failed":
        attempt = store.start(engine, job)
        assert attempt is not None
        store.retry(engine, job, attempt.number, None, "given up")
    assert admin.cancel(engine, [job]) == [job]
    row = state(engine, job)
    assert row is not None
    assert (row.state, row.cancelled) == ("waiting", True)
    assert execute(runtime, 1, job, kinds(steps, cancelled))
    assert (steps, cancelled) == ([], [tenant.id])
    assert admin.list_jobs(engine) == []
    assert admin.cancel(engine, [job]) == []


def test_a_running_job_that_is_cancelled_ends_at_its_next_checkpoint(
    runtime: Runtime,
    engine: sa.Engine,  # noqa: F811
    tenant: Tenant,
) -> None:
    cancelled: list[UUID] = []
    reached: list[str] = []
    job = ask(runtime, tenant)

    def work(_runtime: Runtime, _tenant: UUID, _args: dict[str, Any]) -> None:
        checkpoint()
        admin.cancel(engine, [job])
        reached.append("cancelled")
        checkpoint()
        reached.append("went on")

    registry = Registry()
    registry.add(JobKind("test.count", work, 60, 2, lambda _runtime, tenant, _args: cancelled.append(tenant)))
    assert execute(runtime, 1, job, registry)
    assert (reached, cancelled) == (["cancelled"], [tenant.id])
    assert admin.list_jobs(engine) == []


def test_a_checkpoint_outside_of_a_job_is_nothing() -> None:
    checkpoint(1, 2)
