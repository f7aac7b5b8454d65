"""Where a tenant lives, remembered for a while."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa
from sqlalchemy import event

from tenants.provisioning import delete_tenant
from tenants.registry.directory import find_tenant, forget, locate_host, locate_tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant


class Questions:
    """Counts the statements the control database is asked."""

    def __init__(self, engine: sa.Engine) -> None:
        self.count = 0
        self._engine = engine

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._asked)

    def _asked(self, *_: object) -> None:
        self.count += 1


def test_an_address_is_asked_for_once(databases: Databases, tenant: Tenant) -> None:
    forget(databases, tenant.host, tenant.id)
    with Questions(databases.control) as questions:
        for spelling in (tenant.host, tenant.host.upper(), f"{tenant.host}."):
            assert locate_host(databases, spelling) == 1
        assert locate_tenant(databases, tenant.id) == locate_tenant(databases, tenant.id) == 1
    assert questions.count == 2


def test_nobody_is_remembered_too(databases: Databases) -> None:
    with Questions(databases.control) as questions:
        assert locate_host(databases, "nobody.localhost") is None
        assert locate_host(databases, "nobody.localhost") is None
        assert locate_tenant(databases, uuid.uuid4()) is None
    assert questions.count == 2


def test_a_deleted_tenant_is_forgotten_at_once(runtime: Runtime, new_tenant: Callable[..., Tenant]) -> None:
    tenant = new_tenant()
    assert locate_tenant(runtime.databases, tenant.id) == 1
    delete_tenant(runtime, tenant.id)
    assert locate_tenant(runtime.databases, tenant.id) is None
    assert locate_host(runtime.databases, tenant.host) is None
    assert find_tenant(runtime.databases, tenant.slug) is None
