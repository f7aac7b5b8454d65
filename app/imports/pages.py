"""Pages of imports: upload, mapping with preview, live progress, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.access import catalogs
from app.access.rights import MEMBERS_MANAGE, RECORD_IMPORT, allows
from app.http.context import is_htmx, runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.imports import api, repository
from app.imports.errorfile import error_lines
from app.imports.errors import InvalidImport
from app.imports.form import options_of
from app.imports.preview import look
from app.imports.service import (
    cancel_import,
    change_draft,
    confirm_draft,
    discard_draft,
    get_import,
    latest_imports,
    progress,
    start_draft,
    summary,
    undo_import,
)
from app.imports.stored import Stored

if TYPE_CHECKING:
    from app.imports.repository import ImportRow
    from tenants.scope import TenantScope

blueprint = Blueprint("imports_pages", __name__)

_PROBLEMS: Final = 12
_NO_OBJECTS: Final = frozenset({"record_link"})
_MODES: Final = [
    ("create", "Create a record for each row"),
    ("upsert", "Update what is there, create the rest"),
    ("update", "Only update what is there"),
]
_DATES: Final = ["DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "YYYY-MM-DD"]


@blueprint.get("/imports/new")
@workspace(RECORD_IMPORT)
def new(scope: TenantScope) -> Response:
    """Choose a file."""
    return _upload(scope, request.args.get("object", "company"))


@blueprint.post("/imports/new")
@workspace(RECORD_IMPORT, member=True, body_limit=api.BODY_LIMIT)
def upload(scope: TenantScope) -> Response:
    """Take the file and go on to its mapping."""
    object_name = request.form.get("object", "")
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload(scope, object_name, "Choose a file first.", status=422)
    try:
        import_id = start_draft(scope, runtime().storage, object_name, file.filename, cast("BinaryIO", file.stream))
    except InvalidImport as error:
        return _upload(scope, object_name, error.detail, status=422)
    return see_other(f"/imports/{import_id}")


@blueprint.get("/imports/<import_id>")
@workspace(RECORD_IMPORT)
def show(scope: TenantScope, import_id: str) -> Response:
    """The mapping of a draft, else how far it is and what came of it."""
    row = get_import(scope, api.as_id(import_id))
    stored = Stored.from_json(row.options)
    if stored.draft:
        return _mapping(scope, row, stored)
    return _html("imports/import.html", **_state(scope, row))


@blueprint.post("/imports/<import_id>/preview")
@workspace(RECORD_IMPORT, member=True)
def preview(scope: TenantScope, import_id: str) -> Response:
    """Keep the mapping as it is now and look again."""
    row = get_import(scope, api.as_id(import_id))
    stored = Stored.from_json(row.options)
    try:
        stored = change_draft(scope, row.id, options_of(request.form, stored.given))
    except InvalidImport as error:
        return _mapping(scope, row, stored, error.detail)
    return _mapping(scope, row, stored)


@blueprint.post("/imports/<import_id>/start")
@workspace(RECORD_IMPORT, member=True)
def start(scope: TenantScope, import_id: str) -> Response:
    """Begin; the job does the rest."""
    row = get_import(scope, api.as_id(import_id))
    stored = Stored.from_json(row.options)
    try:
        stored = change_draft(scope, row.id, options_of(request.form, stored.given))
        confirm_draft(scope, runtime().storage, row.id)
    except InvalidImport as error:
        return _mapping(scope, row, stored, error.detail, status=422)
    api.ring_after()
    return see_other(f"/imports/{row.id}")


@blueprint.post("/imports/<import_id>/discard")
@workspace(RECORD_IMPORT, member=True)
def discard(scope: TenantScope, import_id: str) -> Response:
    """Throw a draft away."""
    row = get_import(scope, api.as_id(import_id))
    discard_draft(scope, runtime().storage, row.id)
    return see_other(f"/imports/new?object={row.object}")


@blueprint.get("/imports/<import_id>/progress")
@workspace(RECORD_IMPORT)
def follow(scope: TenantScope, import_id: str) -> Response:
    """The part of the page that changes while it runs."""
    row = get_import(scope, api.as_id(import_id))
    return _html("imports/_progress.html", **_state(scope, row))


@blueprint.get("/imports/<import_id>/errors.csv")
@workspace(RECORD_IMPORT)
def errors(scope: TenantScope, import_id: str) -> Response:
    """The error file."""
    row = get_import(scope, api.as_id(import_id))
    return api.csv_answer(
        "".join(error_lines(scope, row.id)), f"{row.file_name.rpartition('.')[0] or 'import'}-errors.csv"
    )


@blueprint.post("/imports/<import_id>/undo")
@workspace(RECORD_IMPORT, member=True)
def undo(scope: TenantScope, import_id: str) -> Response:
    """Take it back."""
    row = get_import(scope, api.as_id(import_id))
    undo_import(scope, row.id)
    api.ring_after()
    return see_other(f"/imports/{row.id}")


@blueprint.post("/imports/<import_id>/cancel")
@workspace(RECORD_IMPORT, member=True)
def cancel(scope: TenantScope, import_id: str) -> Response:
    """Stop it, and with ``undo`` take back what it has written."""
    row = get_import(scope, api.as_id(import_id))
    undo_too = request.form.get("undo") == "true"
    cancel_import(scope, row.id, undo=undo_too)
    api.ring_after()
    return see_other(f"/imports/{row.id}?stop={'undo' if undo_too else 'keep'}")


def _upload(scope: TenantScope, object_name: str, error: str = "", status: int = 200) -> Response:
    catalog = catalogs.for_scope(scope)
    objects = [
        (name, one.plural)
        for name, one in catalog.objects.items()
        if name not in _NO_OBJECTS and allows(scope, RECORD_IMPORT, name)
    ]
    latest = [_line(scope, row) for row in latest_imports(scope)]
    return _html("imports/new.html", status, objects=objects, chosen=object_name, error=error, latest=latest)


def _line(scope: TenantScope, row: ImportRow) -> dict[str, Any]:
    objects = catalogs.for_scope(scope).objects
    return {
        "id": str(row.id),
        "file": row.file_name,
        "object": objects[row.object].plural if row.object in objects else row.object,
        "state": "draft" if Stored.from_json(row.options).draft else row.state,
        "created": row.created,
        "updated": row.updated,
        "failed": row.failed,
        "at": row.created_at.isoformat(),
    }


def _mapping(scope: TenantScope, row: ImportRow, stored: Stored, error: str = "", status: int = 200) -> Response:
    object_type = catalogs.for_scope(scope).objects[row.object]
    with runtime().storage.open(row.file_key) as stream:
        seen = look(scope, stored, stream)
    matches = [(name, f.label) for name, f in object_type.fields.items() if f.unique or f.primary_of]
    values = {
        "row": row, "object": object_type, "preview": seen, "given": stored.given, "error": error or "",
        "modes": _MODES, "matches": matches, "date_formats": [(one, one) for one in _DATES],
        "may_add_people": allows(scope, MEMBERS_MANAGE),
    }  # fmt: skip
    name = "imports/_mapping.html" if is_htmx() else "imports/mapping.html"
    # htmx swaps answers of any status; without it the status matters to the browser.
    return _html(name, 200 if is_htmx() else status, **values)


def _state(scope: TenantScope, row: ImportRow) -> dict[str, Any]:
    object_type = catalogs.for_scope(scope).objects.get(row.object)
    stored = Stored.from_json(row.options)
    going_back = row.ended and row.state != "undone" and stored.undo is not None
    stop = request.args.get("stop", "")
    # Taken back as soon as it has ended: the job comes a moment later.
    awaited = stop == "undo" and row.ended and row.state != "undone"
    problems = repository.problem_kinds(scope, row.id, _PROBLEMS) if row.failed or row.warnings else []
    return {
        "row": row,
        "object": object_type,
        "summary": summary(row, f"/imports/{row.id}/errors.csv"),
        "percent": int(progress(row) * 100),
        "running": not row.ended,
        "going_back": going_back or awaited,
        "percent_back": _percent(*repository.undo_progress(scope, row)) if going_back else 0,
        "stop": stop if stop in {"keep", "undo"} else "",
        "problems": problems,
        "dry_run": stored.given.dry_run,
    }


def _percent(done: int, total: int) -> int:
    return 100 * done // total if total else 0


def _html(template: str, status: int = 200, **values: Any) -> Response:
    return Response(render_template(template, **values), status, content_type="text/html; charset=utf-8")
