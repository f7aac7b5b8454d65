"""Nobody keeps, regains or gains more than they were given."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tenants.identity import members
from tenants.registry.directory import find_tenant
from tenants.scope import Actor, enter_job

from .test_members import api, invite, join, members_of

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tests.support.web import Browser

Companies = Callable[..., Any]


@pytest.fixture
def company(sign_up: Companies, runtime: Runtime) -> Any:
    runtime.ports.hand_over = lambda *_: 0
    return sign_up()


def key_of(company: Any, browser: Browser, role: str) -> dict[str, str]:
    """A key made by whoever uses the browser, as a header."""
    answer = api(browser, company.url, "POST", "/api/v1/keys", {"name": "robot", "role": role})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['key']}"}


def status(company: Any, headers: dict[str, str], path: str) -> int:
    client = company.browser.flask_app.test_client(use_cookies=False)
    return client.get(path, base_url=company.url, headers=headers).status_code


def colleague(company: Any, flask_app: Flask, role: str) -> tuple[Browser, str, str]:
    """Browser, id and invitation link of somebody who joined."""
    email = f"{role}-{company.slug}@example.com"
    made = invite(company, email, role)
    browser, _ = join(flask_app, made["url"])
    return browser, members_of(company)[email]["id"], made["url"]


def test_who_was_deactivated_does_not_come_back_by_the_invitation_they_took_up(company: Any, flask_app: Flask) -> None:
    browser, member, link = colleague(company, flask_app, "admin")
    assert api(company.browser, company.url, "POST", f"/api/v1/members/{member}/deactivate").status_code == 200
    assert browser.post(link, {}).status == 404
    assert next(m for m in members_of(company).values() if m["id"] == member)["status"] == "inactive"
    assert browser.get(f"{company.url}/api/v1/me").status == 401


def test_an_invitation_taken_up_is_void_when_its_member_is_invited_anew(company: Any, flask_app: Flask) -> None:
    browser, member, link = colleague(company, flask_app, "member")
    api(company.browser, company.url, "POST", f"/api/v1/members/{member}/deactivate")
    invite(company, f"member-{company.slug}@example.com", "admin")
    assert browser.post(link, {}).status == 404


def test_the_keys_of_who_was_deactivated_end_with_them_and_do_not_come_back(company: Any, flask_app: Flask) -> None:
    browser, member, _ = colleague(company, flask_app, "admin")
    key = key_of(company, browser, "admin")
    assert status(company, key, "/api/v1/keys") == 200
    api(company.browser, company.url, "POST", f"/api/v1/members/{member}/deactivate")
    assert status(company, key, "/api/v1/me") == 401
    listed = company.browser.get(f"{company.url}/api/v1/keys").response.json["data"]
    assert [row["revoked_at"] is None for row in listed] == [False]
    api(company.browser, company.url, "POST", f"/api/v1/members/{member}/reactivate")
    assert status(company, key, "/api/v1/me") == 401


def test_a_key_is_never_above_its_makers_present_role(company: Any, flask_app: Flask) -> None:
    browser, member, _ = colleague(company, flask_app, "admin")
    key, weak = key_of(company, browser, "admin"), key_of(company, browser, "read_only")
    path = f"/api/v1/members/{member}"
    assert api(company.browser, company.url, "PATCH", path, {"role": "member"}).status_code == 200
    assert status(company, key, "/api/v1/keys") == 403
    assert status(company, key, "/api/v1/records/company") == 200
    assert api(company.browser, company.url, "PATCH", path, {"role": "owner"}).status_code == 200
    assert status(company, key, "/api/v1/keys") == 200
    assert status(company, weak, "/api/v1/keys") == 403


def test_an_admin_neither_lets_an_owner_in_again_nor_takes_their_place(company: Any, flask_app: Flask) -> None:
    admin, _, _ = colleague(company, flask_app, "admin")
    _, owner, _ = colleague(company, flask_app, "owner")
    assert api(company.browser, company.url, "POST", f"/api/v1/members/{owner}/deactivate").status_code == 200
    assert api(admin, company.url, "POST", f"/api/v1/members/{owner}/reactivate").status_code == 403
    for body in (
        {"email": f"owner-{company.slug}@example.com", "role": "member"},
        {"email": f"mallory-{company.slug}@example.com", "role": "admin", "member": owner},
    ):
        answer = api(admin, company.url, "POST", "/api/v1/members/invitations", body)
        assert answer.status_code in {403, 409}, answer.text
    again = {"email": f"mallory-{company.slug}@example.com", "role": "owner", "member": owner}
    assert api(company.browser, company.url, "POST", "/api/v1/members/invitations", again).status_code == 409
    assert api(company.browser, company.url, "POST", f"/api/v1/members/{owner}/reactivate").status_code == 200


def test_two_owners_who_depose_each_other_at_once_leave_one(company: Any, runtime: Runtime, flask_app: Flask) -> None:
    _, second, _ = colleague(company, flask_app, "owner")
    first = members_of(company)[company.email]["id"]
    tenant = find_tenant(runtime.databases, company.slug)
    assert tenant is not None
    pairs = [(first, second), (second, first)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda pair: _depose(runtime, tenant.id, *pair), pairs))
    roles = [member["role"] for member in members_of(company).values()]
    assert roles.count("owner") == 1, outcomes


def _depose(runtime: Runtime, tenant: Any, actor: str, victim: str) -> str:
    try:
        with enter_job(runtime.databases, tenant, actor=Actor("member", actor, "x"), write=True, budget=20) as scope:  # type: ignore[arg-type]
            members.change_role(scope, victim, "member")  # type: ignore[arg-type]
            time.sleep(0.5)
    except Exception as error:  # noqa: BLE001 (which of them fails, and how, is theirs to say)
        return type(error).__name__
    return "done"


def test_an_admin_does_not_see_the_link_that_makes_an_owner(company: Any, flask_app: Flask) -> None:
    admin, _, _ = colleague(company, flask_app, "admin")
    for role, seen in (("owner", False), ("admin", True)):
        email = f"invited-{role}-{company.slug}@example.com"
        link = invite(company, email, role)["url"]
        member = members_of(company)[email]["id"]
        for path in (f"/settings/members/{member}", f"/settings/members?invited={member}"):
            assert (link in admin.get(f"{company.url}{path}").text) is seen
            assert link in company.browser.get(f"{company.url}{path}").text
