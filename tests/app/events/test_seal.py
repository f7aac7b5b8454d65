"""The sealer: every event once, in one gapless order, chained."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.events import consumers, read
from app.events.audit import audit_tenant
from app.events.seal import seal_tenant
from app.records import write
from app.records.bulk import bulk
from tenants.scope import enter_job
from tests.support.records import make_company, make_deal, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant


def feed(runtime: Runtime, tenant: Tenant, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        found: list[dict[str, Any]] = []
        while True:
            page = read.tenant_events(scope, after=after, limit=limit)
            found += page["data"]
            if page["next"] is None:
                return found
            after = page["next"]


def event_ids(runtime: Runtime, tenant: Tenant) -> set[str]:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        return {str(row[0]) for row in scope.execute("SELECT id FROM event").fetchall()}


def test_sealing_gives_events_their_order_and_leaves_nothing_behind(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
        company = make_company(scope, "Acme")
        assert read.tenant_events(scope)["data"] == []
        assert [event["seq"] for event in read.record_events(scope, "company", record_id(company))["data"]] == [None]
    assert seal_tenant(runtime, tenant.id) == 1
    assert seal_tenant(runtime, tenant.id) == 0
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
        write.update_record(scope, "company", UUID(company["id"]), {"name": "Acme Ltd"})
    assert seal_tenant(runtime, tenant.id) == 1
    events = feed(runtime, tenant)
    assert [(event["seq"], event["kind"], event["diff"]) for event in events] == [
        (1, "created", None),
        (2, "updated", {"name": ["Acme", "Acme Ltd"]}),
    ]
    assert events[0]["actor"] == {"kind": "member", "id": str(actor.id), "name": actor.name}
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False) as scope:
        own = read.record_events(scope, "company", record_id(company))["data"]
    assert own == events


def test_concurrent_writers_and_sealers_miss_nothing_and_double_nothing(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    done = threading.Event()

    def write_some(number: int) -> None:
        for round_ in range(8):
            with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
                company = make_company(scope, f"{number}-{round_}")
            with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
                write.update_record(scope, "company", record_id(company), {"name": f"{number}-{round_} changed"})
                bulk(scope, "deal", [{"name": "d"}] * 5)

    def seal_on() -> None:
        while not done.is_set():
            seal_tenant(runtime, tenant.id)

    with ThreadPoolExecutor(6) as pool:
        sealers = [pool.submit(seal_on) for _ in range(2)]
        for writer in [pool.submit(write_some, number) for number in range(4)]:
            writer.result()
        done.set()
        for sealer in sealers:
            sealer.result()
    seal_tenant(runtime, tenant.id)
    events = feed(runtime, tenant, limit=37)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    seen = [event["id"] for event in events]
    assert len(seen) == len(set(seen)) == 4 * 8 * (1 + 1 + 5 + 1)
    assert set(seen) == event_ids(runtime, tenant)
    order: dict[str, list[str]] = {}
    for event in events:
        if event["object"] == "company":
            order.setdefault(event["record_id"], []).append(event["kind"])
    assert all(kinds == ["created", "updated"] for kinds in order.values())
    assert audit_tenant(runtime, tenant.id).finding is None


def test_a_long_backlog_is_sealed_in_parts(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        for _ in range(3):
            scope.execute(
                "WITH made AS (INSERT INTO event (actor_kind, kind, object) SELECT 'system', 'bulk', 'deal'"
                " FROM generate_series(1, 9000) RETURNING id)"
                " INSERT INTO pod.outbox (events) SELECT array_agg(id) FROM made"
            )
        make_company(scope)
    assert [seal_tenant(runtime, tenant.id) for _ in range(3)] == [27_000, 1, 0]
    assert len(feed(runtime, tenant)) == 27_001


def test_the_log_can_only_be_added_to(scope: TenantScope) -> None:
    make_company(scope)
    with pytest.raises(Exception, match="permission denied"):
        scope.execute("UPDATE event SET kind = 'x'")


def test_a_consumer_reads_every_event_once_in_order_and_again_after_a_failure(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    registry = consumers.Registry()
    seen: list[int] = []
    fail = [True]

    def handle(scope: TenantScope, events: list[dict[str, Any]]) -> None:
        scope.execute("INSERT INTO setting (name, value) VALUES (%s, '1')", (f"seen {events[-1]['seq']}",))
        if fail[0]:
            fail[0] = False
            raise RuntimeError("once")
        seen.extend(event["seq"] for event in events)

    registry.add(consumers.Consumer("test", handle))
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        bulk(scope, "deal", [{"name": "d"}] * 250)
        make_deal(scope)
    seal_tenant(runtime, tenant.id)
    with pytest.raises(RuntimeError, match="once"):
        consumers.consume(runtime, tenant.id, registry)
    assert consumers.consume(runtime, tenant.id, registry) == 252
    assert consumers.consume(runtime, tenant.id, registry) == 0
    assert seen == list(range(1, 253))
    with pytest.raises(ValueError, match="twice"):
        registry.add(consumers.Consumer("test", handle))
