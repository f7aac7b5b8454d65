"""``/api/v1/teams``: the tree of teams and who belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003  (msgspec reads the annotations)

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access import teams
from app.access.rights import MEMBERS_MANAGE, RECORD_READ
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, no_content, query_arguments
from app.rights import openapi
from tenants.identity.members import get_member

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("teams_api", __name__, url_prefix="/api/v1", description="Teams of the workspace")


class NewTeam(msgspec.Struct, forbid_unknown_fields=True):
    """POST /teams; a queue owns records itself."""

    name: str
    parent: UUID | None = None
    manager: UUID | None = None
    queue: bool = False


class TeamPatch(msgspec.Struct, forbid_unknown_fields=True):
    """PATCH /teams/{id}: what is left out stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    parent: UUID | msgspec.UnsetType | None = msgspec.UNSET
    manager: UUID | msgspec.UnsetType | None = msgspec.UNSET
    queue: bool | msgspec.UnsetType = msgspec.UNSET

    def changes(self) -> dict[str, Any]:
        """What was named."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not msgspec.UNSET}


@blueprint.get("/teams")
@described(openapi.TEAMS)
@workspace(RECORD_READ)
def list_teams(scope: TenantScope) -> Response:
    """All teams, each before those below it."""
    query_arguments()
    return json_response({"data": [team.public() for team in teams.list_teams(scope)], "next": None})


@blueprint.post("/teams")
@described(openapi.team("A new team", "team_create", NewTeam, "201"))
@workspace(MEMBERS_MANAGE)
def create_team(scope: TenantScope) -> Response:
    """A new team."""
    form = json_body(NewTeam)
    made = teams.create_team(scope, name=form.name, parent=form.parent, manager=form.manager, queue=form.queue)
    return json_response(made.public(), 201, {"Location": f"/api/v1/teams/{made.id}"})


@blueprint.get("/teams/<uuid:team>")
@described(openapi.SHOW_TEAM)
@workspace(RECORD_READ)
def show_team(scope: TenantScope, team: UUID) -> Response:
    """One team with its members."""
    query_arguments()
    found = teams.get_team(scope, team)
    people = [{"id": str(one.id), "name": one.name, "status": one.status} for one in teams.members_of(scope, team)]
    return json_response(found.public() | {"members": people})


@blueprint.patch("/teams/<uuid:team>")
@described(openapi.team("Change a team", "team_change", TeamPatch))
@workspace(MEMBERS_MANAGE)
def change_team(scope: TenantScope, team: UUID) -> Response:
    """Name, the team above, manager, queue."""
    return json_response(teams.change_team(scope, team, json_body(TeamPatch).changes()).public())


@blueprint.delete("/teams/<uuid:team>")
@described(openapi.DELETE_TEAM)
@workspace(MEMBERS_MANAGE)
def delete_team(scope: TenantScope, team: UUID) -> Response:
    """Take a team away that nothing hangs on; its members stay."""
    teams.delete_team(scope, team)
    return no_content()


@blueprint.put("/teams/<uuid:team>/members/<uuid:member>")
@described(openapi.JOIN_TEAM)
@workspace(MEMBERS_MANAGE)
def put_member(scope: TenantScope, team: UUID, member: UUID) -> Response:
    """Make somebody a member of the team."""
    get_member(scope, member)
    teams.put_member(scope, team, member)
    return no_content()


@blueprint.delete("/teams/<uuid:team>/members/<uuid:member>")
@described(openapi.LEAVE_TEAM)
@workspace(MEMBERS_MANAGE)
def remove_member(scope: TenantScope, team: UUID, member: UUID) -> Response:
    """Take somebody out of the team."""
    teams.remove_member(scope, team, member)
    return no_content()
