"""Settings → Members → one: roles, whom they report to, teams, access, hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from flask import Blueprint, request

from app.access import teams
from app.access.policy import role_names
from app.access.rights import MEMBERS_MANAGE
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.records import handover
from app.records.pages.people import chosen
from app.rights import granting
from app.rights.pages.forms import by_field, optional_id, page
from tenants.identity import members

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("member", __name__)

_MEMBER: Final = "/settings/members/<uuid:member>"


@blueprint.get(_MEMBER)
@workspace(MEMBERS_MANAGE, member=True)
def show_member(scope: TenantScope, member: UUID) -> Response:
    """One member."""
    return _page(scope, member, {}, 200)


@blueprint.post(f"{_MEMBER}/role")
@workspace(MEMBERS_MANAGE, member=True)
def change_roles(scope: TenantScope, member: UUID) -> Response:
    """The main role and the further ones."""
    try:
        granting.change_roles(scope, member, request.form.get("role", ""), request.form.getlist("roles"))
    except (Conflict, InvalidInput, Forbidden) as error:
        return _page(scope, member, by_field(error), error.status)
    return see_other(f"/settings/members/{member}?saved=roles")


@blueprint.post(f"{_MEMBER}/manager")
@workspace(MEMBERS_MANAGE, member=True)
def change_manager(scope: TenantScope, member: UUID) -> Response:
    """Whom they report to."""
    try:
        teams.set_manager(scope, member, optional_id("manager"))
    except InvalidInput as error:
        return _page(scope, member, by_field(error), 422)
    return see_other(f"/settings/members/{member}?saved=manager")


@blueprint.post(f"{_MEMBER}/teams")
@workspace(MEMBERS_MANAGE, member=True)
def change_teams(scope: TenantScope, member: UUID) -> Response:
    """Which teams they belong to."""
    members.get_member(scope, member)
    known = {str(team.id): team.id for team in teams.list_teams(scope)}
    wanted = {known[one] for one in request.form.getlist("teams") if one in known}
    present = set(teams.teams_of(scope, member))
    try:
        for team in sorted(wanted - present):
            teams.put_member(scope, team, member)
    except InvalidInput as error:
        return _page(scope, member, {"": error.detail}, 422)
    for team in sorted(present - wanted):
        teams.remove_member(scope, team, member)
    return see_other(f"/settings/members/{member}?saved=teams")


@blueprint.post(f"{_MEMBER}/deactivate")
@workspace(MEMBERS_MANAGE, member=True)
def deactivate(scope: TenantScope, member: UUID) -> Response:
    """End access at once; handing the records over follows, its page shows how far that is."""
    try:
        heir = _heir()
        granting.deactivate(runtime(), scope, member, heir=heir)
    except (Conflict, InvalidInput, Forbidden) as error:
        return _page(scope, member, by_field(error), error.status)
    return see_other(f"/settings/members/{member}#hand-over" if heir else "/settings/members")


@blueprint.get(f"{_MEMBER}/hand-over")
@workspace(MEMBERS_MANAGE, member=True)
def show_hand_over(scope: TenantScope, member: UUID) -> Response:
    """How far it is, by itself."""
    found = members.get_member(scope, member)
    return page("_handover.html", member=found, handover=handover.latest(scope, member), errors={})


@blueprint.post(f"{_MEMBER}/hand-over")
@workspace(MEMBERS_MANAGE, member=True)
def start_hand_over(scope: TenantScope, member: UUID) -> Response:
    """Give away what somebody who left still owns."""
    try:
        heir = _heir()
        if heir is None:
            return _page(scope, member, {"hand_over_to": "Choose who takes the records over."}, 422)
        granting.hand_over(runtime(), scope, member, heir)
    except (Conflict, InvalidInput, Forbidden) as error:
        return _page(scope, member, by_field(error), error.status)
    return see_other(f"/settings/members/{member}#hand-over")


@blueprint.post(f"{_MEMBER}/reactivate")
@workspace(MEMBERS_MANAGE, member=True)
def reactivate(scope: TenantScope, member: UUID) -> Response:
    """Let them in again."""
    try:
        granting.reactivate(runtime(), scope, member)
    except (Conflict, Forbidden) as error:
        return _page(scope, member, by_field(error), error.status)
    return see_other(f"/settings/members/{member}")


def _heir() -> members.Heir | None:
    """Whom the box names: ``member:id`` or ``team:id``; None when it is empty. Raises InvalidInput."""
    kind, _, identity = request.form.get("hand_over_to", "").strip().rpartition(":")
    if not identity:
        return None
    try:
        return members.Heir("team" if kind == "team" else "member", UUID(identity))
    except ValueError as error:
        message = "Choose one of the list."
        raise InvalidInput(message, [FieldError("/hand_over_to", "id", message)]) from error


def _page(scope: TenantScope, member: UUID, errors: dict[str, str], status: int) -> Response:
    found = members.get_member(scope, member)
    roles = role_names(scope)
    open_ = [row for row in granting.pending(runtime(), scope) if row.member == member and not row.expired]
    givable = granting.givable(scope)
    return page(
        "member.html",
        status,
        member=found,
        me=scope.member,
        errors=errors,
        saved=request.args.get("saved", ""),
        manager=chosen(scope, found.manager),
        handover=handover.latest(scope, member),
        teams=teams.list_teams(scope),
        mine={str(team) for team in teams.teams_of(scope, member)},
        link=open_[0].url if open_ else "",
        roles=[(name, label) for name, label in roles if (name, label) in givable or name in found.every_role],
        grantable=givable,
    )
