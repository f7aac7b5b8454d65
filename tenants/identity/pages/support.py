"""How support comes in: the base host's form for a link of the command line, and the workspace's door that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from app.core.errors import NotFound
from app.http import ratelimit
from app.http.context import WORKSPACE_COOKIE, facts, runtime
from app.http.guard import base_host, workspace_host
from app.http.respond import see_other
from tenants.identity import support
from tenants.identity.pages.replies import page, visitor, workspace_url
from tenants.identity.tickets import TicketVoid
from tenants.registry.directory import find_tenant

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("support", __name__)


@blueprint.get("/support")
@base_host()
def show() -> Response:
    """A form that carries the link's ticket, which only the browser knows, to the workspace; or that one has left."""
    slug = request.args.get("workspace", "")[:100]
    if not slug or "left" in request.args:
        return page("support.html", host="", action="", left="left" in request.args)
    found = find_tenant(runtime().databases, slug)
    if found is None or found.status != "active":
        raise NotFound("There is no such workspace.")
    action = workspace_url(found.host, "/support")
    facts().form_actions.append(action.removesuffix("/support"))
    return page("support.html", host=found.host, action=action, left=False)


@blueprint.post("/support")
@workspace_host
def enter() -> Response:
    """Take the ticket; the browser gets a session that ends with the grant."""
    ratelimit.limit("ticket", ratelimit.client_address(), ratelimit.LOOKUP)
    request_facts = facts()
    origin = request.headers.get("Origin")
    if origin is not None and origin != runtime().config.base_url:
        raise TicketVoid("Open the link that `rapport support enter` printed.")
    token = support.redeem(
        runtime(),
        pod=request_facts.pod or 0,
        host=request_facts.host,
        ticket=request.form.get("ticket", ""),
        visitor=visitor(),
    )
    response = see_other("/")
    response.set_cookie(WORKSPACE_COOKIE, token, secure=True, httponly=True, samesite="Lax", path="/")
    return response
