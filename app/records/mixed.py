"""``POST /batch``: creates, updates, upserts, deletes and restores of several objects in one transaction.

All or nothing. The result is that of the operations in their order; those of one kind on one object are written
together where that changes nothing, by the statements of a bulk. Events share one cause.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.core import ids
from app.core.errors import FieldError, Forbidden, InvalidInput, NotFound
from app.events.causes import caused_by
from app.metadata.fieldtypes.base import ValueProblem
from app.records import consequences, trash
from app.records.batch import PreparedRow, write_batch
from app.records.errors import ParentInTrash, UniqueTaken
from app.records.intake import coercion_of, needs_current, take_in
from app.records.matching import lock_values, match_field, matches
from app.records.operations import REF, BatchRefused, references_in, refuse, runs
from app.records.permits import Leave, leave_for, refused
from app.records.store_many import lock_records
from app.records.violations import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.core.errors import RapportError
    from app.metadata.model import Field, ObjectType
    from app.records.operations import Operation
    from tenants.scope import TenantScope

#: Seconds a batch may take; each of its statements is cut at a write's budget.
_PATIENCE: Final = 5.0
#: What is wrong with an operation; anything else (busy, too long) is no fault of the batch and ends it as it is.
_REFUSALS: Final = (InvalidInput, NotFound, ParentInTrash, UniqueTaken)


@dataclass(slots=True)
class _Batch:
    """A batch on its way: what references mean so far, and what became of the operations."""

    scope: TenantScope
    refs: dict[str, tuple[str, UUID]] = field(default_factory=dict[str, tuple[str, UUID]])
    results: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])

    def done(self, operation: Operation, status: str, record_id: UUID, version: int | None = None) -> None:
        """Note what became of an operation."""
        if operation.ref:
            self.refs[operation.ref] = (operation.object, record_id)
        result: dict[str, Any] = {
            "index": operation.index, "op": operation.op, "object": operation.object, "status": status,
            "id": str(record_id), "version": version,
        }  # fmt: skip
        self.results[operation.index] = result


def write_mixed(scope: TenantScope, operations: Sequence[Operation]) -> dict[str, Any]:
    """Write all operations and answer ``{"batch", "results"}``; ``read_operations`` says what they are.

    Raises:
        BatchRefused: an operation failed; ``errors`` has the problems of every operation written together with it.
        RecordBusy: another transaction holds one of the records; the whole batch may be tried again.
    """
    scope.deadline = max(scope.deadline, time.monotonic() + _PATIENCE)
    batch = _Batch(scope)
    act = ids.uuid7()
    with caused_by(scope, batch=act):
        for run in runs(operations):
            leave = _leave_for(batch.scope, run)
            with translated(leave.object):
                _RUNNERS[run[0].op](batch, leave, run)
    results = [batch.results[index] for index in sorted(batch.results)]
    return {"batch": str(act), "results": results}


def _leave_for(scope: TenantScope, run: Sequence[Operation]) -> Leave:
    try:
        return leave_for(scope, run[0].object)
    except NotFound as error:
        raise _refused(run[0], "/object", error) from error


def _refused(operation: Operation, at: str, error: RapportError) -> BatchRefused:
    """One operation's error as the batch's."""
    errors = [FieldError(f"{operation.pointer}{at}{e.pointer}", e.code, e.message) for e in error.errors]
    errors = errors or [FieldError(f"{operation.pointer}{at}", error.code, error.detail)]
    return BatchRefused(f"Nothing was written: {error.detail}", errors, error.extra)


def _write(batch: _Batch, leave: Leave, run: Sequence[Operation]) -> None:
    """Creates, updates or upserts, in a constant number of statements."""
    object_type = leave.shown
    errors: list[FieldError] = []
    payloads = [_resolved(batch, object_type, operation, errors) for operation in run]
    rows = _identify(batch, leave, run, payloads, errors)
    current = _current(leave, run, rows, payloads, errors)
    refuse(errors)
    ctx = coercion_of(batch.scope)
    for row, payload in zip(rows, payloads, strict=True):
        intake = take_in(object_type, payload, ctx, current.get(row.id) if row.id else None)
        row.values, row.errors = intake.values, intake.errors
    try:
        results = write_batch(batch.scope, object_type.name, _settled(rows), atomic=True)
    except _REFUSALS as error:
        raise _refused(run[0], "", error) from error
    by_index = {operation.index: operation for operation in run}
    refuse([_of_row(by_index[result.index], error) for result in results for error in result.errors])
    for result in results:
        if result.id is not None:
            batch.done(by_index[result.index], result.status, result.id, result.version)


def _settled(rows: list[PreparedRow]) -> list[PreparedRow]:
    """Of several upserts that would create one record the first does, the others change it."""
    made: set[UUID] = set()
    for row in rows:
        if row.id is None and row.new_id is not None:
            if row.new_id in made:
                row.id, row.new_id = row.new_id, None
            else:
                made.add(row.new_id)
    return rows


def _of_row(operation: Operation, error: FieldError) -> FieldError:
    """A row's error where the operation has it."""
    inside = "" if error.pointer in ("", "/id") else "/record"
    return FieldError(f"{operation.pointer}{inside}{error.pointer}", error.code, error.message)


def _resolved(batch: _Batch, object_type: ObjectType, operation: Operation, errors: list[FieldError]) -> dict[str, Any]:
    """The record with references replaced by what they name."""
    found: dict[str, Any] = {}
    for name, value in operation.record.items():
        target = object_type.fields.get(name)
        if target is None or not references_in(value):
            found[name] = value
            continue
        try:
            found[name] = _pointed(batch, target, value)
        except ValueProblem as problem:
            errors.append(FieldError(f"{operation.pointer}/record/{name}", problem.code, problem.message))
    return found


def _pointed(batch: _Batch, target: Field, value: object) -> object:
    """A link's value with its reference replaced. Raises ValueProblem for a record of another object."""
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    inner = given.get("id") if "id" in given else given
    names = references_in(inner)
    if not target.to or len(names) != 1 or not isinstance(inner, dict) or set(cast("dict[str, Any]", inner)) != {REF}:
        raise ValueProblem("ref.place", f"{target.label} is no link, so it can't be a reference.")
    (name,) = names
    object_name, record_id = batch.refs[name]
    if object_name not in target.to:
        allowed = " or ".join(target.to)
        raise ValueProblem("ref.object", f"{target.label} leads to a {allowed}; {name!r} is a {object_name}.")
    if len(target.columns) > 1:
        return {"object": object_name, "id": str(record_id)}
    return str(record_id)


def _identify(
    batch: _Batch,
    leave: Leave,
    run: Sequence[Operation],
    payloads: Sequence[Mapping[str, Any]],
    errors: list[FieldError],
) -> list[PreparedRow]:
    """A row for each operation with the record it is about, None for one to be created."""
    rows = [PreparedRow(operation.index, {}) for operation in run]
    if run[0].match:
        _match(leave, run, rows, payloads, errors)
        return rows
    for operation, row in zip(run, rows, strict=True):
        if operation.op == "update":
            row.id = _meant(batch, operation)
    return rows


def _meant(batch: _Batch, operation: Operation) -> UUID | None:
    """The id an operation names. Raises BatchRefused for a reference to another object's record."""
    if not isinstance(operation.id, str):
        return operation.id
    object_name, record_id = batch.refs[operation.id]
    if object_name != operation.object:
        message = f"{operation.id!r} is a {object_name}, not a {operation.object}."
        refuse([FieldError(f"{operation.pointer}/id", "ref.object", message)])
    return record_id


def _match(
    leave: Leave,
    run: Sequence[Operation],
    rows: Sequence[PreparedRow],
    payloads: Sequence[Mapping[str, Any]],
    errors: list[FieldError],
) -> None:
    """Find each operation's record by the value of its ``match`` field; twins of a new one share an id to be."""
    scope, object_type = leave.scope, leave.shown
    try:
        target = match_field(object_type, run[0].match)
    except InvalidInput as error:
        found = [FieldError(f"{operation.pointer}/match", e.code, e.message) for operation in run for e in error.errors]
        raise BatchRefused(f"Nothing was written: {error.detail}", found) from error
    asked = _values_asked(scope, target, run, rows, payloads, errors)
    if run[0].op == "upsert":
        lock_values(scope, object_type, target.name, [value for _, _, value in asked])
    twins: dict[str, UUID] = {}
    holders = matches(scope, object_type, target, [value for _, _, value in asked], seen_in=leave.catalog)
    for (operation, row, _), (key, found) in zip(asked, holders, strict=True):
        if len(found) == 1:
            row.id = found[0]
        elif problem := _unmatched(object_type, operation, len(found)):
            errors.append(problem)
        else:
            row.new_id = twins.setdefault(key, ids.uuid7())


def _values_asked(
    scope: TenantScope,
    target: Field,
    run: Sequence[Operation],
    rows: Sequence[PreparedRow],
    payloads: Sequence[Mapping[str, Any]],
    errors: list[FieldError],
) -> list[tuple[Operation, PreparedRow, Any]]:
    """Each operation's value of the matching field, where it has one."""
    ctx = coercion_of(scope)
    asked: list[tuple[Operation, PreparedRow, Any]] = []
    for operation, row, payload in zip(run, rows, payloads, strict=True):
        at = f"{operation.pointer}/record/{target.name}"
        try:
            value = target.type.coerce(target, payload.get(target.name), ctx)
        except ValueProblem as problem:
            errors.append(FieldError(at, problem.code, problem.message))
            continue
        if value is None:
            errors.append(FieldError(at, "required", f"{target.label} is needed to find the record."))
        else:
            asked.append((operation, row, value))
    return asked


def _unmatched(object_type: ObjectType, operation: Operation, count: int) -> FieldError | None:
    """What is wrong with a value that several records hold, or none; None when a record is to be created."""
    at = f"{operation.pointer}/record/{operation.match}"
    if count:
        return FieldError(at, "match.ambiguous", f"{count} records have this value.")
    if operation.op == "update":
        return FieldError(at, "record.not_found", f"There is no {object_type.label} with this value.")
    if operation.if_match is not None:
        message = f"No {object_type.label} has this value, at version {operation.if_match} or any other."
        return FieldError(f"{operation.pointer}/if_match", "record.stale", message)
    return None


def _current(
    leave: Leave,
    run: Sequence[Operation],
    rows: Sequence[PreparedRow],
    payloads: Sequence[Mapping[str, Any]],
    errors: list[FieldError],
) -> dict[UUID, dict[str, Any]]:
    """Records whose composite values an operation merges into or whose version it names, locked."""
    wanted = [
        row.id
        for operation, row, payload in zip(run, rows, payloads, strict=True)
        if row.id and (operation.if_match is not None or needs_current(leave.object, payload))
    ]
    found = _locked(leave, wanted)
    named = [(operation, row.id) for operation, row in zip(run, rows, strict=True) if row.id]
    _check_versions(named, found, errors)
    return found


def _locked(leave: Leave, wanted: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The records in sight among those wanted."""
    if not wanted:
        return {}
    consequences.lock_parents(leave.scope, leave.complete, leave.object, [], wanted)
    found = lock_records(leave.scope, leave.object, wanted)
    unseen = {record_id for record_id, (seen, _) in leave.judge(found, "read").items() if not seen}
    return {record_id: record for record_id, record in found.items() if record_id not in unseen}


def _check_versions(
    named: Iterable[tuple[Operation, UUID]], found: Mapping[UUID, Mapping[str, Any]], errors: list[FieldError]
) -> None:
    """Each operation with ``if_match`` sees the version it names; a record named twice counts as it was before."""
    for operation, record_id in named:
        record = found.get(record_id)
        if operation.if_match is not None and record is not None and record["version"] != operation.if_match:
            message = f"The record is at version {record['version']}, not {operation.if_match}."
            errors.append(FieldError(f"{operation.pointer}/if_match", "record.stale", message))


def _delete(batch: _Batch, leave: Leave, run: Sequence[Operation]) -> None:
    object_type = leave.object
    named = [(operation, record_id) for operation in run if (record_id := _meant(batch, operation)) is not None]
    errors: list[FieldError] = []
    checked = [record_id for operation, record_id in named if operation.if_match is not None]
    _check_versions(named, _locked(leave, checked), errors)
    refuse(errors)
    outcome = trash.trash_many(batch.scope, object_type.name, [record_id for _, record_id in named])
    gone: set[UUID] = set()
    for operation, record_id in named:
        blocking = outcome[record_id] if record_id not in gone else None
        gone.add(record_id)
        if blocking is None:
            message = f"There is no such {object_type.label.lower()}."
            errors.append(FieldError(f"{operation.pointer}/id", "record.not_found", message))
        elif blocking == trash.REFUSED:
            errors.append(FieldError(f"{operation.pointer}/id", Forbidden.code, refused(object_type, "delete").detail))
        elif blocking:
            refusal = trash.restricted(leave, blocking)
            errors.append(FieldError(f"{operation.pointer}/id", refusal.code, refusal.detail))
        else:
            batch.done(operation, "deleted", record_id)
    refuse(errors)


def _restore(batch: _Batch, leave: Leave, run: Sequence[Operation]) -> None:
    object_type = leave.object
    for operation in run:
        record_id = _meant(batch, operation)
        if record_id is None:
            continue
        try:
            record = trash.restore_record(batch.scope, object_type.name, record_id)
        except _REFUSALS as error:
            at = "" if error.errors else "/id"
            raise _refused(operation, at, error) from error
        batch.done(operation, "restored", record_id, int(record["version"]))


_RUNNERS: Final = {"create": _write, "update": _write, "upsert": _write, "delete": _delete, "restore": _restore}
