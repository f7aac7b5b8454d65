"""``/api/v1/roles``: what each role holds; the workspace's own ones can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.grants import PARTS, role_document
from app.access.rights import RIGHTS_MANAGE
from app.core.jobs import wake
from app.http.context import runtime
from app.http.guard import look_again, workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, no_content, query_arguments
from app.rights import openapi, roles

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.access.grants import Role
    from tenants.scope import TenantScope

blueprint = Blueprint("roles_api", __name__, url_prefix="/api/v1", description="Roles of the workspace")


class RoleDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A role: levels by object (``*`` for the rest), fields that are less than editable, row conditions, specials."""

    label: str | msgspec.UnsetType = msgspec.UNSET
    help: str | msgspec.UnsetType = msgspec.UNSET
    objects: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    fields: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    rows: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    special: list[str] | msgspec.UnsetType = msgspec.UNSET

    def named(self) -> dict[str, Any]:
        """What was sent."""
        return {part: getattr(self, part) for part in PARTS if getattr(self, part) is not msgspec.UNSET}


class NewRole(RoleDocument, forbid_unknown_fields=True):
    """POST /roles; ``copy_of`` begins with another role's document."""

    name: str = ""
    copy_of: str = ""


@blueprint.get("/roles")
@described(openapi.ROLES)
@workspace(RIGHTS_MANAGE)
def list_roles(scope: TenantScope) -> Response:
    """Every role with its document and how many hold it."""
    query_arguments()
    return json_response({"data": [held.public() for held in roles.list_roles(scope)], "next": None})


@blueprint.post("/roles")
@described(openapi.role("A new role, perhaps a copy", "role_create", NewRole, "201"))
@workspace(RIGHTS_MANAGE, after=True)
def create_role(scope: TenantScope) -> Response:  # noqa: ARG001  (it has ended)
    """A new role, perhaps a copy."""
    form = json_body(NewRole)
    with look_again() as looking:
        start = role_document(roles.get_role(looking, form.copy_of)) if form.copy_of else {}
        act = roles.creating(looking, {**start, **form.named()}, form.name)
    made = _done(act)
    return json_response(roles.public(made), 201, {"Location": f"/api/v1/roles/{made.name}"})


@blueprint.get("/roles/<role>")
@described(openapi.SHOW_ROLE)
@workspace(RIGHTS_MANAGE)
def show_role(scope: TenantScope, role: str) -> Response:
    """One role; with ``compare`` also where another one differs."""
    arguments = query_arguments("compare")
    found = roles.get_role(scope, role)
    body = roles.public(found)
    if arguments.get("compare"):
        body["differences"] = roles.compare(found, roles.get_role(scope, arguments["compare"]))
    return json_response(body)


@blueprint.put("/roles/<role>")
@described(openapi.role("Replace a role's document", "role_change", RoleDocument))
@workspace(RIGHTS_MANAGE, after=True)
def change_role(scope: TenantScope, role: str) -> Response:  # noqa: ARG001
    """Replace the role's document; standard roles stay as they are."""
    form = json_body(RoleDocument)
    with look_again() as looking:
        act = roles.changing(looking, role, form.named())
    return json_response(roles.public(_done(act)))


@blueprint.delete("/roles/<role>")
@described(openapi.DELETE_ROLE)
@workspace(RIGHTS_MANAGE, after=True)
def delete_role(scope: TenantScope, role: str) -> Response:  # noqa: ARG001
    """Take a role away that nobody holds."""
    with look_again() as looking:
        act = roles.deleting(looking, role)
    _done(act)
    return no_content()


def _done(act: roles.Act) -> Role:
    done = roles.carry_out(runtime().databases, act)
    wake(runtime().redis)
    return done
