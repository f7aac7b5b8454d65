"""A workspace with records, its people and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from app.http.context import WORKSPACE_COOKIE
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.exports import as_member
from tests.support.imports import import_file
from tests.support.limits import open_limits  # noqa: F401 - a fixture of every test here
from tests.support.rights import WORKER, put_role
from tests.support.sessions import open_session
from tests.support.tenants import owner_of
from tests.support.web import Browser, build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Actor, Tenant
    from tests.support.tenants import NewTenant


@dataclass
class Firm:
    """One workspace; ``api`` is the owner's key."""

    runtime: Runtime
    site: Flask
    tenant: Tenant
    owner: Actor
    api: Api

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def role(self, name: str, **spec: Any) -> str:
        """A role of the workspace's own."""
        return put_role(self.runtime.databases, self.tenant, name, **({"objects": {"*": WORKER}} | spec))

    def member(self, role: str = "member", name: str = "Somebody") -> Actor:
        """An active member with this role."""
        with enter_job(self.runtime.databases, self.tenant.id, actor=self.owner, write=True) as scope:
            row = scope.execute(
                "insert into member (name, email, role, status) values (%s, %s, %s, 'active') returning id",
                (name, f"{name.lower()}-{role}@example.test", role),
            ).fetchone()
        assert row is not None
        return as_member(row[0])

    def browser(self, who: Actor) -> Browser:
        """Their browser, signed in."""
        cookie = open_session(self.runtime.databases, self.tenant, who)
        browser = Browser(self.site)
        browser.cookies[self.tenant.host][WORKSPACE_COOKIE] = cookie.partition("=")[2]
        return browser

    def write(self, text: str, *params: object) -> list[tuple[Any, ...]]:
        """One statement in the workspace."""
        with enter_job(self.runtime.databases, self.tenant.id, actor=self.owner, write=True) as scope:
            cursor = scope.execute(text, params)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def companies(self, count: int) -> None:
        """So many more companies of the owner."""
        lines = ["name,external_id,employees", *(f"Company {n:05},e{n},{n}" for n in range(count))]
        found = import_file(self.runtime, self.tenant, "\n".join(lines), object="company")
        assert found["created"] == count, found


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def firm(runtime: Runtime, site: Flask, new_tenant: NewTenant) -> Firm:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    return Firm(runtime, site, tenant, owner, Api(site, make_key(runtime.databases, tenant, "owner")))
