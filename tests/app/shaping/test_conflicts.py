"""What a workspace and an update both changed is listed with both sides, decided, and undone like any change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api import Api, make_key
from tests.support.upgrades import bring, changed, clear, present, tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant

MINE = {"kind": "object", "name": "deal", "label": {"one": "Opportunity"}}
LEAF = {"component": "object/deal", "path": "label/one"}


@pytest.fixture
def updated(site: Flask, runtime: Runtime) -> Iterator[tuple[Tenant, Api]]:
    """A workspace that called deals otherwise before an update did, too."""
    old = changed("kind: object\nname: deal\nlabel: {one: Bargain}\n")
    tenant = tenant_of(runtime, old)
    api = Api(site, make_key(runtime.databases, tenant, "owner"))
    api.post("/metadata/apply", {"components": [MINE]}, 200)
    report = bring(runtime, present())
    assert [one["path"] for one in _of(report.conflicts[str(tenant.id)])] == ["label/one"]
    yield tenant, api
    clear(runtime)


def _of(conflicts: Any) -> list[dict[str, Any]]:
    return list(conflicts)


def label(api: Api) -> str:
    found = {(one["kind"], one["name"]): one for one in api.get("/metadata")["components"]}
    return found["object", "deal"]["spec"]["label"]["one"]


def test_a_conflict_shows_both_sides_and_the_workspaces_is_in_force(updated: tuple[Tenant, Api]) -> None:
    _, api = updated
    assert api.get("/metadata/conflicts")["data"] == [
        LEAF | {"base": "Bargain", "value": "Opportunity", "lower": "Deal"}
    ]
    assert label(api) == "Opportunity"


def test_keeping_ones_own_ends_the_conflict_and_can_be_undone(updated: tuple[Tenant, Api]) -> None:
    _, api = updated
    kept = api.post("/metadata/conflicts", {"choices": [LEAF | {"choice": "keep"}], "note": "Ours"}, 200)
    assert (api.get("/metadata/conflicts")["data"], label(api)) == ([], "Opportunity")
    assert api.get(f"/metadata/changes/{kept['change']}")["note"] == "Ours"

    undone = api.post(f"/metadata/changes/{kept['change']}/revert", {}, 200)
    assert [one["value"] for one in api.get("/metadata/conflicts")["data"]] == ["Opportunity"]
    api.post(f"/metadata/changes/{undone['change']}/revert", {}, 200)
    assert api.get("/metadata/conflicts")["data"] == []


def test_taking_the_updates_value_can_be_undone(updated: tuple[Tenant, Api]) -> None:
    _, api = updated
    taken = api.post("/metadata/conflicts", {"choices": [LEAF | {"choice": "take"}]}, 200)
    assert (api.get("/metadata/conflicts")["data"], label(api)) == ([], "Deal")
    api.post(f"/metadata/changes/{taken['change']}/revert", {}, 200)
    assert (api.get("/metadata/conflicts")["data"], label(api)) == ([], "Opportunity")


def test_what_is_in_no_conflict_is_not_decided(updated: tuple[Tenant, Api]) -> None:
    _, api = updated
    api.post("/metadata/conflicts", {"choices": [LEAF | {"choice": "take"}]}, 200)
    again = api.call("POST", "/metadata/conflicts", {"choices": [LEAF | {"choice": "keep"}]})
    assert (again.status_code, again.json["code"]) == (409, "metadata.conflict")
    none = api.call("POST", "/metadata/conflicts", {"choices": []})
    assert (none.status_code, none.json["errors"][0]["pointer"]) == (422, "/choices")
