"""What is retired stays where it is held, and nothing comes to it, on whichever way in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from app.records.bulk import bulk
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.desk import Desk
from tests.support.imports import import_file, query
from tests.support.shaping import change
from tests.support.tenants import PATIENT, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

BEFORE = """
kind: field
name: deal.size
type: select
label: Size
default: small
options: {small: {label: Small}, large: {label: Large}, huge: {label: Huge}}
---
kind: field
name: deal.needs
type: multi_select
label: Needs
options: {hall: {label: Hall}, crane: {label: Crane}, steam: {label: Steam}}
---
kind: pipeline
name: deal.gifts
label: Gifts
stages: {asked: {label: Asked, status: open}, given: {label: Given, status: won}}
"""
RETIRED = """
{kind: stage, name: deal.sales.meeting, retired: true}
---
{kind: pipeline, name: deal.gifts, retired: true}
---
kind: field
name: deal.size
options: {small: {retired: true}, huge: {retired: true}}
---
kind: field
name: deal.needs
options: {steam: {retired: true}}
"""
HELD = {"stage": "meeting", "size": "huge", "needs": ["hall", "steam"]}


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def tenant(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture(scope="module")
def api(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    """A workspace with one deal in each thing that is retired."""
    found = Api(site, make_key(runtime.databases, tenant, "owner"))
    change(runtime.databases, tenant, BEFORE)
    found.post("/records/deal", {"name": "Held", "external_id": "held", **HELD})
    found.post(
        "/records/deal", {"name": "Gift", "external_id": "gift", "pipeline": "gifts", "stage": "asked", "size": None}
    )
    change(runtime.databases, tenant, RETIRED)
    return found


@pytest.fixture
def held(api: Api) -> str:
    return api.get("/records/deal", filter='external_id == "held"')["data"][0]["id"]


def patch(api: Api, record: str, values: dict[str, Any], status: int = 200) -> Any:
    answer = api.call("PATCH", f"/records/deal/{record}", values)
    assert answer.status_code == status, answer.text
    return answer.json


def refused(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((error["pointer"], error["code"]) for error in answer["errors"])


def test_nothing_is_made_in_what_is_retired_and_the_refusal_names_what_may_be_chosen(api: Api) -> None:
    answer = api.post("/records/deal", {"name": "New", **HELD}, status=422)
    assert refused(answer) == [("/needs", "option.retired"), ("/size", "option.retired"), ("/stage", "stage.retired")]
    said = {error["pointer"]: error["message"] for error in answer["errors"]}
    assert said["/size"] == "Size: Huge is no longer offered. Choose Large."
    assert said["/needs"] == "Needs: Steam is no longer offered. Choose Hall or Crane."
    assert said["/stage"].startswith("Stage: Meeting is no longer offered. Choose New, Qualified, Proposal")
    answer = api.post("/records/deal", {"name": "New", "pipeline": "gifts"}, status=422)
    assert refused(answer) == [("/pipeline", "pipeline.retired")]
    assert "Choose Sales" in answer["errors"][0]["message"]


def test_no_record_is_moved_into_it(api: Api) -> None:
    deal = api.post("/records/deal", {"name": "Elsewhere", "size": "large", "needs": ["crane"]})["id"]
    assert refused(patch(api, deal, {"stage": "meeting"}, 422)) == [("/stage", "stage.retired")]
    assert refused(patch(api, deal, {"pipeline": "gifts", "stage": "asked"}, 422)) == [
        ("/pipeline", "pipeline.retired")
    ]
    assert refused(patch(api, deal, {"size": "Huge"}, 422)) == [("/size", "option.retired")]
    assert refused(patch(api, deal, {"needs": ["crane", "steam"]}, 422)) == [("/needs", "option.retired")]
    operation = {"op": "update", "object": "deal", "id": deal, "record": {"size": "huge"}}
    answer = api.post("/batch", {"operations": [operation]}, status=422)
    assert [error["code"] for error in answer["errors"]] == ["option.retired"]


def test_what_a_record_has_it_keeps(api: Api, held: str) -> None:
    kept = patch(api, held, {**HELD, "name": "Held on"})
    assert {name: kept[name] for name in HELD} == HELD
    assert patch(api, held, {"needs": ["hall", "crane", "steam"]})["needs"] == ["hall", "crane", "steam"]
    put = api.call("PUT", "/records/deal/by/external_id/held", {**HELD, "name": "Held"})
    assert put.status_code == 200, put.text
    assert put.json["needs"] == ["hall", "steam"]


def test_records_of_a_retired_pipeline_go_on_through_its_stages(api: Api) -> None:
    gift = api.get("/records/deal", filter='external_id == "gift"')["data"][0]["id"]
    assert patch(api, gift, {"pipeline": "gifts", "stage": "given"})["stage_status"] == "won"
    assert patch(api, gift, {"stage": "asked"})["stage_status"] == "open"


def test_old_records_are_found_counted_and_sorted(api: Api, held: str) -> None:
    for condition in ('stage == "meeting"', 'size == "huge"', '"steam" in needs'):
        assert [one["id"] for one in api.get("/records/deal", filter=condition)["data"]] == [held]
    sizes = api.get("/records/deal/aggregate", group_by="size", metrics="count", filter='has(size) && size != "large"')
    assert [(row["group"]["size"], row["count"]) for row in sizes["data"]] == [("huge", 1)]
    listed = api.get("/records/deal", sort="size", filter="has(size)", fields="size")["data"]
    assert listed[-1]["size"] == "huge"


def test_a_default_that_was_retired_is_none(api: Api) -> None:
    assert api.post("/records/deal", {"name": "Plain"})["size"] is None


def test_a_bulk_says_it_row_by_row(api: Api, runtime: Runtime, tenant: Tenant, held: str) -> None:
    rows = [
        {"external_id": "held", "stage": "meeting", "size": "huge"},
        {"external_id": "fresh", "name": "Fresh", "stage": "meeting"},
        {"external_id": "fresh", "name": "Fresh", "needs": ["steam"]},
    ]
    with enter_job(
        runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True, budget=PATIENT
    ) as scope:
        found = bulk(scope, "deal", rows, mode="upsert", match="external_id")["results"]
    assert [one["status"] for one in found] == ["updated", "failed", "failed"]
    assert [one["errors"][0]["code"] for one in found[1:]] == ["stage.retired", "option.retired"]
    assert found[0]["id"] == held


def test_a_file_does_too_and_may_repeat_what_records_have(api: Api, runtime: Runtime, tenant: Tenant) -> None:
    file = "external_id,name,stage,size\nheld,Held,Meeting,Huge\nother,Other,Meeting,Large\nthird,Third,New,Huge\n"
    found = import_file(runtime, tenant, file, object="deal", match="external_id", mode="upsert")
    rows = query(
        runtime, tenant, "SELECT errors FROM import_row WHERE errors <> '[]' AND status = 'failed' ORDER BY row"
    )
    assert [(one["column"], one["code"]) for (errors,) in rows for one in errors] == [
        ("stage", "stage.retired"), ("size", "option.retired"),
    ]  # fmt: skip
    assert (found["state"], found["failed"], found["created"]) == ("done", 2, 0)


def test_a_board_shows_it_as_long_as_records_are_in_it(api: Api, held: str) -> None:
    def lanes(**query: str) -> dict[str, bool]:
        groups = api.get("/records/deal/board", **query)["groups"]
        return {group["key"]: group.get("retired", False) for group in groups if group["key"]}

    found = lanes()
    assert (found["meeting"], found["asked"], found["new"]) == (True, True, False)
    assert list(found).index("meeting") < list(found).index("proposal")
    assert "given" not in found
    assert lanes(group_by="size") == {"large": False, "huge": True}
    assert "meeting" not in lanes(filter=f'id != "{held}"')


def test_pages_offer_it_only_to_those_that_hold_it(
    api: Api, site: Flask, runtime: Runtime, tenant: Tenant, held: str
) -> None:
    desk = Desk(site, runtime, tenant)
    new = desk.get("/records/deal/new").text
    for value in ("meeting", "huge", "small", "steam", "asked"):
        assert f'value="{value}"' not in new
    assert 'value="huge"' in desk.get(f"/records/deal/{held}/fields/size/edit").text
    other = api.post("/records/deal", {"name": "Another"})["id"]
    assert ">Meeting<" in path_of(desk.get(f"/records/deal/{held}").text)
    assert ">Meeting<" not in path_of(desk.get(f"/records/deal/{other}").text)
    board = desk.get("/records/deal/board").text
    assert re.search(r'data-value="meeting"[^>]* data-closed="Meeting is retired: nothing', board)
    assert board.count('data-value="meeting"') == 1
    assert "/new?stage=meeting" not in board
    refusal = desk.post(f"/records/deal/{other}/fields/stage/move", stage="meeting", version="1")
    assert (refusal.status, "Meeting is no longer offered" in refusal.text) == (422, True)


def test_who_leaves_it_is_offered_no_way_back(api: Api, site: Flask, runtime: Runtime, tenant: Tenant) -> None:
    desk = Desk(site, runtime, tenant)
    change(runtime.databases, tenant, "{kind: stage, name: deal.sales.proposal, retired: false}")
    deal = api.post("/records/deal", {"name": "Leaving", "stage": "proposal"})["id"]
    change(runtime.databases, tenant, "{kind: stage, name: deal.sales.proposal, retired: true}")
    moved = desk.post(f"/records/deal/{deal}/fields/stage/move", stage="won", version="1").text
    assert "Moved to Won" in moved
    assert "data-undo" not in moved
    assert "data-undo" not in desk.get(f"/records/deal/{deal}/fields/stage/moved?back=proposal").text
    assert "data-undo" in desk.get(f"/records/deal/{deal}/fields/stage/moved?back=new").text
    change(runtime.databases, tenant, "{kind: stage, name: deal.sales.proposal, retired: false}")


def path_of(html: str) -> str:
    return html.split('id="path"')[1].split("</ol>", maxsplit=1)[0]
