"""The head of a tenant's chain, kept outside the database once a day.

The chain shows whatever was changed inside it, but not that its end was cut off: for that the newest root is kept,
signed, among the tenant's files. An anchor is never replaced when the chain does not continue it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.core import clock
from app.core.crypto import hmac_sign, hmac_verify
from app.core.errors import NotFound, RapportError
from app.core.jobs import register
from app.core.jobs.schedules import schedules
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime

JOB: Final = "events.anchor"


class Anchor(msgspec.Struct, frozen=True):
    """The end of the chain at one time: ``seq`` is that of the last event sealed by ``batch``."""

    tenant: str
    batch: int
    seq: int
    root: str
    at: datetime


class _Signed(msgspec.Struct, frozen=True):
    anchor: str
    signature: str


class ForgedAnchorError(Exception):
    """The anchor kept for a tenant was not written by this installation, or altered."""


class BrokenChainError(RapportError):
    """The log does not continue what was anchored; `rapport doctor --audit` tells where."""

    status = 500
    code = "audit.broken"
    title = "The log does not continue its anchor"


def read_anchor(runtime: Runtime, tenant_id: UUID) -> Anchor | None:
    """The newest anchor; None before the first. Raises ForgedAnchorError."""
    try:
        with runtime.storage.open(_key(tenant_id)) as stream:
            content = stream.read()
    except NotFound:
        return None
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        text = signed.anchor.encode()
        genuine = hmac_verify(
            runtime.config.secret_key, f"audit anchor {tenant_id}", text, bytes.fromhex(signed.signature)
        )
        anchor = msgspec.json.decode(text, type=Anchor)
    except ValueError as error:
        raise ForgedAnchorError("the anchor can't be read") from error
    if not genuine or anchor.tenant != str(tenant_id):
        raise ForgedAnchorError("the anchor's signature is not ours")
    return anchor


def anchor_tenant(runtime: Runtime, tenant_id: UUID) -> Anchor | None:
    """Keep the present end of the chain; None while nothing is sealed. Raises BrokenChainError, ForgedAnchorError."""
    before = read_anchor(runtime, tenant_id)
    with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=False) as scope:
        head = scope.execute(
            "SELECT batch, first_seq + cardinality(event_ids) - 1, root FROM event_seal ORDER BY batch DESC LIMIT 1"
        ).fetchone()
        if before is not None:
            known = scope.execute("SELECT root FROM event_seal WHERE batch = %s", (before.batch,)).fetchone()
            if known is None or known[0] != bytes.fromhex(before.root):
                raise BrokenChainError("The log does not continue what was anchored.")
    if head is None:
        return None
    anchor = Anchor(str(tenant_id), head[0], head[1], head[2].hex(), clock.now())
    text = msgspec.json.encode(anchor)
    signature = hmac_sign(runtime.config.secret_key, f"audit anchor {tenant_id}", text).hex()
    runtime.storage.put(_key(tenant_id), msgspec.json.encode(_Signed(text.decode(), signature)))
    return anchor


@register(JOB, timeout=60)
def anchor_job(runtime: Runtime, tenant_id: UUID, _args: dict[str, Any]) -> None:
    """Once a day."""
    anchor_tenant(runtime, tenant_id)


schedules.add(JOB, timedelta(days=1), timedelta(hours=1))


def _key(tenant_id: UUID) -> str:
    return f"{tenant_id}/audit/anchor"
