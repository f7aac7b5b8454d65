"""Sessions of members at their workspace's host, without the way through sign-in."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core import clock, crypto
from app.http.context import WORKSPACE_COOKIE

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Actor, Tenant
    from tests.support.rights import Person


def open_session(databases: Databases, tenant: Tenant, member: Actor | Person) -> str:
    """A session of ``member``; the Cookie header that carries it."""
    token = f"session-{uuid.uuid4().hex}"
    values = (tenant.id, crypto.sha256(token), member.id, clock.now() + timedelta(hours=1))
    with databases.pod(tenant.pod).begin() as connection:
        made = connection.exec_driver_sql(
            "select pod.put_credential(%s, 'session', %s, %s, null, null, '', %s)", values
        ).scalar()
    assert made is not None
    return f"{WORKSPACE_COOKIE}={token}"
