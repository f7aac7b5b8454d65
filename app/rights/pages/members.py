"""Settings → Members: who is here, who is invited, inviting one more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from app.access.policy import role_names
from app.access.rights import MEMBERS_MANAGE, RECORD_READ, allows
from app.core.errors import Conflict, Forbidden, InvalidInput
from app.http import ratelimit
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.rights import granting
from app.rights.pages.forms import by_field, optional_id, page, typed
from tenants.identity import invitations, members

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("members", __name__)

_SHOWN: Final = 100
_EMPTY: Final = {"email": "", "name": "", "role": "member", "days": "14"}
LIVES: Final = [("3", "3 days"), ("7", "7 days"), ("14", "14 days"), ("30", "30 days"), ("60", "60 days")]


@blueprint.get("/settings/members")
@workspace(RECORD_READ, member=True)
def show_members(scope: TenantScope) -> Response:
    """Everybody in the workspace; who may manage members can invite here."""
    return members_page(scope, dict(_EMPTY), {}, 200)


@blueprint.post("/settings/members/invite")
@workspace(MEMBERS_MANAGE, member=True)
def invite(scope: TenantScope) -> Response:
    """Invite a colleague."""
    ratelimit.limit("invite", str(scope.tenant.id), ratelimit.INVITE)
    values = _EMPTY | typed("email", "name", "role") | {"days": request.form.get("days", "14")}
    try:
        made = granting.invite(
            runtime(),
            scope,
            email=values["email"],
            role=values["role"],
            name=values["name"],
            member=optional_id("member"),
            life=timedelta(days=int(values["days"]) if values["days"].isdecimal() else 0),
        )
    except (InvalidInput, Conflict, Forbidden) as error:
        return members_page(scope, values, by_field(error), error.status)
    return see_other(f"/settings/members?invited={made.member}")


@blueprint.post("/settings/members/invitations/<uuid:invitation>/resend")
@workspace(MEMBERS_MANAGE, member=True)
def resend(scope: TenantScope, invitation: UUID) -> Response:
    """Send it once more, with a new link."""
    ratelimit.limit("invite", str(scope.tenant.id), ratelimit.INVITE)
    made = granting.resend(runtime(), scope, invitation)
    return see_other(f"/settings/members?invited={made.member}")


@blueprint.post("/settings/members/invitations/<uuid:invitation>/revoke")
@workspace(MEMBERS_MANAGE, member=True)
def revoke(scope: TenantScope, invitation: UUID) -> Response:
    """Take it back."""
    invitations.revoke(runtime(), scope, invitation)
    return see_other("/settings/members")


def members_page(scope: TenantScope, values: dict[str, str], errors: dict[str, str], status: int) -> Response:
    """The page with its form as it stands."""
    words = request.args.get("q", "")[:200]
    rows, more = members.list_members(scope, limit=_SHOWN, words=words)
    manages = allows(scope, MEMBERS_MANAGE)
    pending = granting.pending(runtime(), scope) if manages else []
    invited = request.args.get("invited", "")
    return page(
        "members.html",
        status,
        members=[row for row in rows if row.status != "invited" or not manages],
        more=more is not None,
        words=words,
        me=scope.member,
        pending=pending,
        fresh=next((row for row in pending if str(row.member) == invited and row.url), None),
        values=values,
        errors=errors,
        lives=LIVES,
        labels=dict(role_names(scope)),
        roles=granting.givable(scope) if manages else [],
    )
