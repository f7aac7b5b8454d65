"""Read the log: the whole tenant's feed by ``seq``, one record's timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


def tenant_events(scope: TenantScope, *, after: int = 0, limit: int = 50) -> dict[str, Any]:
    """Sealed events with ``seq`` above ``after``, as the API body ``{"data": [...], "next": seq | None}``."""
    raise NotImplementedError


def record_events(
    scope: TenantScope, object_name: str, record_id: UUID, *, after: str = "", limit: int = 50, newest_first: bool = False
) -> dict[str, Any]:
    """One record's events in the order they happened, unsealed ones with ``seq`` None; ``after`` is an event id."""
    raise NotImplementedError
