"""A workspace with an owner's browser and key, for the pages and routes of people and rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from app.http.context import WORKSPACE_COOKIE
from tenants.scope import Actor, enter_job
from tests.support.api import Api, make_key
from tests.support.limits import open_limits  # noqa: F401 - a fixture of every test here
from tests.support.sessions import open_session
from tests.support.tenants import owner_of
from tests.support.web import Browser, Page, build_site

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@dataclass
class Office:
    """One workspace: ``api`` is the owner's key, ``browser`` the owner signed in."""

    runtime: Runtime
    site: Flask
    tenant: Tenant
    owner: Actor
    api: Api
    browser: Browser

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def sign_in(self, member: UUID | str, name: str = "Somebody") -> Browser:
        """A browser signed in as a member."""
        cookie = open_session(self.runtime.databases, self.tenant, Actor("member", member, name))  # type: ignore[arg-type]
        browser = Browser(self.site)
        browser.cookies[self.tenant.host][WORKSPACE_COOKIE] = cookie.partition("=")[2]
        return browser

    def get(self, path: str) -> Page:
        """A page as the owner."""
        return self.browser.get(self.url + path)

    def post(self, path: str, **data: Any) -> Page:
        """A form as the owner."""
        return self.browser.post(self.url + path, data)

    def member(self, name: str, role: str = "member", *further: str) -> str:
        """An active member's id."""
        with enter_job(self.runtime.databases, self.tenant.id, actor=self.owner, write=True) as scope:
            row = scope.execute(
                "insert into member (name, email, role, roles, status) values (%s, %s, %s, %s, 'active') returning id",
                (name, f"{name.lower().replace(' ', '.')}@example.test", role, list(further)),
            ).fetchone()
        return str(row[0]) if row else ""

    def beside(self, tenant: Tenant) -> Office:
        """The same for another workspace of the site."""
        return furnish(self.runtime, self.site, tenant)


def furnish(runtime: Runtime, site: Flask, tenant: Tenant) -> Office:
    """A workspace with its owner's key and browser."""
    owner = owner_of(runtime.databases, tenant)
    made = Office(runtime, site, tenant, owner, Api(site, make_key(runtime.databases, tenant, "owner")), Browser(site))
    made.browser = made.sign_in(str(owner.id))
    return made


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def office(runtime: Runtime, site: Flask, new_tenant: NewTenant) -> Office:
    return furnish(runtime, site, new_tenant())
