"""What an erasure blanks is gone and named as erased; whoever blanks otherwise is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from app.core.errors import NotFound
from app.events import erase, read
from app.events.audit import Finding, audit_tenant
from app.events.erase import AlteredEventError, erase_record
from app.events.seal import seal_tenant
from app.records import trash, write
from tenants.scope import enter_job
from tests.app.events.test_audit import as_superuser, events_of
from tests.support.records import make_company, record_id
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant

SECRET = "Josephine Marple"


@pytest.fixture
def told(runtime: Runtime, new_tenant: NewTenant) -> tuple[Tenant, UUID]:
    """A workspace with a company whose log quotes a name; sealed are events 1 to 6, of it 1, 3, 4 and 6."""
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        company = record_id(make_company(scope, "First"))
        other = record_id(make_company(scope, "Other"))
        write.update_record(scope, "company", company, {"name": SECRET})
        write.update_record(scope, "company", company, {"name": "Third"})
        write.update_record(scope, "company", other, {"name": "Another"})
        trash.trash_record(scope, "company", company)
    assert seal_tenant(runtime, tenant.id) == 6
    return tenant, company


def finding_of(runtime: Runtime, tenant: Tenant) -> Finding:
    finding = audit_tenant(runtime, tenant.id).finding
    assert finding is not None
    return finding


def history(runtime: Runtime, tenant: Tenant, company: UUID) -> list[dict[str, Any]]:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        return read.record_history(scope, "company", company)[0]


def test_an_erasure_blanks_what_was_quoted_and_the_audit_says_so(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID]
) -> None:
    tenant, company = told
    by = owner_of(runtime.databases, tenant)
    assert erase_record(runtime, tenant.id, "company", company, by=by) == 2
    with as_superuser(runtime, superuser_url, tenant) as connection:
        left = connection.execute("select count(*) from event where event::text like %s", (f"%{SECRET}%",)).fetchone()
    assert left == (0,)
    for sealed in (0, 1):
        audit = audit_tenant(runtime, tenant.id)
        assert (audit.finding, audit.events, audit.erased) == (None, 6 + sealed, 2)
        assert audit.document()["erased"] == 2
        if not sealed:
            assert seal_tenant(runtime, tenant.id) == 1
    events = history(runtime, tenant, company)
    assert [(event["kind"], event["erased"], event["diff"]) for event in events] == [
        ("created", False, None),
        ("updated", True, None),
        ("updated", True, None),
        ("trashed", False, None),
        ("erased", False, {"events": 2}),
    ]
    assert events[-1]["actor"] == {"kind": "member", "id": str(by.id), "name": by.name}


def test_erasing_again_changes_nothing(runtime: Runtime, told: tuple[Tenant, UUID]) -> None:
    tenant, company = told
    by = owner_of(runtime.databases, tenant)
    erase_record(runtime, tenant.id, "company", company, by=by)
    assert erase_record(runtime, tenant.id, "company", company, by=by) == 0
    assert erase_record(runtime, tenant.id, "company", uuid4(), by=by) == 0
    with pytest.raises(NotFound):
        erase_record(runtime, uuid4(), "company", company, by=by)


def test_an_erasure_of_many_events_goes_in_parts(
    runtime: Runtime, told: tuple[Tenant, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, company = told
    monkeypatch.setattr(erase, "_BATCH", 1)
    assert erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant)) == 2
    assert seal_tenant(runtime, tenant.id) == 2
    audit = audit_tenant(runtime, tenant.id)
    assert (audit.finding, audit.erased) == (None, 2)


def test_what_waits_for_its_seal_is_erased_too(runtime: Runtime, told: tuple[Tenant, UUID]) -> None:
    tenant, company = told
    by = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=by, write=True) as scope:
        trash.restore_record(scope, "company", company)
        write.update_record(scope, "company", company, {"name": f"{SECRET} again"})
        trash.destroy_record(scope, "company", company)
    assert erase_record(runtime, tenant.id, "company", company, by=by) == 4
    assert seal_tenant(runtime, tenant.id) == 4
    assert audit_tenant(runtime, tenant.id).finding is None
    assert not [event for event in history(runtime, tenant, company) if SECRET in str(event)]


def test_erasing_while_writing_and_sealing_leaves_a_log_that_fits(runtime: Runtime, told: tuple[Tenant, UUID]) -> None:
    tenant, _ = told
    by = owner_of(runtime.databases, tenant)
    made: list[UUID] = []

    def write_on(number: int) -> None:
        with enter_job(runtime.databases, tenant.id, actor=by, write=True, budget=30) as scope:
            company = record_id(make_company(scope, f"Company {number}"))
            write.update_record(scope, "company", company, {"name": f"{SECRET} {number}"})
        made.append(company)

    def seal_on(_number: int) -> None:
        seal_tenant(runtime, tenant.id)

    with ThreadPoolExecutor(3) as pool:
        for number in range(12):
            turns = [pool.submit(write_on, number), pool.submit(seal_on, number)]
            if made:
                turns.append(pool.submit(erase_record, runtime, tenant.id, "company", made[-1], by=by))
            for turn in turns:
                turn.result()
    seal_tenant(runtime, tenant.id)
    assert audit_tenant(runtime, tenant.id).finding is None


@pytest.mark.parametrize(
    "mark", [{"erased": str(uuid4())}, {"erased": "no id"}, {"erased": None}], ids=["unknown", "no id", "nothing"]
)
def test_a_forged_mark_is_found(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID], mark: dict[str, object]
) -> None:
    tenant, _ = told
    with as_superuser(runtime, superuser_url, tenant) as connection:
        event = events_of(connection)[4]
        connection.execute("update event set diff = null, cause = %s where id = %s", (Jsonb(mark), event))
    finding = finding_of(runtime, tenant)
    assert (finding.what, finding.seq, finding.event) == ("forged", 5, event)


def test_the_mark_of_another_events_erasure_is_forged(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID]
) -> None:
    tenant, company = told
    erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant))
    with as_superuser(runtime, superuser_url, tenant) as connection:
        events = events_of(connection)
        connection.execute(
            "update event set diff = null, cause = (select cause from event where id = %s) where id = %s",
            (events[2], events[4]),
        )
    finding = finding_of(runtime, tenant)
    assert (finding.what, finding.seq) == ("forged", 5)


@pytest.mark.parametrize(
    "change",
    [
        "update event set actor_id = uuidv7() where id = %s",
        """update event set diff = '{"name": ["a", "b"]}' where id = %s""",
        "update event set at = at + interval '1 s' where id = %s",
    ],
)
def test_an_erased_event_that_was_altered_afterwards_is_found(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID], change: str
) -> None:
    tenant, company = told
    erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant))
    with as_superuser(runtime, superuser_url, tenant) as connection:
        event = events_of(connection)[2]
        connection.execute(change.encode(), (event,))
    finding = finding_of(runtime, tenant)
    assert (finding.what, finding.seq, finding.event) == ("forged", 3, event)


def test_an_altered_event_is_named_beside_erased_ones(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID]
) -> None:
    tenant, company = told
    erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant))
    with as_superuser(runtime, superuser_url, tenant) as connection:
        event = events_of(connection)[4]
        connection.execute("update event set diff = '{}' where id = %s", (event,))
    finding = finding_of(runtime, tenant)
    assert (finding.what, finding.seq, finding.event) == ("altered", 5, event)


def test_an_erasure_whose_own_event_is_gone_is_found(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID]
) -> None:
    tenant, company = told
    erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant))
    seal_tenant(runtime, tenant.id)
    with as_superuser(runtime, superuser_url, tenant) as connection:
        connection.execute("delete from event where kind = 'erased'")
    assert finding_of(runtime, tenant).what == "forged"


def test_what_was_altered_before_is_not_erased_over(
    runtime: Runtime, superuser_url: str, told: tuple[Tenant, UUID]
) -> None:
    tenant, company = told
    with as_superuser(runtime, superuser_url, tenant) as connection:
        event = events_of(connection)[2]
        connection.execute("""update event set diff = '{"name": ["x", "y"]}' where id = %s""", (event,))
    with pytest.raises(AlteredEventError, match=str(event)):
        erase_record(runtime, tenant.id, "company", company, by=owner_of(runtime.databases, tenant))
    finding = finding_of(runtime, tenant)
    assert (finding.what, finding.seq) == ("altered", 3)
