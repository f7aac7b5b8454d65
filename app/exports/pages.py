"""Pages of exports: the dialog over a list, one's exports with their files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.access import catalogs
from app.access.rights import RECORD_EXPORT, require
from app.core.errors import Conflict, InvalidInput
from app.exports import api, service
from app.exports.options import ExportOptions, checked
from app.exports.parts import prepare
from app.http.context import is_htmx, runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.records.pages.asking import Asked
from app.records.pages.columns import chosen_columns, list_columns
from app.records.pages.lists import sort_for
from app.records.pages.viewing import viewed
from app.records.read import find_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.exports.repository import ExportRow
    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

blueprint = Blueprint("exports_pages", __name__)

_FORMATS: Final = [
    ("csv", "CSV, comma"),
    ("csv;", "CSV for Excel, semicolon"),
    ("csv,", "CSV for Excel, comma"),
    ("csv\t", "CSV, tab"),
    ("ndjson", "JSON lines"),
]
_SHOWN: Final = 50
_MOST_CHOSEN: Final = 1_000
#: What a list's address says of its question.
_ASKED: Final = (("filter", "filter"), ("words", "q"), ("sort", "sort"), ("view", "view"))
#: How the condition of chosen rows begins.
_CHOSEN: Final = "id in "


@blueprint.get("/records/<object_name>/export")
@workspace(RECORD_EXPORT, member=True)
def dialog(scope: TenantScope, object_name: str) -> Response:
    """What will be exported, and how: the list as it stands."""
    require(scope, RECORD_EXPORT, object_name)
    _, obj = find_object(scope, object_name)
    question = _listed(scope, obj)
    return _dialog(scope, obj, question.condition(obj), sort_for(obj, question))


@blueprint.post("/records/<object_name>/export/chosen")
@workspace(RECORD_EXPORT, member=True, write=False)
def chosen_dialog(scope: TenantScope, object_name: str) -> Response:
    """The same for the chosen records, in the list's order."""
    require(scope, RECORD_EXPORT, object_name)
    _, obj = find_object(scope, object_name)
    chosen = request.form.getlist("ids")
    return _dialog(scope, obj, _of_ids(chosen), sort_for(obj, _listed(scope, obj)), chosen=len(chosen))


@blueprint.post("/records/<object_name>/export")
@workspace(RECORD_EXPORT, member=True)
def start(scope: TenantScope, object_name: str) -> Response:
    """Begin, and show it among one's exports."""
    require(scope, RECORD_EXPORT, object_name)
    _, obj = find_object(scope, object_name)
    given = request.form
    kind, condition, sort = given.get("format", "csv"), given.get("filter", ""), given.get("sort", "")
    fields = given.getlist("fields")
    try:
        service.start_export(scope, _options(obj, kind, fields or [""], condition, sort))
    except (InvalidInput, Conflict) as error:
        chosen = int(given["chosen"]) if given.get("chosen", "").isdecimal() else 0
        return _dialog(scope, obj, condition, sort, chosen=chosen, fields=fields, kind=kind, problem=error.detail)
    api.ring_after()
    return see_other("/exports")


@blueprint.get("/exports")
@workspace(RECORD_EXPORT, member=True)
def mine(scope: TenantScope) -> Response:
    """One's exports, newest first; while one is under way the page looks again by itself."""
    rows, _ = service.list_exports(scope, _SHOWN)
    lines = [_line(scope, row) for row in rows]
    running = any(not row.ended for row in rows)
    return _html("exports/_exports.html" if is_htmx() else "exports/exports.html", lines=lines, running=running)


@blueprint.get("/exports/<export_id>/file")
@workspace(RECORD_EXPORT, member=True)
def file(scope: TenantScope, export_id: str) -> Response:
    """The file to save."""
    return api.attachment(scope, api.as_id(export_id))


@blueprint.post("/exports/<export_id>/cancel")
@workspace(RECORD_EXPORT, member=True)
def cancel(scope: TenantScope, export_id: str) -> Response:
    """End it."""
    service.cancel_export(scope, runtime().storage, api.as_id(export_id))
    return see_other("/exports")


@blueprint.post("/exports/<export_id>/delete")
@workspace(RECORD_EXPORT, member=True)
def delete(scope: TenantScope, export_id: str) -> Response:
    """Throw it and its file away."""
    service.delete_export(scope, runtime().storage, api.as_id(export_id))
    return see_other("/exports")


def _dialog(
    scope: TenantScope,
    obj: ObjectType,
    condition: str,
    sort: str,
    *,
    chosen: int = 0,
    fields: Sequence[str] = (),
    kind: str = "csv",
    problem: str = "",
) -> Response:
    ticked = set(
        fields or [*obj.title, *(column.field.name for column in list_columns(obj, chosen_columns(scope, obj)))]
    )
    total = 0
    if not problem:
        try:
            _, total = prepare(scope, checked(_options(obj, "ndjson", ["id"], condition, sort)))
        except InvalidInput as error:
            problem = error.detail
    values = {
        "object": obj,
        "fields": [(name, field.label, name in ticked) for name, field in obj.fields.items() if field.shown],
        "formats": _FORMATS, "kind": kind, "condition": condition, "sort": sort, "chosen": chosen, "total": total,
        "problem": problem,
    }  # fmt: skip
    return _html("exports/_dialog.html", **values)


def _options(obj: ObjectType, kind: str, fields: Sequence[str], condition: str, sort: str) -> ExportOptions:
    """What the form says; ``csv;`` is for Excel with that delimiter."""
    name, mark = (kind[:3], kind[3:]) if kind.startswith("csv") else (kind, "")
    return ExportOptions(
        object=obj.name, format=name, fields=list(fields), filter=condition, sort=sort,
        delimiter=mark or ",", bom=mark in {";", ","},
    )  # fmt: skip


def _address() -> dict[str, str]:
    """The question in this request's address, else in that of the page it was sent from: the list as it stands."""
    if request.args:
        return request.args.to_dict()
    try:
        query = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query, max_num_fields=50)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in query.items()}


def _listed(scope: TenantScope, obj: ObjectType) -> Asked:
    """What the list asks for, within its view."""
    given = _address()
    asked = {name: given.get(key, "").strip() for name, key in _ASKED}
    return viewed(scope, obj, Asked(obj.name, **asked))


def _of_ids(texts: Sequence[str]) -> str:
    if not 1 <= len(texts) <= _MOST_CHOSEN:
        raise InvalidInput(f"Choose 1 to {_MOST_CHOSEN} records of the list.")
    try:
        return f"{_CHOSEN}{json.dumps(sorted({str(UUID(text)) for text in texts}))}"
    except ValueError:
        raise InvalidInput("Choose records of the list.") from None


def _line(scope: TenantScope, row: ExportRow) -> dict[str, Any]:
    obj = catalogs.for_scope(scope).objects.get(row.object)
    options = service.options_of(row)
    return {
        "row": row,
        "object": obj.plural if obj else row.object,
        "format": {"csv": "CSV", "ndjson": "JSON lines"}[options.format],
        "filter": "" if (chosen := options.filter.startswith(_CHOSEN)) else options.filter,
        "chosen": chosen,
        "percent": int(service.progress(row) * 100),
        "takeable": row.state == "done" and service.may_take(scope, row),
        "expires": row.created_at + service.KEPT,
    }


def _html(template: str, status: int = 200, **values: Any) -> Response:
    return Response(render_template(template, **values), status, content_type="text/html; charset=utf-8")
