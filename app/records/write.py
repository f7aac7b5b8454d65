"""Write one record: create, update, upsert. Deleting and restoring live in ``trash``.

The payload is coerced by field types, rules are applied, and one statement writes row, event and outbox; what leave it
needs is asked in ``permits``. A second statement reads the record first only where a rule or a merge into a
composite value needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.access.rights import RECORD_CREATE, RECORD_EDIT
from app.core import ids
from app.core.errors import FieldError
from app.records import amounts, conflicts, consequences, drafts, store, trash
from app.records.errors import StaleVersion
from app.records.intake import coercion_of, needs_current, take_in
from app.records.judging import judge
from app.records.links import dead_links, find_cycles, targets_of
from app.records.matching import lock_value, match_field, match_one
from app.records.permits import Leave, leave_for
from app.records.retired import asks_retired
from app.records.rulebook import wakes_rules
from app.records.rules import rules_need_current
from app.records.violations import RecordBusy, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Catalog, ObjectType
    from app.records.rules import Draft
    from tenants.scope import TenantScope

Record = dict[str, Any]


def create_record(scope: TenantScope, object_name: str, payload: Mapping[str, Any]) -> Record:
    """Create a record from a JSON object and return its JSON form.

    Raises:
        UnknownObject: no such object.
        Forbidden: the right is not held.
        InvalidRecord: with every problem found, each with its JSON pointer.
        UniqueTaken: a unique value is held by another live record.
        LeavesReach: whoever creates it could not change it afterwards.
    """
    leave = leave_for(scope, object_name, RECORD_CREATE)
    catalog, object_type = leave.complete, leave.object
    ctx = coercion_of(scope)
    with leave.told(), translated(object_type):
        intake = take_in(leave.shown, payload, ctx)
        draft = drafts.new_draft(scope, object_type, intake, ctx, frozenset(payload), narrowed=leave.narrowed)
        drafts.settle(scope, catalog, object_type, [draft])
        draft.intake.errors += leave.unseen_links(draft.values)
        judge(scope, catalog, object_type, [draft])
        drafts.refuse_problems(scope, catalog, draft)
        targets = targets_of(catalog, object_type, draft.values)
        consequences.lock_parents(scope, catalog, object_type, [draft.values])
        record = store.insert_record(scope, object_type, draft.values, targets, ids.uuid7())
        if record is None:
            raise _refused(scope, catalog, draft)
        record = _followed(scope, catalog, object_type, record, frozenset(draft.values), None)
        if leave.narrowed:
            leave.check_kept(UUID(record["id"]))
    return leave.form(record, fresh=True)


def update_record(
    scope: TenantScope, object_name: str, record_id: UUID, patch: Mapping[str, Any], *, if_match: int | None = None
) -> Record:
    """Apply a JSON merge patch (RFC 7396) and return the record; without a change no version and no event is made.

    Raises: as ``create_record``, and RecordNotFound, StaleVersion when ``if_match`` is not the present version.
    """
    leave = leave_for(scope, object_name, RECORD_EDIT)
    object_type = leave.object
    with leave.told(), translated(object_type):
        current = _current(leave, record_id, patch, if_match)
        ctx = coercion_of(scope)
        intake = take_in(leave.shown, patch, ctx, current)
        draft = drafts.changed_draft(object_type, intake, ctx, frozenset(patch), current)
        drafts.settle(scope, leave.complete, object_type, [draft])
        draft.intake.errors += find_cycles(scope, object_type, record_id, draft.values)
        draft.intake.errors += leave.unseen_links(draft.values, current)
        judge(scope, leave.complete, object_type, [draft])
        drafts.refuse_problems(scope, leave.complete, draft)
        record = _change(leave, draft, patch, record_id, if_match)
        if leave.narrowed and draft.values:
            leave.check_kept(record_id)
    return leave.form(record)


def _current(leave: Leave, record_id: UUID, patch: Mapping[str, Any], if_match: int | None) -> Record | None:
    """The record as it is, locked, where this patch needs it; parents are locked before it."""
    scope, object_type = leave.scope, leave.object
    child = object_type.name in consequences.PARENTS
    if child:
        consequences.lock_parents(scope, leave.complete, object_type, [], [record_id])
    leave.check([record_id], "edit")
    linked = leave.complete is not leave.catalog and any(f.to for n, f in object_type.fields.items() if n in patch)
    asked = child or linked or needs_current(object_type, patch) or rules_need_current(object_type, patch)
    asked = asked or asks_retired(object_type, patch)
    if not (asked or wakes_rules(scope, leave.complete, object_type, patch)):
        return None
    current = store.read_record(scope, object_type, record_id, lock=True)
    if current is None:
        raise drafts.missing(object_type)
    conflicts.check_version(scope, leave.shown, current, if_match, patch)
    return current


def _change(leave: Leave, draft: Draft, patch: Mapping[str, Any], record_id: UUID, if_match: int | None) -> Record:
    scope, catalog, object_type = leave.scope, leave.complete, leave.object
    record = None
    targets = targets_of(catalog, object_type, draft.values)
    if draft.values:
        record = store.change_record(scope, object_type, record_id, draft.values, targets, if_match)
    if record is not None:
        before = {str(record_id): dict(draft.current or record)}
        return _followed(scope, catalog, object_type, record, frozenset(draft.values), before)
    present = store.read_record(scope, object_type, record_id)
    if present is None:
        raise drafts.missing(object_type)
    conflicts.check_version(scope, leave.shown, present, if_match, patch)
    problems = dead_links(scope, catalog, object_type, targets)
    if problems:
        raise drafts.invalid(object_type, problems)
    return present


def _followed(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    record: Record,
    names: frozenset[str],
    before: Mapping[str, Record] | None,
) -> Record:
    """The record after the consequences of its write."""
    if not consequences.touches_others(object_type, names):
        return record
    consequences.after_write(scope, catalog, object_type, [record], names, before)
    if object_type.name == amounts.DEAL and record["amount_from_lines"]:
        return store.read_record(scope, object_type, record["id"]) or record
    return record


def _refused(scope: TenantScope, catalog: Catalog, draft: Draft) -> Exception:
    """Why an insert wrote nothing: a link target that is not live."""
    targets = targets_of(catalog, draft.object_type, draft.values)
    problems = dead_links(scope, catalog, draft.object_type, targets)
    if problems:
        return drafts.invalid(draft.object_type, problems)
    return RecordBusy("A linked record was just being changed; please try again.")


def upsert_record(
    scope: TenantScope,
    object_name: str,
    unique_field: str,
    value: str,
    payload: Mapping[str, Any],
    *,
    if_match: int | None = None,
) -> tuple[Record, bool]:
    """Update the live record whose ``unique_field`` is ``value`` or create it; second result: was it created.

    Two upserts of one value wait for each other, so that both don't create. ``if_match`` names the version of a
    record that is there: with it nothing is created.
    """
    leave = leave_for(scope, object_name)
    object_type = leave.shown
    if "\x00" in f"{unique_field}{value}":
        raise drafts.invalid(object_type, [FieldError("", "text.nul", "Must not contain the NUL character")])
    match_field(object_type, unique_field)
    stated = payload.get(unique_field)
    if stated is not None and str(stated).casefold() != value.casefold():
        message = f"The address says {value}, the body {stated}."
        raise drafts.invalid(object_type, [FieldError(f"/{unique_field}", "upsert.mismatch", message)])
    lock_value(scope, object_type, unique_field, value)
    found = match_one(scope, leave.catalog, object_type, unique_field, value)
    if found is not None:
        return update_record(scope, object_name, found, payload, if_match=if_match), False
    if if_match is not None:
        raise StaleVersion(f"No {object_type.label} has this value, at version {if_match} or any other.")
    return create_record(scope, object_name, {**payload, unique_field: value}), True


trash_record = trash.trash_record
restore_record = trash.restore_record
destroy_record = trash.destroy_record
