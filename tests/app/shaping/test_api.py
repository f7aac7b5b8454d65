"""Shaping over REST: plan, apply, records, history, revert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenants.scope import Tenant
    from tests.support.api import Api

MACHINE: dict[str, Any] = {
    "kind": "object",
    "name": "machine",
    "label": {"one": "Machine", "other": "Machines"},
    "icon": "package",
    "title": ["serial"],
    "fields": {
        "serial": {"type": "text", "label": "Serial", "required": True, "unique": True, "searchable": True},
        "company": {"type": "link", "label": "Company", "to": "company", "inverse": "machines"},
        "price": {"type": "money", "label": "Price"},
        "bought": {"type": "date", "label": "Bought"},
    },
}
ON_DEAL: dict[str, Any] = {
    "kind": "field", "name": "deal.machine", "type": "link", "label": "Machine", "to": "machine", "inverse": "deals",
}  # fmt: skip


def test_an_object_is_planned_applied_used_and_taken_back(fresh: tuple[Tenant, Api]) -> None:
    _, api = fresh
    before = api.get("/metadata")
    planned = api.post("/metadata/plan", {"components": [MACHINE, ON_DEAL]}, 200)
    assert {(step["op"], step["kind"], step["name"]) for step in planned["steps"]} >= {
        ("add", "object", "machine"), ("add", "field", "deal.machine"),
    }  # fmt: skip
    order = {"components": [MACHINE, ON_DEAL], "base_version": planned["base_version"], "note": "Machines"}
    applied = api.post("/metadata/apply", order, 200)
    assert [step["ddl"] for step in applied["steps"]] == [step["ddl"] for step in planned["steps"]]
    again = api.post("/metadata/apply", order, 200)
    assert (again["change"], again["steps"]) == (None, [])

    company = api.post("/records/company", {"name": "Acme"})
    machine = api.post(
        "/records/machine", {"serial": "A-1", "company": company["id"], "price": "12.5", "bought": "2026-01-02"}
    )
    assert machine["price"] == {"amount": "12.50", "currency": "EUR"}
    deal = api.post("/records/deal", {"name": "Sale", "machine": machine["id"]})
    found = api.get(
        "/records/machine", filter='company.name == "Acme" && price > 10', sort="-bought", fields="serial,company.name"
    )
    assert [row["serial"] for row in found["data"]] == ["A-1"]
    assert api.call("POST", "/records/machine", {"serial": "a-1"}).status_code == 409
    assert [row["id"] for row in api.get("/search", q="A-1")["data"]] == [machine["id"]]
    api.post("/records/note", {"body": "About it"})
    assert api.get("/openapi.json")["paths"]["/api/v1/records/machine"]
    assert api.get("/records/deal", filter='machine.serial == "A-1"')["data"][0]["id"] == deal["id"]

    (change,) = api.get("/metadata/changes")["data"]
    assert (change["id"], change["note"]) == (applied["change"], "Machines")
    refused = api.call("POST", f"/metadata/changes/{change['id']}/revert", {})
    assert (refused.status_code, refused.json["code"]) == (409, "metadata.confirm")
    back = api.post(f"/metadata/changes/{change['id']}/revert", {"confirm": True}, 200)
    assert api.call("GET", "/records/machine").status_code == 404
    assert api.get("/metadata")["components"] == before["components"]

    forth = api.post(f"/metadata/changes/{back['change']}/revert", {}, 200)
    assert {step["op"] for step in forth["steps"]} >= {"restore"}
    restored = api.get(f"/records/machine/{machine['id']}")
    assert restored == machine
    assert api.get(f"/records/deal/{deal['id']}")["machine"] == machine["id"]


def test_all_that_was_changed_since_is_taken_back_at_once(fresh: tuple[Tenant, Api]) -> None:
    api = fresh[1]
    before = api.get("/metadata")["components"]
    made = [
        api.post("/metadata/apply", {"components": [one], "confirm": True}, 200)["change"]
        for one in (
            {"kind": "field", "name": "company.vat", "type": "text", "label": "VAT number"},
            {"kind": "field", "name": "company.tax", "renamed_from": "vat"},
            {"kind": "field", "name": "company.seats", "type": "integer", "label": "Seats"},
        )
    ]
    company = api.post("/records/company", {"name": "Acme", "tax": "DE 1", "seats": 7})
    path = f"/metadata/changes/{made[0]}/revert"
    plan = api.post(path, {"plan": True, "newer": True}, 200)
    assert plan["needs_confirm"] is True
    back = api.post(path, {"confirm": True, "newer": True}, 200)
    assert api.get("/metadata")["components"] == before
    forth = api.post(f"/metadata/changes/{back['change']}/revert", {}, 200)
    assert forth["change"]
    assert api.get(f"/records/company/{company['id']}") == company


def test_what_was_renamed_since_is_taken_back_under_its_name_of_today(fresh: tuple[Tenant, Api]) -> None:
    api = fresh[1]
    before = api.get("/metadata")["components"]
    made = [
        api.post("/metadata/apply", {"components": [one]}, 200)["change"]
        for one in (
            {"kind": "object", "name": "machine", "label": {"one": "Machine", "other": "Machines"}, "title": ["serial"],
             "fields": {"serial": {"type": "text", "label": "Serial"}}},
            {"kind": "field", "name": "machine.weight", "type": "integer", "label": "Weight"},
            {"kind": "object", "name": "engine", "renamed_from": "machine"},
            {"kind": "field", "name": "engine.mass", "renamed_from": "weight"},
        )
    ]  # fmt: skip
    engine = api.post("/records/engine", {"serial": "E-1", "mass": 7})
    path = f"/metadata/changes/{made[1]}/revert"
    assert api.call("POST", path, {}).json["code"] == "metadata.confirm"
    back = api.post(path, {"confirm": True}, 200)
    assert "mass" not in api.get(f"/records/engine/{engine['id']}")
    api.post(f"/metadata/changes/{back['change']}/revert", {}, 200)
    assert api.get(f"/records/engine/{engine['id']}")["mass"] == 7
    api.post(f"/metadata/changes/{made[0]}/revert", {"confirm": True, "newer": True}, 200)
    assert api.get("/metadata")["components"] == before
