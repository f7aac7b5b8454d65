"""Several fields at once, without a browser: lines become rows, rows the fields of a new object or of one there is."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.shaping.test_more_pages import agree, told
from tests.app.shaping.test_pages import Desk
from tests.support.shaping import change

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api
    from tests.support.web import Page

MACHINE = {"label": "Machine", "plural": "Machines", "title": "Serial"}
LINES = """Price: Money
Condition: One choice (New, As new, 新品)
Buyer: Link (Firmen)
Company: Link
Worth: Formula (price * 0.8)
Twice: Formula (worth * 2)
Age: Formula (years(bought, today()))
Bought\tDate
Used: Formula (condition == "as_new")
Open: Formula (stage_status == "open")
機械"""


@pytest.fixture
def desk(site: Flask, runtime: Runtime, fresh: tuple[Tenant, Api]) -> Desk:
    return Desk(site, runtime, fresh[0])


def fields_of(plan: Page) -> dict[str, dict[str, Any]]:
    """The fields a plan would add."""
    written = re.search(r'name="components" value="([^"]*)"', plan.text)
    assert written is not None, told(plan)
    return json.loads(html.unescape(written[1]))[0]["fields"]


def chosen(page: Page, name: str) -> list[str]:
    """What is chosen in the boxes of that name, row by row."""
    selects = re.findall(rf'<select name="{re.escape(name)}".*?</select>', page.text, re.DOTALL)
    return [next(iter(re.findall(r'value="([^"]*)" selected', one)), "") for one in selects]


def test_lines_come_back_as_rows_and_what_is_not_understood_in_its_box(desk: Desk) -> None:
    page = desk.post("/objects/read-fields", written="Price: Money\nX: Mony\nCompany: Link")
    assert page.status == 200
    assert chosen(page, "row.type") == ["money", "link"]
    assert chosen(page, "row.to") == ["", "company"]
    assert 'data-told="2 fields added. 1 line can&#39;t be read yet."' in page.text
    assert ">X: Mony</textarea>" in page.text
    assert "Did you mean Money?" in page.text
    page = desk.post("/objects/read-fields", written="X: Mony")
    assert (page.status, chosen(page, "row.type")) == (422, [])
    page = desk.post("/objects/read-fields", written=" \0 ")
    assert (page.status, "Write a field a line first." in told(page)) == (422, True)


def test_an_object_is_made_of_lines_whose_formulas_give_what_they_come_to(
    desk: Desk, runtime: Runtime, fresh: tuple[Tenant, Api]
) -> None:
    german = "kind: translation\nname: de\nobjects: {company: {label: {one: Firma, other: Firmen}}}\n"
    change(runtime.databases, desk.tenant, german)
    plan = desk.post("/objects/new", **MACHINE, written=LINES, stages="Planned, Running")
    found = fields_of(plan)
    assert {name: spec["returns"] for name, spec in found.items() if spec["type"] == "formula"} == {
        "worth": "money", "twice": "money", "age": "decimal", "used": "boolean", "open": "boolean",
    }  # fmt: skip
    assert [spec.get("inverse") for spec in found.values() if spec["type"] == "link"] == [
        "machines", "machines_by_company",
    ]  # fmt: skip
    assert found["field_1"] == {"type": "text", "label": "機械"}
    agree(desk, plan)
    made = fresh[1].post("/records/machine", {"serial": "M", "price": "1000", "condition": "option_1"})
    assert (made["twice"]["amount"], made["used"], made["open"]) == ("1600.00", False, True)


def test_lines_nobody_added_yet_are_fields_too_or_stand_in_the_way(desk: Desk) -> None:
    rows = {"row.label": ["Axes"], "row.type": ["integer"]}
    plan = desk.post("/objects/new", **MACHINE, **rows, written="Price: Money")
    assert list(fields_of(plan)) == ["serial", "axes", "price"]
    plan = desk.post("/objects/new", **MACHINE, **rows, written="Price: Mony")
    assert (plan.status, "“Price: Mony”" in plan.text) == (422, True)
    plan = desk.post("/objects/new", **MACHINE, **rows, written="Axes: Money")
    assert (plan.status, "Axes: the name axes is taken already." in told(plan)) == (422, True)


def test_a_formula_that_can_not_be_worked_out_is_refused_by_the_plan(desk: Desk) -> None:
    plan = desk.post("/objects/new", **MACHINE, written="Worth: Formula (prize * 2)\nA: Formula (b)\nB: Formula (a)")
    assert plan.status == 422
    assert "prize" in told(plan)


def test_several_fields_are_added_to_an_object_in_one_change(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    assert "Add several fields" in desk.get("/objects/deal").text
    assert desk.get("/objects/deal/more-fields").status == 200
    before = len(fresh[1].get("/metadata/changes")["data"])
    lines = "Fee: Money\nPartner: Link (Company)\nNet: Formula (amount - fee)\nPast: Formula (stage_status == 'won')"
    plan = desk.post("/objects/deal/more-fields", written=lines)
    found = fields_of(plan)
    assert (found["net"]["returns"], found["past"]["returns"]) == ("money", "boolean")
    assert found["partner"]["inverse"] == "deals_by_partner"
    assert "Add 4 fields to Deal?" in told(plan)
    page = agree(desk, plan, next="/settings/objects/deal")
    names = re.findall(r'name="order" value="([a-z_0-9]+)"', page.text)
    assert names[-4:] == ["fee", "partner", "net", "past"]
    assert len(fresh[1].get("/metadata/changes")["data"]) == before + 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Name at least one field."), ({"written": "Amount: Money"}, "Amount: the name amount is taken already."),
        ({"written": "Total: Roll-up"}, "Roll-up is added by itself"),
        ({"row.label": "Total", "row.type": "rollup"}, "choose what it holds"),
    ],
)  # fmt: skip
def test_fields_that_can_not_be_added_say_why(desk: Desk, form: dict[str, str], said: str) -> None:
    page = desk.post("/objects/deal/more-fields", **form)
    assert (page.status, said in told(page)) == (422, True)


def test_there_is_no_more_of_an_object_that_is_not_there(desk: Desk) -> None:
    assert desk.get("/objects/nothing/more-fields").status == 404
    assert desk.post("/objects/nothing/more-fields", written="A").status == 404


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("&over=deals", "Number of deals"), ("&over=deals&function=count&label=Open+ones", "Open ones"),
        ("&over=deals&function=sum&label=Number+of+deals", ""), ("", ""), ("&over=nothing", ""),
        ("&over=contacts&function=count&label=Number+of+deals", "Number of contacts"),
    ],
)  # fmt: skip
def test_a_roll_up_is_called_after_what_it_counts_until_somebody_says_otherwise(
    desk: Desk, said: str, label: str
) -> None:
    page = desk.get(f"/objects/company/fields/new?type=rollup{said}")
    assert f'id="f-label" name="label" type="text" value="{label}"' in page.text


def test_a_roll_up_is_offered_where_its_link_is_listed(desk: Desk) -> None:
    page = desk.get("/objects/deal/links")
    assert "/settings/objects/company/fields/new?type=rollup&amp;over=deals" in page.text
    assert "/settings/objects/deal/fields/new?type=rollup&amp;over=lines" in page.text
