"""Support let into a workspace of the tests: the grant, the link, the browser inside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from app.http.context import WORKSPACE_COOKIE
from tenants.identity import support
from tenants.registry.directory import find_tenant
from tenants.scope import SYSTEM, enter_job
from tests.support.web import BASE, Browser, Page

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.identity.support import WayIn
    from tenants.scope import Tenant
    from tests.support.api import Api


class House(Protocol):
    """A workspace with its owner's key."""

    runtime: Runtime
    site: Flask
    tenant: Tenant
    api: Api

    @property
    def url(self) -> str:
        """Where people open it."""
        ...


def grant(office: House, **body: Any) -> dict[str, Any]:
    """The owner lets support in."""
    return office.api.post("/support-grants", {"reason": "The board is wrong", "hours": 1, **body})


def ask(office: House, name: str = "Dana Operator", **more: Any) -> WayIn:
    """What ``rapport support enter`` does."""
    row = find_tenant(office.runtime.databases, str(office.tenant.id))
    assert row is not None
    email = f"{name.split(maxsplit=1)[0].lower()}@rapport.example"
    return support.ask(office.runtime, row, name=name, email=email, reason="Ticket 4711", **more)


def ticket_of(way: WayIn) -> str:
    """The secret in the link."""
    return way.link.partition("#")[2]


def spend(office: House, ticket: str, **headers: str) -> tuple[Browser, Page]:
    """A browser that posts the ticket at the workspace's door."""
    browser = Browser(office.site)
    page = browser.request(
        "POST", f"{office.url}/support", data={"ticket": ticket}, headers={"Origin": BASE, **headers}
    )
    return browser, page


def enter(office: House, **more: Any) -> Browser:
    """A browser of support inside the workspace."""
    browser, page = spend(office, ticket_of(ask(office, **more)))
    assert page.status == 303, page.text[:500]
    return browser


def move(office: House, seconds: int) -> None:
    """Let time pass for the grants of a workspace."""
    with enter_job(office.runtime.databases, office.tenant.id, actor=SYSTEM, write=True) as scope:
        ago = timedelta(seconds=seconds)
        scope.execute("update support_grant set at = at - %s, expires_at = expires_at - %s", (ago, ago))


def call(browser: Browser, office: House, method: str, path: str, body: object) -> int:
    """The API with the browser's session and the token of its pages; the status."""
    page = browser.get(f"{office.url}/").text
    token = page.partition('<meta name="csrf-token" content="')[2].partition('"')[0]
    cookie = browser.cookies[office.tenant.host][WORKSPACE_COOKIE]
    answer = office.site.test_client(use_cookies=False).open(
        f"/api/v1{path}",
        method=method,
        base_url=office.url,
        json=body,
        headers={"Cookie": f"{WORKSPACE_COOKIE}={cookie}", "X-CSRF-Token": token},
    )
    return answer.status_code
