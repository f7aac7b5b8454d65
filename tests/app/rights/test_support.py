"""Support comes in by a grant of the workspace only: for a time, and with a trail."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.errors import NotFound
from app.events.seal import seal_tenant
from app.http.context import WORKSPACE_COOKIE
from tenants.identity import support
from tenants.scope import SYSTEM, enter_job
from tests.support.supporting import ask, enter, grant, move, spend, ticket_of
from tests.support.web import BASE, Browser

if TYPE_CHECKING:
    from tests.support.tenants import NewTenant

    from .conftest import Office

_CLOSED = "Support access has ended"


@pytest.fixture
def another(office: Office, new_tenant: NewTenant) -> Office:
    """A second workspace of the same site."""
    return office.beside(new_tenant())


def trail(office: Office) -> list[dict[str, Any]]:
    """The audit log about support, oldest first."""
    return office.api.get("/audit", group="support")["data"][::-1]


def test_a_grant_lets_a_ticket_in_for_a_session_with_a_banner_and_a_trail(office: Office) -> None:
    made = grant(office, role="member", hours=4)
    assert (made["role"], made["status"], made["visits"]) == ("member", "open", [])
    browser = enter(office)
    page = browser.get(f"{office.url}/")
    assert page.status == 200
    assert "Support session" in page.text
    assert "Dana Operator" in page.text
    assert 'action="/sign-out"' in page.text
    assert 'href="/settings/' not in page.text
    for path in ("/records/deal", "/records/deal/board", "/trash", "/nowhere"):
        assert "Support session" in browser.get(office.url + path).text, path
    assert [entry["kind"] for entry in trail(office)] == ["support_granted", "support_entered"]
    entered = trail(office)[1]
    assert entered["actor"]["kind"] == "support"
    assert entered["actor"]["name"] == "Dana Operator"
    assert entered["changes"]["operator"] == [None, "Dana Operator <dana@rapport.example>"]
    assert entered["changes"]["reason"] == [None, "Ticket 4711"]


def test_what_support_does_is_told_as_supports_wherever_history_is_told(office: Office) -> None:
    grant(office, role="member")
    company = office.api.post("/records/company", {"name": "Bolt Works"})["id"]
    browser = enter(office)
    saved = browser.post(
        f"{office.url}/records/company/{company}/fields/name",
        {"value": "Bolt & Sons", "name": "Bolt & Sons", "version": "1"},
    )
    assert saved.status == 200, saved.text[:500]
    seal_tenant(office.runtime, office.tenant.id)
    events = office.api.get(f"/records/company/{company}/events")["data"]
    assert (events[-1]["kind"], events[-1]["actor"]["kind"], events[-1]["actor"]["name"]) == (
        "updated", "support", "Dana Operator",
    )  # fmt: skip
    feed = office.api.get("/events", limit="200")["data"]
    assert [event["actor"]["kind"] for event in feed if event["kind"] == "updated"] == ["support"]
    assert "Dana Operator (support)" in office.get(f"/records/company/{company}").text
    by_support = office.api.get("/audit", actor_kind="support")["data"]
    assert [entry["kind"] for entry in by_support] == ["updated", "support_entered"]
    page = office.get("/settings/audit?actor_kind=support")
    assert "Dana Operator" in page.text
    assert "Bolt &amp; Sons" in page.text


def test_without_a_grant_there_is_no_way_in(office: Office) -> None:
    with pytest.raises(NotFound) as refused:
        ask(office)
    assert refused.value.code == "support.no_grant"
    assert "/settings/support" in refused.value.detail


def test_an_ended_or_revoked_grant_is_no_way_in(office: Office) -> None:
    made = grant(office)
    office.api.call("DELETE", f"/support-grants/{made['id']}")
    with pytest.raises(NotFound):
        ask(office)
    grant(office)
    move(office, 3700)
    with pytest.raises(NotFound):
        ask(office)
    assert sorted(one["status"] for one in office.api.get("/support-grants")["data"]) == ["expired", "revoked"]


def test_the_next_request_is_refused_when_the_time_is_over(office: Office) -> None:
    grant(office)
    browser = enter(office)
    assert browser.get(f"{office.url}/").status == 200
    move(office, 3700)
    page = browser.get(f"{office.url}/records/deal")
    assert page.status == 401
    assert _CLOSED in page.text
    assert WORKSPACE_COOKIE not in browser.cookies[office.tenant.host]


def test_revoking_throws_out_who_is_inside(office: Office) -> None:
    made = grant(office)
    browser = enter(office)
    assert "Support is inside now" in office.get("/settings/support").text
    assert office.post(f"/settings/support/{made['id']}/revoke").status == 200
    page = browser.get(f"{office.url}/")
    assert (page.status, _CLOSED in page.text) == (401, True)
    assert "Support is inside now" not in office.get("/settings/support").text
    assert [entry["kind"] for entry in trail(office)] == ["support_granted", "support_entered", "support_revoked"]
    visit = office.api.get("/support-grants")["data"][0]["visits"][0]
    assert visit["ended_at"] is not None
    assert office.api.call("DELETE", f"/support-grants/{made['id']}").status_code == 204
    assert len(trail(office)) == 3, "taken back once"


def test_a_revoked_sessions_api_call_says_so(office: Office) -> None:
    made = grant(office)
    browser = enter(office)
    assert browser.get(f"{office.url}/api/v1/me").status == 200
    office.api.call("DELETE", f"/support-grants/{made['id']}")
    answer = browser.get(f"{office.url}/api/v1/me").response
    assert (answer.status_code, answer.json["code"]) == (401, "support.ended")


def test_a_grant_ends_with_the_membership_of_whoever_gave_it(office: Office) -> None:
    ada = office.member("Ada Ant", "admin")
    page = office.sign_in(ada).post(
        f"{office.url}/settings/support", {"hours": "4", "role": "read_only", "reason": "x"}
    )
    assert page.status == 200, page.text[:500]
    browser = enter(office)
    office.api.post(f"/members/{ada}/deactivate", {}, 200)
    assert browser.get(f"{office.url}/").status == 401
    with pytest.raises(NotFound):
        ask(office)
    assert office.api.get("/support-grants")["data"][0]["status"] == "void"


def test_a_session_shrinks_with_whoever_gave_it(office: Office) -> None:
    ada = office.member("Ada Ant", "admin")
    form = {"hours": "4", "role": "member", "reason": "x"}
    assert office.sign_in(ada).post(f"{office.url}/settings/support", form).status == 200
    browser = enter(office)
    made = browser.post(f"{office.url}/records/company/new", {"name": "Made by support"})
    assert made.status in (200, 204), made.text[:300]
    office.api.call("PATCH", f"/members/{ada}", {"role": "read_only"}, Content_Type="application/merge-patch+json")
    assert browser.post(f"{office.url}/records/company/new", {"name": "Not any more"}).status == 403


def test_leaving_ends_the_session_and_is_told(office: Office) -> None:
    grant(office)
    browser = enter(office)
    left = browser.post(f"{office.url}/sign-out", {})
    assert (left.host, "You have left the workspace" in left.text) == ("localhost", True)
    assert WORKSPACE_COOKIE not in browser.cookies[office.tenant.host]
    assert trail(office)[-1]["kind"] == "support_left"
    assert trail(office)[-1]["actor"]["name"] == "Dana Operator"
    assert office.api.get("/support-grants")["data"][0]["visits"][0]["inside"] is False


def test_that_the_time_is_over_is_noted_once(office: Office) -> None:
    made = grant(office)
    enter(office)
    support.expire(office.runtime, office.tenant.id, {"grant": made["id"]})
    assert trail(office)[-1]["kind"] == "support_entered", "not over yet"
    move(office, 3700)
    for _ in range(2):
        support.expire(office.runtime, office.tenant.id, {"grant": made["id"]})
    assert [entry["kind"] for entry in trail(office)] == ["support_granted", "support_entered", "support_expired"]
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        row = scope.execute("select count(*) from support_visit where ended_at is null").fetchone()
    assert row == (0,)


def test_the_job_that_notes_the_end_is_due_when_the_time_is_over(office: Office) -> None:
    made = grant(office, hours=2)
    with office.runtime.databases.pod_owner(1).connect() as connection:
        row = connection.exec_driver_sql(
            "select run_at > now() + interval '110 minutes' from pod.job where args ->> 'grant' = %s", (made["id"],)
        ).one()
    assert row == (True,)


def test_whoever_let_support_in_is_told_by_mail(office: Office) -> None:
    grant(office)
    enter(office)
    visit = office.api.get("/support-grants")["data"][0]["visits"][0]["id"]
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        row = scope.execute("select email from member where id = %s", (office.owner.id,)).fetchone()
    with office.runtime.databases.pod_owner(1).connect() as connection:
        jobs = connection.exec_driver_sql("select count(*) from pod.job where args ->> 'visit' = %s", (visit,)).scalar()
    assert jobs == 1
    support.tell_entered(office.runtime, office.tenant.id, {"visit": visit})
    assert row is not None
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default)
             for path in Path(office.runtime.config.home / "mail").glob("*.eml")]  # fmt: skip
    found = [mail for mail in mails if mail["To"] == row[0]]
    assert len(found) == 1
    text = found[0].get_content()
    assert "Dana Operator (dana@rapport.example)" in text
    assert "Ticket 4711" in text
    assert f"{office.url}/settings/support" in text


# Tickets


def test_a_ticket_works_once(office: Office) -> None:
    grant(office)
    ticket = ticket_of(ask(office))
    assert spend(office, ticket)[1].status == 303
    browser, page = spend(office, ticket)
    assert page.status == 403
    assert WORKSPACE_COOKIE not in browser.cookies[office.tenant.host]


def test_a_ticket_is_too_old_after_two_minutes(office: Office) -> None:
    grant(office)
    way = ask(office)
    with office.runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(
            "update pod.credential set expires_at = expires_at - interval '121 seconds' where id = %s", (way.visit,)
        )
    assert spend(office, ticket_of(way))[1].status == 403


def test_a_ticket_is_worth_nothing_at_another_workspace_and_spent_by_the_try(office: Office, another: Office) -> None:
    grant(office)
    grant(another)
    ticket = ticket_of(ask(office))
    assert spend(another, ticket)[1].status == 403
    assert spend(office, ticket)[1].status == 403


def test_a_grant_of_one_workspace_is_of_no_use_in_another(office: Office, another: Office) -> None:
    mine = grant(office)
    with pytest.raises(NotFound):
        ask(another)
    grant(another)
    with pytest.raises(NotFound):
        ask(another, grant=UUID(mine["id"]))
    browser = enter(office)
    browser.cookies[another.tenant.host].update(browser.cookies[office.tenant.host])
    assert browser.get(f"{another.url}/").status == 404
    assert another.api.call("DELETE", f"/support-grants/{mine['id']}").status_code == 404
    assert browser.get(f"{office.url}/").status == 200


def test_a_ticket_outlives_no_revoking(office: Office) -> None:
    made = grant(office)
    ticket = ticket_of(ask(office))
    office.api.call("DELETE", f"/support-grants/{made['id']}")
    assert spend(office, ticket)[1].status == 403


def test_a_ticket_comes_from_the_base_hosts_form_only(office: Office) -> None:
    grant(office)
    ticket = ticket_of(ask(office))
    assert spend(office, ticket, Origin="https://evil.example")[1].status == 403
    assert spend(office, ticket)[1].status == 303


def test_the_ticket_is_in_the_links_fragment_and_its_page_never_sees_it(office: Office) -> None:
    grant(office)
    way = ask(office)
    address, _, ticket = way.link.partition("#")
    assert len(ticket) >= 32
    assert ticket not in repr(way)
    page = Browser(office.site).get(address)
    assert page.status == 200
    assert f'action="{office.url}/support"' in page.text
    assert f"{office.url}" in page.response.headers["Content-Security-Policy"]
    assert Browser(office.site).get(f"{BASE}/support?workspace=nobody-here").status == 404
    assert Browser(office.site).get(f"{BASE}/support").status == 200


def test_a_session_of_support_ends_an_hour_after_its_last_request(office: Office) -> None:
    grant(office, hours=4)
    browser = enter(office)
    with office.runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(
            "update pod.credential set seen_at = seen_at - interval '61 min' where tenant = %s and kind = 'support'",
            (office.tenant.id,),
        )
    assert browser.get(f"{office.url}/").status == 401
    assert office.api.get("/support-grants")["data"][0]["visits"][0]["inside"] is False


def test_the_moment_a_grant_ends_is_within_its_hours(office: Office) -> None:
    made = grant(office, hours=168)
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=False) as scope:
        found = support.open_grants(scope)[0]
    assert str(found.id) == made["id"]
    assert timedelta(hours=167) < found.expires_at - clock.now() <= timedelta(days=7)
