"""Stopping an import that waits or runs, taking it back in pieces, and throwing old drafts away."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.access.rights import require
from app.core import clock
from app.core.errors import NotFound
from app.core.jobs import admin, checkpoints, request_job
from app.core.jobs.execute import execute
from app.events.read import record_events, tenant_events
from app.events.seal import seal_tenant
from app.factory.web import create_flask_app
from app.imports import service, tasks, undo
from app.imports.errors import ImportBusy, ImportNotFound
from tenants.identity.keys import create_key
from tenants.scope import SYSTEM, enter_job
from tests.support.imports import begin, import_file, outcome, query
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@pytest.fixture(autouse=True)
def no_other_jobs(runtime: Runtime) -> Iterator[None]:
    """Before and after."""

    def clean() -> None:
        with runtime.databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql("delete from pod.job")

    clean()
    yield
    clean()


def companies(rows: int) -> bytes:
    return "\n".join(["name,external_id", *(f"Company {n},e{n}" for n in range(rows))]).encode()


def ask(runtime: Runtime, tenant: Tenant, import_id: UUID, *, undo: bool = False) -> None:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        service.cancel_import(scope, import_id, undo=undo)


def ask_back(runtime: Runtime, tenant: Tenant, import_id: UUID) -> UUID:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        return service.undo_import(scope, import_id)


def jobs(runtime: Runtime, tenant: Tenant) -> list[admin.JobRow]:
    return admin.list_jobs(runtime.databases.pod(1), tenant=tenant.id)


def live(runtime: Runtime, tenant: Tenant) -> int:
    return query(runtime, tenant, "select count(*) from o_company where deleted_at is null")[0][0]


def test_a_waiting_import_that_is_cancelled_writes_nothing(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(5), object="company")
    ask(runtime, tenant, started)
    (job,) = jobs(runtime, tenant)
    assert (job.id, job.cancelled) == (started, True)
    assert execute(runtime, 1, job.id)
    assert (outcome(runtime, tenant, started)["state"], live(runtime, tenant)) == ("failed", 0)
    with pytest.raises(ImportBusy, match="ended"):
        ask(runtime, tenant, started)


def cancel_meanwhile(
    runtime: Runtime, tenant: Tenant, import_id: UUID, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> None:
    """At the first checkpoint, when a batch has been written."""
    progress = checkpoints.store.progress

    def cancelled(*given: Any) -> tuple[bool, bool]:
        monkeypatch.setattr(checkpoints.store, "progress", progress)
        ask(runtime, tenant, import_id, **how)
        return progress(*given)

    monkeypatch.setattr(checkpoints.store, "progress", cancelled)


def test_a_running_import_keeps_what_it_has_written_and_says_how_much(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(1700), object="company")
    cancel_meanwhile(runtime, tenant, started, monkeypatch)
    assert execute(runtime, 1, started)
    result = outcome(runtime, tenant, started)
    assert (result["state"], result["error"]) == ("failed", "It was cancelled.")
    assert 0 < result["created"] == result["rows"] < 1700
    assert live(runtime, tenant) == result["created"]
    assert jobs(runtime, tenant) == []


def test_what_a_cancelled_import_wrote_is_taken_back_if_asked(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(1700), object="company")
    cancel_meanwhile(runtime, tenant, started, monkeypatch, undo=True)
    assert execute(runtime, 1, started)
    (undoing,) = jobs(runtime, tenant)
    assert execute(runtime, 1, undoing.id)
    result = outcome(runtime, tenant, started)
    assert (result["state"], live(runtime, tenant)) == ("undone", 0)
    assert result["created"] > 0


def test_an_undo_asked_for_too_early_is_tried_again(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    started = begin(runtime, tenant, companies(5), object="company")
    ask(runtime, tenant, started, undo=True)
    early = next(job for job in jobs(runtime, tenant) if job.name == service.UNDO_JOB)
    assert execute(runtime, 1, early.id)
    (waiting,) = [job for job in jobs(runtime, tenant) if job.id == early.id]
    assert (waiting.state, waiting.error) == ("waiting", ImportBusy.code)
    assert execute(runtime, 1, started)
    assert execute(runtime, 1, early.id)
    assert outcome(runtime, tenant, started)["state"] == "undone"


def test_a_killed_undo_goes_on_where_it_was(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "_BATCH", 50)
    tenant, other = new_tenant(), new_tenant()
    result = import_file(runtime, tenant, companies(220), object="company")
    job = ask_back(runtime, tenant, UUID(result["import"]))
    assert ask_back(runtime, tenant, UUID(result["import"])) == job, "asked twice, done once"
    with enter_job(runtime.databases, other.id, actor=SYSTEM, write=True) as scope:
        request_job(scope, "test.never_taken")
    monkeypatch.setattr(checkpoints, "SHARE", 0.0)
    left: list[int] = []
    while any(row.id == job for row in jobs(runtime, tenant)):
        assert execute(runtime, 1, job)
        left.append(live(runtime, tenant))
    assert left == [170, 120, 70, 20, 0, 0]
    assert outcome(runtime, tenant, UUID(result["import"]))["state"] == "undone"
    kinds = query(runtime, tenant, "select kind, count(*) from event where object = 'company' group by 1 order by 1")
    assert kinds == [("created", 220), ("import_undone", 1), ("imported", 1), ("trashed", 220)]


def test_an_undo_that_is_stopped_can_be_asked_for_again(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "_BATCH", 50)
    tenant = new_tenant()
    import_id = UUID(import_file(runtime, tenant, companies(120), object="company")["import"])
    job = ask_back(runtime, tenant, import_id)
    cancel_meanwhile(runtime, tenant, import_id, monkeypatch)
    assert execute(runtime, 1, job)
    assert (outcome(runtime, tenant, import_id)["state"], live(runtime, tenant)) == ("done", 70)
    again = ask_back(runtime, tenant, import_id)
    assert again != job
    assert execute(runtime, 1, again)
    assert (outcome(runtime, tenant, import_id)["state"], live(runtime, tenant)) == ("undone", 0)


def test_an_undo_tells_who_took_which_import_back(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    import_id = import_file(runtime, tenant, companies(1), object="company")["import"]
    ask_back(runtime, tenant, UUID(import_id))
    undo.run_undo(runtime, tenant.id, UUID(import_id))
    (row,) = query(runtime, tenant, "select id from o_company")
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        made, gone = record_events(scope, "company", row[0])["data"]
    person = {"kind": "member", "id": str(owner.id), "name": owner.name}
    assert made["actor"] == {"kind": "import", "id": import_id, "name": "file.csv"}
    assert made["cause"] == {"kind": "import", "id": import_id, "by": person}
    assert (gone["kind"], gone["actor"]) == ("trashed", person)
    assert gone["cause"] == {"kind": "import_undo", "id": import_id, "by": person}


def test_a_job_of_another_workspace_is_not_cancelled(runtime: Runtime, new_tenant: NewTenant) -> None:
    ours, theirs = new_tenant(), new_tenant()
    started = begin(runtime, theirs, companies(1), object="company")
    with pytest.raises(ImportNotFound):
        ask(runtime, ours, started)
    with enter_job(runtime.databases, ours.id, actor=SYSTEM, write=True) as scope:
        call = "select pod.cancel_job_of(%(tenant)s, %(job)s)"
        scope.at_commit(call, {"tenant": scope.tenant.id, "job": started})
    assert [job.cancelled for job in jobs(runtime, theirs)] == [False]


def test_the_api_cancels_and_refuses(runtime: Runtime, new_tenant: NewTenant) -> None:
    runtime.ports.authorise = require
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        _, key = create_key(scope, "import", "owner")
    client, headers = create_flask_app(runtime).test_client(), {"Authorization": f"Bearer {key}"}
    started = begin(runtime, tenant, companies(5), object="company")
    wrong = client.post(f"/api/v1/imports/{started}/cancel?undo=maybe", headers=headers)
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "?undo")  # type: ignore[index]
    answer = client.post(f"/api/v1/imports/{started}/cancel", headers=headers)
    assert answer.status_code == 202, answer.text
    assert execute(runtime, 1, started)
    after = client.get(f"/api/v1/imports/{started}", headers=headers).json
    assert after is not None
    assert (after["status"], after["error"]) == ("failed", "It was cancelled.")
    assert client.post(f"/api/v1/imports/{started}/cancel", headers=headers).status_code == 409
    # The feed says the same of every event: each is marked, one sums up.
    import_file(runtime, tenant, companies(3), object="company")
    seal_tenant(runtime, tenant.id)
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        marked = [event["cause"]["kind"] for event in tenant_events(scope)["data"] if event["object"] == "company"]
    assert marked == ["import"] * 4


def test_drafts_are_thrown_away_after_a_week_with_their_files(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
        drafts = [
            service.start_draft(scope, runtime.storage, "company", "draft.csv", io.BytesIO(companies(2)))
            for _ in range(25)
        ]
        old = clock.now() - tasks.DRAFTS_KEPT - timedelta(hours=1)
        scope.execute("update import set created_at = %s where id <> %s", (old, drafts[0]))
    finished = import_file(runtime, tenant, companies(1), object="company")["import"]
    query_all = "select id::text from import order by id"
    assert len(query(runtime, tenant, query_all)) == 26
    tasks.sweep(runtime, tenant.id, {})
    assert [row[0] for row in query(runtime, tenant, query_all)] == [str(drafts[0]), finished]
    for draft in drafts[1:]:
        with pytest.raises(NotFound):
            runtime.storage.open(f"{tenant.id}/imports/{draft}").close()
    runtime.storage.open(f"{tenant.id}/imports/{drafts[0]}").close()
