"""A field one may not read is nowhere: not in answers, filters, sorts, groups, search, events, errors, descriptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from app.access import catalogs
from app.core.errors import InvalidInput
from app.events.seal import seal_tenant
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.errors import InvalidRecord, UnknownObject
from app.records.history import feed, record_events
from app.records.openapi import document
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from app.records.titles import titles
from app.records.write import create_record, update_record
from tests.support.records import make_company, make_contact, make_deal, record_id
from tests.support.rights import WORKER, as_key, as_person, make_person, make_role

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import TenantScope

HIDDEN: dict[str, Any] = {
    "deal": {"amount": "none", "close_on": "read"},
    "company": {"name": "none"},
    "contact": {"email": "none"},
}


@pytest.fixture
def member(scope: TenantScope) -> TenantScope:
    """Somebody whose role hides a deal's amount, a company's name and a contact's addresses."""
    return as_person(scope, make_person(scope, make_role(scope, fields=HIDDEN)))


def test_a_role_that_hides_nothing_has_the_very_catalog_of_the_workspace(scope: TenantScope) -> None:
    whole = catalogs.whole(scope)
    for role in ("owner", "admin", "manager", "member", "read_only"):
        assert catalogs.for_scope(as_person(scope, make_person(scope, role))) is whole
    assert catalogs.for_scope(as_key(scope, "read_only", make_person(scope))) is whole


def test_a_hidden_field_is_not_in_answers(scope: TenantScope, member: TenantScope) -> None:
    deal = make_deal(scope, "Secret", amount="100", close_on="2030-01-01")
    seen = get_record(member, "deal", deal["id"])
    assert "amount" not in seen
    assert seen["close_on"] == "2030-01-01"
    assert all("amount" not in row for row in list_records(member, "deal", ListQuery()).rows)
    changed = update_record(member, "deal", record_id(deal), {"name": "Changed"})
    assert "amount" not in changed
    assert get_record(scope, "deal", deal["id"])["amount"]["amount"] == "100.00"  # type: ignore[index]


@pytest.mark.parametrize(
    "ask",
    [
        lambda scope: list_records(scope, "deal", ListQuery(filter="amount > 5")),
        lambda scope: list_records(scope, "deal", ListQuery(filter="has(amount)")),
        lambda scope: list_records(scope, "deal", ListQuery(sort="amount")),
        lambda scope: list_records(scope, "deal", ListQuery(fields=("amount",))),
        lambda scope: list_records(scope, "deal", ListQuery(fields=("amount.currency",))),
        lambda scope: list_records(scope, "company", ListQuery(filter="any(deals, amount > 5)")),
        lambda scope: list_records(scope, "deal", ListQuery(filter='company.name == "Acme"')),
        lambda scope: list_records(scope, "deal", ListQuery(sort="company.name")),
        lambda scope: list_records(scope, "contact", ListQuery(filter="size(emails) > 0")),
        lambda scope: aggregate(scope, "deal", AggregateQuery(metrics=("sum:amount",))),
        lambda scope: aggregate(scope, "deal", AggregateQuery(group_by=("amount",))),
        lambda scope: board(scope, "deal", BoardQuery(metrics=("sum:amount",))),
        lambda scope: board(scope, "deal", BoardQuery(sort="-amount")),
        lambda scope: board(scope, "deal", BoardQuery(fields=("amount",))),
        lambda scope: create_record(scope, "deal", {"name": "x", "amount": "5"}),
        lambda scope: create_record(scope, "contact", {"last_name": "x", "emails": ["a@example.test"]}),
    ],
)
def test_asking_by_a_hidden_field_is_asking_by_one_that_is_not_there(member: TenantScope, ask: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(member)
    hints = [error.message.partition(". ")[2] for error in refused.value.errors]
    assert not any(re.search(r"(?<![.\w])(amount|emails?)\b|company\.name", hint) for hint in hints)


def test_a_field_to_be_read_only_can_not_be_written(scope: TenantScope, member: TenantScope) -> None:
    deal = make_deal(scope)
    with pytest.raises(InvalidRecord) as refused:
        update_record(member, "deal", record_id(deal), {"close_on": "2030-01-01"})
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/close_on", "field.read_only")]


def test_what_is_wrong_with_a_hidden_field_is_told_without_its_name(scope: TenantScope) -> None:
    role = make_role(scope, fields={"company": {"name": "none"}})
    with pytest.raises(InvalidRecord) as refused:
        create_record(as_person(scope, make_person(scope, role)), "company", {"website": "https://example.test"})
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("", "record.hidden")]
    assert "name" not in refused.value.detail.lower()


def test_a_hidden_title_is_shown_as_a_short_form_of_the_id(scope: TenantScope, member: TenantScope) -> None:
    company = make_company(scope, "Whisper Ltd")
    short = f"#{company['id'][-8:]}"
    assert titles(member, {"company": [company["id"]]}) == {("company", company["id"]): short}
    assert list_records(member, "company", ListQuery(fields=("_title",))).rows[0]["_title"] == short
    assert list_records(member, "company", ListQuery(sort="title")).rows


def test_search_does_not_read_hidden_fields(scope: TenantScope, member: TenantScope) -> None:
    make_company(scope, "Whisper Ltd", website="https://example.test")
    make_contact(scope, "Turing", emails=["enigma@example.test"])
    assert {hit["object"] for hit in search(scope, "whisper")} == {"company"}
    assert search(member, "whisper") == []
    assert search(member, "whis") == []
    assert search(member, '"whisper ltd"') == []
    assert search(scope, "enigma@example.test")
    assert search(member, "enigma@example.test") == []
    assert [hit["object"] for hit in search(member, "turing")] == ["contact"]


def test_events_do_not_tell_of_hidden_fields(runtime: Runtime, scope: TenantScope, member: TenantScope) -> None:
    deal = make_deal(scope, "One", amount="1")
    update_record(scope, "deal", record_id(deal), {"amount": "2"})
    update_record(scope, "deal", record_id(deal), {"amount": "3", "name": "Two"})
    told = record_events(member, "deal", record_id(deal))["data"]
    assert [(event["kind"], event["diff"]) for event in told] == [
        ("created", None),
        ("updated", {"name": ["One", "Two"]}),
    ]
    whole = record_events(scope, "deal", record_id(deal))["data"]
    assert [sorted(event["diff"] or {}) for event in whole] == [[], ["amount"], ["amount", "name"]]
    assert feed(member, after=0, limit=50)["data"] == []  # nothing is sealed before it is committed
    assert seal_tenant is not None


def test_an_object_that_may_not_be_read_is_not_there(scope: TenantScope) -> None:
    role = make_role(scope, objects={"*": WORKER, "deal": {}})
    member = as_person(scope, make_person(scope, role))
    deal = make_deal(scope, "Hidden", company=make_company(scope)["id"])
    assert "deal" not in catalogs.for_scope(member).objects
    for ask in (
        lambda: list_records(member, "deal", ListQuery()),
        lambda: get_record(member, "deal", deal["id"]),
        lambda: search(member, "hidden", ("deal",)),
    ):
        with pytest.raises(UnknownObject) as unknown:
            ask()
        assert unknown.value.detail == "This workspace has no object called 'deal'."
    assert search(member, "hidden") == []
    assert titles(member, {"deal": [deal["id"]]}) == {}
    with pytest.raises(InvalidInput):
        list_records(member, "company", ListQuery(filter="any(deals, true)"))
    described = str(document(catalogs.for_scope(member), server="", title="", others={}))
    assert "/records/deal/" not in described
    assert "'deal'" not in described


def test_a_key_holds_what_its_role_and_its_makers_both_hold(scope: TenantScope) -> None:
    hides = make_role(scope, fields={"deal": {"amount": "none"}})
    own = make_role(scope, objects={"*": WORKER, "deal": {**WORKER, "read": "own", "edit": "own"}})
    maker = make_person(scope, own)
    make_deal(scope, "Mine", owner=str(maker.id), amount="1")
    make_deal(scope, "Other", owner=None, amount="1")
    key = as_key(scope, hides, maker)
    rows = list_records(key, "deal", ListQuery()).rows
    assert [row["name"] for row in rows] == ["Mine"]
    assert "amount" not in rows[0]
    assert len(list_records(as_key(scope, hides, None), "deal", ListQuery()).rows) == 2
    assert list_records(as_key(scope, own, None), "deal", ListQuery()).rows == []
