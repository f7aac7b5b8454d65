"""Creating and changing single records, on real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.access import catalogs
from app.records import write
from app.records.errors import InvalidRecord, RecordNotFound, StaleVersion, UniqueTaken, UnknownObject
from app.records.store import read_record
from tenants.scope import TenantScope, enter_job
from tests.support.records import make, make_company, make_contact, make_deal, make_deal_line, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.app.records.conftest import SetRates
    from tests.support.tenants import NewTenant


def events_of(scope: TenantScope, record: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None, int]]:
    return scope.execute(
        "SELECT kind, diff, record_version FROM event WHERE record_id = %s ORDER BY id", (record["id"],)
    ).fetchall()


def problems(error: pytest.ExceptionInfo[InvalidRecord]) -> dict[str, str]:
    return {problem.pointer: problem.code for problem in error.value.errors}


def test_a_created_record_is_returned_with_defaults_and_logged_once(scope: TenantScope) -> None:
    company = write.create_record(scope, "company", {"name": "Acme", "annual_revenue": 1200})
    assert company["kind"] == "organisation"
    assert company["annual_revenue"] == {"amount": "1200.00", "currency": "EUR"}
    assert company["version"] == 1
    assert company["owner"] == company["created_by"] == str(scope.actor.id)
    assert events_of(scope, company) == [("created", None, 1)]


@pytest.mark.parametrize("name", ["company", "contact", "deal", "task", "deal_line", "affiliation", "note", "product"])
def test_a_created_record_is_answered_as_it_is_read(scope: TenantScope, name: str) -> None:
    given: dict[str, Any] = {"product": {"name": "P"}, "note": {"title": "N", "body": "<p>b</p>"}}.get(name, {})
    if name == "deal_line":
        given = {"deal": make_deal(scope)["id"]}
    if name == "affiliation":
        given = {"contact": make_contact(scope)["id"], "company": make_company(scope)["id"], "since": "2020-02-02"}
    required = {"contact": {"last_name": "L"}, "deal": {"name": "D"}, "task": {"title": "T"}, "company": {"name": "C"}}
    given |= required.get(name, {}) | {field: pair[0] for field, pair in SAMPLES.get(name, {}).items()}
    record = write.create_record(scope, name, given)
    assert record == read_record(scope, catalogs.for_scope(scope).objects[name], record_id(record))


def test_an_update_logs_old_and_new_of_what_changed_and_nothing_else(scope: TenantScope) -> None:
    company = make_company(scope, "Acme", employees=5)
    changed = write.update_record(scope, "company", record_id(company), {"name": "Acme Ltd", "employees": 5})
    assert changed["version"] == 2
    assert events_of(scope, company)[-1] == ("updated", {"name": ["Acme", "Acme Ltd"]}, 2)


def test_an_update_that_changes_nothing_makes_no_version_and_no_event(scope: TenantScope) -> None:
    company = make_company(scope, "Acme")
    same = write.update_record(scope, "company", record_id(company), {"name": "Acme"})
    assert same["version"] == 1
    assert len(events_of(scope, company)) == 1


def test_every_problem_is_named_with_its_pointer(scope: TenantScope) -> None:
    payload = {
        "nam": "x",
        "id": "1",
        "close_on": "never",
        "company": str(uuid4()),
        "amount": {"amount": 1, "currency": "?"},
    }
    with pytest.raises(InvalidRecord) as caught:
        write.create_record(scope, "deal", payload)
    found = problems(caught)
    assert found["/nam"] == "field.unknown"
    assert found["/id"] == "field.readonly"
    assert found["/name"] == "required"
    assert found["/company"] == "link.not_found"
    assert {"/close_on", "/amount/currency"} <= found.keys()
    assert "name" in next(error.message for error in caught.value.errors if error.pointer == "/nam")


def test_an_unknown_object_is_not_found(scope: TenantScope) -> None:
    with pytest.raises(UnknownObject, match="company"):
        write.create_record(scope, "compny", {})


def test_a_link_to_a_trashed_record_is_refused_with_its_pointer(scope: TenantScope) -> None:
    company = make_company(scope)
    write.trash_record(scope, "company", record_id(company))
    with pytest.raises(InvalidRecord) as caught:
        make_deal(scope, company=company["id"])
    assert problems(caught) == {"/company": "link.not_found"}
    deal = make_deal(scope)
    with pytest.raises(InvalidRecord) as caught:
        write.update_record(scope, "deal", record_id(deal), {"company": company["id"]})
    assert problems(caught) == {"/company": "link.not_found"}


def test_an_unknown_owner_is_refused_with_its_pointer(scope: TenantScope) -> None:
    with pytest.raises(InvalidRecord) as caught:
        make_company(scope, owner=str(uuid4()))
    assert problems(caught) == {"/owner": "link.not_found"}


def test_a_stale_version_is_refused_and_changes_nothing(scope: TenantScope) -> None:
    company = make_company(scope, "One")
    write.update_record(scope, "company", record_id(company), {"name": "Two"}, if_match=1)
    with pytest.raises(StaleVersion) as caught:
        write.update_record(scope, "company", record_id(company), {"name": "Three"}, if_match=1)
    assert caught.value.extra["version"] == 2
    with pytest.raises(RecordNotFound):
        write.update_record(scope, "company", uuid4(), {"name": "x"})


def test_a_unique_value_taken_names_the_field(scope: TenantScope) -> None:
    make_company(scope, domain="acme.example")
    with pytest.raises(UniqueTaken) as caught:
        make_company(scope, domain="ACME.example")
    assert [problem.pointer for problem in caught.value.errors] == ["/domain"]


def test_a_name_of_blanks_is_no_name(scope: TenantScope) -> None:
    with pytest.raises(InvalidRecord) as caught:
        write.create_record(scope, "company", {"name": " \t "})
    assert problems(caught) == {"/name": "required"}


def test_required_fields_can_not_be_emptied(scope: TenantScope) -> None:
    company = make_company(scope)
    with pytest.raises(InvalidRecord) as caught:
        write.update_record(scope, "company", record_id(company), {"name": None})
    assert problems(caught) == {"/name": "required"}


def test_a_merge_patch_goes_into_composite_values(scope: TenantScope) -> None:
    company = make_company(scope, billing_address={"city": "Berlin", "line1": "Weg 1", "country": "DE"})
    changed = write.update_record(
        scope, "company", record_id(company), {"billing_address": {"city": "Bonn", "line1": None}}
    )
    assert changed["billing_address"]["city"] == "Bonn"
    assert changed["billing_address"]["country"] == "DE"
    assert changed["billing_address"]["line1"] is None
    assert (
        write.update_record(scope, "company", record_id(company), {"billing_address": None})["billing_address"] is None
    )


def test_email_and_emails_stay_in_step(scope: TenantScope) -> None:
    contact = make_contact(scope, emails=["a@example.test", "b@example.test"])
    assert contact["email"] == "a@example.test"
    changed = write.update_record(scope, "contact", record_id(contact), {"email": "c@example.test"})
    assert [entry["value"] for entry in changed["emails"]] == ["c@example.test", "b@example.test"]
    changed = write.update_record(scope, "contact", record_id(contact), {"email": None})
    assert [entry["value"] for entry in changed["emails"]] == ["b@example.test"]
    assert changed["email"] == "b@example.test"
    changed = write.update_record(
        scope, "contact", record_id(contact), {"emails": ["d@example.test", "e@example.test"]}
    )
    assert changed["email"] == "d@example.test"
    company = make_company(scope, phones=["+493012345678"])
    assert company["phone"] == "+493012345678"
    changed = write.update_record(scope, "company", record_id(company), {"phones": []})
    assert (changed["phone"], changed["phones"]) == (None, [])


def test_a_contact_keeps_a_name_an_email_or_a_phone(scope: TenantScope) -> None:
    with pytest.raises(InvalidRecord) as caught:
        make(scope, "contact", job_title="Nobody")
    assert problems(caught) == {"/last_name": "contact.empty"}
    contact = make(scope, "contact", email="only@example.test")
    with pytest.raises(InvalidRecord):
        write.update_record(scope, "contact", record_id(contact), {"email": None})
    write.update_record(scope, "contact", record_id(contact), {"email": "", "last_name": "Now named"})


def test_nothing_ends_before_it_starts(scope: TenantScope) -> None:
    call = make(scope, "interaction", channel="call", starts_at="2026-05-05T10:00:00Z")
    with pytest.raises(InvalidRecord) as caught:
        write.update_record(scope, "interaction", record_id(call), {"ends_at": "2026-05-05T09:59:00Z"})
    assert problems(caught) == {"/ends_at": "range.reversed"}
    write.update_record(scope, "interaction", record_id(call), {"ends_at": "2026-05-05T10:00:00Z"})
    with pytest.raises(InvalidRecord):
        make(scope, "company_relation", company=make_company(scope)["id"], related=make_company(scope)["id"],
             kind="partner", since="2026-01-02", until="2026-01-01")  # fmt: skip


def test_a_company_can_not_be_above_itself(scope: TenantScope) -> None:
    top = make_company(scope)
    middle = make_company(scope, parent=top["id"])
    low = make_company(scope, parent=middle["id"])
    for target in (top, low):
        with pytest.raises(InvalidRecord) as caught:
            write.update_record(scope, "company", record_id(top), {"parent": target["id"]})
        assert problems(caught) == {"/parent": "link.cycle"}


def test_the_stage_sets_status_probability_and_close_day(scope: TenantScope) -> None:
    deal = make_deal(scope)
    assert (deal["pipeline"], deal["stage"], deal["stage_status"], deal["probability"]) == (
        "sales",
        "new",
        "open",
        "0.1",
    )
    moved = write.update_record(scope, "deal", record_id(deal), {"stage": "proposal"})
    assert moved["probability"] == "0.6"
    assert moved["closed_at"] is None
    won = write.update_record(scope, "deal", record_id(deal), {"stage": "won"})
    assert (won["stage_status"], won["probability"]) == ("won", "1")
    assert won["closed_at"] is not None
    assert won["close_on"] is not None
    again = write.update_record(scope, "deal", record_id(deal), {"stage": "meeting"})
    assert (again["closed_at"], again["stage_status"], again["probability"]) == (None, "open", "0.4")


def test_a_probability_set_by_hand_stays_until_the_deal_closes(scope: TenantScope) -> None:
    deal = make_deal(scope, probability="0.35")
    assert deal["probability"] == "0.35"
    moved = write.update_record(scope, "deal", record_id(deal), {"stage": "meeting"})
    assert moved["probability"] == "0.35"
    lost = write.update_record(scope, "deal", record_id(deal), {"stage": "lost", "close_on": "2026-01-31"})
    assert (lost["probability"], lost["close_on"]) == ("0", "2026-01-31")


def test_lines_give_totals_and_the_deal_its_amount(scope: TenantScope) -> None:
    deal = make_deal(scope, amount_from_lines=True)
    line = make_deal_line(scope, deal, quantity="3", unit_price="10.10", discount="0.1")
    assert line["total"] == {"amount": "27.27", "currency": "EUR"}
    make_deal_line(scope, deal, quantity="1", unit_price="5")
    assert _amount(scope, deal) == "32.27"
    write.update_record(scope, "deal_line", record_id(line), {"quantity": "1"})
    assert _amount(scope, deal) == "14.09"
    write.trash_record(scope, "deal_line", record_id(line))
    assert _amount(scope, deal) == "5.00"
    write.restore_record(scope, "deal_line", record_id(line))
    assert _amount(scope, deal) == "14.09"
    kept = write.update_record(scope, "deal", record_id(deal), {"amount": "999"})
    assert kept["amount"]["amount"] == "14.09"


def test_lines_in_two_currencies_need_a_rate(scope: TenantScope, set_rates: SetRates) -> None:
    deal = make_deal(scope, amount_from_lines=True)
    make_deal_line(scope, deal)
    set_rates({("USD", "2020-01-01"): 0.5})
    make_deal_line(scope, deal, unit_price={"amount": "10", "currency": "USD"})
    assert _amount(scope, deal) == "105.00"
    with pytest.raises(Exception, match="no rate from GBP"):
        make_deal_line(scope, deal, unit_price={"amount": "10", "currency": "GBP"})


def _amount(scope: TenantScope, deal: dict[str, Any]) -> str:
    return _read(scope, "deal", deal)["amount"]["amount"]


def _read(scope: TenantScope, name: str, record: dict[str, Any]) -> dict[str, Any]:
    found = read_record(scope, catalogs.for_scope(scope).objects[name], record_id(record))
    assert found is not None
    return found


def test_contact_company_and_the_primary_affiliation_move_together(scope: TenantScope) -> None:
    first, second = make_company(scope), make_company(scope)
    contact = make_contact(scope, company=first["id"])
    assert _affiliations(scope, contact) == {first["id"]: True}
    write.update_record(scope, "contact", record_id(contact), {"company": second["id"]})
    assert _affiliations(scope, contact) == {first["id"]: False, second["id"]: True}
    rows = scope.execute("SELECT id FROM o_affiliation WHERE company = %s", (first["id"],)).fetchall()
    write.update_record(scope, "affiliation", rows[0][0], {"primary": True})
    assert _affiliations(scope, contact) == {first["id"]: True, second["id"]: False}
    assert _read(scope, "contact", contact)["company"] == first["id"]
    write.trash_record(scope, "affiliation", rows[0][0])
    assert _read(scope, "contact", contact)["company"] is None


def _affiliations(scope: TenantScope, contact: dict[str, Any]) -> dict[str, bool]:
    rows = scope.execute(
        'SELECT company, "primary" FROM o_affiliation WHERE contact = %s AND deleted_at IS NULL', (contact["id"],)
    ).fetchall()
    return {str(row[0]): row[1] for row in rows}


def test_a_deal_has_one_primary_contact(scope: TenantScope) -> None:
    ada, grace = make_contact(scope), make_contact(scope)
    deal = make_deal(scope, contact=ada["id"])
    make(scope, "deal_contact", deal=deal["id"], contact=grace["id"], primary=True)
    assert _read(scope, "deal", deal)["contact"] == grace["id"]
    rows = scope.execute('SELECT contact, "primary" FROM o_deal_contact WHERE deal = %s', (deal["id"],)).fetchall()
    assert {str(row[0]): row[1] for row in rows} == {ada["id"]: False, grace["id"]: True}


def test_upsert_creates_once_and_updates_after(scope: TenantScope) -> None:
    record, created = write.upsert_record(scope, "company", "external_id", "E-1", {"name": "One"})
    assert created
    assert record["external_id"] == "E-1"
    again, created = write.upsert_record(scope, "company", "external_id", "E-1", {"name": "Two"})
    assert not created
    assert (again["id"], again["name"], again["version"]) == (record["id"], "Two", 2)
    with pytest.raises(InvalidRecord) as caught:
        write.upsert_record(scope, "company", "external_id", "E-1", {"external_id": "E-2"})
    assert problems(caught) == {"/external_id": "upsert.mismatch"}


SAMPLES: dict[str, dict[str, tuple[object, object]]] = {
    "company": {
        "name": ("A", "Äß\U0001f600"),
        "relationship": (["customer"], ["partner", "supplier"]),
        "domain": ("a.example", "b.example"),
        "website": ("https://a.example", None),
        "phones": (["+493012345678"], []),
        "emails": (["x@y.example"], ["z@y.example", "x@y.example"]),
        "employees": (3, 7),
        "annual_revenue": ("12.5", {"amount": "0.10", "currency": "USD"}),
        "tags": (["a"], ["b", "c"]),
        "billing_address": ({"city": "Rome", "country": "Italy"}, {"line1": "Via", "country": "IT"}),
        "description": ("a\nb", "c"),
        "kind": ("organisation", "household"),
    },
    "contact": {
        "birthday": ("1980-02-29", "1815-12-10"),
        "do_not_email": (True, False),
        "language": ("de", "en"),
        "email": ("q@w.example", None),
    },
    "deal": {
        "probability": ("0.25", "0.5"),
        "amount": (1, None),
        "stage": ("new", "won"),
        "opened_on": ("2026-01-01", None),
    },
    "task": {
        "due_at": ("2026-03-29T02:30:00+02:00", "2026-10-25T00:00:00.5Z"),
        "body": ("<p>a</p>", "<p><b>b</b></p>"),
    },
    "deal_line": {
        "quantity": ("1.50", "0.125"),
        "unit_price": ("1", "1.005"),
        "discount": (None, "0.075"),
        "position": (1, None),
    },
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_diff_of_an_event_holds_what_the_api_showed_before_and_after(scope: TenantScope, name: str) -> None:
    base: dict[str, Any] = {"contact": {"last_name": "L"}, "deal": {"name": "D"}, "task": {"title": "T"}}.get(name, {})
    if name == "deal_line":
        base = {"deal": make_deal(scope)["id"]}
    before = write.create_record(scope, name, base | {field: pair[0] for field, pair in SAMPLES[name].items()})
    after = write.update_record(
        scope, name, record_id(before), {field: pair[1] for field, pair in SAMPLES[name].items()}
    )
    diff = events_of(scope, before)[-1][1]
    assert diff is not None
    assert diff.keys() >= {field for field in SAMPLES[name] if before[field] != after[field]}
    for field, (old, new) in diff.items():
        assert (old, new) == (before[field], after[field]), field
        assert old != new
    unlogged = {"version", "updated_at", "updated_by"} | ({"total"} if name == "deal_line" else set())
    assert {field for field in before if before[field] != after[field]} - unlogged == set(diff)


def test_a_destroyed_record_leaves_its_whole_row_in_the_log(scope: TenantScope) -> None:
    company = make_company(scope, "Gone", tags=["x"], annual_revenue=5)
    write.destroy_record(scope, "company", record_id(company))
    assert events_of(scope, company)[-1][:2] == ("destroyed", company)


class _Counter:
    """A scope that counts its statements."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        execute, cursor_text = TenantScope.execute, TenantScope.cursor_text

        def counted_execute(inner: TenantScope, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return execute(inner, *args, **kwargs)

        def counted_cursor(inner: TenantScope) -> Any:
            self.count += 1
            return cursor_text(inner)

        monkeypatch.setattr(TenantScope, "execute", counted_execute)
        monkeypatch.setattr(TenantScope, "cursor_text", counted_cursor)


def test_create_and_update_take_one_statement_and_a_stage_move_two(
    scope: TenantScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, deal = make_company(scope), make_deal(scope)
    counter = _Counter(monkeypatch)
    make_deal(scope, company=company["id"], owner=None)
    assert counter.count == 1
    write.update_record(scope, "deal", record_id(deal), {"name": "New", "company": company["id"]}, if_match=1)
    assert counter.count == 2
    write.update_record(scope, "deal", record_id(deal), {"stage": "won"})
    assert counter.count == 4


def test_a_rolled_back_write_leaves_no_event_and_no_outbox_row(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(databases, tenant)

    def write_two_of_one_domain() -> None:
        with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
            make_company(scope, domain="a.example")
            make_company(scope, domain="a.example")

    with pytest.raises(UniqueTaken):
        write_two_of_one_domain()
    with enter_job(databases, tenant.id, actor=actor, write=False) as scope:
        assert scope.execute("SELECT count(*) FROM event").fetchone() == (0,)
        assert scope.execute("SELECT count(*) FROM o_company").fetchone() == (0,)
    with databases.pod_owner(tenant.pod).connect() as owner:
        waiting = owner.exec_driver_sql("SELECT count(*) FROM pod.outbox WHERE tenant = %s", (tenant.role,)).scalar()
    assert waiting == 0


def test_of_writers_with_one_version_exactly_one_wins(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
        company = make_company(scope)

    def attempt(number: int) -> bool:
        try:
            with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
                write.update_record(scope, "company", UUID(company["id"]), {"name": f"W{number}"}, if_match=1)
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
    assert _versions(databases, tenant, company) == [1, 2]


def test_writers_without_a_version_all_count(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
        deal = make_deal(scope, amount_from_lines=True)

    def add(number: int) -> None:
        with enter_job(databases, tenant.id, actor=actor, write=True, budget=20) as scope:
            make_deal_line(scope, deal, unit_price=str(number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(1, 13)))
    with enter_job(databases, tenant.id, actor=actor, write=False) as scope:
        assert _amount(scope, deal) == "78.00"
    assert _versions(databases, tenant, deal) == list(range(1, 14))


def _versions(databases: Databases, tenant: Tenant, record: dict[str, Any]) -> list[int]:
    with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=False) as scope:
        return [version for _, _, version in events_of(scope, record)]
