"""``/api/v1/support-grants``: letting support in for a time, and taking that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.rights import SUPPORT_GRANT
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, no_content, query_arguments
from app.rights import openapi_support as openapi
from app.rights import support
from tenants.identity.support import revoke

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("support_api", __name__, url_prefix="/api/v1", description="Letting support in")


class NewGrant(msgspec.Struct, forbid_unknown_fields=True):
    """POST /support-grants."""

    reason: str
    hours: int = 4
    role: str = "read_only"


@blueprint.get("/support-grants")
@described(openapi.GRANTS)
@workspace(SUPPORT_GRANT)
def list_grants(scope: TenantScope) -> Response:
    """Every grant, ended ones too, with who came in by it and who is inside now."""
    query_arguments()
    return json_response({"data": [grant.public() for grant in support.grants(runtime(), scope)], "next": None})


@blueprint.post("/support-grants")
@described(openapi.create(NewGrant))
@workspace(SUPPORT_GRANT)
def create_grant(scope: TenantScope) -> Response:
    """Let support in for some hours; it ends by itself."""
    form = json_body(NewGrant)
    made = support.let_in(scope, role=form.role, hours=form.hours, reason=form.reason)
    return json_response(made.public(), 201)


@blueprint.delete("/support-grants/<uuid:grant>")
@described(openapi.REVOKE)
@workspace(SUPPORT_GRANT)
def revoke_grant(scope: TenantScope, grant: UUID) -> Response:
    """Take a grant back; who is inside by it is out at once."""
    revoke(scope, grant)
    return no_content()
