"""Boards by any choice: columns in order, cards moved between them with rules, rights and the way back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.desk import Desk
from tests.support.rights import make_person, make_role
from tests.support.shaping import change
from tests.support.tenants import PATIENT, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

SHAPE = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, label: Serial, required: true}
  size: {type: select, label: Size, options: {small: {label: Small}, large: {label: Large}, huge: {label: Huge}}}
  hall: {type: select, label: Hall, required: true, options: {north: {label: North}, south: {label: South}}}
  company: {type: link, label: Company, to: company, inverse: machines}
  reason: {type: text, label: Reason}
---
{kind: view, name: machine.sizes, label: By size, shape: board, group_by: size}
---
{kind: view, name: machine.halls, label: By hall, shape: board, group_by: hall}
---
{kind: view, name: machine.firms, label: By company, shape: board, group_by: company}
---
{kind: view, name: machine.owners, label: By owner, shape: board, group_by: owner}
---
kind: rule
name: machine.huge_ones
when: size == "huge"
required: [reason]
message: Say why so large.
"""
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def tenant(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    tenant = new_tenant()
    change(runtime.databases, tenant, SHAPE)
    return tenant


@pytest.fixture(scope="module")
def api(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    return Api(site, make_key(runtime.databases, tenant, "owner"))


@pytest.fixture(scope="module")
def desk(site: Flask, runtime: Runtime, tenant: Tenant) -> Desk:
    return Desk(site, runtime, tenant)


def machine(api: Api, **values: Any) -> str:
    return api.post("/records/machine", {"serial": "M", "hall": "north", **values})["id"]


def board(desk: Desk, view: str) -> str:
    return desk.get(f"/records/machine/board?view={view}").text


def lanes(html: str) -> list[str]:
    return re.findall(r'data-board-target="list" data-value="([^"]*)"', html)


def move(desk: Desk, record: str, field: str, to: str, **more: str) -> tuple[int, dict[str, Any]]:
    url = f"http://{desk.tenant.host}:8000/records/machine/{record}/fields/{field}/move"
    page = desk.browser.post(url, {field: to, "version": "1", **more}, **JSON)
    return page.status, page.response.json or {}


def test_columns_follow_the_options_and_end_with_those_that_have_none(desk: Desk, api: Api) -> None:
    machine(api, size="large")
    html = board(desk, "sizes")
    assert lanes(html) == ["small", "large", "huge", ""]
    assert "No size" in html
    assert 'data-field="size"' in html
    assert "data-readonly" not in html
    assert html.count("/new?size=small") == 1
    assert lanes(board(desk, "halls")) == ["north", "south"]


def test_a_card_is_moved_to_another_option_to_none_and_back(desk: Desk, api: Api) -> None:
    record = machine(api, size="small")
    status, answer = move(desk, record, "size", "large")
    assert (status, api.get(f"/records/machine/{record}")["size"]) == (200, "large")
    toast = desk.get(answer["toast"]).text
    assert "moved to Large" in toast
    assert "&#34;size&#34;: &#34;small&#34;" in toast
    status, answer = move(desk, record, "size", "", version="2")
    assert (status, api.get(f"/records/machine/{record}")["size"]) == (200, None)
    assert "moved to No size" in desk.get(answer["toast"]).text
    url = f"http://{desk.tenant.host}:8000/records/machine/{record}/fields/size/move"
    back = {"size": "large", "undo": "1", "view": "board", "version": "3"}
    undone = desk.browser.post(url, back, **{"HX-Current-URL": "http://x/records/machine/board?view=sizes"})
    assert (undone.status, lanes(undone.text)) == (200, ["small", "large", "huge", ""])
    assert api.get(f"/records/machine/{record}")["size"] == "large"


def test_a_required_field_is_not_emptied_and_has_no_empty_column(desk: Desk, api: Api) -> None:
    record = machine(api)
    status, answer = move(desk, record, "hall", "")
    assert (status, answer["errors"][0]["code"]) == (422, "required")
    assert move(desk, record, "hall", "south")[0] == 200


def test_rules_hold_and_what_they_miss_is_asked_in_a_dialog(desk: Desk, api: Api) -> None:
    record = machine(api)
    status, answer = move(desk, record, "size", "huge")
    assert (status, answer["errors"][0]["code"]) == (422, "rule.refused")
    dialog = desk.get(f"/records/machine/{record}/fields/size/move?to=huge").text
    assert "Move to Huge" in dialog
    assert 'name="size" value="huge"' in dialog
    assert 'name="fields" value="reason"' in dialog
    assert move(desk, record, "size", "huge", fields="reason", reason="They asked")[0] == 200
    found = api.get(f"/records/machine/{record}")
    assert (found["size"], found["reason"]) == ("huge", "They asked")


def test_a_board_of_linked_records_moves_cards_between_them(desk: Desk, api: Api, runtime: Runtime) -> None:
    first, second = (api.post("/records/company", {"name": name})["id"] for name in ("Kestrel", "Osprey"))
    record = machine(api, company=first)
    machine(api, company=second)
    html = board(desk, "firms")
    assert {first, second, ""} == set(lanes(html))
    status, answer = move(desk, record, "company", second)
    assert (status, api.get(f"/records/machine/{record}")["company"]) == (200, second)
    assert "moved to Osprey" in desk.get(answer["toast"]).text
    assert move(desk, record, "company", "", version="2")[0] == 200
    gone = move(desk, record, "company", "00000000-0000-7000-8000-000000000000", version="3")
    assert (gone[0], gone[1]["errors"][0]["code"]) == (422, "link.not_found")
    assert move(desk, record, "company", "nobody", version="3")[0] == 422
    assert "No owner" in board(desk, "owners")


def test_what_no_card_can_be_moved_by_is_refused(desk: Desk, api: Api) -> None:
    record = machine(api)
    assert move(desk, record, "size", "tiny")[0] == 422
    assert move(desk, record, "serial", "x")[0] == 422
    assert move(desk, record, "nothing", "x")[0] == 404
    assert move(desk, record, "stage", "new")[0] == 404
    assert desk.get(f"/records/machine/{record}/fields/size/moved?back=tiny").text.count("data-undo") == 0


def test_what_was_retired_or_removed_stands_there_while_records_are_in_it(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, "{kind: field, name: machine.size, options: {wide: {label: Wide}}}")
    change(runtime.databases, tenant, "{kind: field, name: machine.size, options: {flat: {label: Flat}}}")
    wide, flat = machine(api, size="wide"), machine(api, size="flat")
    change(runtime.databases, tenant, "{kind: field, name: machine.size, options: {wide: {retired: true}}}")
    change(
        runtime.databases, tenant, "{kind: field, name: machine.size, options: {flat: {remove: true}}}", confirm=True
    )
    html = board(desk, "sizes")
    closed = re.findall(r'data-value="([^"]*)" data-label="[^"]*" data-closed="', html)
    assert sorted(closed) == ["flat", "wide"]
    assert (html.count(">Retired<"), html.count(">Removed<")) == (1, 1)
    assert move(desk, wide, "size", "small")[0] == 200
    assert move(desk, flat, "size", "small")[0] == 200
    assert not {"wide", "flat"} & set(lanes(board(desk, "sizes")))
    assert move(desk, wide, "size", "wide", version="2")[0] == 422


def test_who_may_not_write_the_field_has_a_board_to_read(
    desk: Desk, api: Api, site: Flask, runtime: Runtime, tenant: Tenant
) -> None:
    record = machine(api, size="small")
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        watcher = make_person(scope, make_role(scope, fields={"machine": {"size": "read"}}))
    watching = Desk(site, runtime, tenant, watcher)
    html = board(watching, "sizes")
    assert "data-readonly" in html
    assert "board#openMenu" not in html
    status, answer = move(watching, record, "size", "large")
    assert (status, answer["detail"]) == (422, "Size can't be changed by moving.")
    assert "data-readonly" not in board(watching, "halls")
