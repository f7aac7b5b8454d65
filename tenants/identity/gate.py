"""What the HTTP kit asks to find tenants and people (protocol ``app.http.gate.Gate``); bound in the factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenants.identity import keys, sessions
from tenants.registry.directory import locate_host, locate_tenant
from tenants.scope import TenantScope, enter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from uuid import UUID

    from app.core.ports import Runtime, SqlScope
    from app.http.gate import PersonSession


class TenantGate:
    """The adapter over registry, scope and sessions."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def pod_of_host(self, host: str) -> int | None:
        """The pod that serves ``host``."""
        return locate_host(self._runtime.databases, host)

    def pod_of_key(self, key: str) -> int | None:
        """The pod of the tenant a key names."""
        tenant = keys.tenant_of(key)
        return None if tenant is None else self.pod_of_tenant(tenant)

    def pod_of_tenant(self, tenant: UUID) -> int | None:
        """The pod a tenant lives in."""
        return locate_tenant(self._runtime.databases, tenant)

    def enter(
        self, *, pod: int, host: str | None, credential: bytes, write: bool, request_id: str, by_key: bool = False
    ) -> AbstractContextManager[TenantScope]:
        """Enter the tenant for one transaction."""
        return enter(
            self._runtime.databases,
            pod=pod,
            host=host,
            credential=credential,
            write=write,
            request_id=request_id,
            by_key=by_key,
        )

    def person(self, token_hash: bytes) -> PersonSession | None:
        """The live base-host session with that token."""
        return sessions.find(self._runtime.databases, token_hash)

    def authorise(self, scope: SqlScope, right: str, object_name: str = "") -> None:
        """Raise Forbidden unless the scope holds ``right``, with that object if one is named."""
        self._runtime.ports.authorise(scope, right, object_name)
