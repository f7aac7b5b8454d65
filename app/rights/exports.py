"""The audit log and the access review as files; taking one along is itself written into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.rights import audit, review
from app.rights.csvfile import csv_lines
from tenants import log

if TYPE_CHECKING:
    from tenants.scope import TenantScope

AUDIT_HEADER: Final = ("at", "actor_kind", "actor", "kind", "object", "record_id", "title", "changes", "request_id")


def audit_lines(scope: TenantScope, query: audit.AuditQuery) -> str:
    """The log as CSV, newest first, at most ``audit.MAX_EXPORT`` lines."""
    found, _ = audit.entries(scope, query, limit=audit.MAX_EXPORT)
    log.note(scope, "exported", "audit", None, {"rows": [None, len(found)]})
    return "".join(csv_lines(AUDIT_HEADER, (_row(entry) for entry in found)))


def review_lines(scope: TenantScope) -> str:
    """The access review as CSV."""
    rows = list(review.review(scope))
    log.note(scope, "exported", "access_review", None, {"rows": [None, len(rows)]})
    return "".join(csv_lines(review.HEADER, rows))


def _row(entry: audit.Entry) -> tuple[Any, ...]:
    changes = msgspec.json.encode({name: [old, new] for name, old, new in entry.changes}).decode()
    return (
        entry.at.isoformat(timespec="milliseconds"),
        entry.actor_kind,
        entry.actor,
        entry.kind,
        entry.object,
        entry.record_id or "",
        entry.what,
        changes if entry.changes else "",
        entry.request_id,
    )
