"""Settings of a workspace that concern oneself and programs: profile, sessions, keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from app.core.errors import FieldError, InvalidInput
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import no_content, see_other
from tenants.identity import devices, keys, members, preferences, workspace_sessions
from tenants.identity.pages.replies import by_field, page

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import Member, TenantScope

blueprint = Blueprint("settings", __name__)

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


def _keys(scope: TenantScope, values: dict[str, str], errors: dict[str, str], key: str, status: int) -> Response:
    roles = members.role_names(scope)
    return page(
        "settings_keys.html",
        status,
        keys=keys.list_keys(scope),
        values=values,
        errors=errors,
        key=key,
        roles=[(role, label) for role, label in roles if role != "owner" or members.is_owner(scope)],
        labels=dict(roles),
    )


def _end_of_day(text: str) -> datetime | None:
    """The end of the day typed into a date field."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError as error:
        message = "Enter a date."
        raise InvalidInput(message, [FieldError("/expires", "date", message)]) from error
