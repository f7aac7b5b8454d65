"""The audit names the first event that was altered, taken away, added or moved by whoever may write the database."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import make_url

from app.events.anchor import BrokenChainError, anchor_tenant
from app.events.audit import Finding, audit_tenant, tenants_of
from app.events.seal import seal_tenant
from tenants.scope import enter_job
from tests.support.records import make_company
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Tenant

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def logged(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    """A workspace with four batches of three events each."""
    tenant = new_tenant()
    for _ in range(4):
        write(runtime, tenant, 3)
        seal_tenant(runtime, tenant.id)
    return tenant


def write(runtime: Runtime, tenant: Tenant, count: int) -> None:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        for number in range(count):
            make_company(scope, f"Company {number}")


@contextmanager
def as_superuser(runtime: Runtime, superuser_url: str, tenant: Tenant) -> Iterator[Connection]:
    """The cluster's superuser in the tenant's schema: nothing stops it."""
    database = runtime.databases.pod_owner(tenant.pod).url.database
    url = make_url(superuser_url).set(database=database, drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("select set_config('search_path', %s, false)", (f"{tenant.schema}, pod",))
        yield connection


def events_of(connection: Connection) -> list[UUID]:
    """Ids by ``seq``."""
    rows = connection.execute("select unnest(event_ids) from event_seal order by batch").fetchall()
    return [row[0] for row in rows]


def found(runtime: Runtime, tenant: Tenant) -> Finding:
    finding = audit_tenant(runtime, tenant.id).finding
    assert finding is not None
    return finding


def test_an_untouched_log_fits_with_and_without_what_waits_to_be_sealed(runtime: Runtime, logged: Tenant) -> None:
    write(runtime, logged, 2)
    audit = audit_tenant(runtime, logged.id)
    assert (audit.finding, audit.batches, audit.events, audit.anchored_seq) == (None, 4, 12, None)
    anchor_tenant(runtime, logged.id)
    assert audit_tenant(runtime, logged.id).anchored_seq == 12
    assert logged.id in tenants_of(runtime, 1)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("update event set diff = '{}' where id = %s", "altered"),
        ("update event set actor_id = uuidv7() where id = %s", "altered"),
        ("update event set at = at + interval '1 s' where id = %s", "altered"),
        ("delete from event where id = %s", "missing"),
    ],
)
def test_a_change_names_the_event(runtime: Runtime, superuser_url: str, logged: Tenant, change: str, what: str) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        events = events_of(connection)
        for seq in (8, 5, 11):
            connection.execute(change.encode(), (events[seq - 1],))
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq, finding.event) == (what, 2, 5, events[4])


def test_an_added_event_is_named(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        row = connection.execute(
            "insert into event (actor_kind, kind, object) values ('member', 'created', 'deal') returning id"
        ).fetchone()
    assert row is not None
    finding = found(runtime, logged)
    assert (finding.what, finding.event) == ("added", row[0])


def test_an_event_that_is_taken_away_with_its_leaf_is_noticed(
    runtime: Runtime, superuser_url: str, logged: Tenant
) -> None:
    """Whoever has no key can't chain the rest anew."""
    with as_superuser(runtime, superuser_url, logged) as connection:
        event = events_of(connection)[4]
        connection.execute("delete from event where id = %s", (event,))
        connection.execute(
            "update event_seal set leaves = leaves[1:1] || leaves[3:], event_ids = event_ids[1:1] || event_ids[3:]"
            " where batch = 2"
        )
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq) == ("broken", 2, 4)


def test_an_event_added_to_a_batch_is_named(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        row = connection.execute(
            "insert into event (actor_kind, kind, object) values ('member', 'created', 'deal') returning id"
        ).fetchone()
        assert row is not None
        connection.execute("update event_seal set event_ids = event_ids || %s::uuid where batch = 4", (row[0],))
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq, finding.event) == ("added", 4, 13, row[0])


def test_events_that_changed_places_are_named(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        events = events_of(connection)
        connection.execute(
            "update event_seal set event_ids = array[event_ids[1], event_ids[3], event_ids[2]] where batch = 3"
        )
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq, finding.event) == ("moved", 3, 8, events[8])


def test_batches_that_changed_places_are_noticed(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        connection.execute(
            "update event_seal set batch = batch + 10, first_seq = first_seq + 100 where batch in (2, 3)"
        )
        connection.execute("update event_seal set batch = 3, first_seq = 7 where batch = 12")
        connection.execute("update event_seal set batch = 2, first_seq = 4 where batch = 13")
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq) == ("broken", 2, 4)


def test_a_batch_that_is_gone_is_named(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    with as_superuser(runtime, superuser_url, logged) as connection:
        connection.execute("delete from event_seal where batch = 2")
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq) == ("missing", 2, 4)


def test_an_event_taken_away_before_its_seal_is_named(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    write(runtime, logged, 1)
    with as_superuser(runtime, superuser_url, logged) as connection:
        row = connection.execute("delete from event where id = (select max(id::text)::uuid from event) returning id")
        event = row.fetchall()[0][0]
    finding = found(runtime, logged)
    assert (finding.what, finding.event) == ("missing", event)


def cut(connection: Connection) -> None:
    """The last two batches with their events, as if they had never been."""
    connection.execute("delete from event where id in (select unnest(event_ids) from event_seal where batch > 2)")
    connection.execute("delete from event_seal where batch > 2")


def test_a_tail_that_was_cut_off_shows_by_the_anchor(runtime: Runtime, superuser_url: str, logged: Tenant) -> None:
    anchor_tenant(runtime, logged.id)
    with as_superuser(runtime, superuser_url, logged) as connection:
        cut(connection)
    finding = found(runtime, logged)
    assert (finding.what, finding.batch, finding.seq) == ("truncated", 3, 7)
    # The next day's anchor does not take the place of the one that proves it.
    with pytest.raises(BrokenChainError):
        anchor_tenant(runtime, logged.id)
    assert found(runtime, logged).what == "truncated"


def test_a_tail_that_grew_again_is_not_the_one_that_was_anchored(
    runtime: Runtime, superuser_url: str, logged: Tenant
) -> None:
    anchor_tenant(runtime, logged.id)
    with as_superuser(runtime, superuser_url, logged) as connection:
        cut(connection)
    for _ in range(3):
        write(runtime, logged, 3)
        seal_tenant(runtime, logged.id)
    finding = found(runtime, logged)
    assert (finding.what, finding.batch) == ("broken", 4)
    with pytest.raises(BrokenChainError):
        anchor_tenant(runtime, logged.id)


def test_a_forged_anchor_is_noticed(runtime: Runtime, logged: Tenant) -> None:
    anchor_tenant(runtime, logged.id)
    key = f"{logged.id}/audit/anchor"
    with runtime.storage.open(key) as stream:
        content = stream.read()
    runtime.storage.put(key, content.replace(b'\\"seq\\":12', b'\\"seq\\":11'))
    assert found(runtime, logged).what == "forged"
    runtime.storage.put(key, b"{}")
    assert found(runtime, logged).what == "forged"


def test_an_anchor_moves_on_with_the_log(runtime: Runtime, logged: Tenant) -> None:
    first = anchor_tenant(runtime, logged.id)
    write(runtime, logged, 1)
    seal_tenant(runtime, logged.id)
    second = anchor_tenant(runtime, logged.id)
    assert first is not None
    assert second is not None
    assert (first.seq, second.seq) == (12, 13)
    assert audit_tenant(runtime, logged.id).finding is None


def test_a_workspace_without_events_has_nothing_to_anchor(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    assert anchor_tenant(runtime, tenant.id) is None
    assert audit_tenant(runtime, tenant.id).finding is None


@pytest.mark.scale
def test_a_hundred_thousand_events_are_checked(
    runtime: Runtime, new_tenant: NewTenant, record_property: Callable[[str, object], None]
) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    for _ in range(5):
        with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=60) as scope:
            # One outbox row an event, as single writes make them.
            scope.execute(
                "WITH made AS (INSERT INTO event (actor_kind, kind, object, record_id, record_version, diff)"
                """ SELECT 'member', 'updated', 'deal', uuidv7(), 2, '{"name": ["A deal", "A better deal"]}'"""
                " FROM generate_series(1, 20000) RETURNING id)"
                " INSERT INTO pod.outbox (events) SELECT array[id] FROM made"
            )
    sealed = 0
    while part := seal_tenant(runtime, tenant.id):
        sealed += part
    before = time.monotonic()
    audit = audit_tenant(runtime, tenant.id)
    seconds = time.monotonic() - before
    record_property("audit", {"events": audit.events, "batches": audit.batches, "seconds": round(seconds, 2)})
    assert (sealed, audit.events, audit.finding) == (100_000, 100_000, None)
