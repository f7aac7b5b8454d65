"""The door of a workspace: binding, ticket, sign-out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, request

from app.http import ratelimit
from app.http.context import BIND_COOKIE, WORKSPACE_COOKIE, facts, runtime
from app.http.guard import workspace, workspace_host
from app.http.respond import see_other
from tenants.identity import members, repository, support, tickets
from tenants.identity.pages.replies import drop_cookie, safe_path, visitor
from tenants.identity.pages.sign_in import proof_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("door", __name__)

#: Long enough for a sign-in with a password manager on the way.
_BIND_SECONDS = 900


@blueprint.get("/session/start")
@workspace_host
def start() -> Response:
    """Bind this browser and send it to the base host for a ticket."""
    with runtime().databases.control.connect() as connection:
        tenant = repository.tenant_of_host(connection, facts().host)
    if tenant is None:
        return _elsewhere()
    target = safe_path(request.args.get("next", ""))
    value, binding = tickets.new_binding()
    response = see_other(
        f"{runtime().config.base_url}/workspaces/{tenant}/open?bind={binding}&next={quote(target, safe='/')}"
    )
    # SameSite=None: the ticket comes by a POST from the base host, which is another site to the browser.
    response.set_cookie(
        BIND_COOKIE, value, max_age=_BIND_SECONDS, secure=True, httponly=True, samesite="None", path="/"
    )
    return response


@blueprint.post("/session")
@workspace_host
def enter() -> Response:
    """Take the ticket; the browser gets this host's own session."""
    ratelimit.limit("ticket", ratelimit.client_address(), ratelimit.LOOKUP)
    request_facts = facts()
    origin = request.headers.get("Origin")
    if origin is not None and origin != runtime().config.base_url:
        raise tickets.TicketVoid("Open the workspace from the list of your workspaces.")
    token = tickets.redeem(
        runtime(),
        pod=request_facts.pod or 0,
        host=request_facts.host,
        ticket=request.form.get("ticket", ""),
        binding=request.cookies.get(BIND_COOKIE, ""),
        visitor=visitor(),
    )
    response = see_other(safe_path(request.form.get("next", "")))
    response.set_cookie(
        WORKSPACE_COOKIE,
        token,
        max_age=int(tickets.ABSOLUTE.total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    response.set_cookie(BIND_COOKIE, "", max_age=0, secure=True, httponly=True, samesite="None", path="/")
    return response


@blueprint.post("/sign-out")
@workspace(member=True, support=True)
def sign_out(scope: TenantScope) -> Response:
    """End this session, here and at the base host; that of support here only."""
    if scope.support is not None:
        support.leave(scope)
        response = see_other(f"{runtime().config.base_url}/support?left=1")
        drop_cookie(response, WORKSPACE_COOKIE)
        return response
    scope.at_commit(
        "select pod.drop_credential(%(tenant)s, %(session)s, null)",
        {"tenant": scope.tenant.id, "session": scope.credential},
    )
    person = members.get_member(scope, scope.member.id).person if scope.member else None
    response = see_other(f"{runtime().config.base_url}/signed-out?proof={proof_of(str(person))}")
    drop_cookie(response, WORKSPACE_COOKIE)
    return response


def _elsewhere() -> Response:
    return see_other(runtime().config.base_url + "/workspaces")
