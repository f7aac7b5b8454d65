"""Lead conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.access import catalogs
from app.leads.service import AlreadyConverted, Conversion, convert_lead
from app.records.errors import InvalidRecord, RecordNotFound
from app.records.store import read_record
from app.records.write import trash_record
from tests.support.records import make, make_company, make_contact, make_lead, make_note, record_id

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


def shown(scope: TenantScope, name: str, record: UUID | None) -> dict[str, Any]:
    assert record is not None
    found = read_record(scope, catalogs.for_scope(scope).objects[name], record)
    assert found is not None
    return found


def test_a_lead_becomes_a_company_a_contact_and_a_deal(scope: TenantScope) -> None:
    lead = make_lead(
        scope, "Hopper", first_name="Grace", company_name="Navy", email="grace@navy.example", job_title="Admiral",
        employees=9, address={"city": "Arlington", "country": "US"}, tags=["vip"], source="referral",
    )  # fmt: skip
    result = convert_lead(scope, record_id(lead), deal_name="Compiler")
    company, contact = shown(scope, "company", result.company), shown(scope, "contact", result.contact)
    deal = shown(scope, "deal", result.deal)
    assert (company["name"], company["domain"], company["employees"]) == ("Navy", "navy.example", 9)
    assert company["billing_address"]["city"] == "Arlington"
    assert (contact["first_name"], contact["email"], contact["job_title"]) == ("Grace", "grace@navy.example", "Admiral")
    assert contact["company"] == company["id"]
    assert contact["tags"] == ["vip"]
    assert (deal["name"], deal["company"], deal["contact"], deal["stage"]) == (
        "Compiler",
        company["id"],
        contact["id"],
        "new",
    )
    after = shown(scope, "lead", record_id(lead))
    assert after["status"] == "converted"
    assert after["converted_at"] is not None
    assert [after[f"converted_{name}"] for name in ("company", "contact", "deal")] == [
        company["id"],
        contact["id"],
        deal["id"],
    ]


def test_a_company_is_found_by_domain_or_name_and_a_contact_by_address(scope: TenantScope) -> None:
    by_domain, by_name = make_company(scope, domain="known.example"), make_company(scope, "Known By Name")
    contact = make_contact(scope, email="her@known.example")
    first = convert_lead(scope, record_id(make_lead(scope, company_name="Other", email="her@known.example")))
    assert first == Conversion(record_id(by_domain), record_id(contact), None)
    second = convert_lead(scope, record_id(make_lead(scope, company_name="known by NAME", email="x@gmail.com")))
    assert second.company == record_id(by_name)


def test_a_private_person_needs_no_company(scope: TenantScope) -> None:
    result = convert_lead(scope, record_id(make_lead(scope, company_name=None, email="solo@gmail.com")))
    assert result.company is None
    assert shown(scope, "contact", result.contact)["company"] is None


def test_records_named_by_the_caller_are_used_if_they_are_live(scope: TenantScope) -> None:
    company, contact = make_company(scope), make_contact(scope)
    result = convert_lead(scope, record_id(make_lead(scope)), company=record_id(company), contact=record_id(contact))
    assert result == Conversion(record_id(company), record_id(contact), None)
    trash_record(scope, "company", record_id(company))
    with pytest.raises(InvalidRecord) as caught:
        convert_lead(scope, record_id(make_lead(scope)), company=record_id(company))
    assert [error.pointer for error in caught.value.errors] == ["/company"]


def test_converting_twice_gives_the_same_ids_in_a_conflict(scope: TenantScope) -> None:
    lead = make_lead(scope)
    result = convert_lead(scope, record_id(lead), deal_name="Once")
    with pytest.raises(AlreadyConverted) as caught:
        convert_lead(scope, record_id(lead), deal_name="Twice")
    assert caught.value.extra == result.to_json()
    assert scope.execute("SELECT count(*) FROM o_deal WHERE name = 'Twice'").fetchone() == (0,)


def test_activities_of_the_lead_are_linked_to_what_it_became(scope: TenantScope) -> None:
    lead, note = make_lead(scope), make_note(scope)
    make(
        scope,
        "record_link",
        **{"from": {"object": "note", "id": note["id"]}, "to": {"object": "lead", "id": lead["id"]}},
    )
    result = convert_lead(scope, record_id(lead), deal_name="D")
    row = scope.execute(
        "SELECT count(to__lead), array_agg(to__company) FILTER (WHERE to__company IS NOT NULL),"
        " array_agg(to__contact) FILTER (WHERE to__contact IS NOT NULL),"
        " array_agg(to__deal) FILTER (WHERE to__deal IS NOT NULL)"
        " FROM o_record_link WHERE from__note = %s",
        (note["id"],),
    ).fetchone()
    assert row == (1, [result.company], [result.contact], [result.deal])


def test_an_unknown_lead_is_not_found(scope: TenantScope) -> None:
    with pytest.raises(RecordNotFound):
        convert_lead(scope, uuid4())
