"""Any order of writing, committing, rolling back, sealing and reading: what is committed is read once, at once."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.events import consumers
from app.events.audit import audit_tenant
from app.events.seal import seal_tenant
from tenants.scope import Actor, TenantScope, enter_job
from tests.support.records import make_company
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant

_OPEN = 3
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "write", "write", "commit", "rollback", "read"]), st.integers(0, _OPEN - 1)),
    max_size=24,
)


class _Undo(Exception):
    """Rolls a transaction back."""


class Transaction:
    """A write transaction that is open until somebody ends it."""

    def __init__(self, runtime: Runtime, tenant: Tenant, actor: Actor) -> None:
        self._stack = ExitStack()
        opened = enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=60)
        self._scope: TenantScope = self._stack.enter_context(opened)
        self.records: list[str] = []

    def write(self) -> None:
        self.records.append(make_company(self._scope)["id"])

    def commit(self) -> list[str]:
        self._stack.close()
        return self.records

    def roll_back(self) -> None:
        with contextlib.suppress(_Undo), self._stack:
            raise _Undo


class Reader:
    """A consumer; what it saw since the last look."""

    def __init__(self, runtime: Runtime, tenant: Tenant) -> None:
        self._runtime, self._tenant = runtime, tenant
        self._registry = consumers.Registry()
        self._registry.add(consumers.Consumer("test.interleavings", self._note))
        self.events: list[dict[str, Any]] = []

    def _note(self, _scope: TenantScope, events: list[dict[str, Any]]) -> None:
        self.events += events

    def read(self) -> list[str]:
        seal_tenant(self._runtime, self._tenant.id)
        consumers.consume(self._runtime, self._tenant.id, self._registry)
        return [event["record_id"] for event in self.events]


@pytest.fixture(scope="module")
def place(runtime: Runtime, new_tenant: NewTenant) -> tuple[Tenant, Actor]:
    tenant = new_tenant()
    return tenant, owner_of(runtime.databases, tenant)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_is_committed_is_read_once_and_at_once_whatever_else_is_open(
    runtime: Runtime, place: tuple[Tenant, Actor], steps: list[tuple[str, int]]
) -> None:
    tenant, actor = place
    reader = Reader(runtime, tenant)
    opened: dict[int, Transaction] = {}
    kept: list[list[str]] = []
    for act, number in [*steps, *(("commit", number) for number in range(_OPEN)), ("read", 0)]:
        if act == "write":
            if number not in opened:
                opened[number] = Transaction(runtime, tenant, actor)
            opened[number].write()
        elif act == "read":
            # The others' open transactions hold nothing up, and nothing of them shows.
            assert sorted(reader.read()) == sorted(record for records in kept for record in records)
        elif number in opened:
            transaction = opened.pop(number)
            if act == "commit":
                kept.append(transaction.commit())
            else:
                transaction.roll_back()
    seqs = [event["seq"] for event in reader.events]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else not kept
    read = [event["record_id"] for event in reader.events]
    for records in kept:
        assert [record for record in read if record in records] == records, "in the order they were written"
    assert audit_tenant(runtime, tenant.id).finding is None
