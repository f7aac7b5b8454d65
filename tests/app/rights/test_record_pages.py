"""Pages of records show what may be done with the very record, and ask before it leaves one's reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from app.metadata.catalog import platform
from tests.support.rights import put_role

if TYPE_CHECKING:
    from .conftest import Office


def _offered(page: str) -> dict[str, str]:
    """What the boxes of a list's rows say may be done with them."""
    return dict(re.findall(r'name="ids" value="([^"]+)" data-may="([^"]*)"', page))


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
    asked = browser.post(url, {"owner": ben, "version": "1"}, **{"HX-Request": "true"})
    problem = asked.response.json
    assert (asked.status, problem["code"], problem["confirm"]) == (409, "record.leaves_reach", "leaves_reach")
    assert problem["detail"] == "After this you will still see this deal, but no longer be able to change it."
    assert office.api.get(f"/records/deal/{deal['id']}")["owner"] == ada
    assert browser.post(url, {"owner": ben, "version": "1", "confirm": "leaves_reach"}).status == 200
    assert office.api.get(f"/records/deal/{deal['id']}")["owner"] == ben


def test_a_list_and_a_board_offer_with_each_record_what_may_be_done_with_it(office: Office) -> None:
    ada, ben = _private(office)
    mine, other = (office.api.post("/records/deal", {"name": n, "owner": o}) for n, o in (("Mine", ada), ("His", ben)))
    browser = office.sign_in(ada)
    listed = browser.get(f"{office.url}/records/deal").text
    assert _offered(listed) == {mine["id"]: "delete edit export", other["id"]: "export"}
    seller = office.api.post("/roles", {"label": "Seller", "objects": {"*": {**WORKER, "export": "none"}}})["name"]
    office.post(f"/settings/members/{ada}/role", role=seller)
    listed = browser.get(f"{office.url}/records/deal").text
    assert _offered(listed) == {mine["id"]: "delete edit"}
    assert listed.count("You may only see this one") == 1
    cards = browser.get(f"{office.url}/records/deal/board").text.split('<li id="card-')[1:]
    fixed = {card.partition('"')[0]: " data-fixed" in card for card in cards}
    assert fixed == {mine["id"]: False, other["id"]: True}
    assert [card.count("board#openMenu") for card in cards if card.startswith(other["id"])] == [0]
    whole = office.get("/records/deal").text
    assert "You may only see this one" not in whole
    assert set(_offered(whole).values()) == {"delete edit export"}


def test_several_records_are_given_away_together_after_asking_how_many_leave(office: Office) -> None:
    office.api.call("PUT", "/sharing/deal", {"read": "private", "edit": "private", "inherit": None})
    ada, ben = office.member("Ada Ant", "manager"), office.member("Ben Bee")
    first, second = (office.api.post("/records/deal", {"name": name, "owner": ada})["id"] for name in ("One", "Two"))
    url, browser = f"{office.url}/records/deal/owner", office.sign_in(ada)
    ids = {"ids": f"{first},{second}"}
    dialog = browser.post(url, {**ids, "left": "3"})
    assert ("Change owner of 2 deals" in dialog.text, "3 of the chosen you may only see" in dialog.text) == (True, True)
    asked = browser.post(url, {**ids, "owner": ben}, **{"HX-Request": "true"})
    assert asked.response.json["detail"] == "After this you will no longer see these 2 deals."
    kept = browser.post(url, {**ids, "owner": ada})
    assert "2 deals now belong to Ada Ant" in kept.text
    assert browser.post(url, {**ids, "owner": ""}).status == 422
    assert browser.post(url, {"ids": ""}).status == 422
    done = browser.post(url, {**ids, "owner": ben, "confirm": "leaves_reach"})
    assert (done.status, office.api.get(f"/records/deal/{first}")["owner"]) == (200, ben)
    gone = browser.post(url, {**ids, "owner": ada})
    assert (gone.status, "Nothing was changed" in gone.text) == (422, True)


def test_moving_a_card_out_of_reach_is_asked_and_its_page_leads_back_to_the_list(office: Office) -> None:
    office.api.call("PUT", "/sharing/deal", {"read": "private", "edit": "private", "inherit": None})
    role = office.api.post("/roles", {"label": "Open deals", "objects": {"*": {"read": "reach", "edit": "reach"}},
                                      "rows": {"deal": {"edit": 'stage_status == "open"'}}})  # fmt: skip
    deal = office.api.post("/records/deal", {"name": "Order", "owner": str(office.owner.id), "stage": "qualified"})
    ada = office.sign_in(office.member("Ada Ant", role["name"]))
    url = f"{office.url}/records/deal/{deal['id']}/fields/stage/move"
    card = ada.post(url, {"stage": "won"}, Accept="application/json")
    assert (card.status, card.response.json["confirm"]) == (409, "leaves_reach")
    assert office.api.get(f"/records/deal/{deal['id']}")["stage"] == "qualified"
    moved = ada.post(url, {"stage": "won", "confirm": "leaves_reach"}, **{"HX-Request": "true"})
    assert (moved.status, moved.response.headers.get("HX-Redirect")) == (200, "/records/deal")


def test_people_are_found_while_typing(office: Office) -> None:
    ada = office.member("Ada Ant")
    north = office.api.post("/teams", {"name": "North"})["id"]
    fjord = office.api.post("/teams", {"name": "Fjord", "parent": north, "queue": True})["id"]
    office.post(f"/settings/teams/{north}/members", member=ada)
    both = office.get("/people?kinds=team,role,member&q=a").text
    assert f'data-value="member:{ada}"' in both
    assert 'data-value="role:admin"' in both
    teams = office.get("/people?kinds=team").text
    assert f'data-value="{fjord}"' in teams
    assert "North · queue" in teams
    assert f'data-value="{fjord}"' not in office.get(f"/people?kinds=team&above={north}").text
    assert ada not in office.get(f"/people?not={ada}").text
    assert ada not in office.get(f"/people?outside={north}").text
    assert "Nothing found for" in office.get("/people?q=100%25").text
    office.post(f"/settings/members/{ada}/deactivate")
    assert ada not in office.get("/people?q=ada").text
    assert ada in office.get("/people?q=ada&former=1").text
    assert office.get("/people?kinds=planet").status == 422


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
        put_role(office.runtime.databases, office.tenant, role, **spec)
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
