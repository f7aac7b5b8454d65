"""Jobs in the database: asked for, taken, extended, ended, retried; on the real tables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from app.core.errors import Conflict, NotFound
from app.core.jobs import JobKind, Registry, admin, request_job, store
from app.core.jobs.execute import backoff, execute
from tenants.scope import SYSTEM, Tenant, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant

NONE = timedelta()


@pytest.fixture
def engine(runtime: Runtime) -> Iterator[sa.Engine]:
    """The pod as the application's login, with no job of another test in it."""
    empty(runtime)
    yield runtime.databases.pod(1)
    empty(runtime)


def empty(runtime: Runtime) -> None:
    with runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql("delete from pod.job")


def ask(runtime: Runtime, tenant: Tenant, name: str = "test.count", **args: object) -> UUID:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        return request_job(scope, name, args)


def lapse(runtime: Runtime, job: UUID) -> None:
    """Let the lease run out."""
    with runtime.databases.pod_owner(1).begin() as connection:
        connection.execute(
            sa.text("update pod.job set lease_until = now() - interval '1 s' where id = :job"), {"job": job}
        )


def kinds(function: Callable[..., None], *, max_attempts: int = 3) -> Registry:
    registry = Registry()
    registry.add(JobKind("test.count", function, 60, max_attempts))
    return registry


def state(engine: sa.Engine, job: UUID) -> admin.JobRow | None:
    return next((row for row in admin.list_jobs(engine) if row.id == job), None)


def test_a_job_runs_once_with_its_tenant_and_arguments_and_is_gone(
    runtime: Runtime, engine: sa.Engine, tenant: Tenant
) -> None:
    calls: list[tuple[UUID, dict[str, Any]]] = []
    registry = kinds(lambda _runtime, tenant_id, args: calls.append((tenant_id, args)))
    job = ask(runtime, tenant, **{"import": "x", "n": 1})
    assert store.due(engine, 10, NONE) == [(job, "test.count")]
    assert execute(runtime, 1, job, registry)
    assert not execute(runtime, 1, job, registry)
    assert calls == [(tenant.id, {"import": "x", "n": 1})]
    assert admin.list_jobs(engine) == []


def test_a_job_of_a_transaction_that_failed_never_was(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    with pytest.raises(RuntimeError), enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        request_job(scope, "test.count")
        raise RuntimeError("rolled back")
    assert store.due(engine, 10, NONE) == []


def test_a_tenants_role_may_ask_for_jobs_and_nothing_else(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    job = ask(runtime, tenant)
    statements = (
        "select * from pod.job",
        "update pod.job set state = 'waiting'",
        "delete from pod.job",
        "insert into pod.job (name, tenant) values ('x', 'tn_other')",
        f"select pod.end_job('{job}', 1)",
        "select * from pod.due_jobs(1, '0')",
        "select * from pod.list_jobs(null, 1)",
    )
    for statement in statements:
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope,
        ):
            scope.execute(statement.encode())  # type: ignore[arg-type]
    assert state(engine, job) is not None


def test_a_failing_job_waits_and_is_given_up_at_last(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("ana@example.com")

    job = ask(runtime, tenant)
    for number in (1, 2):
        assert execute(runtime, 1, job, kinds(fail))
        row = state(engine, job)
        assert row is not None
        assert (row.state, row.attempts) == ("waiting", number)
        assert row.error == "builtins.RuntimeError", "a message may quote a customer's data"
        assert store.due(engine, 10, NONE) == [], "it is not due before its pause is over"
    execute(runtime, 1, job, kinds(fail))
    row = state(engine, job)
    assert row is not None
    assert (row.state, row.attempts) == ("failed", 3)


def test_a_job_whose_object_is_gone_is_given_up_at_once(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    def fail(*_: object) -> None:
        raise NotFound("no such import")

    job = ask(runtime, tenant)
    execute(runtime, 1, job, kinds(fail))
    row = state(engine, job)
    assert row is not None
    assert (row.state, row.error) == ("failed", "not_found")


def test_a_conflict_is_tried_again(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    def fail(*_: object) -> None:
        raise Conflict("metadata is busy")

    job = ask(runtime, tenant)
    execute(runtime, 1, job, kinds(fail))
    row = state(engine, job)
    assert row is not None
    assert row.state == "waiting"


def test_a_job_of_an_unknown_kind_waits_for_a_newer_worker(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    job = ask(runtime, tenant, "future.thing")
    assert execute(runtime, 1, job, Registry())
    row = state(engine, job)
    assert row is not None
    assert (row.state, row.error) == ("waiting", "unknown job future.thing")


def test_a_job_that_kills_every_worker_is_given_up(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    job = ask(runtime, tenant)
    for _ in range(3):
        assert store.start(engine, job)
        lapse(runtime, job)
    calls: list[object] = []
    execute(runtime, 1, job, kinds(lambda *_: calls.append(1)))
    row = state(engine, job)
    assert row is not None
    assert row.state == "failed"
    assert calls == []


def test_a_running_job_is_not_taken_by_a_second_worker(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    job = ask(runtime, tenant)
    assert store.start(engine, job)
    assert store.start(engine, job) is None
    assert store.due(engine, 10, NONE) == []


def test_what_a_worker_says_after_its_lease_was_lost_changes_nothing(
    runtime: Runtime, engine: sa.Engine, tenant: Tenant
) -> None:
    job = ask(runtime, tenant)
    first = store.start(engine, job)
    assert first is not None
    lapse(runtime, job)
    assert store.due(engine, 10, NONE) == [(job, "test.count")]
    second = store.start(engine, job)
    assert second is not None
    assert second.number == 2
    assert not store.extend(engine, job, first.number)
    assert not store.end(engine, job, first.number)
    assert not store.retry(engine, job, first.number, NONE, "late")
    assert store.extend(engine, job, second.number)
    assert store.end(engine, job, second.number)


def test_a_rung_job_is_rung_again_only_after_its_lease_and_the_patience(
    runtime: Runtime, engine: sa.Engine, tenant: Tenant
) -> None:
    job = ask(runtime, tenant)
    assert len(store.due(engine, 10, NONE)) == 1
    assert store.due(engine, 10, NONE) == []
    lapse(runtime, job)
    assert store.due(engine, 10, timedelta(minutes=10)) == []
    assert len(store.due(engine, 10, NONE)) == 1


def test_tenants_take_turns(runtime: Runtime, engine: sa.Engine, new_tenant: NewTenant) -> None:
    loud, quiet = new_tenant(), new_tenant()
    for _ in range(20):
        ask(runtime, loud)
    late = ask(runtime, quiet)
    assert late in [job for job, _ in store.due(engine, 2, NONE)]
    assert len(store.due(engine, 100, NONE)) == 6


def test_a_tenant_has_at_most_six_entries_in_a_queue_that_is_not_empty(
    runtime: Runtime, engine: sa.Engine, new_tenant: NewTenant
) -> None:
    loud, quiet = new_tenant(), new_tenant()
    patience = timedelta(minutes=10)
    asked = [ask(runtime, loud) for _ in range(20)]
    first = [job for job, _ in store.due(engine, 100, patience)]
    assert sorted(first) == asked[:6]
    assert store.due(engine, 100, patience) == []
    late = ask(runtime, quiet)
    assert [job for job, _ in store.due(engine, 100, patience)] == [late]
    assert store.start(engine, asked[0]) is not None
    assert [job for job, _ in store.due(engine, 100, patience)] == [asked[6]], "a place was free"


def test_a_failed_job_is_replayed_with_fresh_attempts(runtime: Runtime, engine: sa.Engine, tenant: Tenant) -> None:
    job = ask(runtime, tenant)
    attempt = store.start(engine, job)
    assert attempt is not None
    assert admin.replay(engine, [job]) == [], "only what failed can be replayed"
    store.retry(engine, job, attempt.number, None, "x")
    assert [row.id for row in admin.list_jobs(engine, state="failed", tenant=tenant.id)] == [job]
    assert admin.replay(engine, [job]) == [job]
    row = state(engine, job)
    assert row is not None
    assert (row.state, row.attempts) == ("waiting", 0)


def test_pauses_grow_to_a_quarter_of_an_hour_and_differ() -> None:
    assert timedelta(seconds=1) <= backoff(1) <= timedelta(seconds=2)
    assert timedelta(seconds=450) <= backoff(50) <= timedelta(seconds=900)
    assert len({backoff(8) for _ in range(10)}) > 1


def test_a_kind_is_registered_once_and_before_the_start() -> None:
    registry = kinds(lambda *_: None)
    with pytest.raises(ValueError, match="twice"):
        registry.add(JobKind("test.count", lambda *_: None, 1, 1))
    registry.close()
    with pytest.raises(RuntimeError, match="too late"):
        registry.add(JobKind("test.other", lambda *_: None, 1, 1))
    assert registry.names() == ["test.count"]
