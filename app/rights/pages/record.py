"""On a record: the dialog that shares it, and the one that says why somebody may or may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from flask import Blueprint, request

from app.access.rights import RECORD_READ, RIGHTS_MANAGE, allows
from app.core.errors import Conflict, InvalidInput
from app.http.guard import workspace
from app.records.pages.people import chosen
from app.rights import explain, sharing
from app.rights.pages.forms import by_field, end_of_day, page, typed
from app.rights.pages.sharing import GRANTEES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("record", __name__)

_RECORD: Final = "/records/<object_name>/<uuid:record_id>"
_ACTIONS: Final = [("read", "see"), ("edit", "edit"), ("delete", "delete"), ("export", "export")]


@blueprint.get(f"{_RECORD}/sharing")
@workspace(RECORD_READ, member=True)
def show_sharing(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Who was given the record, and a form to give it to one more."""
    return _sharing(scope, object_name, record_id, {}, {}, 200)


@blueprint.post(f"{_RECORD}/sharing")
@workspace(RECORD_READ, member=True)
def share(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Give it to somebody."""
    sharing.record_shares(scope, object_name, record_id)
    values = typed("grantee", "level", "expires")
    kind, _, grantee = values["grantee"].partition(":")
    try:
        sharing.share_record(
            scope,
            object_name,
            record_id,
            kind=kind,
            grantee=grantee,
            level=values["level"] or "read",
            collaborator="collaborator" in request.form,
            expires_at=end_of_day(values["expires"]),
        )
    except (InvalidInput, Conflict) as error:
        errors = by_field(error)
        errors.setdefault("grantee", errors.get("kind") or errors.get("id") or "")
        errors.setdefault("expires", errors.get("expires_at", ""))
        return _sharing(scope, object_name, record_id, values, errors, error.status)
    return _sharing(scope, object_name, record_id, {}, {}, 200)


@blueprint.post(f"{_RECORD}/sharing/<uuid:share>/remove")
@workspace(RECORD_READ, member=True)
def unshare(scope: TenantScope, object_name: str, record_id: UUID, share: UUID) -> Response:
    """Take it back."""
    sharing.unshare_record(scope, object_name, record_id, share)
    return _sharing(scope, object_name, record_id, {}, {}, 200)


@blueprint.get(f"{_RECORD}/access")
@workspace(RECORD_READ, member=True)
def show_access(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Why somebody may or may not; about others only for who manages rights."""
    title = explain.title_of(scope, object_name, record_id)
    action = request.args.get("action", "edit")
    me = scope.member.id if scope.member else UUID(int=0)
    others = allows(scope, RIGHTS_MANAGE)
    member = _asked(request.args.get("member", "")) or me if others else me
    found = explain.explain(scope, member, object_name, record_id, action if action in dict(_ACTIONS) else "edit")
    return page(
        "access_dialog.html",
        title=title,
        url=f"/records/{object_name}/{record_id}/access",
        held=chosen(scope, member),
        action=found.action,
        actions=_ACTIONS,
        others=others,
        explanation=found,
    )


def _asked(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _sharing(
    scope: TenantScope, object_name: str, record_id: UUID, values: dict[str, str], errors: dict[str, str], status: int
) -> Response:
    rows = sharing.record_shares(scope, object_name, record_id)
    return page(
        "share_dialog.html",
        status,
        title=explain.title_of(scope, object_name, record_id),
        url=f"/records/{object_name}/{record_id}/sharing",
        access=f"/records/{object_name}/{record_id}/access",
        shares=rows,
        levels=sharing.may_give(scope, object_name, record_id),
        grantee=chosen(scope, values.get("grantee", ""), GRANTEES),
        values=values or {"grantee": "", "level": "read", "expires": ""},
        errors=errors,
    )
