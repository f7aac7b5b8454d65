"""``/api/v1``: who am I, members, invitations, keys."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (msgspec reads the annotations)
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.core.errors import FieldError, InvalidInput
from app.http import cursors
from app.http.context import facts
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, link_next, no_content, query_arguments
from tenants.identity import keys, members, openapi

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("identity_api", __name__, url_prefix="/api/v1", description="Members and keys of the workspace")

LARGEST_PAGE = 200


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """POST /keys."""

    name: str
    role: str = "member"
    expires_at: datetime | None = None


@blueprint.get("/me")
@described(openapi.ME)
@workspace()
def me(scope: TenantScope) -> Response:
    """The calling tenant and member; ``member`` is null for a key."""
    query_arguments()
    tenant, member = scope.tenant, scope.member
    body: dict[str, object] = {
        "tenant": {
            "id": tenant.id,
            "slug": tenant.slug,
            "name": tenant.name,
            "currency": tenant.currency,
            "timezone": tenant.timezone,
        },
        "member": None
        if member is None
        else {"id": member.id, "name": member.name, "email": member.email, "role": member.role},
    }
    if scope.support is not None:
        body["support"] = {"name": scope.actor.name, "role": scope.support.role, "until": scope.support.until}
    return json_response(body)


@blueprint.get("/members")
@described(openapi.MEMBERS)
@workspace("record.read")
def list_members(scope: TenantScope) -> Response:
    """Members by name; pages by cursor."""
    arguments = query_arguments("limit", "cursor")
    after = None
    if arguments.get("cursor"):
        name, member = cursors.decode(arguments["cursor"], "members")
        after = (str(name), UUID(str(member)))
    rows, following = members.list_members(scope, limit=_limit(arguments.get("limit", "50")), after=after)
    cursor = cursors.encode([following[0], str(following[1])], "members") if following else None
    return json_response({"data": [row.public() for row in rows], "next": cursor}, headers=link_next(cursor))


@blueprint.get("/keys")
@described(openapi.KEYS)
@workspace("keys.manage")
def list_keys(scope: TenantScope) -> Response:
    """All keys of the workspace, without their secrets."""
    return json_response({"data": [row.public() for row in keys.list_keys(scope)], "next": None})


@blueprint.post("/keys")
@described(openapi.create_key(NewKey))
@workspace("keys.manage")
def create_key(scope: TenantScope) -> Response:
    """A new key; ``key`` is shown in this answer and never again."""
    form = json_body(NewKey)
    row, key = keys.create_key(scope, form.name, form.role, form.expires_at)
    facts().secret = True
    body = {"id": row.id, "name": row.name, "role": row.role, "expires_at": row.expires_at, "key": key}
    return json_response(body, 201, {"Location": f"/api/v1/keys/{row.id}"})


@blueprint.delete("/keys/<uuid:key>")
@described(openapi.REVOKE_KEY)
@workspace("keys.manage")
def revoke_key(scope: TenantScope, key: UUID) -> Response:
    """End a key at once."""
    keys.revoke_key(scope, key)
    return no_content()


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        message = f"limit is a number from 1 to {LARGEST_PAGE}."
        raise InvalidInput(message, [FieldError("?limit", "range", message)])
    return int(text)
