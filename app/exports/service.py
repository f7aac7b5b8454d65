"""The verbs of exports: start, look, take, cancel, throw away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.core import ids
from app.core.errors import Forbidden, InvalidInput
from app.core.jobs import request_job
from app.exports import files, repository
from app.exports.errors import ExportBusy, ExportNotFound, ExportOutdated
from app.exports.options import ExportOptions, checked
from app.exports.parts import layout_of, prepare
from tenants import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.storage import Storage
    from app.exports.repository import ExportRow
    from tenants.scope import TenantScope

RUN_JOB: Final = "exports.run"
#: So long a file is kept.
KEPT: Final = timedelta(days=7)
#: Exports one member or key may have under way.
_MOST_OPEN: Final = 5
_MAKERS: Final = frozenset({"member", "key"})
_REFUSALS: Final = (Forbidden, InvalidInput)


def start_export(scope: TenantScope, options: ExportOptions) -> ExportRow:
    """Check everything, note the export and ask for its job, in the scope's transaction.

    Raises: Forbidden: no right to export this; InvalidInput at the option; ExportBusy: too many under way.
    """
    options = checked(options)
    layout, total = prepare(scope, options)
    by = maker(scope)
    if by[0] not in _MAKERS:
        raise Forbidden("Only members and their keys export records.")
    if repository.count_open(scope, by) >= _MOST_OPEN:
        raise ExportBusy(f"{_MOST_OPEN} of your exports are under way; wait for one or cancel it.")
    export_id = ids.uuid7()
    repository.insert_export(
        scope, export_id, object_name=options.object, options=msgspec.to_builtins(options), total=total,
        seen=layout.seen, by=by,
    )  # fmt: skip
    request_job(scope, RUN_JOB, {"export": str(export_id)}, job_id=export_id)
    return get_export(scope, export_id)


def maker(scope: TenantScope) -> tuple[str, UUID | None]:
    """Whose an export made in this scope is: the key's, the member's, or the operator's."""
    if scope.credential_kind == "key" and scope.credential is not None:
        return "key", scope.credential
    if scope.member is not None and scope.actor.kind == "member":
        return "member", scope.member.id
    return scope.actor.kind, scope.actor.id


def get_export(scope: TenantScope, export_id: UUID, *, lock: bool = False) -> ExportRow:
    """One's own export. Raises ExportNotFound, also for somebody else's."""
    row = repository.read_export(scope, export_id, lock=lock)
    if row is None or (row.by_kind, row.by_id) != maker(scope):
        raise ExportNotFound("There is no such export.")
    return row


def list_exports(
    scope: TenantScope, limit: int = 50, before: UUID | None = None
) -> tuple[list[ExportRow], UUID | None]:
    """One's own exports, newest first, and where the next page starts."""
    rows = repository.exports_of(scope, maker(scope), limit + 1, before)
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def options_of(row: ExportRow) -> ExportOptions:
    """What was asked for."""
    return msgspec.convert(row.options, ExportOptions)


def take_file(scope: TenantScope, storage: Storage, export_id: UUID) -> tuple[ExportRow, Iterator[bytes]]:
    """The file for whoever made it, while they may still export what is in it.

    Raises: Forbidden, ExportOutdated: the right, a field or records are gone; ExportBusy; ExportNotFound.
    """
    row = get_export(scope, export_id)
    if row.state != "done":
        raise ExportBusy("The file is not ready." if not row.ended else "This export has no file.")
    check_view(scope, row)
    if not files.is_there(storage, scope.tenant.id, row):
        raise ExportNotFound("The file is not there any more; export again.")
    return row, files.pieces(storage, scope.tenant.id, row)


def check_view(scope: TenantScope, row: ExportRow) -> None:
    """Raise Forbidden, InvalidInput or ExportOutdated unless the scope sees what the export began with."""
    if layout_of(scope, options_of(row)).seen != row.seen:
        raise ExportOutdated("What you may export has changed since this was asked for; export again.")


def may_take(scope: TenantScope, row: ExportRow) -> bool:
    """Whether ``take_file`` would give the file now, as far as rights go."""
    try:
        check_view(scope, row)
    except _REFUSALS:
        return False
    return row.state == "done"


def cancel_export(scope: TenantScope, storage: Storage, export_id: UUID) -> ExportRow:
    """End an export under way; what it had is thrown away. Raises ExportNotFound, ExportBusy: it has ended."""
    row = get_export(scope, export_id, lock=True)
    if row.ended:
        raise ExportBusy("The export has ended already.")
    repository.finish(scope, export_id, "cancelled")
    storage.delete_prefix(files.folder_of(scope.tenant.id, export_id))
    return get_export(scope, export_id)


def delete_export(scope: TenantScope, storage: Storage, export_id: UUID) -> None:
    """Throw an export and its file away. Raises ExportNotFound, ExportBusy: it is under way."""
    row = get_export(scope, export_id, lock=True)
    if not row.ended:
        raise ExportBusy("The export is under way; cancel it first.")
    repository.delete_export(scope, export_id)
    storage.delete_prefix(files.folder_of(scope.tenant.id, export_id))


def note(scope: TenantScope, options: ExportOptions, rows: int) -> None:
    """Write into the log that records were taken along: which, what of them, how many."""
    told: dict[str, Any] = {"rows": rows, "format": options.format, "filter": options.filter, "fields": options.fields}
    told |= {"trash": options.trash}
    log.note(scope, "exported", options.object, None, {name: [None, value] for name, value in told.items() if value})


def progress(row: ExportRow) -> float:
    """How much of it is done, 0 to 1."""
    if row.state == "done":
        return 1.0
    return round(min(row.rows / row.total, 1.0), 3) if row.total else 0.0


def api_form(row: ExportRow) -> dict[str, Any]:
    """What the API answers with."""
    options = options_of(row)
    form: dict[str, Any] = {
        "id": str(row.id),
        "object": row.object,
        "status": row.state,
        "progress": progress(row),
        "rows": row.rows,
        "total": row.total,
        "bytes": row.bytes,
        "format": options.format,
        "fields": options.fields,
        "filter": options.filter,
        "sort": options.sort,
        "trash": options.trash,
        "file": f"/api/v1/exports/{row.id}/file" if row.state == "done" else None,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "expires_at": row.created_at + KEPT,
    }
    return form | ({"error": row.error} if row.error else {})
