"""Formulas and roll-ups from end to end: applied, read, filtered, sorted, grouped, added up, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.access import catalogs
from app.exports.columns import lay_out
from app.records import reach
from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api, make_key
from tests.support.computed import MACHINES, shape
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def api(site: Flask, runtime: Runtime, new_tenant: NewTenant) -> Api:
    """A workspace with machines."""
    tenant = new_tenant()
    shape(runtime.databases, tenant, MACHINES)
    return Api(site, make_key(runtime.databases, tenant, "owner"))


@pytest.fixture(scope="module")
def acme(api: Api) -> dict[str, Any]:
    """A company with three machines."""
    company = api.post("/records/company", {"name": "Acme", "industry": None})
    for number, (price, cost, pieces, bought) in enumerate([
        ("2000", "1500", 4, "2020-05-01"), ("100", "80", 6, "2024-01-31"), (None, None, None, None),
    ]):  # fmt: skip
        api.post("/records/machine", {
            "serial": f"A-{number}", "company": company["id"], "price": price, "cost": cost, "pieces": pieces,
            "bought": bought, "running": number != 1,
        })  # fmt: skip
    return company


def machines(api: Api, acme: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    asked = f'company == "{acme["id"]}"' + (f" && ({query.pop('filter')})" if "filter" in query else "")
    return api.get("/records/machine", filter=asked, **query)["data"]


def test_formulas_are_there_in_lists_and_records(api: Api, acme: dict[str, Any]) -> None:
    first, second, empty = machines(api, acme, sort="serial")
    assert (first["profit"], first["margin"], first["doubled"]) == (
        {"amount": "500.00", "currency": "EUR"}, "0.25", "0.5",
    )  # fmt: skip
    assert (first["name"], second["name"], empty["name"]) == ("A-0 / 4", "A-1 / 6", "A-2 / ")
    assert (first["big"], second["big"], empty["big"]) == (True, False, None)
    assert first["age"] >= 6
    assert first["share"] == "0.4"
    assert (empty["profit"], empty["margin"], empty["age"], empty["share"]) == (None, None, None, None)
    assert api.get(f"/records/machine/{first['id']}") == first


def test_roll_ups_are_there(api: Api, acme: dict[str, Any]) -> None:
    company = api.get(f"/records/company/{acme['id']}")
    assert company["pieces"] == 10
    assert company["worth"] == {"amount": "2100.00", "currency": "EUR"}
    assert company["newest"] == "2024-01-31"
    assert company["running"] == 1
    assert company["last_serial"] == "A-2"
    bare = api.post("/records/company", {"name": "Bare"})
    assert bare == api.get(f"/records/company/{bare['id']}"), "what a new one answers is what reading it answers"
    assert (bare["pieces"], bare["worth"]["amount"], bare["newest"], bare["running"]) == (0, "0.00", None, 0)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("profit > 100", ["A-0"]), ("margin >= 0.2", ["A-0", "A-1"]), ("margin == 0.25", ["A-0"]),
        ("big", ["A-0"]), ("!big", ["A-1"]), ("age > 5", ["A-0"]), ("has(profit)", ["A-0", "A-1"]),
        ('name.startsWith("A-1")', ["A-1"]), ('name == "A-1 / 6"', ["A-1"]), ("share == 0.6", ["A-1"]),
        ("company.pieces == 10 && pieces < 5", ["A-0"]), ('profit.currency == "EUR"', ["A-0", "A-1"]),
        ("profit.amount == 20", ["A-1"]), ("company.worth > 2000 && company.running == 1", ["A-0", "A-1", "A-2"]),
    ],
)  # fmt: skip
def test_conditions_ask_them(api: Api, acme: dict[str, Any], condition: str, found: list[str]) -> None:
    assert [row["serial"] for row in machines(api, acme, filter=condition, sort="serial")] == found


@pytest.mark.parametrize("key", ["profit", "margin", "name", "big", "age", "share", "industry"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_lists_are_sorted_and_paged_by_them(api: Api, acme: dict[str, Any], key: str, sign: str) -> None:
    whole = [row["serial"] for row in machines(api, acme, sort=f"{sign}{key}")]
    paged: list[str] = []
    asked: dict[str, Any] = {"filter": f'company == "{acme["id"]}"', "sort": f"{sign}{key}", "limit": 1}
    page = api.get("/records/machine", **asked)
    while True:
        paged += [row["serial"] for row in page["data"]]
        if not page["next"]:
            break
        page = api.get("/records/machine", **asked, cursor=page["next"])
    assert paged == whole
    assert sorted(whole) == ["A-0", "A-1", "A-2"]


def test_companies_are_sorted_by_a_roll_up(api: Api, acme: dict[str, Any]) -> None:
    api.call("POST", "/records/company", {"name": "Without machines"})
    page = api.get("/records/company", sort="-pieces,name", fields="name,pieces,worth", limit=1)
    assert page["data"][0]["name"] == "Acme"
    assert page["next"]
    assert api.get("/records/company", filter="pieces > 5 && worth > 100")["data"][0]["id"] == acme["id"]


def test_figures_are_taken_of_them(api: Api, acme: dict[str, Any]) -> None:
    asked = f'company == "{acme["id"]}"'
    answer = api.get(
        "/records/machine/aggregate", metrics="count,sum:profit,avg:margin,max:age,sum:share", filter=asked
    )
    (row,) = answer["data"]
    assert row["sum_profit"] == {"amount": "520.00", "currency": "EUR"}
    assert row["avg_margin"] == "0.225"
    assert row["sum_share"] == "1"
    by_big = api.get("/records/machine/aggregate", group_by="big", filter=asked)["data"]
    assert [(row["group"]["big"], row["count"]) for row in by_big] == [(False, 1), (True, 1), (None, 1)]
    of_companies = api.get("/records/company/aggregate", metrics="sum:pieces,sum:worth,max:newest")["data"][0]
    assert (of_companies["sum_pieces"], of_companies["max_newest"]) == ("10", "2024-01-31")
    assert of_companies["sum_worth"] == {"amount": "2100.00", "currency": "EUR"}


@pytest.mark.parametrize("field", ["profit", "age", "industry", "share"])
def test_they_are_not_written(api: Api, acme: dict[str, Any], field: str) -> None:
    answer = api.call("POST", "/records/machine", {"serial": "B", "company": acme["id"], field: "1"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == f"/{field}"
    (first, *_) = machines(api, acme, sort="serial")
    assert api.call("PATCH", f"/records/machine/{first['id']}", {field: None}).status_code == 422


def test_a_write_answers_with_them_and_its_event_is_without(api: Api, acme: dict[str, Any]) -> None:
    made = api.post(
        "/records/machine", {"serial": "C", "price": "10", "cost": "9", "pieces": 2, "bought": "2000-01-01"}
    )
    assert (made["profit"]["amount"], made["margin"], made["big"]) == ("1.00", "0.1", False)
    assert made["age"] >= 26
    changed = api.call("PATCH", f"/records/machine/{made['id']}", {"cost": "4", "company": acme["id"]}).json
    assert (changed["profit"]["amount"], changed["share"]) == ("6.00", "0.166666666667")
    events = api.get(f"/records/machine/{made['id']}/events")["data"]
    assert {name for event in events for name in event["diff"] or {}} == {"cost", "company"}
    assert api.call("DELETE", f"/records/machine/{made['id']}?destroy=true").status_code == 204


def test_money_of_two_currencies_gives_nothing(api: Api) -> None:
    made = api.post("/records/machine", {
        "serial": "D", "price": {"amount": "10", "currency": "USD"}, "cost": {"amount": "9", "currency": "EUR"},
    })  # fmt: skip
    assert (made["profit"], made["margin"]) == (None, None)
    assert api.call("DELETE", f"/records/machine/{made['id']}?destroy=true").status_code == 204


def test_an_export_holds_them_and_an_import_leaves_them_out(api: Api, acme: dict[str, Any], runtime: Runtime) -> None:
    tenant = api.get("/me")["tenant"]["id"]
    with enter_job(runtime.databases, UUID(tenant), actor=SYSTEM, write=False, budget=60) as scope:
        catalog = catalogs.for_scope(scope)
        layout = lay_out(reach.source(catalog, catalog.objects["machine"], "export"), ())
    headers = [column.header for column in layout.columns]
    assert {"profit", "profit.currency", "margin", "age", "share"} <= set(headers)


def test_the_description_of_the_api_says_that_they_are_only_read(api: Api) -> None:
    schemas = api.get("/openapi.json")["components"]["schemas"]
    machine = next(schema for name, schema in schemas.items() if name.lower() == "machine")
    assert machine["properties"]["profit"]["readOnly"] is True
    assert machine["properties"]["share"]["readOnly"] is True


def test_a_board_of_a_calculated_choice_with_figures_of_calculated_money(
    runtime: Runtime, site: Flask, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    size = (
        "kind: field\nname: deal.size\ntype: formula\nlabel: Size\nreturns: money\nvalue: amount * 2\n---\n"
        "kind: field\nname: deal.heat\ntype: formula\nlabel: Heat\nreturns: text\n"
        "value: \"probability > 0.3 ? 'hot' : 'cold'\"\n"
    )
    shape(runtime.databases, tenant, size)
    api = Api(site, make_key(runtime.databases, tenant, "owner"))
    for amount in ("10", "30"):
        api.post("/records/deal", {"name": amount, "amount": amount})
    (first, *_) = api.get("/records/deal/board", group_by="stage", metrics="count,sum:size", fields="name,size,heat")[
        "groups"
    ]
    assert first["sum_size"] == {"amount": "80.00", "currency": "EUR"}
    assert [card["heat"] for card in first["data"]] == ["cold", "cold"]
    found = api.get("/records/deal/aggregate", group_by="heat", metrics="weighted:size")["data"]
    assert found == [{"group": {"heat": "cold"}, "weighted_size": {"amount": "8.00", "currency": "EUR"}}]
