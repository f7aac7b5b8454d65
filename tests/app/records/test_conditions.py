"""Conditions over links: several hops, records that link here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidInput
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.trash import trash_record
from tests.support.records import make_company, make_contact, make_deal, record_id

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def names(scope: TenantScope, object_name: str, condition: str) -> list[str]:
    page = list_records(scope, object_name, ListQuery(filter=condition, sort="title"))
    return [str(row.get("name") or row.get("last_name")) for row in page.rows]


def test_a_condition_follows_three_links(scope: TenantScope) -> None:
    top = make_company(scope, "Top", industry="education")
    middle = make_company(scope, "Middle", parent=top["id"])
    low = make_company(scope, "Low", parent=middle["id"])
    make_deal(scope, "Deep", company=low["id"])
    make_deal(scope, "Flat", company=top["id"])
    assert names(scope, "deal", 'company.parent.parent.name == "Top"') == ["Deep"]
    assert names(scope, "deal", 'company.parent.parent.industry == "education" && has(company.parent.parent)') == [
        "Deep"
    ]
    assert names(scope, "deal", "company.parent == null") == ["Flat"]
    with pytest.raises(InvalidInput, match="no field"):
        names(scope, "deal", 'company.parent.parent.parent.name == "Top"')
    with pytest.raises(InvalidInput, match=r"company\.parent\.industry"):
        names(scope, "deal", 'company.parent.industy == "x"')


def test_any_asks_the_records_that_link_here(scope: TenantScope) -> None:
    buyer, browser, none = (make_company(scope, name) for name in ("Buyer", "Browser", "None"))
    make_deal(scope, "a", company=buyer["id"], stage="won", amount="500")
    make_deal(scope, "b", company=browser["id"], stage="new", amount="900")
    gone = make_deal(scope, "c", company=none["id"], stage="won")
    trash_record(scope, "deal", record_id(gone))
    assert names(scope, "company", 'any(deals, stage_status == "won")') == ["Buyer"]
    assert names(scope, "company", "any(deals, amount > 100)") == ["Browser", "Buyer"]
    assert names(scope, "company", 'any(deals, stage == "won" && amount > 600)') == []
    assert names(scope, "company", "!any(deals, true)") == ["None"]
    assert names(scope, "company", "any(deals, owner == me) || any(deals, true)") == ["Browser", "Buyer"]


def test_any_goes_through_links_in_both_directions(scope: TenantScope) -> None:
    parent = make_company(scope, "Holding")
    child = make_company(scope, "Works", parent=parent["id"], industry="education")
    make_contact(scope, "Byron", company=child["id"])
    make_deal(scope, "Engine", company=child["id"])
    assert names(scope, "company", 'any(subsidiaries, any(deals, name == "Engine"))') == ["Holding"]
    assert names(scope, "company", 'any(deals, company.parent.name == "Holding")') == ["Works"]
    assert names(scope, "contact", 'any(company.deals, name == "Engine")') == ["Byron"]
    with pytest.raises(InvalidInput, match="no link to many"):
        names(scope, "company", "any(owner, true)")
    with pytest.raises(InvalidInput, match=r"any\(deals, …\)"):
        names(scope, "company", "deals == null")
    with pytest.raises(InvalidInput, match="inside itself"):
        names(scope, "company", "any(subsidiaries, any(subsidiaries, any(subsidiaries, true)))")


def test_a_title_that_starts_with_a_text_is_found_whatever_marks_follow(scope: TenantScope) -> None:
    for name in ("Acme", "acme", "A\u0301cme", "a%b", "a_b", "a\\b", "\u05d0\u0591\u05b0", "İstanbul", "ß"):
        make_company(scope, name)
    assert names(scope, "company", 'name.startsWith("A")') == ["Acme", "A\u0301cme"]
    for part in ("a%", "a_", "a\\\\", "\u05d0\u0591", "İ", "ß"):
        assert len(names(scope, "company", f'name.startsWith("{part}")')) == 1
        assert len(names(scope, "company", f'!(!name.startsWith("{part}"))')) == 1
    assert names(scope, "company", 'name == "acme"') == ["acme"]
