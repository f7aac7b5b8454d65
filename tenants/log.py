"""What happens to members, keys, teams, roles, sharing and by support, written into the tenant's log like all else.

Below ``app.events`` because those verbs are; the same statement, the same outbox, so it is sealed in one order with the
rest. No addresses: whoever reads the feed need not see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from tenants.scope import TenantScope

Kind = Literal[
    "member_invited",
    "member_joined",
    "member_changed",
    "signed_in",
    "key_created",
    "key_revoked",
    "team_created",
    "team_changed",
    "team_removed",
    "role_created",
    "role_changed",
    "role_removed",
    "sharing_changed",
    "rule_created",
    "rule_changed",
    "rule_removed",
    "shared",
    "unshared",
    "exported",
    "support_granted",
    "support_revoked",
    "support_expired",
    "support_entered",
    "support_left",
]


def note(
    scope: TenantScope,
    kind: Kind,
    object_name: str,
    record_id: UUID | None,
    diff: Mapping[str, list[Any]] | None = None,
) -> None:
    """Add one event in the scope's own transaction; ``diff`` is ``{"field": [old, new]}``.

    ``object_name`` is what it happened to: member, key, team, role, sharing, support, or the object of a record that
    was shared.
    """
    scope.execute(
        "WITH logged AS (INSERT INTO event (id, at, actor_kind, actor_id, cause, kind, object, record_id, diff,"
        " request_id) VALUES (uuidv7(), clock_timestamp(), %(actor_kind)s, %(actor)s::uuid, %(cause)s::jsonb,"
        " %(kind)s, %(object)s, %(record)s::uuid, %(diff)s::jsonb, %(request)s::text) RETURNING id)"
        " INSERT INTO pod.outbox (events) SELECT array_agg(id) FROM logged",
        {
            "actor_kind": scope.actor.kind,
            "actor": scope.actor.id,
            "cause": Jsonb(scope.cause) if scope.cause else None,
            "kind": kind,
            "object": object_name,
            "record": record_id,
            "diff": Jsonb(dict(diff)) if diff else None,
            "request": scope.request_id or None,
        },
    )
