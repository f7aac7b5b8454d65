"""Members: invitations, roles, deactivation with hand-over, profile, keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import time_machine

from app.core import clock
from app.factory import bind_ports
from tenants.identity import invitations
from tenants.registry.directory import find_tenant
from tenants.scope import SYSTEM, enter_job
from tests.support.web import BASE, Browser

if TYPE_CHECKING:
    from app.core.ports import Runtime

Companies = Callable[..., Any]
PASSWORD = "eleven green badgers"


@pytest.fixture
def company(sign_up: Companies) -> Any:
    return sign_up()


def api(browser: Browser, url: str, method: str, path: str, body: object = None, **headers: str) -> Any:
    """A call with the browser's session."""
    more = {"X-CSRF-Token": browser.token(url), "Content-Type": "application/json", **headers}
    client = browser.flask_app.test_client(use_cookies=False)
    jar = browser.cookies[url.split("//")[1].split(":", maxsplit=1)[0]]
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    return client.open(
        path, method=method, base_url=url, headers={**more, "Cookie": cookie}, data=json.dumps(body or {})
    )


def invite(company: Any, email: str, role: str = "member", **more: object) -> dict[str, str]:
    body = {"email": email, "role": role, **more}
    answer = api(company.browser, company.url, "POST", "/api/v1/members/invitations", body)
    assert answer.status_code == 201, answer.text
    return answer.json["invitation"]


def join(flask_app: Any, url: str, name: str = "Cleo Colleague") -> Any:
    browser = Browser(flask_app)
    return browser, browser.post(url, {"name": name, "password": PASSWORD})


def members_of(company: Any) -> dict[str, dict[str, str]]:
    data = company.browser.get(f"{company.url}/api/v1/members").response.json["data"]
    return {member["email"] or member["name"]: member for member in data}


def test_an_invited_colleague_joins_with_a_new_account(company: Any, flask_app: Any) -> None:
    email = f"cleo-{company.slug}@example.com"
    made = invite(company, email)
    assert set(made) == {"id", "email", "role", "url"}
    assert members_of(company)[email]["status"] == "invited"
    browser, page = join(flask_app, made["url"])
    assert (page.host, page.path) == (f"{company.slug}.localhost", "/")
    me = browser.get(f"{company.url}/api/v1/me").response.json["member"]
    assert (me["name"], me["email"], me["role"]) == ("Cleo Colleague", email, "member")
    assert members_of(company)[email]["status"] == "active"


def test_an_invitation_works_once_and_not_when_taken_back_or_too_old(company: Any, flask_app: Any) -> None:
    first = invite(company, "a@example.com")
    join(flask_app, first["url"])
    assert Browser(flask_app).get(first["url"]).status == 404
    assert join(flask_app, first["url"])[1].status == 404
    older = invite(company, "b@example.com")
    newer = invite(company, "b@example.com")
    assert Browser(flask_app).get(older["url"]).status == 404
    with time_machine.travel(clock.now() + invitations.LIFE + timedelta(seconds=5), tick=False):
        assert Browser(flask_app).get(newer["url"]).status == 404
    assert Browser(flask_app).get(f"{BASE}/invitations/made-up").status == 404
    assert Browser(flask_app).get(newer["url"][:-2] + "AA").status == 404


def test_an_existing_person_joins_signed_in(company: Any, sign_up: Companies) -> None:
    other = sign_up()
    made = invite(company, other.email)
    page = other.browser.post(made["url"], {})
    assert page.host == f"{company.slug}.localhost"
    listed = other.browser.get(f"{BASE}/workspaces").text
    assert company.slug in listed
    assert other.slug in listed


def test_the_mail_is_sent_by_a_job_that_carries_no_secret(
    company: Any, runtime: Runtime, mails: Callable[[str], list[Any]]
) -> None:
    email = f"job-{company.slug}@example.com"
    made = invite(company, email)
    tenant = find_tenant(runtime.databases, company.slug)
    assert tenant is not None
    with runtime.databases.pod(1).connect() as connection:
        jobs = connection.exec_driver_sql("select name, args from pod.list_jobs('waiting', 1000)").all()
    args = next(job[1] for job in jobs if job[1].get("invitation") == made["id"])
    assert args == {"invitation": made["id"]}
    invitations.send_invitation(runtime, tenant.id, args)
    assert mails(email)[0].link == made["url"]
    other = UUID(int=7)
    invitations.send_invitation(runtime, other, args)
    assert len(mails(email)) == 1


def test_an_imported_member_is_claimed_by_name_or_by_id(company: Any, runtime: Runtime, flask_app: Any) -> None:
    tenant = find_tenant(runtime.databases, company.slug)
    assert tenant is not None
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        rows = [
            scope.execute(
                "insert into member (name, email, role, status) values (%s, '', 'member', 'inactive') returning id",
                (name,),
            ).fetchone()
            for name in ("Moses Frase", "Darcel Schlecht")
        ]
    by_name = invite(company, "moses@example.com", name="moses frase")
    by_id = invite(company, "darcel@example.com", member=str(rows[1][0]))
    join(flask_app, by_name["url"], "Moses F.")
    join(flask_app, by_id["url"], "Darcel S.")
    found = members_of(company)
    assert found["moses@example.com"]["id"] == str(rows[0][0])
    assert found["moses@example.com"]["name"] == "Moses Frase"
    assert found["darcel@example.com"]["id"] == str(rows[1][0])


def test_an_inactive_member_of_the_same_address_is_claimed(company: Any, flask_app: Any, runtime: Runtime) -> None:
    runtime.ports.hand_over = lambda *_: 0
    browser, _ = join(flask_app, invite(company, "back@example.com")["url"])
    first = members_of(company)["back@example.com"]
    api(company.browser, company.url, "POST", f"/api/v1/members/{first['id']}/deactivate")
    again = invite(company, "back@example.com", "admin")
    browser.post(again["url"], {})
    now = members_of(company)["back@example.com"]
    assert (now["id"], now["role"], now["status"]) == (first["id"], "admin", "active")


def test_an_active_address_is_not_invited_twice(company: Any) -> None:
    answer = api(company.browser, company.url, "POST", "/api/v1/members/invitations", {"email": company.email})
    assert answer.status_code == 409


def test_only_an_owner_makes_owners(company: Any, flask_app: Any) -> None:
    admin, _ = join(flask_app, invite(company, "admin@example.com", "admin")["url"])
    body = {"email": "x@example.com", "role": "owner"}
    assert api(admin, company.url, "POST", "/api/v1/members/invitations", body).status_code == 403
    mine = members_of(company)["admin@example.com"]["id"]
    owner = members_of(company)[company.email]["id"]
    assert api(admin, company.url, "PATCH", f"/api/v1/members/{mine}", {"role": "owner"}).status_code == 403
    assert api(admin, company.url, "PATCH", f"/api/v1/members/{owner}", {"role": "member"}).status_code == 403
    assert api(admin, company.url, "POST", f"/api/v1/members/{owner}/deactivate").status_code == 403
    assert api(admin, company.url, "POST", "/api/v1/keys", {"name": "k", "role": "owner"}).status_code == 403


def test_the_last_owner_stays(company: Any) -> None:
    owner = members_of(company)[company.email]["id"]
    assert api(company.browser, company.url, "PATCH", f"/api/v1/members/{owner}", {"role": "member"}).status_code == 409
    assert api(company.browser, company.url, "POST", f"/api/v1/members/{owner}/deactivate").status_code == 409


def test_deactivating_ends_access_at_once_and_asks_for_the_records_to_be_handed_over(
    company: Any, flask_app: Any, runtime: Runtime
) -> None:
    runtime.ports.hand_over = bind_ports().hand_over
    browser, _ = join(flask_app, invite(company, "leaver@example.com")["url"])
    found = members_of(company)
    leaver, heir = found["leaver@example.com"]["id"], found[company.email]["id"]
    answer = api(company.browser, company.url, "POST", f"/api/v1/members/{leaver}/deactivate", {"hand_over_to": heir})
    started = answer.json["hand_over"]
    assert (started["state"], started["done"]) == ("queued", 0)
    assert (started["to"]["kind"], started["to"]["id"]) == ("member", heir)
    url = f"/api/v1/members/{leaver}/hand-over"
    assert api(company.browser, company.url, "GET", url).json == started
    assert api(company.browser, company.url, "GET", f"/api/v1/members/{heir}/hand-over").status_code == 404
    again = api(company.browser, company.url, "POST", url, {"to": heir})
    assert (again.status_code, "already" in again.json["detail"]) == (409, True)
    assert browser.get(f"{company.url}/api/v1/me").status == 401
    assert company.slug not in browser.get(f"{BASE}/workspaces").text
    back = api(company.browser, company.url, "POST", f"/api/v1/members/{leaver}/reactivate")
    assert back.json["status"] == "active"
    assert company.slug in browser.get(f"{BASE}/workspaces").text


def test_records_are_not_handed_to_whoever_left(company: Any, flask_app: Any) -> None:
    invite(company, "one@example.com")
    join(flask_app, invite(company, "two@example.com")["url"])
    found = members_of(company)
    body = {"hand_over_to": found["one@example.com"]["id"]}
    url = f"/api/v1/members/{found['two@example.com']['id']}/deactivate"
    assert api(company.browser, company.url, "POST", url, body).status_code == 422
    assert members_of(company)["two@example.com"]["status"] == "active"
    nobody = str(UUID(int=7))
    for body, pointer in (
        ({"hand_over_to_team": nobody}, "/hand_over_to_team"),
        ({"hand_over_to": nobody}, "/hand_over_to"),
        ({"hand_over_to": nobody, "hand_over_to_team": nobody}, "/hand_over_to_team"),
    ):
        refused = api(company.browser, company.url, "POST", url, body)
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)
    start = url.replace("deactivate", "hand-over")
    assert api(company.browser, company.url, "POST", start, {}).json["errors"][0]["pointer"] == "/to"
    assert members_of(company)["two@example.com"]["status"] == "active"


def test_a_member_without_the_right_sees_colleagues_but_changes_nothing(company: Any, flask_app: Any) -> None:
    browser, _ = join(flask_app, invite(company, "plain@example.com", "read_only")["url"])
    page = browser.get(f"{company.url}/settings/members")
    assert page.status == 200
    assert company.email in page.text
    body = {"email": "x@example.com"}
    assert api(browser, company.url, "POST", "/api/v1/members/invitations", body).status_code == 403
    assert browser.get(f"{company.url}/settings/keys").status == 403
    assert browser.post(f"{company.url}/settings/members/invite", body).status == 403


def test_members_are_listed_in_pages(company: Any) -> None:
    for number in range(4):
        invite(company, f"m{number}@example.com")
    first = company.browser.get(f"{company.url}/api/v1/members?limit=3")
    assert len(first.response.json["data"]) == 3
    assert 'rel="next"' in first.response.headers["Link"]
    rest = company.browser.get(f"{company.url}/api/v1/members?limit=3&cursor={first.response.json['next']}")
    assert len(rest.response.json["data"]) == 2
    assert rest.response.json["next"] is None
    assert company.browser.get(f"{company.url}/api/v1/members?limit=0").status == 422
    assert company.browser.get(f"{company.url}/api/v1/members?cursor=x").status == 422
    assert company.browser.get(f"{company.url}/api/v1/members?offset=2").status == 422


def test_a_key_is_shown_once_works_without_a_host_and_ends_when_revoked(company: Any, flask_app: Any) -> None:
    made = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "Shop", "role": "read_only"})
    assert made.status_code == 201
    assert set(made.json) == {"id", "name", "role", "expires_at", "key"}
    key = made.json["key"]
    assert key.startswith("rap_")
    client = flask_app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/me", base_url=BASE, headers=headers).json["tenant"]["slug"] == company.slug
    assert client.get("/api/v1/members", base_url=company.url, headers=headers).status_code == 200
    assert client.post("/api/v1/keys", base_url=BASE, headers=headers, json={"name": "x"}).status_code == 403
    listed = company.browser.get(f"{company.url}/api/v1/keys").text
    assert key not in listed
    assert made.json["id"] in listed
    ended = api(company.browser, company.url, "DELETE", f"/api/v1/keys/{made.json['id']}")
    assert ended.status_code == 204
    assert client.get("/api/v1/me", base_url=BASE, headers=headers).status_code == 401


def test_a_key_of_one_workspace_is_nothing_at_another(company: Any, sign_up: Companies) -> None:
    other = sign_up()
    key = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "Shop"}).json["key"]
    client = other.browser.flask_app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/me", base_url=other.url, headers=headers).status_code == 404


def test_a_key_expires(company: Any, flask_app: Any, runtime: Runtime) -> None:
    past = (clock.now() - timedelta(minutes=1)).isoformat()
    assert (
        api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "x", "expires_at": past}).status_code == 422
    )
    soon = (clock.now() + timedelta(hours=1)).isoformat()
    key = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "x", "expires_at": soon}).json["key"]
    client = flask_app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/me", base_url=BASE, headers=headers).status_code == 200
    with runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(
            "update pod.credential set expires_at = now() - interval '1 second' where kind = 'key'"
        )
    assert client.get("/api/v1/me", base_url=BASE, headers=headers).status_code == 401


@pytest.mark.parametrize("key", ["rap_x_y", "rap_", "rap__", "sk_live_123", "rap_" + "a" * 26 + "_" + "b" * 42, "ü"])
def test_what_is_no_key_is_refused(flask_app: Any, key: str) -> None:
    client = flask_app.test_client(use_cookies=False)
    answer = client.get("/api/v1/me", base_url=BASE, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_wrong_bodies_are_named(company: Any) -> None:
    for body, status in (
        ({"nme": "x"}, 422),
        ({"name": 5}, 422),
        ({"name": " "}, 422),
        ({"name": "x", "role": "god"}, 422),
    ):
        assert api(company.browser, company.url, "POST", "/api/v1/keys", body).status_code == status
    answer = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": 5})
    assert answer.json["errors"][0]["pointer"] == "/name"


def test_an_idempotency_key_makes_one_invitation_of_two_requests(company: Any) -> None:
    path, once = "/api/v1/members/invitations", {"Idempotency-Key": "abc"}
    body = {"email": "once@example.com"}
    first = api(company.browser, company.url, "POST", path, body, **once)
    second = api(company.browser, company.url, "POST", path, body, **once)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    other = api(company.browser, company.url, "POST", path, {"email": "two@example.com"}, **once)
    assert (other.status_code, other.json["code"]) == (422, "idempotency.reused")
    assert "two@example.com" not in members_of(company)


def test_a_new_keys_text_is_not_kept_for_a_repeated_request(company: Any, runtime: Runtime) -> None:
    once = {"Idempotency-Key": "secret"}
    first = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "Once"}, **once)
    second = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "Once"}, **once)
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json["code"] == "idempotency.not_kept"
    assert len(company.browser.get(f"{company.url}/api/v1/keys").response.json["data"]) == 1
    tenant = find_tenant(runtime.databases, company.slug)
    assert tenant is not None
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        dump = str(scope.execute("select body from idempotency").fetchall())
    assert first.json["key"] not in dump


def test_a_failed_request_may_be_repeated_with_its_key(company: Any) -> None:
    wrong = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": " "}, **{"Idempotency-Key": "k"})
    right = api(company.browser, company.url, "POST", "/api/v1/keys", {"name": "x"}, **{"Idempotency-Key": "k"})
    assert (wrong.status_code, right.status_code) == (422, 201)


def test_the_profile_is_kept_in_the_members_preferences(company: Any, runtime: Runtime) -> None:
    form = {
        "name": "Olivia O.",
        "theme": "dark",
        "density": "compact",
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "shortcuts": "off",
    }
    page = company.browser.post(f"{company.url}/settings/profile", form)
    assert "Saved" in page.text
    tenant = find_tenant(runtime.databases, company.slug)
    assert tenant is not None
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        name, kept = scope.execute("select name, preferences from member").fetchone() or ("", {})
    assert name == "Olivia O."
    assert kept == {key: value for key, value in form.items() if key != "name"}
    for field, value in (("theme", "pink"), ("timezone", "Mars/Olympus"), ("locale", "xx"), ("name", " ")):
        assert company.browser.post(f"{company.url}/settings/profile", form | {field: value}).status == 422
    company.browser.post(f"{company.url}/preferences", {"theme": "light"})
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        kept = (scope.execute("select preferences from member").fetchone() or ({},))[0]
    assert (kept["theme"], kept["density"]) == ("light", "compact")


def test_the_settings_pages_do_the_same_as_the_api(company: Any, flask_app: Any, runtime: Runtime) -> None:
    runtime.ports.hand_over = lambda *_: 0
    page = company.browser.post(
        f"{company.url}/settings/members/invite", {"email": "page@example.com", "role": "member"}
    )
    link = page.text.split('id="invitation-link"')[1].split('value="')[1].split('"')[0]
    join(flask_app, link)
    member = members_of(company)["page@example.com"]["id"]
    assert company.browser.get(f"{company.url}/settings/members/{member}").status == 200
    company.browser.post(f"{company.url}/settings/members/{member}/role", {"role": "admin"})
    assert members_of(company)["page@example.com"]["role"] == "admin"
    company.browser.post(f"{company.url}/settings/members/{member}/deactivate", {})
    assert members_of(company)["page@example.com"]["status"] == "inactive"
    company.browser.post(f"{company.url}/settings/members/{member}/reactivate", {})
    assert members_of(company)["page@example.com"]["status"] == "active"
    shown = company.browser.post(f"{company.url}/settings/keys", {"name": "Page", "role": "member", "expires": ""})
    assert "rap_" in shown.text
    key = company.browser.get(f"{company.url}/api/v1/keys").response.json["data"][0]["id"]
    assert "Revoked" in company.browser.post(f"{company.url}/settings/keys/{key}/revoke", {}).text


def test_one_workspaces_member_is_not_found_in_another(company: Any, sign_up: Companies) -> None:
    other = sign_up()
    member = members_of(other)[other.email]["id"]
    for method, path in (
        ("PATCH", f"/api/v1/members/{member}"),
        ("POST", f"/api/v1/members/{member}/deactivate"),
        ("POST", f"/api/v1/members/{member}/reactivate"),
    ):
        assert (
            api(company.browser, company.url, method, path, {"role": "member"} if method == "PATCH" else {}).status_code
            == 404
        )
    assert company.browser.get(f"{company.url}/settings/members/{member}").status == 404
