"""``/api/v1/members``: roles and manager of a member, invitations one by one and in bulk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003  (msgspec reads the annotations)

import msgspec
from flask import request
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access import teams
from app.access.rights import MEMBERS_MANAGE
from app.core.errors import FieldError, InvalidInput
from app.http import ratelimit
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, no_content, query_arguments
from app.records import handover
from app.rights import bulk_invites, granting, openapi
from tenants.identity import members
from tenants.identity import openapi as identity

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("rights_members_api", __name__, url_prefix="/api/v1", description="Members of the workspace")


class NewInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """POST /members/invitations; ``roles`` are further ones, ``days`` how long the link works."""

    email: str
    role: str = "member"
    roles: list[str] = []
    name: str = ""
    member: UUID | None = None
    days: int = 14


class MemberPatch(msgspec.Struct, forbid_unknown_fields=True):
    """PATCH /members/{id}: what is left out stays."""

    role: str | msgspec.UnsetType = msgspec.UNSET
    roles: list[str] | msgspec.UnsetType = msgspec.UNSET
    manager: UUID | msgspec.UnsetType | None = msgspec.UNSET


class Deactivation(msgspec.Struct, forbid_unknown_fields=True):
    """POST /members/{id}/deactivate."""

    hand_over_to: UUID | None = None
    hand_over_to_team: UUID | None = None


class HandingOver(msgspec.Struct, forbid_unknown_fields=True):
    """POST /members/{id}/hand-over: one of the two."""

    to: UUID | None = None
    to_team: UUID | None = None


@blueprint.patch("/members/<uuid:member>")
@described(openapi.change_member(MemberPatch))
@workspace(MEMBERS_MANAGE)
def change_member(scope: TenantScope, member: UUID) -> Response:
    """Other roles, another manager."""
    form = json_body(MemberPatch)
    found = members.get_member(scope, member)
    if form.role is not msgspec.UNSET or form.roles is not msgspec.UNSET:
        role = found.role if form.role is msgspec.UNSET else form.role
        further = found.every_role[1:] if form.roles is msgspec.UNSET else form.roles
        granting.change_roles(scope, member, role, further)
    if form.manager is not msgspec.UNSET:
        teams.set_manager(scope, member, form.manager)
    return json_response(members.get_member(scope, member).public())


@blueprint.post("/members/invitations")
@described(openapi.invite(NewInvitation))
@workspace(MEMBERS_MANAGE)
def invite(scope: TenantScope) -> Response:
    """Invite a colleague by mail; the link comes back too."""
    ratelimit.limit("invite", str(scope.tenant.id), ratelimit.INVITE)
    form = json_body(NewInvitation)
    made = granting.invite(
        runtime(),
        scope,
        email=form.email,
        role=form.role,
        roles=form.roles,
        name=form.name,
        member=form.member,
        life=timedelta(days=min(max(form.days, 0), 1000)),
    )
    return json_response({"invitation": made.public()}, 201)


@blueprint.get("/members/invitations")
@described(openapi.INVITATIONS)
@workspace(MEMBERS_MANAGE)
def list_invitations(scope: TenantScope) -> Response:
    """Invitations not taken up yet, expired ones too."""
    query_arguments()
    return json_response({"data": [row.public() for row in granting.pending(runtime(), scope)], "next": None})


@blueprint.post("/members/invitations/<uuid:invitation>/resend")
@described(openapi.RESEND)
@workspace(MEMBERS_MANAGE)
def resend(scope: TenantScope, invitation: UUID) -> Response:
    """Send it anew, with a new link and a new end."""
    ratelimit.limit("invite", str(scope.tenant.id), ratelimit.INVITE)
    return json_response({"invitation": granting.resend(runtime(), scope, invitation).public()}, 201)


@blueprint.delete("/members/invitations/<uuid:invitation>")
@described(openapi.REVOKE)
@workspace(MEMBERS_MANAGE)
def revoke(scope: TenantScope, invitation: UUID) -> Response:
    """Take it back; its link is void at once."""
    granting.revoke(runtime(), scope, invitation)
    return no_content()


@blueprint.post("/members/invitations/bulk")
@described(openapi.BULK)
@workspace(MEMBERS_MANAGE)
def bulk(scope: TenantScope) -> Response:
    """Invite everybody a CSV names (``email,name,role,team``); an answer for each row."""
    ratelimit.limit("invite-bulk", str(scope.tenant.id), bulk_invites.LIMIT)
    results = bulk_invites.invite_all(runtime(), scope, bulk_invites.read_rows(request.get_data(cache=True)))
    return json_response({"results": [row.public() for row in results], **bulk_invites.counts(results)})


@blueprint.post("/members/<uuid:member>/deactivate")
@described(identity.deactivate(Deactivation))
@workspace(MEMBERS_MANAGE)
def deactivate(scope: TenantScope, member: UUID) -> Response:
    """End access at once; a job then gives the member's records to whom ``hand_over_to`` or ``…_team`` names."""
    form = json_body(Deactivation)
    heir = _heir(form.hand_over_to, form.hand_over_to_team, "hand_over_to")
    granting.deactivate(runtime(), scope, member, heir=heir)
    started = handover.get_latest(scope, member).public() if heir else None
    return json_response({"member": members.get_member(scope, member).public(), "hand_over": started})


@blueprint.get("/members/<uuid:member>/hand-over")
@described(identity.HAND_OVER)
@workspace(MEMBERS_MANAGE)
def show_hand_over(scope: TenantScope, member: UUID) -> Response:
    """How far the last handing over of their records is."""
    query_arguments()
    return json_response(handover.get_latest(scope, member).public())


@blueprint.post("/members/<uuid:member>/hand-over")
@described(identity.start_hand_over(HandingOver))
@workspace(MEMBERS_MANAGE)
def start_hand_over(scope: TenantScope, member: UUID) -> Response:
    """Give their records away without ending their access, or after it."""
    members.get_member(scope, member)
    form = json_body(HandingOver)
    heir = _heir(form.to, form.to_team, "to")
    if heir is None:
        message = "Name a member or a team to take the records over."
        raise InvalidInput(message, [FieldError("/to", "required", message)])
    granting.hand_over(runtime(), scope, member, heir)
    return json_response(handover.get_latest(scope, member).public(), 202)


@blueprint.post("/members/<uuid:member>/reactivate")
@described(identity.REACTIVATE)
@workspace(MEMBERS_MANAGE)
def reactivate(scope: TenantScope, member: UUID) -> Response:
    """Let a deactivated member in again."""
    return json_response(granting.reactivate(runtime(), scope, member).public())


def _heir(member: UUID | None, team: UUID | None, name: str) -> members.Heir | None:
    """Whom a body names. Raises InvalidInput when it names two."""
    if member and team:
        message = "Hand over to a member or to a team, not to both."
        raise InvalidInput(message, [FieldError(f"/{name}_team", "exclusive", message)])
    if team:
        return members.Heir("team", team, f"/{name}_team")
    return members.Heir("member", member, f"/{name}") if member else None
