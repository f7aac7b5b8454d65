"""The sealer: gives a tenant's new events their order and chains them, without touching an event row.

It takes the visible outbox rows before the role is set and appends one ``event_seal`` in the same transaction, so an
event is sealed exactly once. A leaf is an HMAC of the event under the tenant's audit key; the root chains the leaves
to the batch before (ADR 17; ``app.events.audit`` checks it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.core.crypto import hmac_sign
from app.core.jobs import request_job
from app.events import consumers
from tenants.scope import enter_seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

#: What is signed: every column in a fixed order, times in UTC, whatever the session's settings.
#: The job of ``app.records.folding``: what indexed roll-ups got since is added up soon after it was written.
FOLD_JOB: Final = "records.fold_rollups"
CANONICAL: Final = (
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
        secret_key = runtime.config.secret_key
        leaves = leaves_of(scope, event_ids, secret_key)
        batch, first_seq, previous = _head(scope)
        root = root_of(secret_key, tenant_id, batch + 1, first_seq, previous, leaves)
        scope.execute(
            "INSERT INTO event_seal (batch, first_seq, event_ids, leaves, root, previous_root)"
            " VALUES (%s, %s, %s::uuid[], %s::bytea[], %s, %s)",
            (batch + 1, first_seq, event_ids, leaves, root, previous),
        )
        if consumers.registry.all():
            request_job(scope, consumers.JOB)
        if scope.execute("SELECT FROM rollup_delta LIMIT 1").fetchone() is not None:
            request_job(scope, FOLD_JOB)
        return len(event_ids)


def leaves_of(scope: TenantScope, event_ids: Sequence[UUID], secret_key: str) -> list[bytes]:
    """The leaf of each event, in the order of ``event_ids``."""
    rows = scope.execute(f"SELECT id, {CANONICAL} FROM event WHERE id = ANY(%s::uuid[])", (list(event_ids),)).fetchall()
    text: dict[UUID, str] = {row[0]: row[1] for row in rows}
    return [leaf_of(secret_key, scope.tenant.id, text[event_id]) for event_id in event_ids]


def leaf_of(secret_key: str, tenant_id: UUID, canonical: str) -> bytes:
    """HMAC of an event under the tenant's audit key."""
    return hmac_sign(secret_key, f"audit {tenant_id}", canonical.encode())


def root_of(
    secret_key: str, tenant_id: UUID, batch: int, first_seq: int, previous: bytes | None, leaves: Iterable[bytes]
) -> bytes:
    """HMAC over the batch's place, the root before and the leaves.

    With the key, so that whoever may write the database can't take a leaf away and chain the rest anew.
    """
    message = b"".join((batch.to_bytes(8), first_seq.to_bytes(8), previous or b"", *leaves))
    return hmac_sign(secret_key, f"audit root {tenant_id}", message)


def _head(scope: TenantScope) -> tuple[int, int, bytes | None]:
    """Batch and root of the last seal, and the first ``seq`` that is free."""
    row = scope.execute(
        "SELECT batch, first_seq + cardinality(event_ids), root FROM event_seal ORDER BY batch DESC LIMIT 1"
    ).fetchone()
    return (0, 1, None) if row is None else (row[0], row[1], row[2])
