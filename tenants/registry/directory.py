"""Where a tenant lives, found by host or id; remembered for a short time, because a move or a rename is rare."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from tenants.registry.tables import domain, tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from app.core.db import Databases

_TTL: Final = 30.0
#: An unknown host is remembered shorter: a sign-up makes it known.
_MISS_TTL: Final = 2.0
_SIZE: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Entry:
    pod: int | None
    until: float


class _Cache:
    """A bounded map of one ``Databases``; entries end by time or by ``forget``."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str | UUID, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | UUID) -> _Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.until > time.monotonic() else None

    def put(self, key: str | UUID, pod: int | None) -> None:
        with self._lock:
            self._entries[key] = _Entry(pod, time.monotonic() + (_MISS_TTL if pod is None else _TTL))
            while len(self._entries) > _SIZE:
                self._entries.popitem(last=False)

    def forget(self, key: str | UUID) -> None:
        with self._lock:
            self._entries.pop(key, None)


_caches: WeakKeyDictionary[Databases, _Cache] = WeakKeyDictionary()


def _cache(databases: Databases) -> _Cache:
    known = _caches.get(databases)
    return known if known is not None else _caches.setdefault(databases, _Cache())


def locate_host(databases: Databases, host: str) -> int | None:
    """The pod of the tenant that answers at ``host`` (no port, any case), None when nobody does."""
    name = host.lower().rstrip(".")
    return _locate(
        databases,
        name,
        lambda: sa.select(tenant.c.pod).join(domain, domain.c.tenant == tenant.c.id).where(domain.c.host == name),
    )


def locate_tenant(databases: Databases, tenant_id: UUID) -> int | None:
    """The pod of a tenant, None when it is unknown or deleted."""
    return _locate(
        databases,
        tenant_id,
        lambda: sa.select(tenant.c.pod).where(tenant.c.id == tenant_id, tenant.c.status != "deleted"),
    )


def forget(databases: Databases, *keys: str | UUID) -> None:
    """Look hosts and tenants up anew at the next question (this process; others within the TTL)."""
    for key in keys:
        _cache(databases).forget(key)


def _locate(databases: Databases, key: str | UUID, question: Callable[[], sa.Select[int]]) -> int | None:
    """The answer kept for ``key``; writing the question costs more than a cached answer, so that comes second."""
    cache = _cache(databases)
    found = cache.get(key)
    if found is not None:
        return found.pod
    with databases.control.connect() as connection:
        pod = connection.scalar(question())
    cache.put(key, pod)
    return pod


@dataclass(frozen=True, slots=True)
class TenantRow:
    """What control knows of a tenant; ``host`` is the primary one, without port."""

    id: UUID
    pod: int
    slug: str
    name: str
    status: str
    host: str
    currency: str
    timezone: str
    locale: str
    created_at: datetime


def find_tenant(databases: Databases, slug_or_id: str) -> TenantRow | None:
    """A tenant by slug or by id, whatever its status, None when there is none."""
    try:
        condition = tenant.c.id == UUID(slug_or_id)
    except ValueError:
        condition = tenant.c.slug == slug_or_id
    with databases.control.connect() as connection:
        row = connection.execute(_tenants().where(condition)).first()
    return None if row is None else TenantRow(*row)


def list_tenants(databases: Databases) -> list[TenantRow]:
    """All tenants, oldest first."""
    with databases.control.connect() as connection:
        return [TenantRow(*row) for row in connection.execute(_tenants().order_by(tenant.c.id))]


def _tenants() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        tenant.c.id,
        tenant.c.pod,
        tenant.c.slug,
        tenant.c.name,
        tenant.c.status,
        domain.c.host,
        tenant.c.currency,
        tenant.c.timezone,
        tenant.c.locale,
        tenant.c.created_at,
    ).join(domain, sa.and_(domain.c.tenant == tenant.c.id, domain.c.kind == "primary"))
