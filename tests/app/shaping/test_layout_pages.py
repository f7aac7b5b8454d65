"""The settings' pages of layouts and views, without a browser: what they send becomes components."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tenants.scope import enter_job
from tests.support.desk import Desk, fields_in, panel_in, tabs_in
from tests.support.rights import make_person, make_role
from tests.support.shaping import change
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api
    from tests.support.web import Page

_AT = "/settings/objects/company"
_BOXES = ("kind", "name", "label", "when", "when.rows", "columns", "collapsed", "wide")


@pytest.fixture
def desk(site: Flask, runtime: Runtime, fresh: tuple[Tenant, Api]) -> Desk:
    return Desk(site, runtime, fresh[0])


def parts(*lines: dict[str, str]) -> dict[str, list[str]]:
    """What the editor sends of its parts."""
    return {f"n.{box}": [line.get(box, "") for line in lines] for box in _BOXES}


def part(kind: str, name: str = "", **said: str) -> dict[str, str]:
    return {"kind": kind, "name": name, **said}


def components(page: Page) -> Any:
    """What a dialog would apply."""
    assert page.status == 200, page.text
    found = re.search(r'name="components" value="([^"]*)"', page.text)
    assert found, page.text
    return json.loads(unescape(found[1]))


def agree(desk: Desk, page: Page) -> Any:
    """Apply what a dialog shows; what was applied."""
    found = components(page)
    done = desk.post("/settings/changes", components=json.dumps(found), next=f"{_AT}/layouts")
    assert "Done." in done.text, done.text
    return found


HOUSEHOLD = parts(
    part("tab", label="Overview"),
    part("section", label="About", columns="2"),
    part("field", "phone", label="Call", when='industry == "finance"'),
    part("field", "email", wide="true"),
    part("related", "deals", columns="amount,stage", label="Their deals"),
    part("tab", label="More", when="has(phone)"),
    part("section", label="Rest", columns="1", collapsed="true"),
    part("field", "website"),
    part("unused"),
    part("field", "employees"),
)


def test_a_new_layout_begins_as_the_automatic_one(desk: Desk) -> None:
    text = desk.get(f"{_AT}/layouts/new").text
    used, unused = text.split('value="unused"')
    assert 'name="n.name" value="website"' in used
    assert 'name="n.name" value="contacts"' in used
    assert 'name="n.name" value="created_at"' in unused


def test_what_the_editor_sends_is_a_layout_that_the_page_then_follows(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    path = f"/records/company/{fresh[1].post('/records/company', {'name': 'Kestrel', 'phone': '+49 30 901820'})['id']}"
    sent = desk.post(f"{_AT}/layouts/new", label="Household", highlights=["phone", "", "email"], **HOUSEHOLD)
    (made,) = agree(desk, sent)
    assert made["name"] == "company.household"
    assert made["highlights"] == ["phone", "email"]
    html = desk.get(path).text
    assert tabs_in(html) == ["overview", "more", "all-fields", "all-related"]
    assert fields_in(panel_in(html, "overview")) == ["email"]
    assert fields_in(panel_in(html, "more")) == ["website"]
    assert {"employees", "phone"} <= set(fields_in(panel_in(html, "all-fields")))
    assert "Their deals" in html


def test_the_editor_states_only_what_differs(desk: Desk) -> None:
    agree(desk, desk.post(f"{_AT}/layouts/new", label="Household", **HOUSEHOLD))
    text = desk.get(f"{_AT}/layouts/household").text
    assert 'name="n.name" value="overview"' in text
    named = {**HOUSEHOLD, "n.name": ["overview", "about", "phone", "email", "deals", "more", "rest", "website", "", ""]}
    assert "Nothing would change" in desk.post(f"{_AT}/layouts/household", label="Household", **named).text
    moved = parts(
        part("tab", "overview", label="Overview"),
        part("section", "about", label="About", columns="3"),
        part("field", "email", wide="true"),
        part("field", "website"),
        part("unused"),
    )
    agree(desk, desk.post(f"{_AT}/layouts/household", label="Home", **moved))
    text = desk.get(f"{_AT}/layouts/household").text
    used, unused = text.split('value="unused"')
    assert re.findall(r'name="n.name" value="([a-z_]+)"', used) == ["overview", "about", "email", "website"]
    assert 'value="phone"' in unused


def test_wrong_parts_are_told_and_nothing_is_kept(desk: Desk) -> None:
    page = desk.post(f"{_AT}/layouts/new", label="", **HOUSEHOLD)
    assert (page.status, "Label: say what" in page.text) == (422, True)
    assert desk.post(f"{_AT}/layouts/new", label="Empty").status == 422
    nameless = parts(part("tab"), part("section", label="S"))
    assert "Tab: say what each is called" in desk.post(f"{_AT}/layouts/new", label="X", **nameless).text
    wrong = parts(part("tab", label="T"), part("section", label="S", when="nothing > 1"), part("field", "nope"))
    page = desk.post(f"{_AT}/layouts/new", label="X", **wrong)
    assert (page.status, "nothing" in page.text) == (422, True)
    assert "which is no field" in page.text
    assert desk.get(f"{_AT}/layouts/x").status == 404
    assert desk.get("/settings/objects/nothing/layouts").status == 404


def test_a_record_can_be_looked_at_by_a_layout_that_is_not_saved(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    record = fresh[1].post("/records/company", {"name": "Kestrel", "industry": "finance", "phone": "+49 30 901820"})
    sent = {"label": "Household", "when": 'name == "other"', "try": record["id"], **HOUSEHOLD}
    html = desk.post(f"{_AT}/layouts/look", **sent).text
    assert tabs_in(html) == ["overview", "more", "all-fields", "all-related"]
    assert fields_in(panel_in(html, "overview")) == ["phone", "email"]
    assert "/edit" not in html
    assert desk.post(f"{_AT}/layouts/look", **{**sent, "try": ""}).status == 422
    assert desk.post(f"{_AT}/layouts/look", **{**sent, "try": "x"}).status == 404


def test_layouts_are_put_in_order_and_removed(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    one = parts(part("tab", label="One"), part("section", label="S"), part("field", "name"))
    for label in ("First", "Second"):
        agree(desk, desk.post(f"{_AT}/layouts/new", label=label, **one))
    path = f"/records/company/{fresh[1].post('/records/company', {'name': 'Kestrel'})['id']}"
    agree(desk, desk.post(f"{_AT}/layouts", act="order", order=["second", "first"]))
    text = desk.get(f"{_AT}/layouts").text
    assert text.index('value="second"') < text.index('value="first"')
    for name in ("first", "second"):
        agree(desk, desk.post(f"{_AT}/layouts/{name}", act="remove"))
    assert tabs_in(desk.get(path).text) == []


def test_a_view_is_made_from_a_list_as_it_stands_and_offered_there(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    for name, employees in (("Big", 900), ("Small", 3)):
        fresh[1].post("/records/company", {"name": name, "employees": employees})
    assert "Save as view" in desk.get("/records/company?filter=employees+%3E+100").text
    kept = {"label": "Big ones", "who": "everybody"}
    form = desk.post("/records/company/views/new?filter=employees+%3E+100&shape=list", **kept).text
    assert 'value="Big ones"' in form
    assert "employees &gt; 100" in form
    made = {"label": "Big ones", "filter": "employees > 100", "column": ["employees", "owner", ""], "shape": "list",
            "sort.field": ["employees", "", ""], "sort.way": ["down", "up", "up"]}  # fmt: skip
    agree(desk, desk.post(f"{_AT}/views/new", **made))
    page = desk.get("/records/company?view=big_ones").text
    assert ("Big</bdi>" in page, "Small</bdi>" in page) == (True, False)
    assert re.findall(r'aria-current="page"[^>]*>([^<]+)', page)[-1] == "Big ones"
    exported = desk.get("/records/company/export?view=big_ones").text
    assert "employees &gt; 100" in exported
    same = desk.post(f"{_AT}/views/big_ones", **made)
    assert "Nothing would change" in same.text
    agree(desk, desk.post(f"{_AT}/views/big_ones", **{**made, "label": "Large", "column": ["owner"]}))
    assert "Employees" not in desk.get("/records/company?view=big_ones").text.split("<tbody>")[0].split("<thead>")[1]
    agree(desk, desk.post(f"{_AT}/views/big_ones", act="remove"))
    assert "Large" not in desk.get("/records/company").text


def test_a_board_view_groups_by_what_it_says_with_its_figures(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    company = fresh[1].post("/records/company", {"name": "Kestrel"})["id"]
    fresh[1].post("/records/deal", {"name": "Pumps", "amount": "12.50", "company": company})
    fresh[1].post("/records/deal", {"name": "Bolts", "amount": "7.50"})
    at = "/settings/objects/deal/views"
    said = {"label": "By company", "shape": "board", "group_by": "company", "metrics": ["sum:amount"]}
    assert "Columns of the board" in desk.post(f"{at}/new", **{**said, "group_by": ""}).text
    agree(desk, desk.post(f"{at}/new", **said))
    board = desk.get("/records/deal/board?view=by_company").text
    lanes = re.findall(r'<h2 id="lane-[^"]*"[^>]*>([^<]*)<', board)
    assert lanes == ["Kestrel", "No company"]
    assert "Sum of amount" in board
    assert "12.50" in board
    assert "data-readonly" not in board


def test_a_view_that_names_what_one_may_not_read_is_not_offered(
    site: Flask, runtime: Runtime, desk: Desk, fresh: tuple[Tenant, Api]
) -> None:
    tenant = fresh[0]
    views = """
{kind: view, name: company.rich, label: Rich ones, filter: "annual_revenue > 5"}
---
{kind: view, name: company.sorted, label: Sorted ones, sort: [-annual_revenue]}
---
{kind: view, name: company.wide, label: Wide ones, columns: [annual_revenue, industry]}
---
{kind: view, name: company.theirs, label: Only theirs, roles: [admin]}
"""
    change(runtime.databases, tenant, views)
    assert "Rich ones" in desk.get("/records/company").text
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        role = make_role(scope, objects={"*": {"read": "all"}}, fields={"company": {"annual_revenue": "none"}})
        person = make_person(scope, role)
    reader = Desk(site, runtime, tenant, person)
    text = reader.get("/records/company").text
    assert [one for one in ("Rich ones", "Sorted ones", "Wide ones", "Only theirs") if one in text] == ["Wide ones"]
    assert reader.get("/records/company?view=rich").status == 200
    assert "revenue" not in reader.get("/records/company?view=wide").text.lower()
    assert reader.get("/settings/objects/company/views").status == 403
