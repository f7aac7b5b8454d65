"""``/api/v1``: what objects are open to, sharing rules, single records given by hand, why somebody may."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (msgspec reads the annotations)
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.rights import RECORD_READ, RIGHTS_MANAGE, allows
from app.core.errors import FieldError, Forbidden, InvalidInput
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, no_content, query_arguments
from app.rights import openapi, sharing
from app.rights.explain import explain

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("sharing_api", __name__, url_prefix="/api/v1", description="Who sees which records")


class DefaultForm(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /sharing/{object}: private, team, hierarchy or everyone; ``inherit`` is a link."""

    read: str = "everyone"
    edit: str = "everyone"
    inherit: str | None = None


class Grantee(msgspec.Struct, forbid_unknown_fields=True):
    """A member's or team's id, or a role's name."""

    kind: Literal["member", "team", "role"]
    id: str


class RuleForm(msgspec.Struct, forbid_unknown_fields=True):
    """POST /sharing/rules and PUT /sharing/rules/{id}."""

    name: str
    condition: str
    grantee: Grantee
    object: str = ""
    level: str = "read"

    def values(self) -> dict[str, str]:
        """As the verb takes them."""
        return {
            "object": self.object,
            "name": self.name,
            "condition": self.condition,
            "kind": self.grantee.kind,
            "grantee": self.grantee.id,
            "level": self.level,
        }


class ShareForm(msgspec.Struct, forbid_unknown_fields=True):
    """POST /records/{object}/{id}/shares; again for the same grantee changes it."""

    grantee: Grantee
    level: str = "read"
    collaborator: bool = False
    expires_at: datetime | None = None


@blueprint.get("/sharing")
@described(openapi.SHARING)
@workspace(RIGHTS_MANAGE)
def list_sharing(scope: TenantScope) -> Response:
    """What each object is open to, and how many rules open more."""
    query_arguments()
    return json_response({"data": [default.public() for default in sharing.list_defaults(scope)], "next": None})


@blueprint.put("/sharing/<object_name>")
@described(openapi.set_sharing(DefaultForm))
@workspace(RIGHTS_MANAGE)
def set_sharing(scope: TenantScope, object_name: str) -> Response:
    """Open an object to less or to more."""
    form = json_body(DefaultForm)
    return json_response(sharing.set_default(scope, object_name, form.read, form.edit, form.inherit or "").public())


@blueprint.get("/sharing/rules")
@described(openapi.RULES)
@workspace(RIGHTS_MANAGE)
def list_rules(scope: TenantScope) -> Response:
    """The sharing rules, of one object or of all."""
    arguments = query_arguments("object")
    rows = sharing.list_rules(scope, arguments.get("object", ""))
    return json_response({"data": [row.public() for row in rows], "next": None})


@blueprint.post("/sharing/rules")
@described(openapi.rule("Open records that meet a condition", "sharing_rule_create", RuleForm, "201"))
@workspace(RIGHTS_MANAGE)
def create_rule(scope: TenantScope) -> Response:
    """Open records that meet a condition to a team, a role or a member."""
    made = sharing.put_rule(scope, json_body(RuleForm).values())
    return json_response(made.public(), 201, {"Location": f"/api/v1/sharing/rules/{made.id}"})


@blueprint.put("/sharing/rules/<uuid:rule>")
@described(openapi.rule("Replace a sharing rule", "sharing_rule_change", RuleForm))
@workspace(RIGHTS_MANAGE)
def change_rule(scope: TenantScope, rule: UUID) -> Response:
    """Replace a rule; its object stays."""
    sharing.get_rule(scope, rule)
    return json_response(sharing.put_rule(scope, json_body(RuleForm).values(), rule).public())


@blueprint.delete("/sharing/rules/<uuid:rule>")
@described(openapi.DELETE_RULE)
@workspace(RIGHTS_MANAGE)
def delete_rule(scope: TenantScope, rule: UUID) -> Response:
    """Take a rule away."""
    sharing.delete_rule(scope, rule)
    return no_content()


@blueprint.get("/records/<object_name>/<uuid:record_id>/shares")
@described(openapi.SHARES)
@workspace(RECORD_READ)
def list_shares(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Who was given the record by hand."""
    query_arguments()
    rows = sharing.record_shares(scope, object_name, record_id)
    return json_response({"data": [row.public() for row in rows], "next": None})


@blueprint.post("/records/<object_name>/<uuid:record_id>/shares")
@described(openapi.share(ShareForm))
@workspace(RECORD_READ)
def share(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Give the record to somebody; whoever may edit it can."""
    sharing.record_shares(scope, object_name, record_id)
    form = json_body(ShareForm)
    if form.expires_at is not None and form.expires_at.tzinfo is None:
        message = "Say the time zone, too: 2026-12-31T23:59:59Z."
        raise InvalidInput(message, [FieldError("/expires_at", "timezone", message)])
    made = sharing.share_record(
        scope,
        object_name,
        record_id,
        kind=form.grantee.kind,
        grantee=form.grantee.id,
        level=form.level,
        collaborator=form.collaborator,
        expires_at=form.expires_at,
    )
    return json_response(made.public(), 201)


@blueprint.delete("/records/<object_name>/<uuid:record_id>/shares/<uuid:share>")
@described(openapi.UNSHARE)
@workspace(RECORD_READ)
def unshare(scope: TenantScope, object_name: str, record_id: UUID, share: UUID) -> Response:
    """Take it back."""
    sharing.unshare_record(scope, object_name, record_id, share)
    return no_content()


@blueprint.get("/records/<object_name>/<uuid:record_id>/access")
@described(openapi.ACCESS)
@workspace(RECORD_READ)
def access(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Why a member may or may not do it; about others only for who manages rights."""
    arguments = query_arguments("member", "action")
    sharing.record_shares(scope, object_name, record_id)
    me = scope.member.id if scope.member else None
    member = _member(arguments.get("member", ""), me)
    if member != me and not allows(scope, RIGHTS_MANAGE):
        raise Forbidden("Only who manages rights can ask about others.")
    return json_response(explain(scope, member, object_name, record_id, arguments.get("action", "read")).public())


def _member(text: str, me: UUID | None) -> UUID:
    try:
        found = UUID(text) if text else me
    except ValueError:
        found = None
    if found is None:
        message = "member is the id of a member."
        raise InvalidInput(message, [FieldError("?member", "id", message)])
    return found
