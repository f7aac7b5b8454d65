"""The chain from who began it to the record, and the mark by which automation passes over acts on many records."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.core.jobs import JobKind, Registry, request_job
from app.core.jobs.execute import execute
from app.core.jobs.schedules import schedules
from app.events import causes, read
from app.events.anchor import JOB as SCHEDULED
from app.events.seal import seal_tenant
from app.imports.run import run_import
from app.imports.service import read_options, start_import
from app.leads.service import convert_lead
from app.records import trash
from app.records.bulk import bulk
from app.records.handover import ask_to_hand_over, hand_over_some
from tenants.identity.keys import create_key
from tenants.scope import Actor, enter_job
from tests.support.imports import import_file
from tests.support.records import make_company, make_contact, make_deal, make_lead, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    import pytest

    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant


def cause_of(scope: TenantScope, object_name: str, record: UUID | str) -> tuple[str, dict[str, Any] | None]:
    """Kind and cause of a record's latest event."""
    page = read.record_events(scope, object_name, record, newest_first=True, limit=1)
    return page["data"][0]["kind"], page["data"][0]["cause"]


def person(actor: Actor) -> dict[str, Any]:
    return {"kind": actor.kind, "id": str(actor.id), "name": actor.name}


def test_what_somebody_does_by_hand_has_no_cause(scope: TenantScope) -> None:
    assert cause_of(scope, "company", record_id(make_company(scope))) == ("created", None)


def test_each_event_of_a_bulk_act_names_it_and_one_sums_up(scope: TenantScope) -> None:
    made = [row["id"] for row in bulk(scope, "company", [{"name": f"Bulk {n}"} for n in range(3)])["results"]]
    acts = {str(cause_of(scope, "company", record)[1]) for record in made}
    assert len(acts) == 1
    (kind, cause) = cause_of(scope, "company", made[0])
    assert (kind, cause) == ("created", {"kind": "bulk", "id": cause and cause["id"], "by": person(scope.actor)})
    assert cause is not None
    summary = read.record_events(scope, "company", cause["id"])["data"]
    assert [(event["kind"], event["cause"]) for event in summary] == [("bulk", cause)]
    assert scope.cause is None, "what follows is no part of it"
    bulk(scope, "company", [{"id": made[0]}], mode="delete")
    kind, later = cause_of(scope, "company", made[0])
    assert kind == "trashed"
    assert later is not None
    assert (later["kind"], later["id"] != cause["id"]) == ("bulk", True)


def test_a_conversion_names_its_lead(scope: TenantScope) -> None:
    lead = record_id(make_lead(scope))
    made = convert_lead(scope, lead, deal_name="Converted")
    cause = {"kind": "conversion", "id": str(lead), "by": person(scope.actor)}
    assert cause_of(scope, "contact", made.contact) == ("created", cause)
    assert made.deal is not None
    assert cause_of(scope, "deal", made.deal) == ("created", cause)
    assert cause_of(scope, "lead", lead) == ("updated", cause)


def test_a_link_that_is_emptied_names_the_record_that_was_deleted(scope: TenantScope) -> None:
    contact = make_contact(scope)
    deal = make_deal(scope, contact=contact["id"])
    trash.trash_record(scope, "contact", record_id(contact))
    cause = {"kind": "trash", "id": contact["id"], "by": person(scope.actor)}
    assert cause_of(scope, "deal", deal["id"]) == ("updated", cause)
    assert cause_of(scope, "contact", contact["id"]) == ("trashed", None), "what a restore needs is not shown"


def test_a_handover_names_whose_records_they_were(scope: TenantScope) -> None:
    row = scope.execute(
        "insert into member (name, email, role, status) values ('Heir', '', 'user', 'active') returning id"
    ).fetchone()
    assert row is not None
    assert scope.actor.id is not None
    company = make_company(scope, owner=str(scope.actor.id))
    job = ask_to_hand_over(scope, scope.actor.id, "member", row[0])
    scope.execute("update handover set state = 'running'")
    assert hand_over_some(scope, job) == 1
    kind, cause = cause_of(scope, "company", company["id"])
    assert (kind, cause) == (
        "updated",
        {"kind": "handover", "id": str(scope.actor.id), "by": person(scope.actor)},
    )


def test_an_import_names_the_member_or_the_key_that_started_it(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
        key, _ = create_key(scope, "Website", "owner")
    by_key = Actor("key", key.id, "Website")
    with enter_job(runtime.databases, tenant.id, actor=by_key, write=True, budget=30) as scope:
        options = read_options({"object": "company"})
        started, _ = start_import(scope, runtime.storage, options, "web.csv", io.BytesIO(b"name\nBy key\n"))
    run_import(runtime, tenant.id, started)
    by_hand = import_file(runtime, tenant, "name\nBy hand\n", object="company")["import"]
    assert seal_tenant(runtime, tenant.id) > 0
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        events = [event for event in read.tenant_events(scope)["data"] if event["object"] == "company"]
    chains = [(event["kind"], event["actor"]["name"], event["cause"]) for event in events]
    first = {"kind": "import", "id": str(started), "by": person(by_key)}
    second = {"kind": "import", "id": by_hand, "by": person(owner)}
    assert chains == [
        ("created", "web.csv", first),
        ("imported", "web.csv", first),
        ("created", "file.csv", second),
        ("imported", "file.csv", second),
    ]


def test_what_a_job_writes_names_the_job_and_its_schedule(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    made: list[str] = []

    def work(given: Runtime, tenant_id: UUID, _args: dict[str, Any]) -> None:
        with enter_job(given.databases, tenant_id, actor=owner, write=True) as scope:
            made.append(make_company(scope)["id"])

    assert schedules.knows(SCHEDULED)
    kinds = Registry()
    for name in ("test.work", SCHEDULED):
        kinds.add(JobKind(name, work, 10, 1))
        with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
            job = request_job(scope, name)
        assert execute(runtime, 1, job, kinds)
        with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
            cause = {"kind": "schedule" if name == SCHEDULED else "job", "id": str(job), "by": person(owner)}
            assert cause_of(scope, "company", made[-1]) == ("created", cause)


def test_events_of_imports_and_bulk_acts_are_marked_for_consumers(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    import_file(runtime, tenant, "name\nOne\nTwo\n", object="company")
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
        bulk(scope, "company", [{"name": "Three"}, {"name": "Four"}])
        make_company(scope, "Five")
    seal_tenant(runtime, tenant.id)
    assert marks(runtime, tenant) == [
        ("created", True), ("created", True), ("imported", False),
        ("created", True), ("created", True), ("bulk", False),
        ("created", False),
    ]  # fmt: skip


def marks(runtime: Runtime, tenant: Tenant) -> list[tuple[str, bool]]:
    """Of each event, as a consumer gets it, whether it is one of many of an act."""
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        events = [event for event in read.sealed_after(scope, 0, 200) if event["object"] == "company"]
    return [(event["kind"], causes.is_mass(event)) for event in events]


def test_a_page_of_events_is_explained_by_one_statement_at_most(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    for number in range(3):
        import_file(runtime, tenant, f"name\nImported {number}\n", object="company")
    seal_tenant(runtime, tenant.id)
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        events = read.sealed_after(scope, 0, 200)
        asked: list[object] = []
        execute_ = type(scope).execute

        def counted(self: TenantScope, query: Any, params: Any = ()) -> Any:
            asked.append(query)
            return execute_(self, query, params)

        monkeypatch.setattr(type(scope), "execute", counted)
        causes.explain(scope, events)
        assert len(asked) == 1
        causes.explain(scope, [])
        assert len(asked) == 1
    assert len({event["cause"]["id"] for event in events if event["object"] == "company"}) == 3


def test_nobody_is_named_for_an_import_that_is_not_there(scope: TenantScope) -> None:
    events = [{"cause": {"import": str(UUID(int=7))}, "actor": {"kind": "import", "id": None, "name": ""}}]
    causes.explain(scope, events)
    assert events[0]["cause"] == {"kind": "import", "id": str(UUID(int=7)), "by": None}
