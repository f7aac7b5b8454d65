"""A leaving member's records get a new owner: set-based, each with its event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.records.reach import whole
from app.records.rowform import quote, trusted
from app.records.store_many import Change, change_many

if TYPE_CHECKING:
    from uuid import UUID

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

#: Seconds a handing over may take; each of its statements is cut at a write's budget.
_PATIENCE: Final = 20.0


def hand_over(scope: TenantScope, from_member: UUID, to_member: UUID) -> int:
    """Give ``to_member`` every live record ``from_member`` owns, and the open tasks assigned; how many records.

    Also fields like ``task.assignee``: whatever may be written and links to a member.
    """
    scope.deadline = max(scope.deadline, time.monotonic() + _PATIENCE)
    catalog = catalogs.whole(scope)
    handed: set[UUID] = set()
    for name in sorted(catalog.objects):
        object_type = catalog.objects[name]
        for field in object_type.fields.values():
            if "member" in field.to and not field.system and not field.readonly:
                handed |= _hand_over_field(scope, object_type, field, from_member, to_member)
    return len(handed)


def _hand_over_field(
    scope: TenantScope, object_type: ObjectType, field: Field, from_member: UUID, to_member: UUID
) -> set[UUID]:
    still_open = " AND done_at IS NULL" if object_type.name == "task" and field.name == "assignee" else ""
    text = (
        f"SELECT id FROM {whole(object_type)} WHERE {quote(field.columns[0].name)} = %s::uuid"
        f" AND deleted_at IS NULL{still_open} ORDER BY id FOR NO KEY UPDATE"
    )
    rows = scope.execute(trusted(text), (from_member,)).fetchall()
    changes = [Change(row[0], {field.name: to_member}) for row in rows]
    return set(change_many(scope, object_type, changes, cause={"handed_over_from": str(from_member)}))
