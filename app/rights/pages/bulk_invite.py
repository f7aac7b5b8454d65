"""Settings → Members → Invite several: a CSV, and what came of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from app.access.rights import MEMBERS_MANAGE
from app.core.errors import InvalidInput
from app.http import ratelimit
from app.http.context import runtime
from app.http.guard import workspace
from app.rights import bulk_invites, granting
from app.rights.pages.forms import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("bulk_invite", __name__)


@blueprint.get("/settings/members/bulk")
@workspace(MEMBERS_MANAGE, member=True)
def show(scope: TenantScope) -> Response:
    """The form."""
    return _page(scope, "", "", 200)


@blueprint.post("/settings/members/bulk")
@workspace(MEMBERS_MANAGE, member=True)
def send(scope: TenantScope) -> Response:
    """Invite everybody the file or the text names."""
    ratelimit.limit("invite-bulk", str(scope.tenant.id), bulk_invites.LIMIT)
    file = request.files.get("file")
    text = request.form.get("text", "")
    data = file.read() if file is not None and file.filename else text.encode()
    try:
        rows = bulk_invites.read_rows(data)
    except InvalidInput as error:
        return _page(scope, text, error.detail, 422)
    results = bulk_invites.invite_all(runtime(), scope, rows)
    return page("bulk_invited.html", results=results, **bulk_invites.counts(results))


def _page(scope: TenantScope, text: str, error: str, status: int) -> Response:
    return page(
        "bulk_invite.html", status, text=text, error=error, roles=granting.givable(scope), most=bulk_invites.MAX_ROWS
    )
