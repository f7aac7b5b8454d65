"""Roles are components: exported, planned, applied, taken back; with the right to manage roles, never without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from app.access.policy import policy_of
from app.metadata import layered, store
from app.metadata.apply import owner_of
from tenants.identity.members import role_names
from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api, make_key
from tests.support.rights import WORKER, put_role

if TYPE_CHECKING:
    from tenants.scope import Tenant

    from .conftest import Office

AUDITOR: Final[dict[str, Any]] = {
    "kind": "role", "name": "auditor", "label": "Auditor", "objects": {"*": {"read": "all"}, "lead": {}},
    "fields": {"deal": {"amount": "none"}},
}  # fmt: skip
#: Shapes the workspace, and manages neither rights nor members.
SHAPER: Final[dict[str, Any]] = {"objects": {"*": WORKER}, "special": ["metadata"]}


def api_of(office: Office, role: str, **spec: Any) -> Api:
    """A program with a key of a new role."""
    put_role(office.runtime.databases, office.tenant, role, **spec)
    return Api(office.site, make_key(office.runtime.databases, office.tenant, role))


def refused(api: Api, path: str, body: object, status: int = 403) -> Any:
    answer = api.call("POST", path, body)
    assert answer.status_code == status, answer.text
    return answer.json


def specs(api: Api, **query: str) -> dict[str, Any]:
    """Roles as the document has them."""
    found = api.get("/metadata", **query)["components"]
    return {one["name"]: one["spec"] for one in found if one["kind"] == "role"}


def kinds_logged(office: Office) -> list[tuple[str, dict[str, Any]]]:
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        found = scope.execute("select kind, diff from event where object = 'role' order by id").fetchall()
    return [(kind, diff) for kind, diff in found]


def test_a_role_of_a_folder_is_a_role_of_the_pages_and_the_other_way_round(office: Office) -> None:
    done = office.api.post("/metadata/apply", {"components": [AUDITOR]}, 200)
    assert [(one["op"], one["kind"], one["name"]) for one in done["steps"]] == [("add", "role", "auditor")]
    found = office.api.get("/roles/auditor")
    assert (found["label"], found["objects"]["lead"]["read"], found["fields"]) == (
        "Auditor", "none", {"deal": {"amount": "none"}},
    )  # fmt: skip
    assert "Auditor" in office.get("/settings/roles").text

    office.api.call("PUT", "/roles/auditor", {"objects": {"*": {"read": "own"}}, "special": ["members"]})
    told = specs(office.api)["auditor"]
    assert (told["objects"]["*"]["read"], told["special"], "fields" in told) == ("own", ["members"], False)
    assert "lead" not in told["objects"]
    written = [one for one in office.api.get("/metadata", form="written")["components"] if one["kind"] == "role"]
    again = office.api.post("/metadata/plan", {"components": written}, 200)
    assert (again["empty"], again["problems"]) == (True, [])

    assert office.api.call("DELETE", "/roles/auditor").status_code == 204
    assert specs(office.api) == {}
    assert office.api.call("GET", "/roles/auditor").status_code == 404


def test_what_happens_to_roles_is_in_the_log_whichever_way_it_came(office: Office) -> None:
    applied = office.api.post("/metadata/apply", {"components": [AUDITOR]}, 200)
    office.api.call("PUT", "/roles/auditor", {"objects": {"*": {"read": "own"}}})
    office.api.call("DELETE", "/roles/auditor")
    office.api.post("/roles", {"label": "Auditor"})
    made, changed, removed, second = kinds_logged(office)
    assert (made[0], made[1]["name"], made[1]["objects/*/read"]) == ("role_created", [None, "auditor"], [None, "all"])
    assert (changed[0], changed[1]["name"], changed[1]["objects/*/read"]) == (
        "role_changed", ["auditor", "auditor"], ["all", "own"],
    )  # fmt: skip
    assert removed == ("role_removed", {"name": ["auditor", None]})
    assert second[0] == "role_created"
    change = office.api.get(f"/metadata/changes/{applied['change']}")
    assert change["leaves"][0]["component"] == "role/auditor"
    history = office.get("/settings/history").text
    assert "Role Auditor added" in history
    assert "Role Auditor removed" in history


def test_a_role_taken_away_comes_back_by_a_revert_and_what_it_was_given_does_not(office: Office) -> None:
    office.api.post("/metadata/apply", {"components": [AUDITOR]}, 200)
    company = office.api.post("/records/company", {"name": "Acme"})["id"]
    grantee = {"grantee": {"kind": "role", "id": "auditor"}, "level": "read"}
    office.api.post(f"/records/company/{company}/shares", grantee)
    office.api.call("DELETE", "/roles/auditor")
    change = office.api.get("/metadata/changes")["data"][0]["id"]
    office.api.post(f"/metadata/changes/{change}/revert", {}, 200)
    assert office.api.get("/roles/auditor")["fields"] == {"deal": {"amount": "none"}}
    assert office.api.get(f"/records/company/{company}/shares")["data"] == []


def test_who_only_shapes_changes_no_role_by_any_way(office: Office) -> None:
    change = office.api.post("/metadata/apply", {"components": [AUDITOR], "source": "git"}, 200)["change"]
    shaper = api_of(office, "shaper", **SHAPER)
    mine = {"kind": "role", "name": "shaper"}
    wishes: list[dict[str, Any]] = [
        mine | {"special": ["metadata", "rights"]},
        mine | {"label": "Other"},
        mine | {"objects": {"*": {"destroy": "all"}}},
        mine | {"remove": True},
        mine | {"reset": True},
        {"kind": "role", "name": "builder", "renamed_from": "auditor"},
        {"kind": "role", "name": "auditor", "remove": True},
        {"kind": "role", "name": "auditor", "fields": {"deal": {"amount": "edit"}}},
        {"kind": "role", "name": "auditor", "rows": {"deal": {"read": "true"}}},
        {"kind": "role", "name": "another", "label": "Another"},
    ]
    for wish in wishes:
        refused(shaper, "/metadata/plan", {"components": [wish]})
        refused(shaper, "/metadata/apply", {"components": [wish]})
        mixed = {"kind": "field", "name": "deal.extra", "type": "text"}
        refused(shaper, "/metadata/apply", {"components": [mixed, wish]})
    refused(shaper, "/metadata/apply", {"components": [], "source": "git", "prune": True})
    refused(shaper, f"/metadata/changes/{change}/revert", {"plan": True})
    refused(shaper, f"/metadata/changes/{change}/revert", {})
    for answer in (shaper.call("GET", "/roles"), shaper.call("POST", "/roles", {"label": "Mine"})):
        assert answer.status_code == 403
    assert specs(office.api)["shaper"]["special"] == ["metadata"]
    field = {"kind": "field", "name": "deal.extra", "type": "text"}
    assert shaper.call("POST", "/metadata/apply", {"components": [field]}).status_code == 200


def test_who_shapes_and_manages_rights_leaves_and_finds_no_more_than_their_own(office: Office) -> None:
    office.api.post("/metadata/apply", {"components": [AUDITOR | {"special": ["members"]}]}, 200)
    blind = api_of(
        office, "blind", objects={"*": WORKER}, fields={"deal": {"amount": "none"}}, special=["metadata", "rights"]
    )
    for wish in (
        {"name": "auditor", "special": []},
        {"name": "blind", "special": ["metadata", "rights", "members"]},
        {"name": "blind", "fields": {"deal": {"amount": "read"}}},
        {"name": "mine", "label": "Mine", "objects": {"*": {"read": "all"}}},
        {
            "name": "mine", "label": "Mine", "objects": {"deal": {"read": "reach"}},
            "fields": {"deal": {"amount": "none"}}, "rows": {"deal": {"read": "amount > 500"}},
        },
    ):  # fmt: skip
        refused(blind, "/metadata/apply", {"components": [{"kind": "role"} | wish]})
    less = {"kind": "role", "name": "mine", "label": "Mine", "objects": {"deal": {"read": "reach"}},
            "fields": {"deal": {"amount": "none"}}, "rows": {"deal": {"read": "owner == me"}}}  # fmt: skip
    blind.post("/metadata/apply", {"components": [less]}, 200)


def test_a_renamed_object_or_field_keeps_its_restrictions_and_needs_no_right_over_roles(office: Office) -> None:
    machine = {"kind": "object", "name": "machine", "label": {"one": "Machine", "other": "Machines"},
               "title_field": "serial", "fields": {"serial": {"type": "text"}, "cost": {"type": "number"}}}  # fmt: skip
    machine["fields"]["cost"]["type"] = "integer"
    hides = {"kind": "role", "name": "fitter", "label": "Fitter",
             "objects": {"*": {"read": "all"}, "machine": {"read": "reach"}},
             "fields": {"machine": {"cost": "none"}}, "rows": {"machine": {"read": "cost < 5"}}}  # fmt: skip
    office.api.post("/metadata/apply", {"components": [machine, hides]}, 200)
    shaper = api_of(office, "shaper", **SHAPER)
    field = {"kind": "field", "name": "machine.price", "renamed_from": "cost"}
    shaper.post("/metadata/apply", {"components": [field]}, 200)
    done = shaper.post(
        "/metadata/apply", {"components": [{"kind": "object", "name": "engine", "renamed_from": "machine"}]}, 200
    )
    told = specs(office.api)["fitter"]
    assert told["fields"] == {"engine": {"price": "none"}}
    assert told["rows"] == {"engine": {"read": "price < 5"}}
    assert set(told["objects"]) == {"*", "engine"}
    shaper.post(f"/metadata/changes/{done['change']}/revert", {}, 200)
    assert specs(office.api)["fitter"]["fields"] == {"machine": {"price": "none"}}

    for gone in ({"kind": "field", "name": "machine.price"}, {"kind": "object", "name": "machine"}):
        blocked = refused(shaper, "/metadata/apply", {"components": [gone | {"remove": True}], "confirm": True}, 409)
        assert blocked["code"] == "metadata.blocked"
        assert {one["pointer"].split("/")[2] for one in blocked["errors"]} == {"fitter"}


def test_a_role_somebody_holds_is_taken_away_by_no_way(office: Office) -> None:
    office.api.post("/metadata/apply", {"components": [AUDITOR]}, 200)
    made = office.api.get("/metadata/changes")["data"][0]["id"]
    office.member("Ada Auditor", "member", "auditor")
    away = {"components": [{"kind": "role", "name": "auditor", "remove": True}]}
    told = office.api.post("/metadata/plan", away, 200)["broken"]
    assert [(one["code"], one["message"]) for one in told] == [
        ("role.in_use", "Auditor is held by 1 member. Give them another role first.")
    ]
    assert refused(office.api, "/metadata/apply", away, 409)["code"] == "metadata.blocked"
    assert refused(office.api, f"/metadata/changes/{made}/revert", {}, 409)["code"] == "metadata.blocked"
    renamed = {"components": [{"kind": "role", "name": "checker", "renamed_from": "auditor"}]}
    assert refused(office.api, "/metadata/apply", renamed, 409)["code"] == "metadata.blocked"
    answer = office.api.call("DELETE", "/roles/auditor")
    assert (answer.status_code, answer.json["code"] if answer.json else "") == (409, "role.in_use")


def test_a_role_a_view_is_offered_to_is_named_by_it(office: Office) -> None:
    view = {"kind": "view", "name": "deal.big", "label": "Big", "columns": ["name"], "roles": ["auditor"]}
    office.api.post("/metadata/apply", {"components": [AUDITOR, view]}, 200)
    answer = office.api.call("DELETE", "/roles/auditor")
    assert answer.status_code == 409
    assert "auditor" in answer.text


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"name": "admin", "label": "Admin"}, ""),
        ({"name": "odd", "label": "Odd", "special": ["fly"]}, "special"),
        ({"name": "odd", "label": "Odd", "objects": {"deal": {"read": "most"}}}, "objects.deal.read"),
        ({"name": "odd", "label": "Odd", "objects": {"deel": {"read": "all"}}}, "objects.deel"),
        ({"name": "odd", "label": "Odd", "fields": {"deal": {"amonut": "none"}}}, "fields.deal.amonut"),
        ({"name": "odd", "label": "Odd", "rows": {"deal": {"read": "amonut > 5"}}}, "rows.deal.read"),
        ({"name": "odd", "help": "Of no use"}, "label"),
    ],
)
def test_what_is_wrong_with_a_role_is_told_by_its_place(office: Office, wish: dict[str, Any], path: str) -> None:
    answer = office.api.call("POST", "/metadata/apply", {"components": [{"kind": "role"} | wish]})
    assert answer.status_code == 422, answer.text
    assert path.replace(".", "/") in str(answer.json["errors"] if answer.json else "").replace(".", "/")


def test_a_layer_brings_a_role_which_the_workspace_changes_and_takes_away(office: Office) -> None:
    pin(office.tenant, office, {"role/fitter": {"label": "Fitter", "objects/*/read": "all", "special": ["members"]}})
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        assert ("fitter", "Fitter") in role_names(scope)
        assert policy_of(scope).role("fitter").special == {"members"}
    office.member("Finn Fitter", "fitter")
    office.api.call("PUT", "/roles/fitter", {"label": "Mechanic", "objects": {"*": {"read": "own"}}})
    assert specs(office.api, layer="tenant")["fitter"]["label"] == "Mechanic"
    assert office.api.get("/roles/fitter")["special"] == []
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        assert ("fitter", "Mechanic") in role_names(scope)
        assert dict(role_names(scope)) == {role.name: role.label for role in policy_of(scope).roles.values()}
    assert office.api.call("DELETE", "/roles/fitter").status_code == 409
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("update member set role = 'member' where role = 'fitter'")
    assert office.api.call("DELETE", "/roles/fitter").status_code == 204
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        assert "fitter" not in dict(role_names(scope))
        assert not policy_of(scope).role("fitter").special


def test_a_conflict_over_a_role_is_decided_by_who_manages_roles(office: Office) -> None:
    pin(office.tenant, office, {"role/fitter": {"label": "Fitter", "objects/*/read": "own"}})
    mine = {"kind": "role", "name": "fitter", "objects": {"*": {"read": "reach"}}}
    office.api.post("/metadata/apply", {"components": [mine]}, 200)
    pin(office.tenant, office, {"role/fitter": {"label": "Fitter", "objects/*/read": "all"}})
    leaf = {"component": "role/fitter", "path": "objects/*/read"}
    assert office.api.get("/metadata/conflicts")["data"] == [leaf | {"base": "own", "value": "reach", "lower": "all"}]
    shaper = api_of(office, "shaper", **SHAPER)
    for choice in ("keep", "take"):
        refused(shaper, "/metadata/conflicts", {"choices": [leaf | {"choice": choice}]})
    assert office.api.get("/roles/fitter")["objects"]["*"]["read"] == "reach"
    office.api.post("/metadata/conflicts", {"choices": [leaf | {"choice": "take"}]}, 200)
    assert office.api.get("/roles/fitter")["objects"]["*"]["read"] == "all"


def pin(tenant: Tenant, office: Office, document: Any) -> None:
    """Lay a layer between the platform and the workspace, as installing a pack will."""
    hash_ = layered.hash_of(document)
    with owner_of(office.runtime.databases, tenant) as connection:
        text = msgspec.json.encode(document).decode()
        connection.execute(
            "insert into pod.layer (hash, layer, document) values (%s, 'pack:garage', %s::jsonb)"
            " on conflict do nothing",
            (hash_, text),
        )
        others = [one for one in store.read(connection.execute, 0).pins if one[0] != "pack:garage"]
        store.write_pins(connection, [*others, ("pack:garage", hash_)])
        connection.execute("update pod.tenant set version = version + 1 where id = %s", (tenant.id,))
