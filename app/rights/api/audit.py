"""``/api/v1/audit``: the log of who did what, as pages and as a file; the access review."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response as FlaskResponse
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.rights import RIGHTS_MANAGE
from app.core.errors import FieldError, InvalidInput
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_response, link_next, query_arguments
from app.rights import audit, exports, openapi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("audit_api", __name__, url_prefix="/api/v1", description="Who did what, and who may")

FILTERS = ("group", "actor", "actor_kind", "object", "record", "since", "until")


@blueprint.get("/audit")
@described(openapi.AUDIT)
@workspace(RIGHTS_MANAGE)
def read_audit(scope: TenantScope) -> Response:
    """The log, newest first: by group, actor, object, record and day."""
    arguments = _given(*FILTERS, "limit", "cursor")
    query = query_of(arguments)
    limit = _limit(arguments.get("limit", "50"))
    before = _id(arguments.get("cursor", ""), "cursor")
    found, following = audit.entries(scope, query, limit=limit, before=before)
    cursor = str(following) if following else None
    return json_response({"data": [entry.public() for entry in found], "next": cursor}, headers=link_next(cursor))


@blueprint.post("/audit/export")
@described(openapi.EXPORT_AUDIT)
@workspace(RIGHTS_MANAGE)
def export_audit(scope: TenantScope) -> Response:
    """The same as CSV, at most 10,000 lines; that it was taken along is itself in the log."""
    lines = exports.audit_lines(scope, query_of(_given(*FILTERS)))
    return attachment("audit.csv", lines)


@blueprint.post("/access-review/export")
@described(openapi.EXPORT_REVIEW)
@workspace(RIGHTS_MANAGE)
def export_review(scope: TenantScope) -> Response:
    """Who holds what: a CSV line for each member and object."""
    query_arguments()
    return attachment("access-review.csv", exports.review_lines(scope))


def _given(*known: str) -> dict[str, str]:
    """The query parameters; an empty one is a mistake."""
    arguments = query_arguments(*known)
    for name, value in arguments.items():
        if not value:
            message = f"{name} is empty: say something or leave it out."
            raise InvalidInput(message, [FieldError(f"?{name}", f"{name}.invalid", message)])
    return arguments


def attachment(name: str, text: str) -> Response:
    """A CSV file to save."""
    response = FlaskResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def query_of(arguments: Mapping[str, str]) -> audit.AuditQuery:
    """What was asked for; raises InvalidInput that names the parameter, one that is there but empty too."""
    for name, text in arguments.items():
        if not text:
            message = f"{name} is empty; leave it out."
            raise InvalidInput(message, [FieldError(f"?{name}", "empty", message)])
    return audit.AuditQuery(
        group=arguments.get("group", ""),
        actor=_id(arguments.get("actor", ""), "actor"),
        actor_kind=arguments.get("actor_kind", ""),
        object=arguments.get("object", "")[:100],
        record=_id(arguments.get("record", ""), "record"),
        since=_day(arguments.get("since", ""), "since"),
        until=_day(arguments.get("until", ""), "until"),
    )


def _id(text: str, name: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        message = f"{name} is an id."
        raise InvalidInput(message, [FieldError(f"?{name}", "id", message)]) from error


def _day(text: str, name: str) -> date | None:
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        found = date.min
    if found is not None and not 2000 <= found.year <= 9000:
        message = f"{name} is a day: 2026-11-22."
        raise InvalidInput(message, [FieldError(f"?{name}", "date", message)])
    return found


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= audit.MAX_LIMIT:
        message = f"limit is a number from 1 to {audit.MAX_LIMIT}."
        raise InvalidInput(message, [FieldError("?limit", "range", message)])
    return int(text)
