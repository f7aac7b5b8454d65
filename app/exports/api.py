"""REST routes of exports."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

from flask import after_this_request
from flask_smorest import Blueprint
from werkzeug.wrappers import Response

from app.access.rights import RECORD_EXPORT
from app.core.errors import FieldError, InvalidInput
from app.core.jobs import wake
from app.exports import files, openapi, service
from app.exports.errors import ExportNotFound
from app.exports.options import ExportOptions
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, link_next, no_content, query_arguments

if TYPE_CHECKING:
    from tenants.scope import TenantScope

blueprint = Blueprint("exports", __name__, url_prefix="/api/v1", description="Records into files")

_MOST = 200


@blueprint.post("/exports")
@described(openapi.START)
@workspace(RECORD_EXPORT)
def start(scope: TenantScope) -> Response:
    """Accept what is asked for; 202 with where to look for its progress."""
    query_arguments()
    row = service.start_export(scope, json_body(ExportOptions))
    ring_after()
    return json_response(service.api_form(row), 202, {"Location": f"/api/v1/exports/{row.id}"})


@blueprint.get("/exports")
@described(openapi.LIST)
@workspace(RECORD_EXPORT)
def list_(scope: TenantScope) -> Response:
    """One's own exports, newest first."""
    given = query_arguments("limit", "cursor")
    rows, following = service.list_exports(scope, _limit(given.get("limit", "50")), _cursor(given.get("cursor")))
    cursor = str(following) if following else None
    return json_response({"data": [service.api_form(row) for row in rows], "next": cursor}, headers=link_next(cursor))


@blueprint.get("/exports/<export_id>")
@described(openapi.GET)
@workspace(RECORD_EXPORT)
def get(scope: TenantScope, export_id: str) -> Response:
    """Status and progress."""
    query_arguments()
    return json_response(service.api_form(service.get_export(scope, as_id(export_id))))


@blueprint.get("/exports/<export_id>/file")
@described(openapi.FILE)
@workspace(RECORD_EXPORT)
def file(scope: TenantScope, export_id: str) -> Response:
    """The file, after another look at the rights."""
    query_arguments()
    return attachment(scope, as_id(export_id))


@blueprint.post("/exports/<export_id>/cancel")
@described(openapi.CANCEL)
@workspace(RECORD_EXPORT)
def cancel(scope: TenantScope, export_id: str) -> Response:
    """End it; what it had is thrown away."""
    query_arguments()
    row = service.cancel_export(scope, runtime().storage, as_id(export_id))
    return json_response(service.api_form(row))


@blueprint.delete("/exports/<export_id>")
@described(openapi.DELETE)
@workspace(RECORD_EXPORT)
def delete(scope: TenantScope, export_id: str) -> Response:
    """Throw it and its file away."""
    query_arguments()
    service.delete_export(scope, runtime().storage, as_id(export_id))
    return no_content()


def attachment(scope: TenantScope, export_id: UUID) -> Response:
    """The file to save, sent piece by piece."""
    row, content = service.take_file(scope, runtime().storage, export_id)
    name = files.file_name(row)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(row.bytes),
    }
    return Response(content, 200, headers, content_type=files.KINDS[service.options_of(row).format][1])


def ring_after() -> None:
    """Ring the relay when the transaction has been committed."""

    @after_this_request
    def ring(response: Response) -> Response:
        wake(runtime().redis)
        return response


def as_id(text: str) -> UUID:
    """The id in an address. Raises ExportNotFound for anything that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise ExportNotFound("There is no such export.") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 4 or not 1 <= int(text) <= _MOST:
        message = f"limit is a number from 1 to {_MOST}."
        raise InvalidInput(message, [FieldError("?limit", "limit.invalid", message)])
    return int(text)


def _cursor(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        message = "cursor is what next was on the page before."
        raise InvalidInput(message, [FieldError("?cursor", "cursor.invalid", message)]) from None
