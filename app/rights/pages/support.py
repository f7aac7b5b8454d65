"""Settings → Support access: let support in, see who is or was inside, take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from app.access.policy import policy_of
from app.access.rights import SUPPORT_GRANT
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.rights import support
from app.rights.pages.forms import by_field, page, typed
from tenants.identity.support import revoke as revoke_grant

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("support", __name__)

_HOURS: Final = [("1", "1 hour"), ("4", "4 hours"), ("24", "1 day"), ("72", "3 days"), ("168", "7 days")]
_NEW: Final = {"hours": "4", "role": "read_only", "reason": ""}


@blueprint.get("/settings/support")
@workspace(SUPPORT_GRANT, member=True)
def show_support(scope: TenantScope) -> Response:
    """Grants and visits, and the form for a new one."""
    return _support(scope, _NEW, {}, 200)


@blueprint.post("/settings/support")
@workspace(SUPPORT_GRANT, member=True)
def let_in(scope: TenantScope) -> Response:
    """Let support in."""
    values = typed("hours", "role", "reason")
    try:
        support.let_in(scope, role=values["role"], hours=_hours(values["hours"]), reason=values["reason"])
    except (InvalidInput, Forbidden, Conflict) as error:
        errors = by_field(error)
        errors.setdefault("role", errors.pop("", ""))
        return _support(scope, values, errors, error.status)
    return see_other("/settings/support?saved=1")


@blueprint.post("/settings/support/<uuid:grant>/revoke")
@workspace(SUPPORT_GRANT, member=True)
def revoke(scope: TenantScope, grant: UUID) -> Response:
    """Take a grant back."""
    revoke_grant(scope, grant)
    return see_other("/settings/support")


def _hours(text: str) -> int:
    if text not in dict(_HOURS):
        message = "Choose how long."
        raise InvalidInput(message, [FieldError("/hours", "option", message)])
    return int(text)


def _support(scope: TenantScope, values: dict[str, str], errors: dict[str, str], status: int) -> Response:
    found = support.grants(runtime(), scope)
    return page(
        "support.html",
        status,
        open=[grant for grant in found if grant.status == "open"],
        ended=[grant for grant in found if grant.status != "open"],
        inside=[visit for grant in found for visit in grant.visits if visit.inside],
        labels={role.name: role.label for role in policy_of(scope).roles.values()},
        roles=support.givable(scope),
        hours=_HOURS,
        values=values,
        errors=errors,
        saved="saved" in request.args,
    )
