"""The settings' pages of objects and history, without a browser: what they refuse, what their dialogs say."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from app.http.context import WORKSPACE_COOKIE
from tests.support.sessions import open_session
from tests.support.shaping import change, finish
from tests.support.tenants import owner_of
from tests.support.web import Browser

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api
    from tests.support.web import Page

_FIELD = [{"kind": "field", "name": "company.vat", "type": "text", "label": "VAT number"}]


class Desk:
    """An owner's browser at the settings of a workspace."""

    def __init__(self, site: Flask, runtime: Runtime, tenant: Tenant) -> None:
        self.tenant, self.browser = tenant, Browser(site)
        cookie = open_session(runtime.databases, tenant, owner_of(runtime.databases, tenant))
        self.browser.cookies[tenant.host][WORKSPACE_COOKIE] = cookie.partition("=")[2]

    def get(self, path: str) -> Page:
        return self.browser.get(f"http://{self.tenant.host}:8000/settings{path}")

    def post(self, path: str, **form: Any) -> Page:
        return self.browser.post(f"http://{self.tenant.host}:8000/settings{path}", form)

    def apply(self, components: object, **form: Any) -> Page:
        return self.post("/changes", components=json.dumps(components), **form)


@pytest.fixture
def desk(site: Flask, runtime: Runtime, fresh: tuple[Tenant, Api]) -> Desk:
    return Desk(site, runtime, fresh[0])


def test_a_name_that_is_there_is_refused_before_anything_of_it_changes(desk: Desk) -> None:
    page = desk.post("/objects/new", label="Company", plural="Companies", title="Name")
    assert (page.status, "there is a company already" in page.text) == (422, True)
    page = desk.post("/objects/company/fields", type="text", label="Name")
    assert (page.status, "there is a name already" in page.text) == (422, True)
    page = desk.post("/objects/company/fields", type="text", label="機械")
    assert (page.status, "small letters" in page.text) == (422, True)


_ROWS = {
    "row.label": ["Price", "", "Condition", "Company", "Maker", "Worth"],
    "row.type": ["money", "text", "select", "link", "link", "formula"],
    "row.to": ["", "", "", "company", "company", ""],
    "row.options": ["", "", "New, As new", "", "", ""],
    "row.returns": ["decimal"] * 5 + ["money"],
    "row.value": ["", "", "", "", "", "price * 0.8"],
}


def test_a_new_object_begins_with_the_fields_of_its_rows_and_its_stages(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    machine = {"label": "Machine", "plural": "Machines", "title": "Serial", "stages": "Planned, Running ,Scrapped,"}
    plan = desk.post("/objects/new", **machine, **_ROWS)
    assert plan.status == 200
    written = re.search(r'name="components" value="([^"]*)"', plan.text)
    assert written is not None
    components = json.loads(html.unescape(written[1]))
    assert desk.apply(components).status == 200
    company = fresh[1].post("/records/company", {"name": "Acme"})
    made = fresh[1].post(
        "/records/machine", {"serial": "M-1", "price": "1000", "condition": "as_new", "company": company["id"]}
    )
    assert (made["worth"]["amount"], made["stage"]) == ("800.00", "planned")
    (spec,) = components
    links = {name: field["inverse"] for name, field in spec["fields"].items() if field["type"] == "link"}
    assert links == {"company": "machines", "maker": "machines_by_maker"}
    statuses = [(stage["name"], stage["status"]) for stage in spec["pipelines"]["main"]["stages"]]
    assert statuses == [("planned", "open"), ("running", "open"), ("scrapped", "done")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"type": "rollup"}, "choose what it holds"), ({"type": "link"}, "choose the object"),
        ({"type": "select"}, "name its options"), ({"type": "formula"}, "write the formula"),
        ({"type": "text", "label": "Serial"}, "Serial: the name serial is taken already"),
    ],
)  # fmt: skip
def test_a_row_that_lacks_what_its_type_needs_is_refused_by_its_label(
    desk: Desk, row: dict[str, str], said: str
) -> None:
    given = {f"row.{name}": value for name, value in {"label": "Kind", **row}.items()}
    page = desk.post("/objects/new", label="Machine", plural="Machines", title="Serial", **given)
    assert (page.status, said in page.text) == (422, True)


def test_a_new_field_stands_behind_the_others_also_when_it_is_said_to_be_new(desk: Desk, runtime: Runtime) -> None:
    change(runtime.databases, desk.tenant, "kind: field\nname: company.vat\ntype: text\nrenamed_from: null\n")
    text = desk.get("/objects/company").text
    assert text.index('name="order" value="vat"') > text.index('name="order" value="name"')


def test_where_a_dialog_leads_to_stays_within_settings(desk: Desk) -> None:
    page = desk.apply(_FIELD, next="https://evil.example/settings/")
    assert page.path == "/settings/objects"
    assert "Done." in page.text


def test_what_cannot_be_read_is_refused_with_words(desk: Desk) -> None:
    for sent in ("", "{", "3", "[1]", '{"kind": "field"}'):
        assert desk.post("/changes", components=sent).status == 422
    page = desk.apply([{"kind": "field", "name": "company.vat", "type": "txt"}])
    assert (page.status, "did you mean" in page.text) == (422, True)
    assert desk.apply(_FIELD, note="nul \0 in it", base="x" * 30).status == 200


def test_whoever_agreed_to_an_older_version_is_told_what_changed(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    before = fresh[1].get("/metadata")["version"]
    said = [{"kind": "field", "name": "company.name", "label": "Firm"}]
    assert desk.apply(said).status == 200
    said[0]["label"] = "Trade name"
    page = desk.apply(said, base=str(before))
    assert page.status == 409
    assert "Somebody else changed the same meanwhile" in page.text
    assert "→ Firm" in page.text


def test_values_are_taken_away_only_when_that_was_said(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    desk.apply(_FIELD)
    fresh[1].post("/records/company", {"name": "Acme", "vat": "DE 1"})
    plan = desk.post("/objects/company/fields/vat", act="remove")
    assert "1 record holds a value in company · vat" in plan.text
    assert "Yes, take these values away" in plan.text
    gone = [{"kind": "field", "name": "company.vat", "remove": True}]
    assert desk.apply(gone).status == 409
    assert desk.apply(gone, confirm="yes").status == 200
    assert "Bring back VAT number" in desk.get("/objects/company").text


def test_the_preview_of_retiring_a_field_says_where_it_stays_in_use(desk: Desk) -> None:
    twice = {"kind": "field", "name": "company.twice", "type": "formula", "returns": "integer", "label": "Twice",
             "value": "employees * 2"}  # fmt: skip
    view = {"kind": "view", "name": "company.large", "label": "Large", "columns": ["name", "employees"]}
    assert desk.apply([twice, view]).status == 200
    told = html.unescape(re.sub(r"<[^>]*>", " ", desk.post("/objects/company/fields/employees", act="retire").text))
    assert "Employees stays where it is used" in told
    assert "Field Twice of Company" in told
    assert "View Large" in told
    unused = desk.post("/objects/company/fields/twice", act="retire").text
    assert "stays where it is used" not in unused


def test_work_in_the_background_is_followed_to_its_end(desk: Desk, runtime: Runtime, fresh: tuple[Tenant, Api]) -> None:
    desk.apply(_FIELD)
    fresh[1].post("/records/company", {"name": "Acme", "vat": "DE 1"})
    page = desk.apply([{"kind": "field", "name": "company.vat", "unique": True}], next="/settings/objects/company")
    finish(runtime, desk.tenant)
    newest = fresh[1].get("/metadata/changes")["data"][0]["id"]
    assert page.status == 200
    assert desk.get(f"/changes/{newest}/work").status == 200
    assert "VAT number" in desk.get(f"/history/{newest}").text


def test_what_was_changed_again_since_cannot_be_taken_back_and_says_why(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    for label in ("Firm", "Trade name"):
        desk.apply([{"kind": "field", "name": "company.name", "label": label}])
    older = fresh[1].get("/metadata/changes")["data"][1]["id"]
    plan = desk.post(f"/history/{older}/plan")
    assert "This stands in the way of taking it back" in plan.text
    assert "Trade name" in plan.text
    assert ">Apply<" not in plan.text
    assert desk.post(f"/history/{older}/revert").status == 409


def test_a_formula_is_told_right_from_wrong_and_tried(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    record = fresh[1].post("/records/company", {"name": "Acme"})["id"]
    wrong = desk.post("/objects/company/formula", value="nmae", returns="text")
    assert "name" in wrong.text
    assert "It can be calculated" in desk.post("/objects/company/formula", value="name", returns="text").text
    tried = desk.post("/objects/company/formula", value='name + "!"', returns="text", **{"try": record})
    assert "Acme!" in tried.text
    assert desk.post("/objects/company/formula", value="name", returns="text", **{"try": "x"}).status == 404
    assert desk.post("/objects/nothing/formula", value="name", returns="text").status == 404
