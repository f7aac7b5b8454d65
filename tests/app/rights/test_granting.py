"""Nobody gives, takes or makes more than they hold themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.web import Browser

    from .conftest import Office

STAFF: dict[str, Any] = {
    "label": "Staff office",
    "objects": {"*": {"read": "reach", "edit": "reach", "create": True}},
    "special": ["members", "rights"],
}


@pytest.fixture
def clerk(office: Office) -> Browser:
    """Somebody who manages members and rights, and little else."""
    office.api.post("/roles", STAFF)
    return office.sign_in(office.member("Cleo Clerk", "staff_office"))


def call(office: Office, browser: Browser, method: str, path: str, body: object) -> Any:
    token = browser.token(office.url)
    jar = "; ".join(f"{name}={value}" for name, value in browser.cookies[office.tenant.host].items())
    return office.site.test_client(use_cookies=False).open(
        f"/api/v1{path}",
        method=method,
        base_url=office.url,
        data=json.dumps(body),
        headers={"Cookie": jar, "X-CSRF-Token": token, "Content-Type": "application/json"},
    )


def test_who_manages_members_gives_no_more_than_they_hold(office: Office, clerk: Browser) -> None:
    ada = office.member("Ada Ant", "read_only")
    for role, status in (("read_only", 200), ("staff_office", 200), ("member", 403), ("admin", 403), ("owner", 403)):
        answer = call(office, clerk, "PATCH", f"/members/{ada}", {"role": role, "roles": []})
        assert answer.status_code == status, f"{role}: {answer.text}"
    invited = call(office, clerk, "POST", "/members/invitations", {"email": "x@example.test", "role": "admin"})
    assert invited.status_code == 403
    both = {"email": "x@example.test", "role": "read_only", "roles": ["admin"]}
    assert call(office, clerk, "POST", "/members/invitations", both).status_code == 403


def test_who_manages_members_takes_nothing_from_those_above_them(office: Office, clerk: Browser) -> None:
    boss = office.member("Bo Boss", "admin")
    assert call(office, clerk, "PATCH", f"/members/{boss}", {"role": "read_only"}).status_code == 403
    assert call(office, clerk, "POST", f"/members/{boss}/deactivate", {}).status_code == 403
    office.api.post(f"/members/{boss}/deactivate", {}, 200)
    assert call(office, clerk, "POST", f"/members/{boss}/reactivate", {}).status_code == 403
    office.api.post("/members/invitations", {"email": "new-admin@example.test", "role": "admin"})
    listed = call(office, clerk, "GET", "/members/invitations", None).json["data"]
    assert [(one["email"], one["url"]) for one in listed] == [("new-admin@example.test", None)]
    assert call(office, clerk, "POST", f"/members/invitations/{listed[0]['id']}/resend", {}).status_code == 403


def test_nobody_makes_a_role_that_holds_more_than_they_do(office: Office, clerk: Browser) -> None:
    more: dict[str, Any] = {**STAFF, "label": "More", "special": ["members", "rights", "keys"]}
    wider = {**STAFF, "label": "Wider", "objects": {"*": {"read": "all"}}}
    for document in (more, wider):
        assert call(office, clerk, "POST", "/roles", document).status_code == 403
        assert call(office, clerk, "PUT", "/roles/staff_office", document).status_code == 403
    narrower = {**STAFF, "label": "Narrower", "special": []}
    assert call(office, clerk, "POST", "/roles", narrower).status_code == 201
    office.api.post("/roles", more | {"label": "Keyed"})
    assert call(office, clerk, "PUT", "/roles/keyed", narrower).status_code == 403


def test_a_role_that_is_wrong_is_told_field_by_field(office: Office) -> None:
    wrong: dict[str, Any] = {
        "label": "",
        "objects": {"dael": {"read": "all"}, "deal": {"read": "much"}},
        "special": ["everything"],
    }
    answer = office.api.call("POST", "/roles", wrong)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"/objects/deal/read", "/special"}
    unknown = {
        "label": "X",
        "objects": {"dael": {}},
        "fields": {"deal": {"amonut": "none"}},
        "rows": {"deal": {"read": "x >"}},
    }
    pointers = {error["pointer"] for error in office.api.call("POST", "/roles", unknown).json["errors"]}
    assert pointers == {"/objects/dael", "/fields/deal/amonut", "/rows/deal/read"}


def test_an_export_holds_no_formula_and_a_line_for_each_member_and_object(office: Office) -> None:
    office.member("=HYPERLINK(1)", "read_only")
    review = office.api.call("POST", "/access-review/export", {}).text.splitlines()
    assert review[0].startswith("member,email,status,roles")
    assert len(review) == 1 + 2 * 8
    assert any(line.startswith("'=HYPERLINK(1)") for line in review)
    audit = office.api.call("POST", "/audit/export", None, query={"group": "exports"}).text.splitlines()
    assert len(audit) == 2
    assert "access_review" in audit[1]
