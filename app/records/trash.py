"""The trash: moving records there with what depends on them, bringing them back, destroying them.

Links decide (``on_delete``): *restrict* refuses, *cascade* takes the linking record along under the same trash id,
*clear* empties the link. The event of the record itself remembers the links it cleared, so that a restore can set them
again where they are still empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from app.access import catalogs
from app.access.rights import RECORD_DELETE, RECORD_DESTROY
from app.core import clock, ids
from app.events.append import event_ctes, event_params
from app.records import conflicts, consequences, dependants, drafts, store
from app.records.errors import DeleteRestricted, ParentInTrash
from app.records.feeds import parts_of
from app.records.parts import batched
from app.records.permits import Leave, leave_for, refused
from app.records.reach import whole
from app.records.rowform import quote, row_form, trusted
from app.records.store_many import Change, change_many, lock_records
from app.records.violations import translated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog, ObjectType
    from app.metadata.reach import Action
    from app.records.dependants import Blocking, Closure
    from tenants.scope import TenantScope

Record = dict[str, Any]
#: Of a record one may see, but not do this with.
REFUSED: Final = "refused"
#: What became of a record: [] it went, what blocks it, refused, or None when it is not there.
Outcome: TypeAlias = "list[Blocking] | Literal['refused'] | None"
#: What ``Leave.judge`` leaves out is in reach.
_YES: Final = (True, True)


def trash_record(scope: TenantScope, object_name: str, record_id: UUID, *, if_match: int | None = None) -> None:
    """Move a record to the trash; what links to it is refused, trashed with it or cleared as its link says.

    Raises: RecordNotFound, StaleVersion, DeleteRestricted.
    """
    outcome = trash_many(scope, object_name, [record_id], if_match={record_id: if_match})
    _raise_for(leave_for(scope, object_name), outcome[record_id], "delete")


def trash_all(scope: TenantScope, object_name: str, record_ids: Iterable[UUID]) -> None:
    """Move all of the records to the trash, or none. Raises: RecordNotFound, Forbidden, DeleteRestricted."""
    outcome = trash_many(scope, object_name, record_ids)
    leave = leave_for(scope, object_name)
    for one in outcome.values():
        _raise_for(leave, one, "delete")


def trash_many(
    scope: TenantScope,
    object_name: str,
    record_ids: Iterable[UUID],
    *,
    if_match: Mapping[UUID, int | None] | None = None,
) -> dict[UUID, Outcome]:
    """Trash live records, each under a trash id of its own; what became of each by id."""
    leave = leave_for(scope, object_name, RECORD_DELETE)
    catalog, object_type = leave.complete, leave.object
    wanted = sorted(set(record_ids))
    with translated(object_type):
        consequences.lock_parents(scope, catalog, object_type, [], wanted)
        locked = lock_records(scope, object_type, wanted, hard=True)
        verdicts = leave.judge(wanted, "delete")  # of ids of nothing as well: who guesses pays the same for all
        present = [one for one in locked if verdicts.get(one, _YES)[0]]
        going = [one for one in present if verdicts.get(one, _YES)[1]]
        for record_id in going:
            conflicts.check_version(scope, leave.shown, locked[record_id], (if_match or {}).get(record_id))
        closure = dependants.close_over(scope, catalog, object_type, going, seen_in=leave.catalog)
        roots = [record_id for record_id in going if record_id not in closure.blocked]
        _write_trash(scope, catalog, object_type, roots, closure)
    return _outcomes(wanted, present, going, closure)


def _outcomes(
    wanted: Sequence[UUID], present: Collection[UUID], going: Collection[UUID], closure: Closure
) -> dict[UUID, Outcome]:
    found: dict[UUID, Outcome] = dict.fromkeys(wanted)
    found |= dict.fromkeys(present, REFUSED)
    return found | {record_id: closure.blocked.get(record_id, []) for record_id in going}


def _raise_for(leave: Leave, outcome: Outcome, action: Action) -> None:
    """Raise why a single record did not go."""
    if outcome is None:
        raise drafts.missing(leave.object)
    if outcome == REFUSED:
        raise refused(leave.object, action)
    if outcome:
        raise restricted(leave, outcome)


def _write_trash(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, roots: Sequence[UUID], closure: Closure
) -> None:
    trash_ids = {root: ids.uuid7() for root in roots}
    cleared = closure.cleared_by(trash_ids)
    for link, records in closure.to_clear(trash_ids):
        changes = [Change(record_id, {link.field: None}) for record_id in records]
        change_many(scope, catalog.objects[link.object], changes, cause={"trashed": str(roots[0])})
    gone: list[tuple[ObjectType, list[Record]]] = []
    for name in sorted(closure.rows):
        members = {row: trash_ids[root] for row, root in closure.rows[name].items() if root in trash_ids}
        own = cleared if name == object_type.name else {}
        gone.append((catalog.objects[name], _set_trashed(scope, catalog.objects[name], members, own)))
    for kind, records in gone:
        consequences.after_gone(scope, catalog, kind, records)


def _set_trashed(
    scope: TenantScope, object_type: ObjectType, members: Mapping[UUID, UUID], cleared: Mapping[UUID, Any]
) -> list[Record]:
    """Mark rows as trashed, each with its event; answers them as they went."""
    form = row_form(object_type)
    shown = ", ".join(f"new.{quote(name)}" for name in form.columns)
    fed = parts_of(object_type, "u", old=True, new=True)
    cause = "nullif(coalesce(%(event_cause)s::jsonb, '{}') || coalesce(%(cleared)s::jsonb -> id::text, '{}'), '{}')"
    text = (
        f"WITH r AS (SELECT * FROM unnest(%(ids)s::uuid[], %(trash)s::uuid[]) AS r(row_id, trash)),"
        f" u AS (UPDATE {whole(object_type)} t SET deleted_at = %(now)s::timestamptz, trash_id = r.trash,"
        " version = t.version + 1, updated_at = %(now)s::timestamptz, updated_by = %(by)s::uuid"
        f" FROM r WHERE t.id = r.row_id AND t.deleted_at IS NULL RETURNING {shown}{fed.returned}),"
        f" {event_ctes('u', 'trashed', object_type.name, cause=cause)}{fed.cte} SELECT {form.select} FROM u"
    )
    params = event_params(scope) | {"now": clock.now(), "by": scope.member.id if scope.member else None}
    gone: list[Record] = []
    for part in batched(sorted(members.items())):
        own = {row: cleared[row] for row, _ in part if row in cleared}
        params |= {"ids": [row for row, _ in part], "trash": [trash for _, trash in part]}
        params["cleared"] = dependants.as_causes(own)
        cursor = scope.cursor_text()
        cursor.execute(trusted(text), params)
        gone += [form.decode(row) for row in cursor.fetchall()]
    return gone


def restore_record(scope: TenantScope, object_name: str, record_id: UUID) -> Record:
    """Bring a trashed record back, with just those that went with it, and links that were cleared then.

    A live record stays as it is. Raises: RecordNotFound, UniqueTaken, ParentInTrash (it went with one still there).
    """
    restore_all(scope, object_name, [record_id])
    leave = leave_for(scope, object_name)
    return leave.form(_present(scope, leave.object, record_id))


def restore_all(scope: TenantScope, object_name: str, record_ids: Iterable[UUID]) -> None:
    """Bring those of the records back that are in the trash, all or none; the others stay as they are.

    Raises: RecordNotFound and Forbidden for those out of reach, UniqueTaken, ParentInTrash.
    """
    leave = leave_for(scope, object_name, RECORD_DELETE)
    catalog, object_type = leave.complete, leave.object
    wanted = sorted(set(record_ids))
    with leave.told(), translated(object_type):
        leave.check(wanted, "delete")
        text = (
            f"SELECT id, trash_id FROM {whole(object_type)}"
            " WHERE id = ANY(%s::uuid[]) AND deleted_at IS NOT NULL ORDER BY id FOR UPDATE"
        )
        trashed: dict[UUID, UUID | None] = dict(scope.execute(trusted(text), (wanted,)).fetchall())
        if not trashed:
            return
        _refuse_trashed_parents(scope, catalog, object_type, trashed)
        restored: list[tuple[ObjectType, list[Record]]] = []
        for name in sorted(dependants.cascade_objects(catalog, object_type)):
            with translated(catalog.objects[name]):
                restored.append((catalog.objects[name], _set_live(scope, catalog.objects[name], trashed)))
        dependants.set_again(scope, catalog, list(trashed))
        for kind, records in restored:
            if records:
                consequences.after_return(scope, catalog, kind, records)


def _present(scope: TenantScope, object_type: ObjectType, record_id: UUID) -> Record:
    record = store.read_record(scope, object_type, record_id)
    if record is None:
        raise drafts.missing(object_type)
    return record


def _set_live(scope: TenantScope, object_type: ObjectType, trashed: Mapping[UUID, UUID | None]) -> list[Record]:
    """Unmark the rows of ``trashed`` (id → trash id) and what went with them, each with its event."""
    form = row_form(object_type)
    shown = ", ".join(f"new.{quote(name)}" for name in form.columns)
    fed = parts_of(object_type, "u", old=True, new=True)
    text = (
        f"WITH u AS (UPDATE {whole(object_type)} t SET deleted_at = NULL, trash_id = NULL,"
        " version = t.version + 1, updated_at = %(now)s::timestamptz, updated_by = %(by)s::uuid"
        " WHERE t.deleted_at IS NOT NULL AND (t.trash_id = ANY(%(trash)s::uuid[]) OR t.id = ANY(%(ids)s::uuid[]))"
        f" RETURNING {shown}{fed.returned}), {event_ctes('u', 'restored', object_type.name)}{fed.cte}"
        f" SELECT {form.select} FROM u"
    )
    trash_ids = [trash_id for trash_id in trashed.values() if trash_id is not None]
    params = event_params(scope) | {"trash": trash_ids, "ids": list(trashed), "now": clock.now()}
    params["by"] = scope.member.id if scope.member else None
    cursor = scope.cursor_text()
    cursor.execute(trusted(text), params)
    return [form.decode(row) for row in cursor.fetchall()]


def _refuse_trashed_parents(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, record_ids: Iterable[UUID]
) -> None:
    """A record that depends on one in the trash comes back with that one, not alone."""
    wanted = list(record_ids)
    for link in dependants.cascade_parents(object_type):
        parent = catalog.objects[link.target]
        text = (
            f"SELECT 1 FROM {whole(object_type)} c JOIN {whole(parent)} p ON p.id = c.{quote(link.column)}"
            " WHERE c.id = ANY(%s::uuid[]) AND p.deleted_at IS NOT NULL"
        )
        found = scope.execute(trusted(text), (wanted,)).fetchone()
        if found:
            raise ParentInTrash(f"Restore the {parent.label} it belongs to first.")


def destroy_record(scope: TenantScope, object_name: str, record_id: UUID, *, if_match: int | None = None) -> None:
    """Delete a record, live or trashed, for good; the event keeps the whole row.

    Raises: RecordNotFound, StaleVersion, DeleteRestricted.
    """
    leave = leave_for(scope, object_name, RECORD_DESTROY)
    if leave.narrowed:
        consequences.lock_parents(scope, leave.complete, leave.object, [], [record_id])
        leave.check([record_id], "destroy")
    if if_match is not None:
        _check_version(leave, record_id, if_match)
    _raise_for(leave, destroy_many(scope, object_name, [record_id])[record_id], "destroy")


def _check_version(leave: Leave, record_id: UUID, if_match: int) -> None:
    """Refuse another version than ``if_match`` of a record, live or trashed; it stays locked."""
    consequences.lock_parents(leave.scope, leave.complete, leave.object, [], [record_id])
    text = f"SELECT version FROM {whole(leave.object)} WHERE id = %s::uuid FOR UPDATE"
    found = leave.scope.execute(trusted(text), (record_id,)).fetchone()
    if found is not None:
        conflicts.check_version(leave.scope, leave.shown, {"id": record_id, "version": found[0]}, if_match)


def destroy_many(scope: TenantScope, object_name: str, record_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
    """Destroy records with their cascading dependants; trashed dependants count like live ones.

    Who may is asked by ``destroy_record``, or by the caller, of records that are its own affair (samples).
    """
    catalog = catalogs.whole(scope)
    object_type = drafts.object_of(catalog, object_name)
    wanted = sorted(set(record_ids))
    with translated(object_type):
        consequences.lock_parents(scope, catalog, object_type, [], wanted)
        text = f"SELECT id FROM {whole(object_type)} WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE"
        found = scope.execute(trusted(text), (wanted,)).fetchall()
        present = [row[0] for row in found]
        seen_in = catalogs.for_scope(scope)
        closure = dependants.close_over(scope, catalog, object_type, present, seen_in=seen_in, trashed=True)
        roots = {record_id: record_id for record_id in present if record_id not in closure.blocked}
        for link, records in closure.to_clear(roots):
            dependants.clear_for_good(scope, catalog, link, records)
        gone: list[tuple[ObjectType, list[Record]]] = []
        for name in dependants.children_first(catalog, closure.rows):
            going = [row for row, root in closure.rows[name].items() if root in roots]
            gone.append((catalog.objects[name], list(lock_records(scope, catalog.objects[name], going).values())))
            store.delete_rows(scope, catalog.objects[name], going)
        for kind, records in gone:
            consequences.after_gone(scope, catalog, kind, records)
    return _outcomes(wanted, present, present, closure)


def restricted(leave: Leave, blocking: Sequence[Blocking]) -> DeleteRestricted:
    """The 409 that names what must go first, as far as it may be seen."""
    told = [block for block in blocking if block.count]
    kinds = [leave.catalog.objects[block.object] for block in told]
    names = [
        f"{block.count} {kind.plural if block.count > 1 else kind.label}"
        for block, kind in zip(told, kinds, strict=True)
    ]
    if any(block.hidden for block in blocking):
        names.append("linked records you can't see")
    return DeleteRestricted(
        f"This {leave.object.label} is still used by {', '.join(names)}.",
        extra={"blocking": [{"object": block.object, "field": block.field, "count": block.count} for block in told]},
    )
