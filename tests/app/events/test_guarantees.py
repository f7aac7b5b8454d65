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
    from collections.abc import Callable, Iterable
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


class Reader:
    """A relay with one consumer, in a thread; notes what it saw and when."""

    def __init__(self, runtime: Runtime, tenants: list[Tenant]) -> None:
        self.runtime, self.tenants = runtime, tenants
        self.seen: dict[UUID, list[dict[str, Any]]] = {tenant.id: [] for tenant in tenants}
        self.at: dict[str, float] = {}
        self.done = threading.Event()
        self._registry = consumers.Registry()
        self._registry.add(consumers.Consumer("test.guarantees", self._note))

    def _note(self, scope: TenantScope, events: list[dict[str, Any]]) -> None:
        self.seen[scope.tenant.id] += events
        self.at.update(dict.fromkeys((event["record_id"] for event in events), time.monotonic()))

    def run(self) -> None:
        while not self.done.is_set():
            for tenant in self.tenants:
                seal_tenant(self.runtime, tenant.id)
                consumers.consume(self.runtime, tenant.id, self._registry)
            time.sleep(0.005)

    def wait_for(self, records: Iterable[str], seconds: float = 20) -> None:
        wanted, deadline = set(records), time.monotonic() + seconds
        while not wanted <= self.at.keys():
            assert time.monotonic() < deadline, f"{len(wanted - self.at.keys())} events did not come"
            time.sleep(0.01)

    def errors(self) -> tuple[int, int]:
        """How many events were missed, how many seen twice."""
        missed = doubled = 0
        for tenant in self.tenants:
            ids = [event["id"] for event in self.seen[tenant.id]]
            missed += len(committed(self.runtime, tenant) - set(ids))
            doubled += len(ids) - len(set(ids))
            assert [event["seq"] for event in self.seen[tenant.id]] == list(range(1, len(ids) + 1))
            assert audit_tenant(self.runtime, tenant.id).finding is None
        return missed, doubled


def test_no_event_is_missed_doubled_or_held_up_by_a_long_transaction(
    runtime: Runtime, new_tenant: NewTenant, record_property: Callable[[str, object], None]
) -> None:
    tenants = [new_tenant() for _ in range(2)]
    held_up = tenants[0]
    committed_at: dict[str, float] = {}
    reader = Reader(runtime, tenants)
    actor = owner_of(runtime.databases, held_up)
    with ThreadPoolExecutor(2 * _WRITERS + 1) as pool:
        try:
            with enter_job(runtime.databases, held_up.id, actor=actor, write=True, budget=120) as long:
                slow = make_company(long, "Slow")["id"]
                reading = pool.submit(reader.run)
                for writer in [
                    pool.submit(write_on, runtime, tenant, number, committed_at)
                    for tenant in tenants
                    for number in range(_WRITERS)
                ]:
                    writer.result()
                # All the others are there while the long transaction is still open, in its own tenant too.
                reader.wait_for(committed_at)
                assert slow not in reader.at
            reader.wait_for([slow])
        finally:
            reader.done.set()
        reading.result()
    longest = max(reader.at[record] - moment for record, moment in committed_at.items())
    missed, doubled = reader.errors()
    record_property(
        "log", {"events": len(reader.at), "missed": missed, "doubled": doubled, "longest": round(longest, 3)}
    )
    assert len(reader.at) == len(tenants) * _WRITERS * (_ROUNDS - _ROUNDS // 3) * 3 + 1
    assert (missed, doubled) == (0, 0)
    assert reader.seen[held_up.id][-1]["record_id"] == slow, "committed last, read last"
    assert longest < _SECONDS
