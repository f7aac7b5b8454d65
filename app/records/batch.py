"""Write many records of one object, set-based: the same coercers, rules and events as a single write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from psycopg import Rollback

from app.access.rights import RECORD_CREATE, RECORD_EDIT
from app.core import ids
from app.core.errors import FieldError, Forbidden
from app.records import consequences, drafts
from app.records.errors import LeavesReach
from app.records.intake import Intake, coercion_of
from app.records.judging import judge
from app.records.links import dead_link, find_cycles_together, live_ids, seen_targets, targets_of
from app.records.matching import matches
from app.records.permits import Leave, leave_for, leaves_message, refused
from app.records.plan import plan_of
from app.records.store_many import Change, change_many, insert_many, lock_records, present_records
from app.records.violations import taken, translated

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from uuid import UUID

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Catalog, ObjectType
    from app.records.rules import Draft
    from tenants.scope import TenantScope

RowStatus: TypeAlias = Literal["created", "updated", "deleted", "unchanged", "failed"]
Record = dict[str, Any]


#: Problems of finding the record a row is about: what else may be wrong with the row can't be told.
_NO_RECORD: Final = frozenset({"record.not_found", "match.ambiguous"})


@dataclass(slots=True)
class PreparedRow:
    """A row to write. ``values`` are coerced values by field name (what ``FieldType.coerce`` or ``parse`` gave).

    ``id`` names the record to update; without it a record is created. ``new_id`` gives the id a created one gets
    (a resumed import makes the same ids again). With ``errors`` the row is not written but reported as failed,
    with what else is wrong; the pointer of a problem with the row as a whole is empty.
    """

    index: int
    values: dict[str, Any]
    id: UUID | None = None
    new_id: UUID | None = None
    errors: list[FieldError] = field(default_factory=list[FieldError])


@dataclass(slots=True)
class RowResult:
    """What became of a row; ``version`` is the record's version after it."""

    index: int
    status: RowStatus
    id: UUID | None = None
    version: int | None = None
    errors: list[FieldError] = field(default_factory=list[FieldError])


@dataclass(slots=True)
class _Item:
    """A row on its way: its draft once it has one, problems of links and of uniqueness in the draft's intake."""

    row: PreparedRow
    id: UUID
    draft: Draft | None
    errors: list[FieldError]


def write_batch(
    scope: TenantScope,
    object_name: str,
    rows: Sequence[PreparedRow],
    *,
    created_by: UUID | None = None,
    atomic: bool = False,
    ruled: bool = True,
) -> list[RowResult]:
    """Create and update ``rows`` in a constant number of statements; results in the order of ``rows``.

    Failed rows are reported and left out; with ``atomic`` nothing is written when one fails. ``created_by`` defaults
    to the scope's member. Events carry the scope's actor and cause. Several rows of one record follow each other.
    Without ``ruled`` the tenant's rules are not asked: values come back that were there before.
    """
    leave = leave_for(scope, object_name, *_rights(rows))
    author = created_by or (scope.member.id if scope.member else None)
    results: dict[int, RowResult] = {}
    with leave.told(), translated(leave.object):
        unmade: set[UUID] = set()
        for wave in _waves(rows):
            _make_instead(wave, unmade)
            for result in _write_wave(leave, wave, author, atomic=atomic, ruled=ruled):
                result.errors = leave.tell(result.errors)
                results[result.index] = result
            unmade = {row.new_id for row in wave if row.new_id and results[row.index].status == "failed"}
            if atomic and any(result.status == "failed" for result in results.values()):
                break
    return [results[row.index] for row in rows if row.index in results]


def foresee_batch(scope: TenantScope, object_name: str, rows: Sequence[PreparedRow]) -> dict[int, list[FieldError]]:
    """What ``write_batch`` would refuse, by row: the tenant's rules too. Nothing is written or locked."""
    leave = leave_for(scope, object_name, *_rights(rows))
    object_type, ctx = leave.object, coercion_of(scope)
    updated = [row.id for row in rows if row.id is not None]
    present = present_records(scope, object_type, updated) if updated else {}
    with leave.told(), translated(object_type):
        items = [_item(leave, row, ctx, present) for row in rows]
        _settled(leave, items, present, ruled=True)
    return {item.row.index: leave.tell(item.errors) for item in items if item.errors}


def _settled(leave: Leave, items: Sequence[_Item], present: Mapping[UUID, Record], *, ruled: bool) -> None:
    """Complete the drafts and find everything that is wrong with them."""
    scope, object_type = leave.scope, leave.object
    found = [item.draft for item in items if item.draft is not None]
    drafts.settle(scope, leave.complete, object_type, found, ruled=ruled)
    _check_links(leave, items, present)
    if ruled:
        judge(scope, leave.complete, object_type, found)
    _check_cycles(scope, object_type, items)
    _check_unique(scope, object_type, items)


def _waves(rows: Sequence[PreparedRow]) -> list[list[PreparedRow]]:
    """Rows in groups in which no record occurs twice."""
    waves: list[list[PreparedRow]] = [[]]
    seen: dict[UUID, int] = {}
    for row in rows:
        at = 0
        record_id = row.id or row.new_id
        if record_id is not None:
            at = seen.get(record_id, -1) + 1
            seen[record_id] = at
        if at == len(waves):
            waves.append([])
        waves[at].append(row)
    return waves


def _rights(rows: Sequence[PreparedRow]) -> list[str]:
    """What the rows need: to create, to edit, or both."""
    creating, editing = any(row.id is None for row in rows), any(row.id is not None for row in rows)
    return [*([RECORD_CREATE] if creating else []), *([RECORD_EDIT] if editing else [])]


def _make_instead(rows: Iterable[PreparedRow], unmade: Container[UUID]) -> None:
    """A row that would change a record which the row before it failed to make makes it itself."""
    for row in rows:
        if row.id is not None and row.id in unmade:
            row.id, row.new_id = None, row.id


def _write_wave(
    leave: Leave, rows: Sequence[PreparedRow], author: UUID | None, *, atomic: bool, ruled: bool
) -> list[RowResult]:
    present = _lock(leave, rows)
    ctx = coercion_of(leave.scope)
    items = [_item(leave, row, ctx, present) for row in rows]
    _settled(leave, items, present, ruled=ruled)
    good = [item for item in items if not item.errors]
    results: dict[int, RowResult] = {}
    if not (atomic and len(good) < len(items)):
        results = _write_kept(leave, good, present, author)
    failed = [item for item in items if item.errors]
    results |= {item.row.index: RowResult(item.row.index, "failed", item.row.id, errors=item.errors) for item in failed}
    return list(results.values())


def _write_kept(
    leave: Leave, items: Sequence[_Item], present: Mapping[UUID, Record], author: UUID | None
) -> dict[int, RowResult]:
    """Write the rows; those that would leave the reach of whoever writes fail, and the others are written again."""
    if not leave.narrowed:
        return _write_good(leave.scope, leave.complete, leave.object, items, present, author)
    results: dict[int, RowResult] = {}
    good = list(items)
    while good:
        with leave.scope.connection.transaction() as trial:
            results = _write_good(leave.scope, leave.complete, leave.object, good, present, author)
            leaving = leave.leaving([item.id for item in good if results[item.row.index].status != "unchanged"])
            if not leaving:
                return results
            unseen = leave.out_of_sight(leaving)
            for item in good:
                if item.id in leaving:
                    message = leaves_message(leave.object, seen=item.id not in unseen)
                    item.errors.append(FieldError("", LeavesReach.code, message))
            raise Rollback(trial)
        good = [item for item in good if not item.errors]
    return {}


def _lock(leave: Leave, rows: Sequence[PreparedRow]) -> dict[UUID, Record]:
    """The records to update as they are, locked after the parents their change will touch.

    One out of sight is not there; one that may be seen only fails its row.
    """
    scope, object_type = leave.scope, leave.object
    updated = [row.id for row in rows if row.id is not None and not row.errors]
    values = [row.values for row in rows if not row.errors]
    consequences.lock_parents(scope, leave.complete, object_type, values, updated)
    present = lock_records(scope, object_type, updated) if updated else {}
    verdicts = leave.judge(present, "edit")
    for row in rows:
        seen, allowed = verdicts.get(row.id, (True, True)) if row.id else (True, True)
        if seen and not allowed and not row.errors:
            row.errors.append(FieldError("/id", Forbidden.code, refused(object_type, "edit").detail))
    return {one: record for one, record in present.items() if verdicts.get(one, (True, True))[0]}


def _item(leave: Leave, row: PreparedRow, ctx: Coercion, present: Mapping[UUID, Record]) -> _Item:
    scope, object_type = leave.scope, leave.object
    whole = any(error.pointer in ("", "/id") or error.code in _NO_RECORD for error in row.errors)
    if whole:
        return _Item(row, row.id or row.new_id or ids.uuid7(), None, row.errors)
    intake, given = Intake(dict(row.values), list(row.errors)), frozenset(row.values)
    if row.id is not None and row.errors:
        draft = drafts.changed_draft(object_type, intake, ctx, given, None)
        return _Item(row, row.id, draft, draft.intake.errors)
    if row.id is None:
        draft = drafts.new_draft(scope, object_type, intake, ctx, given, narrowed=leave.narrowed)
        return _Item(row, row.new_id or ids.uuid7(), draft, draft.intake.errors)
    current = present.get(row.id)
    if current is None:
        return _Item(
            row, row.id, None, [FieldError("/id", "record.not_found", f"There is no such {object_type.label.lower()}.")]
        )
    draft = drafts.changed_draft(object_type, intake, ctx, given, current)
    return _Item(row, row.id, draft, draft.intake.errors)


def _check_links(leave: Leave, items: Sequence[_Item], present: Mapping[UUID, Record]) -> None:
    """Refuse rows that link to what is not live or out of sight; one statement an object linked to."""
    scope, catalog, object_type = leave.scope, leave.complete, leave.object
    found = [
        (item, target)
        for item in items
        if item.draft is not None
        for target in targets_of(catalog, object_type, item.draft.values)
    ]
    wanted: dict[str, set[UUID]] = {}
    for _, target in found:
        wanted.setdefault(target.object, set()).add(target.id)
    live = live_ids(scope, catalog, wanted)
    new = [
        (item, target)
        for item, _ in found
        if item.draft is not None
        for target in leave.new_links(item.draft.values, present.get(item.id))
    ]
    hidden = {target for _, target in new} - seen_targets(scope, leave.catalog, [target for _, target in new])
    moved = {(item.row.index, target) for item, target in new if target in hidden}
    for item, target in found:
        if target.id not in live.get(target.object, set()) or (item.row.index, target) in moved:
            item.errors.append(dead_link(target, object_type.fields[target.field].label))


def _check_cycles(scope: TenantScope, object_type: ObjectType, items: Sequence[_Item]) -> None:
    """Refuse rows that would put a record above itself, together with the rows before them."""
    moves = [(item.id, item.draft.values) for item in items if item.draft is not None and not item.errors]
    found = find_cycles_together(scope, object_type, moves)
    for item in items:
        item.errors += found.get(item.id, [])


def _check_unique(scope: TenantScope, object_type: ObjectType, items: Sequence[_Item]) -> None:
    """Refuse rows whose unique value a live record or an earlier row holds; one statement a unique field.

    A value that another row of the batch gives up is still taken for this batch.
    """
    for target in plan_of(object_type).unique:
        name = target.name
        holders = [
            item
            for item in items
            if item.draft is not None and not item.errors and item.draft.values.get(name) is not None
        ]
        values = [item.draft.values[name] for item in holders if item.draft is not None]
        claimed: set[str] = set()
        for item, (key, found) in zip(holders, matches(scope, object_type, target, values), strict=True):
            if key in claimed or any(other != item.id for other in found):
                item.errors += taken(object_type, target).errors
            claimed.add(key)


def _write_good(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    items: Sequence[_Item],
    present: Mapping[UUID, Record],
    author: UUID | None,
) -> dict[int, RowResult]:
    created = [(item, item.draft.values) for item in items if item.draft is not None and item.row.id is None]
    asked = [item for item in items if item.row.id is not None]
    changed = _really_changed(object_type, asked, present)
    insert_many(scope, object_type, [(item.id, values) for item, values in created], author)
    versions = change_many(scope, object_type, [Change(item.id, values) for item, values in changed], updated_by=author)
    written = [*created, *((item, values) for item, values in changed if item.id in versions)]
    _follow(scope, catalog, object_type, written, present)
    results = {item.row.index: RowResult(item.row.index, "created", item.id, 1) for item, _ in created}
    for item in asked:
        version = versions.get(item.id)
        if version is None:
            version, status = int(present[item.id]["version"]), "unchanged"
        else:
            status = "updated"
        results[item.row.index] = RowResult(item.row.index, status, item.id, version)
    return results


def _really_changed(
    object_type: ObjectType, items: Sequence[_Item], present: Mapping[UUID, Record]
) -> list[tuple[_Item, dict[str, Any]]]:
    """The rows that change anything, without the columns no row changes: files repeat what is there already."""
    moved: list[tuple[_Item, dict[str, Any]]] = []
    names: set[str] = set()
    for item in items:
        current = present[item.id]
        values = item.draft.values if item.draft is not None else {}
        changed = [
            name for name, value in values.items() if object_type.fields[name].type.to_json(value) != current[name]
        ]
        names.update(changed)
        if changed:
            moved.append((item, values))
    return [(item, {name: value for name, value in values.items() if name in names}) for item, values in moved]


def _touches_others(object_type: ObjectType, values: Mapping[str, Any], current: Record) -> bool:
    fields = object_type.fields
    changed = [name for name, value in values.items() if fields[name].type.to_json(value) != current[name]]
    return consequences.touches_others(object_type, changed)


def _follow(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    written: Sequence[tuple[_Item, Mapping[str, Any]]],
    present: Mapping[UUID, Record],
) -> None:
    """Draw the consequences of all rows at once."""
    created = [(item.id, values) for item, values in written if item.id not in present]
    open_ = set(consequences.after_creation(scope, catalog, object_type, created))
    rows = [
        (item, values)
        for item, values in written
        if item.id in open_ or (item.id in present and _touches_others(object_type, values, present[item.id]))
    ]
    names = frozenset(name for _, values in rows for name in values)
    if not rows or not consequences.touches_others(object_type, names):
        return
    empty = dict.fromkeys(object_type.fields)
    records: list[Record] = []
    for item, values in rows:
        shown = {name: object_type.fields[name].type.to_json(value) for name, value in values.items()}
        records.append({**empty, **present.get(item.id, {}), **shown, "id": str(item.id)})
    before = {str(item.id): present[item.id] for item, _ in rows if item.id in present}
    consequences.after_write(scope, catalog, object_type, records, names, before)
