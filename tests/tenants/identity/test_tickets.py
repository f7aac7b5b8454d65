"""The single-use ticket: replayed, in another browser, at another host, too late, by another member, forged."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core import crypto
from tests.support.web import BASE, Browser, Page

if TYPE_CHECKING:
    from app.core.ports import Runtime

Companies = Callable[..., Any]


def ticket_of(browser: Browser, company: Any) -> tuple[str, Page]:
    """Walk to the page that holds the ticket, and stop there."""
    browser.follow = False
    door = browser.get(f"{company.url}/session/start")
    page = browser.get(door.response.headers["Location"])
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1), page


def spend(browser: Browser, url: str, ticket: str, **headers: str) -> Page:
    return browser.request(
        "POST", f"{url}/session", data={"ticket": ticket, "next": "/"}, headers={"Origin": BASE, **headers}
    )


@pytest.fixture
def company(sign_up: Companies) -> Any:
    made = sign_up()
    made.browser.cookies[f"{made.slug}.localhost"].clear()
    return made


def test_a_ticket_opens_the_workspace_once(company: Any) -> None:
    ticket, _ = ticket_of(company.browser, company)
    binding = dict(company.browser.cookies[f"{company.slug}.localhost"])
    first = spend(company.browser, company.url, ticket)
    assert (first.status, first.response.headers["Location"]) == (303, "/")
    cookies = first.response.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-rapport="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}
    company.browser.cookies[f"{company.slug}.localhost"].update(binding)
    assert spend(company.browser, company.url, ticket).status == 403


def test_a_ticket_is_worth_nothing_in_another_browser(company: Any, flask_app: Any) -> None:
    ticket, _ = ticket_of(company.browser, company)
    thief = Browser(flask_app, follow=False)
    assert spend(thief, company.url, ticket).status == 403
    thief.get(f"{company.url}/session/start")
    assert spend(thief, company.url, ticket).status == 403
    assert spend(company.browser, company.url, ticket).status == 403, "a stolen ticket is spent by the first try"


def test_a_ticket_is_worth_nothing_at_another_workspace(company: Any, sign_up: Companies) -> None:
    other = sign_up(email=company.email)
    ticket, _ = ticket_of(company.browser, company)
    jars = company.browser.cookies
    jars[f"{other.slug}.localhost"].update(jars[f"{company.slug}.localhost"])
    assert spend(company.browser, other.url, ticket).status == 403


def test_a_ticket_is_too_old_after_a_minute(company: Any, runtime: Runtime) -> None:
    ticket, _ = ticket_of(company.browser, company)
    with runtime.databases.pod_owner(1).begin() as connection:
        age = connection.execute(
            sa.text(
                "update pod.credential set expires_at = expires_at - interval '61 seconds' where hash = :hash "
                "returning expires_at < now()"
            ),
            {"hash": crypto.sha256(ticket)},
        ).scalar_one()
    assert age is True, "tickets live for at most a minute"
    assert spend(company.browser, company.url, ticket).status == 403


def test_only_the_base_hosts_form_may_bring_a_ticket(company: Any) -> None:
    ticket, _ = ticket_of(company.browser, company)
    assert spend(company.browser, company.url, ticket, Origin="https://evil.example").status == 403


def test_the_ticket_is_in_a_body_and_in_no_address(company: Any) -> None:
    ticket, page = ticket_of(company.browser, company)
    assert ticket not in page.url
    assert page.response.headers["Cache-Control"] == "no-store"
    assert f'action="{company.url}/session" method="post"' in page.text


def test_the_base_host_gives_no_ticket_for_a_workspace_one_is_no_member_of(company: Any, sign_up: Companies) -> None:
    other = sign_up()
    other.browser.follow = False
    door = other.browser.get(f"{company.url}/session/start")
    assert other.browser.get(door.response.headers["Location"]).status == 404


def test_a_base_session_is_no_workspace_session_nor_the_other_way(company: Any, flask_app: Any) -> None:
    base = company.browser.cookies["localhost"]["__Host-rapport_person"]
    mixed = Browser(flask_app)
    mixed.cookies[f"{company.slug}.localhost"]["__Host-rapport"] = base
    assert mixed.get(f"{company.url}/api/v1/me").status == 401


def test_a_session_of_one_workspace_opens_no_other(sign_up: Companies) -> None:
    one = sign_up()
    two = sign_up()
    jars = one.browser.cookies
    jars[f"{two.slug}.localhost"].update(jars[f"{one.slug}.localhost"])
    assert one.browser.get(f"{two.url}/api/v1/me").status == 404
