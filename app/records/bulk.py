"""``POST /records/{object}/bulk``: many rows of JSON, each with its own result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.access.rights import RECORD_BULK
from app.core import ids
from app.core.collector import collector_paused
from app.core.errors import FieldError, Forbidden, InvalidInput
from app.events.append import append_summary
from app.events.causes import caused_by
from app.metadata.fieldtypes.base import ValueProblem
from app.records import consequences, trash
from app.records.batch import PreparedRow, RowResult, write_batch
from app.records.errors import DeleteRestricted
from app.records.intake import coercion_of, needs_current, take_in
from app.records.matching import lock_value, match_field, matches
from app.records.permits import Leave, leave_for, refused
from app.records.store_many import lock_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from tenants.scope import TenantScope

MAX_ROWS: Final = 10_000
#: Seconds a bulk call may take; each of its statements is cut at a write's budget.
_PATIENCE: Final = 20.0
MODES: Final = ("create", "update", "upsert", "delete")


class BulkRefused(InvalidInput):
    """An atomic bulk in which a row failed: nothing was written; ``errors`` point to the rows."""

    code = "bulk.refused"
    title = "Nothing was written"


@collector_paused()
def bulk(
    scope: TenantScope,
    object_name: str,
    rows: Sequence[object],
    *,
    mode: str = "create",
    match: str = "",
    atomic: bool = False,
) -> dict[str, Any]:
    """Write up to 10,000 rows and return the API body ``{"results", "created", "updated", "deleted", "failed"}``.

    Raises:
        InvalidInput: mode, match or the number of rows is wrong; with ``atomic`` also when any row fails.
    """
    leave = leave_for(scope, object_name, RECORD_BULK)
    _check_request(rows, mode, match)
    scope.deadline = max(scope.deadline, time.monotonic() + _PATIENCE)
    act = ids.uuid7()
    with caused_by(scope, bulk=act):
        if mode == "delete":
            results = _delete(leave, rows)
        else:
            prepared = _prepare(leave, rows, mode, match)
            results = write_batch(scope, object_name, prepared, atomic=atomic)
        if atomic:
            _refuse_failed(results)
        body = _body(results)
        counts = {name: body[name] for name in ("created", "updated", "deleted", "failed")}
        append_summary(scope, "bulk", object_name, {"mode": mode, **counts}, record_id=act)
    return body


def _check_request(rows: Sequence[object], mode: str, match: str) -> None:
    if mode not in MODES:
        raise _wrong("mode", "bulk.mode", f"The mode is one of {', '.join(MODES)}.")
    if len(rows) > MAX_ROWS:
        message = f"A bulk call takes at most {MAX_ROWS:,} rows; these are {len(rows):,}."
        raise InvalidInput(message, [FieldError("", "bulk.too_many", message)])
    if mode == "upsert" and not match:
        raise _wrong("match", "bulk.match", "An upsert needs match=, the field that tells which record is meant.")
    if match and mode in ("create", "delete"):
        raise _wrong("match", "bulk.match", f"match= has no meaning with mode={mode}.")


def _wrong(parameter: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError(f"?{parameter}", code, message)])


def _prepare(leave: Leave, rows: Sequence[object], mode: str, match: str) -> list[PreparedRow]:
    scope, object_type = leave.scope, leave.shown
    ctx = coercion_of(scope)
    prepared: list[PreparedRow] = []
    payloads: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        payload = dict(cast("Mapping[str, Any]", row)) if isinstance(row, dict) else {}
        errors = [] if isinstance(row, dict) else [FieldError("", "row.type", "A row is a JSON object.")]
        payloads.append(payload)
        prepared.append(PreparedRow(index, {}, errors=errors))
    if mode == "update" and match in ("", "id"):
        for row, payload in zip(prepared, payloads, strict=True):
            row.id = _id_of(row, payload)
    elif match:
        _find(leave, match, mode, prepared, payloads, ctx)
    current = _current(leave, prepared, payloads)
    for row, payload in zip(prepared, payloads, strict=True):
        if not row.errors:
            intake = take_in(object_type, payload, ctx, current.get(row.id) if row.id else None)
            row.values, row.errors = intake.values, intake.errors
    return _later_twins_update(prepared)


def _id_of(row: PreparedRow, payload: dict[str, Any]) -> UUID | None:
    raw = payload.pop("id", None)
    try:
        return UUID(str(raw))
    except ValueError:
        row.errors.append(FieldError("/id", "record.not_found", "The row needs the id of a record."))
        return None


def _find(
    leave: Leave,
    match: str,
    mode: str,
    prepared: Sequence[PreparedRow],
    payloads: Sequence[Mapping[str, Any]],
    ctx: Coercion,
) -> None:
    """Give each row the id of the record its matching value names; twins of a new one share an id to be."""
    scope, object_type = leave.scope, leave.shown
    target = match_field(object_type, match)
    if mode == "upsert":
        lock_value(scope, object_type, match, "bulk")
    asked: list[tuple[PreparedRow, Any]] = []
    for row, payload in zip(prepared, payloads, strict=True):
        if row.errors:
            continue
        try:
            value = target.type.coerce(target, payload.get(match), ctx)
        except ValueProblem as problem:
            row.errors.append(FieldError(f"/{match}", problem.code, problem.message))
            continue
        if value is None:
            row.errors.append(FieldError(f"/{match}", "required", f"{target.label} is needed to find the record."))
        else:
            asked.append((row, value))
    found = matches(scope, object_type, target, [value for _, value in asked], seen_in=leave.catalog)
    twins: dict[str, PreparedRow] = {}
    for (row, _), (key, holders) in zip(asked, found, strict=True):
        _settle(row, key, holders, mode, twins, object_type.label, match)


def _settle(
    row: PreparedRow, key: str, found: list[UUID], mode: str, twins: dict[str, PreparedRow], label: str, match: str
) -> None:
    if len(found) > 1:
        row.errors.append(FieldError(f"/{match}", "match.ambiguous", f"{len(found)} records have this value."))
    elif found:
        row.id = found[0]
    elif mode == "update":
        row.errors.append(FieldError(f"/{match}", "record.not_found", f"There is no {label} with this value."))
    elif key in twins:
        row.new_id = twins[key].new_id
    else:
        from_here = twins.setdefault(key, row)
        from_here.new_id = ids.uuid7()


def _later_twins_update(prepared: list[PreparedRow]) -> list[PreparedRow]:
    """Of several rows that would create one record the first does, the others change it."""
    made: set[UUID] = set()
    for row in prepared:
        if row.new_id is not None and not row.errors:
            if row.new_id in made:
                row.id, row.new_id = row.new_id, None
            else:
                made.add(row.new_id)
    return prepared


def _current(
    leave: Leave, prepared: Sequence[PreparedRow], payloads: Sequence[Mapping[str, Any]]
) -> dict[UUID, dict[str, Any]]:
    """Records whose composite values a row merges into."""
    wanted = [
        row.id
        for row, payload in zip(prepared, payloads, strict=True)
        if row.id and needs_current(leave.object, payload)
    ]
    if not wanted:
        return {}
    consequences.lock_parents(leave.scope, leave.complete, leave.object, [], wanted)
    return lock_records(leave.scope, leave.object, wanted)


def _delete(leave: Leave, rows: Sequence[object]) -> list[RowResult]:
    object_type = leave.object
    prepared: list[PreparedRow] = []
    for index, item in enumerate(rows):
        row = PreparedRow(index, {})
        payload = dict(cast("Mapping[str, Any]", item)) if isinstance(item, dict) else {"id": item}
        row.id = _id_of(row, payload)
        prepared.append(row)
    outcome = trash.trash_many(leave.scope, object_type.name, [row.id for row in prepared if row.id])
    results: list[RowResult] = []
    gone: set[UUID] = set()
    for row in prepared:
        blocking = outcome.get(row.id) if row.id and row.id not in gone else None
        gone |= {row.id} if row.id else set()
        errors = row.errors
        if blocking is None:
            errors = errors or [FieldError("/id", "record.not_found", f"There is no such {object_type.label.lower()}.")]
        elif blocking == trash.REFUSED:
            errors = [FieldError("/id", Forbidden.code, refused(object_type, "delete").detail)]
        elif blocking:
            errors = [FieldError("/id", DeleteRestricted.code, trash.restricted(leave, blocking).detail)]
        results.append(RowResult(row.index, "failed" if errors else "deleted", row.id, errors=errors))
    return results


def _refuse_failed(results: Sequence[RowResult]) -> None:
    errors = [
        FieldError(f"/{result.index}{error.pointer}", error.code, error.message)
        for result in results
        for error in result.errors
    ]
    if errors:
        raise BulkRefused("Some rows are not valid, so nothing was written.", errors)


def _body(results: Sequence[RowResult]) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    counts = {"created": 0, "updated": 0, "deleted": 0, "failed": 0}
    for result in results:
        status = "updated" if result.status == "unchanged" else result.status
        counts[status] += 1
        entry: dict[str, Any] = {"index": result.index, "status": status}
        if result.errors:
            entry["errors"] = [
                {"pointer": error.pointer, "code": error.code, "message": error.message} for error in result.errors
            ]
        else:
            entry["id"] = str(result.id)
        shown.append(entry)
    return {"results": shown, **counts}
