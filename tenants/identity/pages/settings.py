"""Settings of a workspace that concern people: profile, sessions, members, keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from flask import Blueprint, request

from app.core.errors import Conflict, FieldError, InvalidInput
from app.http import ratelimit
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import no_content, see_other
from tenants.identity import devices, invitations, keys, members, preferences, workspace_sessions
from tenants.identity.members import ROLES, MemberRow
from tenants.identity.pages.replies import ROLE_LABELS, by_field, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from tenants.scope import Member, TenantScope

blueprint = Blueprint("settings", __name__)

_NO_LINKS: Final[Mapping[UUID, str]] = {}
#: More members than this are reached by the search box.
_SHOWN = 200
_PREFERENCES: Final = ("theme", "density", "locale", "timezone", "shortcuts")


@blueprint.get("/settings/profile")
@workspace(member=True)
def show_profile(scope: TenantScope) -> Response:
    """The member's own settings."""
    return _profile(scope, {}, 200)


@blueprint.post("/settings/profile")
@workspace(member=True)
def save_profile(scope: TenantScope) -> Response:
    """Save them."""
    chosen = {name: request.form.get(name, "") for name in _PREFERENCES}
    try:
        members.set_profile(
            scope, _me(scope).id, name=request.form.get("name", ""), preferences=preferences.check(chosen)
        )
    except InvalidInput as error:
        return _profile(scope, by_field(error.errors), 422)
    return see_other("/settings/profile?saved=1")


@blueprint.post("/preferences")
@workspace(member=True)
def save_preferences(scope: TenantScope) -> Response:
    """Theme or density from the menu of the rail."""
    chosen = {name: value for name, value in request.form.items() if name in {"theme", "density"}}
    members.set_preferences(scope, _me(scope).id, preferences.check(chosen))
    return no_content()


@blueprint.get("/settings/sessions")
@workspace(member=True)
def show_sessions(scope: TenantScope) -> Response:
    """Where the member is signed in to this workspace."""
    rows = workspace_sessions.list_sessions(runtime(), scope, _me(scope).id)
    return page(
        "settings_sessions.html",
        sessions=[devices.shown(row) for row in rows],
        current=scope.credential,
        base_url=runtime().config.base_url,
    )


@blueprint.post("/settings/sessions/<uuid:session>/revoke")
@workspace(member=True)
def revoke_session(scope: TenantScope, session: UUID) -> Response:
    """End one of them."""
    workspace_sessions.revoke(runtime(), scope, _me(scope).id, session)
    return see_other("/settings/sessions")


@blueprint.get("/settings/members")
@workspace("record.read", member=True)
def show_members(scope: TenantScope) -> Response:
    """Everybody in the workspace; who may manage members can invite here."""
    return _members(scope, {"email": "", "name": "", "role": "member"}, {}, "", 200)


@blueprint.post("/settings/members/invite")
@workspace("members.manage", member=True)
def invite(scope: TenantScope) -> Response:
    """Invite a colleague."""
    ratelimit.limit("invite", str(scope.tenant.id), ratelimit.INVITE)
    values = {name: request.form.get(name, "")[:320] for name in ("email", "name", "role")}
    try:
        made = invitations.invite(
            runtime(),
            scope,
            email=values["email"],
            role=values["role"],
            name=values["name"],
            member=_uuid(request.form.get("member", "")),
        )
    except InvalidInput as error:
        return _members(scope, values, by_field(error.errors), "", 422)
    except Conflict as error:
        return _members(scope, values, {}, error.detail, 409)
    return see_other(f"/settings/members?invited={made.member}")


@blueprint.get("/settings/members/<uuid:member>")
@workspace("members.manage", member=True)
def show_member(scope: TenantScope, member: UUID) -> Response:
    """One member: role, access, hand-over."""
    return _member(scope, members.get_member(scope, member), "", 200)


@blueprint.post("/settings/members/<uuid:member>/role")
@workspace("members.manage", member=True)
def change_role(scope: TenantScope, member: UUID) -> Response:
    """Another role."""
    try:
        members.change_role(scope, member, request.form.get("role", ""))
    except Conflict as error:
        return _member(scope, members.get_member(scope, member), error.detail, 409)
    return see_other("/settings/members")


@blueprint.post("/settings/members/<uuid:member>/deactivate")
@workspace("members.manage", member=True)
def deactivate(scope: TenantScope, member: UUID) -> Response:
    """End access; the records go to a colleague."""
    try:
        members.deactivate(runtime(), scope, member, hand_over_to=_uuid(request.form.get("hand_over_to", "")))
    except (Conflict, InvalidInput) as error:
        return _member(scope, members.get_member(scope, member), error.detail, error.status)
    return see_other("/settings/members")


@blueprint.post("/settings/members/<uuid:member>/reactivate")
@workspace("members.manage", member=True)
def reactivate(scope: TenantScope, member: UUID) -> Response:
    """Let them in again."""
    try:
        members.reactivate(runtime(), scope, member)
    except Conflict as error:
        return _member(scope, members.get_member(scope, member), error.detail, 409)
    return see_other("/settings/members")


@blueprint.get("/settings/keys")
@workspace("keys.manage", member=True)
def show_keys(scope: TenantScope) -> Response:
    """The API keys."""
    return _keys(scope, {"name": "", "role": "member", "expires": ""}, {}, "", 200)


@blueprint.post("/settings/keys")
@workspace("keys.manage", member=True)
def create_key(scope: TenantScope) -> Response:
    """Make one and show it, once."""
    values = {name: request.form.get(name, "")[:200] for name in ("name", "role", "expires")}
    try:
        _, key = keys.create_key(scope, values["name"], values["role"], _end_of_day(values["expires"]))
    except InvalidInput as error:
        return _keys(scope, values, by_field(error.errors), "", 422)
    return _keys(scope, {"name": "", "role": "member", "expires": ""}, {}, key, 200)


@blueprint.post("/settings/keys/<uuid:key>/revoke")
@workspace("keys.manage", member=True)
def revoke_key(scope: TenantScope, key: UUID) -> Response:
    """End it at once."""
    keys.revoke_key(scope, key)
    return see_other("/settings/keys")


def _me(scope: TenantScope) -> Member:
    """The member behind the session; the guard has refused keys."""
    if scope.member is None:
        raise InvalidInput("This needs a person who is signed in.")
    return scope.member


def _profile(scope: TenantScope, errors: dict[str, str], status: int) -> Response:
    me = _me(scope)
    typed = request.form if errors else None
    values = {name: typed.get(name, "") if typed is not None else me.preferences.get(name, "") for name in _PREFERENCES}
    values["name"] = typed.get("name", "") if typed is not None else me.name
    return page(
        "settings_profile.html",
        status,
        me=me,
        values=values,
        errors=errors,
        saved="saved" in request.args,
        tenant=scope.tenant,
        themes=list(preferences.THEMES.items()),
        densities=list(preferences.DENSITIES.items()),
        locales=preferences.locales(),
        zones=preferences.zones(),
        base_url=runtime().config.base_url,
    )


def _members(scope: TenantScope, values: dict[str, str], errors: dict[str, str], problem: str, status: int) -> Response:
    rows, more = members.list_members(scope, limit=_SHOWN)
    invited = _uuid(request.args.get("invited", ""))
    manages = scope.role in {"owner", "admin"}
    links = invitations.open_invitations(runtime(), scope) if manages else _NO_LINKS
    return page(
        "settings_members.html",
        status,
        members=rows,
        more=more is not None,
        me=_me(scope),
        values=values,
        errors=errors,
        problem=problem,
        link=links.get(invited) if invited else None,
        invited=next((row for row in rows if row.id == invited), None),
        roles=_roles(scope),
    )


def _member(scope: TenantScope, member: MemberRow, problem: str, status: int) -> Response:
    rows, _ = members.list_members(scope, limit=_SHOWN)
    links = invitations.open_invitations(runtime(), scope) if member.status == "invited" else _NO_LINKS
    heirs = [(row.id, row.name) for row in rows if row.status == "active" and row.id != member.id]
    return page(
        "settings_member.html",
        status,
        member=member,
        me=_me(scope),
        problem=problem,
        heirs=heirs,
        link=links.get(member.id),
        roles=_roles(scope),
    )


def _keys(scope: TenantScope, values: dict[str, str], errors: dict[str, str], key: str, status: int) -> Response:
    return page(
        "settings_keys.html",
        status,
        keys=keys.list_keys(scope),
        values=values,
        errors=errors,
        key=key,
        roles=_roles(scope),
    )


def _roles(scope: TenantScope) -> list[tuple[str, str]]:
    """The roles this member may give."""
    return [(role, ROLE_LABELS[role]) for role in ROLES if role != "owner" or scope.role == "owner"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _end_of_day(text: str) -> datetime | None:
    """The end of the day typed into a date field."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError as error:
        message = "Enter a date."
        raise InvalidInput(message, [FieldError("/expires", "date", message)]) from error
