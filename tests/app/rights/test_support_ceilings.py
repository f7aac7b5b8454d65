"""What support never holds, whatever it was let in with; who may let it in, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.core.errors import FieldError, InvalidInput, Unauthenticated
from tenants.identity import support
from tenants.identity.keys import create_key
from tenants.registry.directory import find_tenant
from tenants.scope import SYSTEM, Actor, enter_job
from tests.support.api import Api
from tests.support.supporting import call, enter, grant

if TYPE_CHECKING:
    from .conftest import Office


@pytest.mark.parametrize("role", ["admin", "manager", "member", "read_only"])
def test_support_never_gives_rights_takes_files_or_does_what_is_a_members_own(office: Office, role: str) -> None:
    company = office.api.post("/records/company", {"name": "Bolt Works"})["id"]
    grant(office, role=role)
    browser = enter(office)
    for path in (
        "/settings/profile", "/settings/sessions", "/settings/members", "/settings/keys", "/settings/teams",
        "/settings/roles", "/settings/sharing", "/settings/audit", "/settings/access", "/settings/support",
        "/imports/new", f"/records/company/{company}/sharing", "/records/company/columns",
        "/records/company/views/new?q=bolt",
    ):  # fmt: skip
        assert browser.get(office.url + path).status == 403, path
    owner = str(office.owner.id)
    member = {"kind": "member", "id": owner}
    for method, path, body in (
        ("POST", "/keys", {"name": "Mine"}),
        ("POST", "/members/invitations", {"email": "x@example.test"}),
        ("PATCH", f"/members/{owner}", {"role": "read_only"}),
        ("POST", f"/members/{owner}/deactivate", {}),
        ("POST", "/roles", {"label": "Mine"}),
        ("POST", "/teams", {"name": "Mine"}),
        ("PUT", "/sharing/deal", {"read": "private", "edit": "private"}),
        ("GET", "/audit", None),
        ("GET", "/support-grants", None),
        ("POST", "/support-grants", {"reason": "Longer"}),
        ("POST", f"/records/company/{company}/shares", {"grantee": member}),
        ("POST", "/imports", {}),
        ("POST", "/audit/export", {}),
    ):
        assert call(browser, office, method, path, body) == 403, (method, path)


def test_support_holds_what_its_role_says_of_records(office: Office) -> None:
    company = office.api.post("/records/company", {"name": "Bolt Works"})["id"]
    grant(office, role="read_only")
    reader = enter(office)
    assert reader.get(f"{office.url}/records/company/{company}").status == 200
    assert call(reader, office, "POST", "/records/company", {"name": "New"}) == 403
    grant(office, role="member", hours=2)
    worker = enter(office)
    assert call(worker, office, "POST", "/records/company", {"name": "New"}) == 201
    assert call(worker, office, "DELETE", f"/records/company/{company}?destroy=true", None) == 403


def test_support_owns_nothing_and_sees_no_more_than_sharing_opens_to_its_role(office: Office) -> None:
    hidden = office.api.post("/records/deal", {"name": "Private"})["id"]
    office.post("/settings/sharing/deal", read="private", edit="private")
    grant(office, role="member")
    browser = enter(office)
    assert browser.get(f"{office.url}/records/deal/{hidden}").status == 404
    me = browser.get(f"{office.url}/api/v1/me").response.json
    assert me["member"] is None
    assert me["support"]["name"] == "Dana Operator"
    rule = {"name": "Open", "condition": 'name == "Private"', "grantee": "role:member", "level": "read"}
    assert office.post("/settings/sharing/deal/rules", **rule).status == 200
    assert browser.get(f"{office.url}/records/deal/{hidden}").status == 200


def test_a_role_that_grows_later_gives_support_no_right_over_others(office: Office) -> None:
    office.api.post("/roles", {"label": "Helper", "objects": {"*": {"read": "all", "export": "all", "import": True}}})
    grant(office, role="helper")
    browser = enter(office)
    role = office.api.get("/roles/helper")
    role = {part: role[part] for part in ("label", "help", "objects", "fields", "rows")}
    everything = ["metadata", "members", "rights", "keys", "extensions", "merge", "support"]
    answer = office.api.call("PUT", "/roles/helper", {**role, "special": everything})
    assert answer.status_code == 200, answer.text
    assert call(browser, office, "GET", "/audit", None) == 403
    assert call(browser, office, "POST", "/keys", {"name": "x"}) == 403
    assert browser.get(f"{office.url}/imports/new").status == 403


def test_nobody_gives_support_more_than_they_hold(office: Office) -> None:
    office.api.post(
        "/roles", {"label": "Desk", "objects": {"*": {"read": "reach", "edit": "own"}}, "special": ["support"]}
    )
    desk = office.sign_in(office.member("Dee Desk", "desk"))
    page = desk.get(f"{office.url}/settings/support")
    assert 'value="read_only"' in page.text
    assert 'value="admin"' not in page.text
    form = {"hours": "1", "role": "admin", "reason": "x"}
    assert desk.post(f"{office.url}/settings/support", form).status == 403
    assert desk.post(f"{office.url}/settings/support", form | {"role": "read_only"}).status == 200
    admin = office.sign_in(office.member("Ann Admin", "admin"))
    assert admin.post(f"{office.url}/settings/support", form).status == 200
    other = office.sign_in(office.member("Mel Member"))
    assert other.get(f"{office.url}/settings/support").status == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": " "}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({}, "/reason"),
        ({"reason": "x", "hours": 0}, "/hours"),
        ({"reason": "x", "hours": 169}, "/hours"),
        ({"reason": "x", "hours": 10**12}, "/hours"),
        ({"reason": "x", "role": "owner"}, "/role"),
        ({"reason": "x", "role": "emperor"}, "/role"),
        ({"reason": "x", "until": "2099-01-01"}, "/until"),
    ],
)
def test_wrong_grants_are_refused_by_name(office: Office, body: dict[str, Any], pointer: str) -> None:
    answer = office.api.call("POST", "/support-grants", body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == pointer
    assert office.api.get("/support-grants")["data"] == []


def test_a_form_with_mistakes_comes_back_with_what_was_typed(office: Office) -> None:
    page = office.post("/settings/support", hours="5", role="read_only", reason="Typed before")
    assert (page.status, "Choose how long." in page.text, "Typed before" in page.text) == (422, True, True)
    assert office.post("/settings/support", hours="4", role="owner", reason="x").status == 422


def test_only_so_many_grants_are_open_at_a_time(office: Office) -> None:
    for _ in range(20):
        grant(office)
    assert office.api.call("POST", "/support-grants", {"reason": "One more"}).status_code == 409


def test_a_key_nobody_answers_for_gives_no_grant(office: Office) -> None:
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=True) as scope:
        _, key = create_key(scope, "Of an operator", "owner")
    answer = Api(office.site, key).call("POST", "/support-grants", {"reason": "x"})
    assert answer.status_code == 422


def test_support_starts_nothing_that_would_go_on_without_it(office: Office) -> None:
    with (
        pytest.raises(Unauthenticated),
        enter_job(office.runtime.databases, office.tenant.id, actor=Actor("support", uuid4(), "Dana"), write=True),
    ):
        pass


@pytest.mark.parametrize("wrong", [{"name": " "}, {"email": "nobody"}, {"reason": ""}])
def test_who_enters_says_who_and_why(office: Office, wrong: dict[str, str]) -> None:
    grant(office)
    row = find_tenant(office.runtime.databases, str(office.tenant.id))
    assert row is not None
    given = {"name": "Dana", "email": "dana@rapport.example", "reason": "x"} | wrong
    with pytest.raises(InvalidInput) as refused:
        support.ask(office.runtime, row, **given)
    assert isinstance(refused.value.errors[0], FieldError)
