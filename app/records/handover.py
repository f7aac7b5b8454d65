"""A leaving member's records get a new owner: a colleague or a team. A job, batch by batch, each record with its event.

What was handed over no longer names who left: an attempt that was killed is gone on with by looking what still does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from app.access import catalogs
from app.core import ids
from app.core.errors import Conflict, NotFound
from app.core.jobs import JobArgs, checkpoint, register, request_job
from app.records.reach import whole
from app.records.rowform import quote, trusted
from app.records.store_many import Change, change_many
from tenants.scope import SYSTEM, Actor, enter_job

if TYPE_CHECKING:
    from datetime import datetime

    from app.core.ports import Runtime
    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

HeirKind = Literal["member", "team"]
JOB: Final = "members.hand_over"
#: Records a transaction changes: well below the second a write may take.
BATCH: Final = 500
#: Seconds the count of what there is to do may take.
_PATIENCE: Final = 20.0
_COLUMNS: Final = (
    "h.id, h.member, h.heir_kind, h.heir, coalesce(m.name, t.name, ''), h.state, h.done, h.total, h.asked_at,"
    " h.finished_at"
)


@dataclass(frozen=True, slots=True)
class HandOver:
    """One handing over. ``total`` is counted when it begins; ``done`` of them have their new owner."""

    id: UUID
    member: UUID
    heir_kind: HeirKind
    heir: UUID
    heir_name: str
    state: Literal["queued", "running", "done", "failed"]
    done: int
    total: int
    asked_at: datetime
    finished_at: datetime | None

    @property
    def going(self) -> bool:
        """Whether there is more to come."""
        return self.state in ("queued", "running")

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100, 100 * self.done // self.total) if self.total else 0

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "to": {"kind": self.heir_kind, "id": str(self.heir), "name": self.heir_name},
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "asked_at": self.asked_at,
            "finished_at": self.finished_at,
        }


def ask_to_hand_over(scope: TenantScope, member: UUID, kind: HeirKind, heir: UUID) -> UUID:
    """Ask for the job that gives what ``member`` owns to ``heir``, in the scope's transaction; its id.

    Who may do so and that the heir can take it is asked by the caller. Raises Conflict while one is under way.
    """
    under_way = scope.execute(
        "SELECT 1 FROM handover WHERE member = %s AND state IN ('queued', 'running') FOR UPDATE", (member,)
    ).fetchone()
    if under_way is not None:
        raise Conflict("The records of this member are being handed over already.")
    job, actor = ids.uuid7(), scope.actor
    by = {"kind": actor.kind, "id": str(actor.id) if actor.id else None, "name": actor.name}
    scope.execute(
        "INSERT INTO handover (id, member, heir_kind, heir, asked_by) VALUES (%s, %s, %s, %s, %s)",
        (job, member, kind, heir, Jsonb(by)),
    )
    return request_job(scope, JOB, {"handover": str(job)}, job_id=job)


def latest(scope: TenantScope, member: UUID) -> HandOver | None:
    """The last handing over of a member's records; None when there was none."""
    row = scope.execute(
        f"SELECT {_COLUMNS} FROM handover h LEFT JOIN member m ON h.heir_kind = 'member' AND m.id = h.heir"
        " LEFT JOIN team t ON h.heir_kind = 'team' AND t.id = h.heir WHERE h.member = %s ORDER BY h.id DESC LIMIT 1",
        (member,),
    ).fetchone()
    return None if row is None else HandOver(*row)


def get_latest(scope: TenantScope, member: UUID) -> HandOver:
    """The last one. Raises NotFound."""
    found = latest(scope, member)
    if found is None:
        raise NotFound("The records of this member were not handed over.")
    return found


def _stop(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """The job was cancelled: what was handed over stays, the rest keeps its owner."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        _end(scope, UUID(args["handover"]), "failed")


#: A killed attempt costs at most one batch, so many are allowed.
@register(JOB, timeout=3600, max_attempts=100, on_cancel=_stop)
def run(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take it to its end, from wherever it is."""
    handover = UUID(args["handover"])
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        total = _begin(scope, handover)
    while total is not None:
        with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
            done = hand_over_some(scope, handover)
        if done is None:
            return
        checkpoint(done, max(done, total))


def _begin(scope: TenantScope, handover: UUID) -> int | None:
    """Count what there is to do, once; None when there is nothing to do any more."""
    row = scope.execute("SELECT state, total, member FROM handover WHERE id = %s FOR UPDATE", (handover,)).fetchone()
    if row is None or row[0] in ("done", "failed"):
        return None
    if row[0] == "running":
        return row[1]
    scope.deadline = max(scope.deadline, time.monotonic() + _PATIENCE)
    total = 0
    for object_type, field in _links_to_members(scope):
        text = f"SELECT count(*) FROM {whole(object_type)} WHERE {_still(object_type, field)}"
        counted = scope.execute(trusted(text), {"member": row[2]}).fetchone()
        total += counted[0] if counted else 0
    scope.execute("UPDATE handover SET state = 'running', total = %s WHERE id = %s", (total, handover))
    return total


def hand_over_some(scope: TenantScope, handover: UUID) -> int | None:
    """Hand over the next batch; how many records were so far, None when none was left and it has ended."""
    row = scope.execute(
        "SELECT member, heir_kind, heir, asked_by FROM handover WHERE id = %s AND state = 'running' FOR UPDATE",
        (handover,),
    ).fetchone()
    if row is None:
        return None
    member, kind, heir, by = row
    scope.actor = Actor(by["kind"], UUID(by["id"]) if by["id"] else None, by["name"])
    author = scope.actor.id if scope.actor.kind == "member" else None
    for object_type, field in _links_to_members(scope):
        text = (
            f"SELECT id, {'owner IS NULL' if 'owner' in object_type.fields else 'false'} FROM {whole(object_type)}"
            f" WHERE {_still(object_type, field)}"
            " ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE"
        )
        rows = scope.execute(trusted(text), {"member": member, "limit": BATCH}).fetchall()
        if rows:
            changes = [Change(one, _new_values(field, kind, heir, unowned=unowned)) for one, unowned in rows]
            cause = {"handed_over_from": str(member)}
            change_many(scope, object_type, changes, cause=cause, updated_by=author)
            done = scope.execute(
                "UPDATE handover SET done = done + %s WHERE id = %s RETURNING done", (len(rows), handover)
            ).fetchone()
            return done[0] if done else None
    _end(scope, handover, "done")
    return None


def _end(scope: TenantScope, handover: UUID, state: str) -> None:
    scope.execute(
        "UPDATE handover SET state = %s, total = greatest(total, done), finished_at = now()"
        " WHERE id = %s AND state IN ('queued', 'running')",
        (state, handover),
    )


def _links_to_members(scope: TenantScope) -> list[tuple[ObjectType, Field]]:
    """Every field like ``owner`` or ``task.assignee``, owners first: what may be written and links to a member."""
    objects = catalogs.whole(scope).objects
    found = [
        (objects[name], field)
        for name in sorted(objects)
        for field in objects[name].fields.values()
        if "member" in field.to and not field.system and not field.readonly
    ]
    return sorted(found, key=lambda one: one[1].name != "owner")


def _still(object_type: ObjectType, field: Field) -> str:
    """Live records that name the member; of assigned tasks those that are open."""
    still_open = " AND done_at IS NULL" if object_type.name == "task" and field.name == "assignee" else ""
    return f"{quote(field.columns[0].name)} = %(member)s::uuid AND deleted_at IS NULL{still_open}"


def _new_values(field: Field, kind: HeirKind, heir: UUID, *, unowned: bool) -> dict[str, Any]:
    """A team owns a record by having no owner beside it; what somebody else owns is just no longer the leaver's."""
    if kind == "member":
        return {field.name: heir}
    return {field.name: None, "team": heir} if unowned or field.name == "owner" else {field.name: None}
