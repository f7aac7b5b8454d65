"""A tenant's rules, stage gates and defaults hold on every way in."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.records.bulk import bulk
from app.records.pages.live import state_of
from app.records.permits import leave_for
from app.records.write import create_record, update_record
from tests.support.api import Api, make_key
from tests.support.ruled import MACHINES
from tests.support.shaping import change
from tests.support.tenants import rolled_back
from tests.support.web import build_site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def ruled(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    tenant = new_tenant()
    change(runtime.databases, tenant, MACHINES)
    return tenant


@pytest.fixture(scope="module")
def api(site: Flask, runtime: Runtime, ruled: Tenant) -> Api:
    """A workspace with machines and rules about them."""
    return Api(site, make_key(runtime.databases, ruled, "owner"))


def refused(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer["errors"]]


def test_a_rule_refuses_a_record_that_meets_it_and_says_where(api: Api) -> None:
    answer = api.post("/records/machine", {"serial": "a", "price": "10", "cost": "12"}, status=422)
    assert refused(answer) == [("/cost", "rule.refused")]
    assert answer["errors"][0]["message"] == "It costs more than it brings."


def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    sent = {"serial": "b", "price": "20000", "cost": "30000", "kind_of": "press"}
    answer = api.post("/records/machine", sent, status=422)
    assert sorted(refused(answer)) == [(f"/{name}", "rule.refused") for name in ("cost", "kind_of", "reason")]
    told = {error["pointer"]: error["message"] for error in answer["errors"]}
    assert told["/kind_of"] == "Kind can only be Lathe or Mill here."
    assert told["/reason"] == "Reason is required."


def test_money_of_another_currency_counts_by_its_rate(api: Api) -> None:
    """No rate is known, so it is not above anything."""
    api.post("/records/machine", {"serial": "c", "price": {"amount": "20000", "currency": "USD"}})


def test_what_a_record_links_to_counts_as_it_would_be_linked(api: Api) -> None:
    bank = api.post("/records/company", {"name": "Bank", "industry": "finance"})["id"]
    shop = api.post("/records/company", {"name": "Shop", "industry": "retail"})["id"]
    machine = api.post("/records/machine", {"serial": "d", "company": shop, "pieces": 6})
    answer = patch(api, machine, {"company": bank}, 422)
    assert refused(answer) == [("/pieces", "rule.refused")]
    patch(api, machine, {"company": bank, "pieces": 5})


def patch(api: Api, machine: Mapping[str, Any], values: Mapping[str, Any], status: int = 200) -> Any:
    answer = api.call("PATCH", f"/records/machine/{machine['id']}", values)
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_gate_opens_only_when_its_condition_holds(api: Api) -> None:
    shop = api.post("/records/company", {"name": "Gates"})["id"]
    machine = api.post("/records/machine", {"serial": "e"})
    answer = patch(api, machine, {"stage": "running"}, 422)
    assert refused(answer) == [("/stage", "stage.gate")]
    assert answer["errors"][0]["message"] == "Say where it runs, and how many."
    patch(api, machine, {"stage": "running", "company": shop, "pieces": 1})
    assert refused(patch(api, machine, {"stage": "ordered"}, 422)) == [("/stage", "stage.gate")]
    assert patch(api, machine, {"stage": "ordered", "reason": "broken"})["stage"] == "ordered"


def test_a_record_may_not_be_made_in_a_gated_stage(api: Api) -> None:
    answer = api.post("/records/machine", {"serial": "f", "stage": "running"}, status=422)
    assert refused(answer) == [("/stage", "stage.gate")]


def test_a_field_is_locked_while_the_condition_holds_before_and_after(api: Api) -> None:
    machine = api.post("/records/machine", {"serial": "g", "price": "1", "approved": True})
    assert refused(patch(api, machine, {"price": "2"}, 422)) == [("/price", "rule.refused")]
    patch(api, machine, {"price": "1", "reason": "the same"})
    assert patch(api, machine, {"price": "3", "approved": False})["price"]["amount"] == "3.00"
    assert patch(api, machine, {"price": "4", "approved": True})["price"]["amount"] == "4.00"


def test_defaults_by_formula_and_by_rule_fill_what_was_not_sent(api: Api) -> None:
    shop = api.post("/records/company", {"name": "Mill Ltd"})["id"]
    made = api.post("/records/machine", {"serial": "h", "company": shop, "kind_of": "mill"})
    assert (made["pieces"], made["reason"]) == (2, "mill of Mill Ltd")
    assert made["bought"] is not None
    empty = api.post("/records/machine", {"serial": "i", "kind_of": "mill", "pieces": None, "bought": None})
    assert (empty["pieces"], empty["bought"]) == (None, None)
    assert patch(api, api.post("/records/machine", {"serial": "j"}), {"kind_of": "mill"})["pieces"] == 2


def test_figures_of_the_record_count_as_they_are(api: Api) -> None:
    machine = api.post("/records/machine", {"serial": "k"})
    part = api.post("/records/part", {"name": "Screw", "machine": machine["id"]})
    answer = patch(api, machine, {"stage": "scrapped"}, 422)
    assert answer["errors"] == [{"pointer": "", "code": "rule.refused", "message": "Take the parts out first."}]
    patch_part = api.call("PATCH", f"/records/part/{part['id']}", {"machine": None})
    assert patch_part.status_code == 200
    patch(api, machine, {"stage": "scrapped"})
    api.post("/records/machine", {"serial": "k2", "stage": "scrapped"})


def test_what_a_change_does_not_touch_is_not_judged(api: Api, ruled: Tenant, runtime: Runtime) -> None:
    machine = api.post("/records/machine", {"serial": "old", "pieces": 77})
    text = "{kind: rule, name: machine.few, refuse_if: pieces > 70, message: Too many., field: pieces}"
    applied = change(runtime.databases, ruled, text)
    assert applied.version
    try:
        patch(api, machine, {"reason": "another field"})
        patch(api, machine, {"pieces": 77})
        assert refused(patch(api, machine, {"pieces": 78}, 422)) == [("/pieces", "rule.refused")]
    finally:
        change(runtime.databases, ruled, "{kind: rule, name: machine.few, remove: true}")
    patch(api, machine, {"pieces": 78})


def test_bulk_batch_and_upsert_refuse_alike(api: Api) -> None:
    wrong = {"serial": "w", "price": "1", "cost": "2"}
    bulk = api.call("POST", "/records/machine/bulk?mode=create", [wrong, {"serial": "right"}]).json
    assert [(one["status"], refused(one) if "errors" in one else []) for one in bulk["results"]] == [
        ("failed", [("/cost", "rule.refused")]), ("created", []),
    ]  # fmt: skip
    mixed = api.call("POST", "/batch", {"operations": [{"op": "create", "object": "machine", "record": wrong}]})
    assert refused(mixed.json) == [("/operations/0/record/cost", "rule.refused")]
    upsert = api.call("PUT", "/records/machine/by/external_id/x-1", wrong)
    assert refused(upsert.json) == [("/cost", "rule.refused")]


def asked(sent: list[tuple[bytes, Any]]) -> int:
    """How often what records link to was asked for rules."""
    found = sum(text.startswith(b"WITH drafted") for text, _ in sent)
    sent.clear()
    return found


def test_what_rules_ask_of_the_database_is_one_statement_for_a_batch(
    runtime: Runtime, ruled: Tenant, sent: list[tuple[bytes, Any]]
) -> None:
    with rolled_back(runtime.databases, ruled, write=True) as scope:
        bank = create_record(scope, "company", {"name": "Bank", "industry": "finance"})["id"]
        sent.clear()
        rows = [{"serial": f"r-{number}", "company": bank, "pieces": number} for number in range(40)]
        results = bulk(scope, "machine", rows)["results"]
        assert [one["status"] for one in results] == ["created"] * 6 + ["failed"] * 34
        assert asked(sent) == 2  # once for defaults, which may change links, once for what is refused
        machine = UUID(results[0]["id"])
        update_record(scope, "machine", machine, {"cost": "1"})
        assert asked(sent) == 0
        update_record(scope, "machine", machine, {"pieces": 2})
        assert asked(sent) == 1
        create_record(scope, "company", {"name": "No rules here"})
        assert asked(sent) == 0


def test_the_conversion_of_a_lead_holds_to_the_rules(site: Flask, runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    text = """
    {kind: rule, name: lead.worth, when: 'status == "converted"', required: [industry]}
    ---
    {kind: rule, name: deal.sourced, required: [source]}
    """
    change(runtime.databases, tenant, textwrap.dedent(text))
    api = Api(site, make_key(runtime.databases, tenant, "owner"))
    lead = api.post("/records/lead", {"last_name": "Rule", "company_name": "Rules Ltd"})
    convert = f"/records/lead/{lead['id']}/convert"
    assert refused(api.post(convert, {}, status=422)) == [("/industry", "rule.refused")]
    assert api.call("PATCH", f"/records/lead/{lead['id']}", {"industry": "finance"}).status_code == 200
    assert refused(api.post(convert, {"deal_name": "Big"}, status=422)) == [("/source", "rule.refused")]
    assert api.get("/records/company", filter='name == "Rules Ltd"')["data"] == []
    api.post(convert, {}, status=200)


def test_a_form_is_told_what_rules_make_of_it(api: Api, runtime: Runtime, ruled: Tenant) -> None:
    with rolled_back(runtime.databases, ruled, write=True) as scope:
        leave = leave_for(scope, "machine")
        state = state_of(leave, {"serial": "x", "price": {"amount": "20000", "currency": "EUR"}, "kind_of": "press"})
        assert state is not None
        assert (state["required"], state["options"]) == (["reason"], {"kind_of": ["lathe", "mill"]})
        told = {problem["field"]: problem["message"] for problem in state["problems"]}
        assert told == {"reason": "Reason is required.", "kind_of": "Kind can only be Lathe or Mill here."}
        made = UUID(create_record(scope, "machine", {"serial": "y", "price": "1", "approved": True})["id"])
        locked = state_of(leave, {}, made)
        assert locked is not None
        assert locked["locked"] == {"price": "Price can't be changed any more."}
        assert state_of(leave_for(scope, "company"), {"name": "x"}) is None
