"""Settings → Teams: the tree, and one team with its members, manager and queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from app.access import teams
from app.access.rights import MEMBERS_MANAGE
from app.core.errors import Conflict, InvalidInput
from app.http.guard import workspace
from app.http.respond import see_other
from app.records.pages.people import chosen
from app.rights.pages.forms import by_field, optional_id, page

if TYPE_CHECKING:
    from typing import Any
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("teams", __name__)

_TEAM: Final = "/settings/teams/<uuid:team>"


@blueprint.get("/settings/teams")
@workspace(MEMBERS_MANAGE, member=True)
def show_teams(scope: TenantScope) -> Response:
    """The tree of teams, and a form for one more."""
    return _teams(scope, {"name": "", "parent": request.args.get("parent", ""), "manager": "", "queue": ""}, {}, 200)


@blueprint.post("/settings/teams")
@workspace(MEMBERS_MANAGE, member=True)
def create(scope: TenantScope) -> Response:
    """A new team."""
    try:
        made = teams.create_team(scope, **_typed())
    except (InvalidInput, Conflict) as error:
        values = {name: request.form.get(name, "") for name in ("name", "parent", "manager", "queue")}
        return _teams(scope, values, by_field(error), error.status)
    return see_other(f"/settings/teams/{made.id}")


@blueprint.get(_TEAM)
@workspace(MEMBERS_MANAGE, member=True)
def show_team(scope: TenantScope, team: UUID) -> Response:
    """One team."""
    return _team(scope, team, {}, 200)


@blueprint.post(_TEAM)
@workspace(MEMBERS_MANAGE, member=True)
def change(scope: TenantScope, team: UUID) -> Response:
    """Name, the team above, manager, queue."""
    try:
        teams.change_team(scope, team, _typed())
    except (InvalidInput, Conflict) as error:
        return _team(scope, team, by_field(error), error.status)
    return see_other(f"/settings/teams/{team}?saved=1")


@blueprint.post(f"{_TEAM}/delete")
@workspace(MEMBERS_MANAGE, member=True)
def delete(scope: TenantScope, team: UUID) -> Response:
    """Take it away."""
    teams.get_team(scope, team)
    try:
        teams.delete_team(scope, team)
    except Conflict as error:
        return _team(scope, team, {"": error.detail}, 409)
    return see_other("/settings/teams")


@blueprint.post(f"{_TEAM}/members")
@workspace(MEMBERS_MANAGE, member=True)
def add(scope: TenantScope, team: UUID) -> Response:
    """One more member."""
    teams.get_team(scope, team)
    try:
        chosen = optional_id("member")
        if chosen is None:
            return _team(scope, team, {"member": "Choose a member."}, 422)
        teams.put_member(scope, team, chosen)
    except InvalidInput as error:
        return _team(scope, team, by_field(error), 422)
    return see_other(f"/settings/teams/{team}")


@blueprint.post(f"{_TEAM}/members/<uuid:member>/remove")
@workspace(MEMBERS_MANAGE, member=True)
def remove(scope: TenantScope, team: UUID, member: UUID) -> Response:
    """One member less."""
    teams.remove_member(scope, team, member)
    return see_other(f"/settings/teams/{team}")


def _typed() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""),
        "parent": optional_id("parent"),
        "manager": optional_id("manager"),
        "queue": "queue" in request.form,
    }


def _teams(scope: TenantScope, values: dict[str, str], errors: dict[str, str], status: int) -> Response:
    return page(
        "teams.html",
        status,
        teams=teams.list_teams(scope),
        parent=chosen(scope, values["parent"], ("team",)),
        manager=chosen(scope, values["manager"]),
        values=values,
        errors=errors,
    )


def _team(scope: TenantScope, team: UUID, errors: dict[str, str], status: int) -> Response:
    found = teams.get_team(scope, team)
    every = teams.list_teams(scope)
    lines = {row.id: row for row in every}
    above = found.parent
    trail = []
    while above is not None and above in lines:
        trail.insert(0, lines[above])
        above = lines[above].parent
    return page(
        "team.html",
        status,
        team=found,
        trail=trail,
        below=[row for row in every if row.parent == team],
        belonging=teams.members_of(scope, team),
        parent=chosen(scope, found.parent, ("team",)),
        manager=chosen(scope, found.manager),
        errors=errors,
        saved="saved" in request.args,
    )
