"""What the HTTP kit needs from the tenancy above it; the factory binds an adapter (``tenants.identity.gate``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A person signed in at the base host. ``id`` is the session's."""

    id: UUID
    person: UUID
    name: str
    email: str
    created_at: datetime


class RequestScope(Protocol):
    """The part of ``tenants.scope.TenantScope`` the kit itself touches; views get the real thing."""

    role: str
    credential: UUID | None
    credential_kind: str
    request_id: str
    write: bool

    def execute(self, query: str, params: Any = ()) -> Any:
        """Run one statement with bound parameters."""
        ...


class Gate(Protocol):
    """Finds tenants and people for a request."""

    def pod_of_host(self, host: str) -> int | None:
        """The pod that serves ``host`` (lower case, without port), or None when nobody does."""
        ...

    def pod_of_key(self, key: str) -> int | None:
        """The pod of the tenant named inside an API key; None when malformed or unknown."""
        ...

    def enter(
        self, *, pod: int, host: str | None, credential: bytes, write: bool, request_id: str, by_key: bool = False
    ) -> AbstractContextManager[RequestScope]:
        """Enter the tenant for one transaction; raises Unauthenticated or NotFound.

        ``by_key``: its statements find rows by their keys only, so that their plans may be kept.
        """
        ...

    def person(self, token_hash: bytes) -> PersonSession | None:
        """The live base-host session with that token, its idle time pushed on."""
        ...

    def authorise(self, scope: Any, right: str, object_name: str = "") -> None:
        """Raise Forbidden unless the scope holds ``right``, with that object if one is named."""
        ...
