"""Workspaces with a key of the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api, make_key
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

NewApi = Callable[..., Api]


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    """The application."""
    return build_site(runtime)


@pytest.fixture
def fresh(site: Flask, runtime: Runtime, new_tenant: NewTenant) -> tuple[Tenant, Api]:
    """A workspace of the test's own and its owner's key."""
    tenant = new_tenant()
    return tenant, Api(site, make_key(runtime.databases, tenant, "owner"))
