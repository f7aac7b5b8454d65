"""The sealer: gives a tenant's new events their order and chains them, without touching an event row.

It takes the visible outbox rows before the role is set and appends one ``event_seal`` in the same transaction, so an
event is sealed exactly once. A leaf is an HMAC of the event under the tenant's audit key; the root chains the leaves
to the batch before.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from app.core.crypto import hmac_sign
from app.core.jobs import request_job
from app.events import consumers
from tenants.scope import SYSTEM, enter_job, enter_seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

#: What is signed: every column in a fixed order, times in UTC, whatever the session's settings.
_CANONICAL: Final = (
    "jsonb_build_array(id, at AT TIME ZONE 'UTC', actor_kind, actor_id, cause, kind, object, record_id, record_version,"
    " diff, request_id)::text"
)


def seal_tenant(runtime: Runtime, tenant_id: UUID) -> int:
    """Seal what waits in one tenant's outbox; how many events. 0 too when another sealer is at work there."""
    with enter_seal(runtime.databases, tenant_id) as taken:
        if taken is None:
            return 0
        scope, event_ids = taken
        if not event_ids:
            return 0
        leaves = leaves_of(scope, event_ids, runtime.config.secret_key)
        batch, first_seq, previous = _head(scope)
        scope.execute(
            "INSERT INTO event_seal (batch, first_seq, event_ids, leaves, root, previous_root)"
            " VALUES (%s, %s, %s::uuid[], %s::bytea[], %s, %s)",
            (batch + 1, first_seq, event_ids, leaves, root_of(previous, leaves), previous),
        )
        if consumers.registry.all():
            request_job(scope, consumers.JOB)
        return len(event_ids)


def leaves_of(scope: TenantScope, event_ids: Sequence[UUID], secret_key: str) -> list[bytes]:
    """The leaf of each event, in the order of ``event_ids``."""
    rows = scope.execute(
        f"SELECT id, {_CANONICAL} FROM event WHERE id = ANY(%s::uuid[])", (list(event_ids),)
    ).fetchall()
    text: dict[UUID, str] = {row[0]: row[1] for row in rows}
    purpose = f"audit {scope.tenant.id}"
    return [hmac_sign(secret_key, purpose, text[event_id].encode()) for event_id in event_ids]


def root_of(previous: bytes | None, leaves: Iterable[bytes]) -> bytes:
    """SHA-256 over the root before and the leaves."""
    digest = hashlib.sha256(previous or b"")
    for leaf in leaves:
        digest.update(leaf)
    return digest.digest()


def _head(scope: TenantScope) -> tuple[int, int, bytes | None]:
    """Batch and root of the last seal, and the first ``seq`` that is free."""
    row = scope.execute(
        "SELECT batch, first_seq + cardinality(event_ids), root FROM event_seal ORDER BY batch DESC LIMIT 1"
    ).fetchone()
    return (0, 1, None) if row is None else (row[0], row[1], row[2])


def verify_chain(runtime: Runtime, tenant_id: UUID) -> list[str]:
    """Check every seal of a tenant against its events; sentences about what does not fit, empty when all is well."""
    problems: list[str] = []
    with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=False) as scope:
        seals: list[Any] = scope.execute(
            "SELECT batch, first_seq, event_ids, leaves, root, previous_root FROM event_seal ORDER BY batch"
        ).fetchall()
        previous, next_seq = None, 1
        for batch, first_seq, event_ids, leaves, root, previous_root in seals:
            if first_seq != next_seq or previous_root != previous:
                problems.append(f"batch {batch} does not continue the one before")
            if root_of(previous_root, leaves) != root:
                problems.append(f"the root of batch {batch} does not match its leaves")
            if leaves_of(scope, event_ids, runtime.config.secret_key) != leaves:
                problems.append(f"an event of batch {batch} was altered")
            previous, next_seq = root, first_seq + len(event_ids)
    return problems
