"""A member's browser at the pages of one workspace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from app.http.context import WORKSPACE_COOKIE
from tests.support.sessions import open_session
from tests.support.tenants import owner_of
from tests.support.web import Browser

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Actor, Tenant
    from tests.support.rights import Person
    from tests.support.web import Page


class Desk:
    """Pages of ``tenant`` as ``member`` (its owner when left out) sees them."""

    def __init__(self, site: Flask, runtime: Runtime, tenant: Tenant, member: Actor | Person | None = None) -> None:
        self.tenant, self.browser = tenant, Browser(site)
        cookie = open_session(runtime.databases, tenant, member or owner_of(runtime.databases, tenant))
        self.browser.cookies[tenant.host][WORKSPACE_COOKIE] = cookie.partition("=")[2]

    def get(self, path: str) -> Page:
        """A page of the workspace."""
        return self.browser.get(f"http://{self.tenant.host}:8000{path}")

    def post(self, path: str, **form: Any) -> Page:
        """A form sent."""
        return self.browser.post(f"http://{self.tenant.host}:8000{path}", form)


def fields_in(html: str) -> list[str]:
    """The values a record's page shows, in order."""
    return re.findall(r'id="field-([a-z0-9_]+)"', html)


def tabs_in(html: str) -> list[str]:
    """The tabs of a record's page, in order."""
    return re.findall(r'role="tab" id="tab-part-([a-z0-9_-]+)"', html)


def panel_in(html: str, name: str) -> str:
    """What one tab of a record's page holds."""
    return html.split(f'id="panel-part-{name}"')[1].split('role="tabpanel"', maxsplit=1)[0]
