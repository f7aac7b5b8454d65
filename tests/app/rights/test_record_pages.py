"""Pages of records show what may be done with the very record, and ask before it leaves one's reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg.types.json import Jsonb

from app.access.policy import changed
from app.metadata.catalog import platform
from tenants.scope import enter_job

if TYPE_CHECKING:
    from .conftest import Office


def _private(office: Office) -> tuple[str, str]:
    """Two members; deals are seen by all and changed by their owner."""
    office.api.call("PUT", "/sharing/deal", {"read": "everyone", "edit": "private", "inherit": None})
    return office.member("Ada Ant"), office.member("Ben Bee")


def test_what_may_only_be_seen_is_shown_without_ways_to_change_it(office: Office) -> None:
    ada, ben = _private(office)
    deal = office.api.post("/records/deal", {"name": "Ada's", "owner": ada})
    path = f"{office.url}/records/deal/{deal['id']}"
    assert f"/records/deal/{deal['id']}/fields/name" in office.sign_in(ada).get(path).text
    seen = office.sign_in(ben).get(path)
    assert seen.status == 200
    assert f'hx-get="/records/deal/{deal["id"]}/fields/name"' not in seen.text
    assert "Delete" not in seen.text


def test_giving_a_record_away_is_asked_and_then_done(office: Office) -> None:
    ada, ben = _private(office)
    deal = office.api.post("/records/deal", {"name": "Ada's", "owner": ada})
    url = f"{office.url}/records/deal/{deal['id']}/fields/owner"
    browser = office.sign_in(ada)
    asked = browser.post(url, {"owner": ben, "version": "1"})
    assert (asked.status, 'value="leaves_reach"' in asked.text, "Save anyway" in asked.text) == (422, True, True)
    assert office.api.get(f"/records/deal/{deal['id']}")["owner"] == ada
    assert browser.post(url, {"owner": ben, "version": "1", "confirm": "leaves_reach"}).status == 200
    assert office.api.get(f"/records/deal/{deal['id']}")["owner"] == ben


def test_an_object_and_a_field_that_may_not_be_read_are_on_no_page(office: Office) -> None:
    worker = {"read": "reach", "create": True, "edit": "reach"}
    role = office.api.post(
        "/roles",
        {"label": "Narrow", "objects": {"*": worker, "lead": {}}, "fields": {"deal": {"amount": "none"}}},
    )
    deal = office.api.post("/records/deal", {"name": "Order", "amount": "4711.00"})
    lead = office.api.post("/records/lead", {"last_name": "Hidden", "company_name": "Whisper"})
    browser = office.sign_in(office.member("Cleo Cat", role["name"]))
    for path in ("/", "/records/deal", "/records/deal/board", f"/records/deal/{deal['id']}", "/records/deal/new"):
        page = browser.get(office.url + path)
        assert page.status == 200, path
        assert "4,711" not in page.text, path
        assert "/records/lead" not in page.text, path
        assert ">Amount<" not in page.text, path
    for path in ("/records/lead", f"/records/lead/{lead['id']}", "/records/lead/board"):
        assert browser.get(office.url + path).status == 404, path


WORKER: dict[str, Any] = {
    "read": "reach", "create": True, "edit": "reach", "delete": "reach", "destroy": "reach", "export": "reach",
    "import": True, "bulk": True,
}  # fmt: skip


def _furnished(office: Office, member: str) -> dict[str, str]:
    """A record of each object with pages, linked to each other."""

    def make(object_name: str, **values: Any) -> str:
        return str(office.api.post(f"/records/{object_name}", values)["id"])

    company = make("company", name="Acme")
    contact = make("contact", last_name="Ada", company=company, emails=["ada@example.test"])
    deal = make("deal", name="Order", amount="4711.00", company=company, contact=contact, owner=member)
    made = {
        "company": company, "contact": contact, "deal": deal, "lead": make("lead", last_name="L", company_name="C"),
        "task": make("task", title="Call", assignee=member), "note": make("note", body="Said"),
    }  # fmt: skip
    for origin in ("task", "note"):
        make("record_link", **{"from": {"object": origin, "id": made[origin]}, "to": {"object": "deal", "id": deal}})
    make("deal_line", deal=deal, description="Wheel", quantity="1", unit_price="5")
    return made


@pytest.mark.scale
def test_every_page_opens_whatever_object_or_field_is_hidden(office: Office) -> None:
    role = office.api.post("/roles", {"label": "Narrow", "objects": {"*": WORKER}})["name"]
    member = office.member("Cleo Cat", role)
    made, browser = _furnished(office, member), office.sign_in(member)
    failed: list[tuple[str, str, int]] = []

    def look(hidden: str, spec: dict[str, Any], objects: list[str]) -> None:
        with enter_job(office.runtime.databases, office.tenant.id, actor=office.owner, write=True) as scope:
            scope.execute("update role set spec = %s where name = %s", (Jsonb(spec), role))
            changed(scope)
        paths = ["/", "/trash"]
        for name in objects:
            paths += [f"/records/{name}", f"/records/{name}/{made[name]}", f"/records/{name}/new"]
        if "deal" in objects and hidden not in ("deal.stage", "deal.pipeline"):
            paths.append("/records/deal/board")
        pages = [(path, browser.get(office.url + path).status) for path in paths]
        failed.extend((hidden, path, status) for path, status in pages if status != 200)

    for name in made:
        others = ["deal", "company", "contact"] if name in ("deal", "company", "contact") else [name]
        for field in platform().objects[name].fields:
            look(f"{name}.{field}", {"objects": {"*": WORKER}, "fields": {name: {field: "none"}}}, others)
    for name in platform().objects:
        look(name, {"objects": {"*": WORKER, name: {}}}, [one for one in made if one != name])
    assert failed == []
