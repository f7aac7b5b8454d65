"""Consumers of the log: each reads every sealed event by ``seq``, in order, at least once.

A consumer's place is a row of ``consumer`` that moves in the transaction of its work: work whose transaction fails is
done again, work inside the tenant's tables is done exactly once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.core.jobs import register
from app.events.read import sealed_after
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

log = logging.getLogger(__name__)

BATCH: Final = 200
JOB: Final = "events.consume"
Handler = Callable[["TenantScope", list[dict[str, Any]]], None]


@dataclass(frozen=True, slots=True)
class Consumer:
    """``handle`` gets events in order, inside a write scope of their tenant; it must bear getting them twice."""

    name: str
    handle: Handler


class Registry:
    """The consumers of this program, filled while features are imported."""

    def __init__(self) -> None:
        """Start empty."""
        self._consumers: dict[str, Consumer] = {}

    def add(self, consumer: Consumer) -> None:
        """Register a consumer; its name is its place in every tenant's log, so it never changes."""
        if consumer.name in self._consumers:
            raise ValueError(f"the consumer {consumer.name} is registered twice")
        self._consumers[consumer.name] = consumer

    def all(self) -> list[Consumer]:
        """All consumers by name."""
        return [self._consumers[name] for name in sorted(self._consumers)]


registry: Final = Registry()


def consume(runtime: Runtime, tenant_id: UUID, consumers: Registry = registry) -> int:
    """Let every consumer read on in one tenant's log; how many events were handled.

    One that fails does not keep the others; its error is raised at the end, so that the job is tried again.
    """
    handled, failure = 0, None
    for consumer in consumers.all():
        try:
            handled += _catch_up(runtime, tenant_id, consumer)
        except Exception as error:
            log.exception("the consumer %s failed in tenant %s", consumer.name, tenant_id)
            failure = error
    if failure is not None:
        raise failure
    return handled


def _catch_up(runtime: Runtime, tenant_id: UUID, consumer: Consumer) -> int:
    handled = 0
    while True:
        with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=True) as scope:
            count = _next_batch(scope, consumer)
        handled += count
        if count < BATCH:
            return handled


def _next_batch(scope: TenantScope, consumer: Consumer) -> int:
    scope.execute("INSERT INTO consumer (name) VALUES (%s) ON CONFLICT DO NOTHING", (consumer.name,))
    place = scope.execute(
        "SELECT seq FROM consumer WHERE name = %s FOR UPDATE SKIP LOCKED", (consumer.name,)
    ).fetchone()
    if place is None:
        return 0
    events = sealed_after(scope, place[0], BATCH)
    if events:
        consumer.handle(scope, events)
        scope.execute(
            "UPDATE consumer SET seq = %s, updated_at = now() WHERE name = %s", (events[-1]["seq"], consumer.name)
        )
    return len(events)


@register(JOB)
def consume_job(runtime: Runtime, tenant_id: UUID, _args: dict[str, Any]) -> None:
    """Read on; asked for by the sealer in its own transaction."""
    consume(runtime, tenant_id)
