"""Concurrent writers, rollbacks, a transaction that stays open: nothing missed, nothing doubled, nobody held up."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from app.events import consumers
from app.events.audit import audit_tenant
from app.events.seal import seal_tenant
from tenants.scope import SYSTEM, enter_job
from tests.support.records import make_company
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

_WRITERS = 3
_ROUNDS = 15
_SECONDS = 2.0


class _Undo(Exception):
    """Rolls a writer's transaction back."""


def committed(runtime: Runtime, tenant: Tenant) -> set[str]:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return {str(row[0]) for row in scope.execute("SELECT id FROM event").fetchall()}


def write_on(runtime: Runtime, tenant: Tenant, number: int, when: dict[str, float]) -> None:
    """Transactions with several events each; every third is rolled back. ``when`` notes the commits by record."""
    actor = owner_of(runtime.databases, tenant)
    random_ = random.Random(number)  # noqa: S311 (repeatable)
    for round_ in range(_ROUNDS):
        made: list[str] = []
        with contextlib.suppress(_Undo):
            with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=30) as scope:
                for one in range(3):
                    made.append(make_company(scope, f"{number} {round_} {one}")["id"])
                    time.sleep(random_.uniform(0, 0.01))
                if round_ % 3 == 2:
                    raise _Undo
            when |= dict.fromkeys(made, time.monotonic())


def test_no_event_is_missed_doubled_or_held_up_by_another_tenants_long_transaction(
    runtime: Runtime, new_tenant: NewTenant, record_property: Callable[[str, object], None]
) -> None:
    tenants = [new_tenant() for _ in range(2)]
    held_up = tenants[0]
    seen: dict[UUID, list[dict[str, Any]]] = {tenant.id: [] for tenant in tenants}
    seen_at: dict[str, float] = {}
    committed_at: dict[str, float] = {}
    registry = consumers.Registry()

    def note(scope: TenantScope, events: list[dict[str, Any]]) -> None:
        seen[scope.tenant.id] += events
        seen_at.update(dict.fromkeys((event["record_id"] for event in events), time.monotonic()))

    registry.add(consumers.Consumer("test.guarantees", note))
    done = threading.Event()

    def relay() -> None:
        while not done.is_set():
            for tenant in tenants:
                seal_tenant(runtime, tenant.id)
                consumers.consume(runtime, tenant.id, registry)
            time.sleep(0.005)

    actor = owner_of(runtime.databases, held_up)
    with ThreadPoolExecutor(2 * _WRITERS + 1) as pool:
        with enter_job(runtime.databases, held_up.id, actor=actor, write=True, budget=120) as long:
            slow = make_company(long, "Slow")["id"]
            relaying = pool.submit(relay)
            writers = [
                pool.submit(write_on, runtime, tenant, number, committed_at)
                for tenant in tenants
                for number in range(_WRITERS)
            ]
            for writer in writers:
                writer.result()
            deadline = time.monotonic() + 20
            while not committed_at.keys() <= seen_at.keys() and time.monotonic() < deadline:
                time.sleep(0.01)
            # All the others are there while the long transaction is still open, in its own tenant too.
            assert committed_at.keys() <= seen_at.keys()
            assert slow not in seen_at
        deadline = time.monotonic() + 20
        while slow not in seen_at and time.monotonic() < deadline:
            time.sleep(0.01)
        done.set()
        relaying.result()

    delays = sorted(seen_at[record] - moment for record, moment in committed_at.items())
    missed = doubled = 0
    for tenant in tenants:
        ids = [event["id"] for event in seen[tenant.id]]
        missed += len(committed(runtime, tenant) - set(ids))
        doubled += len(ids) - len(set(ids))
        assert [event["seq"] for event in seen[tenant.id]] == list(range(1, len(ids) + 1))
        assert audit_tenant(runtime, tenant.id).finding is None
    figures = {"events": len(seen_at), "missed": missed, "doubled": doubled, "longest": round(delays[-1], 3)}
    record_property("log", figures)
    print(figures)  # noqa: T201 (figures to report)
    assert len(seen_at) == len(tenants) * _WRITERS * (_ROUNDS - _ROUNDS // 3) * 3 + 1
    assert (missed, doubled) == (0, 0)
    assert seen[held_up.id][-1]["record_id"] == slow, "committed last, read last"
    assert delays[-1] < _SECONDS
