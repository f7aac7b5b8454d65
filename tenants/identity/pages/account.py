"""A signed-in person at the base host: workspaces, invitations, password, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from app.core.errors import Conflict, InvalidInput, NotFound
from app.http import ratelimit
from app.http.context import facts, runtime
from app.http.guard import base_host, current_person
from app.http.respond import see_other
from tenants.identity import devices, invitations, people, repository, sessions, tickets, workspaces
from tenants.identity.pages.replies import by_field, page, safe_path, set_person_cookie, visitor, workspace_url
from tenants.identity.people import Known

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.http.gate import PersonSession
    from tenants.identity.repository import InvitationRow

blueprint = Blueprint("account", __name__)


@blueprint.get("/workspaces")
@base_host(person=True)
def list_workspaces(person: PersonSession) -> Response:
    """The workspace switcher."""
    return page("workspaces.html", person=person, workspaces=workspaces.list_workspaces(runtime(), person.person))


@blueprint.get("/workspaces/<uuid:tenant>/open")
@base_host(person=True)
def open_workspace(person: PersonSession, tenant: UUID) -> Response:
    """Mint the ticket and send it on by a form that posts itself; without a binding get one first."""
    workspace = workspaces.find_workspace(runtime(), person.person, tenant)
    target = safe_path(request.args.get("next", ""))
    binding = request.args.get("bind", "")
    if not tickets.is_binding(binding):
        return see_other(workspace_url(workspace.host, "/session/start"))
    ticket = tickets.mint(
        runtime(),
        pod=workspace.pod,
        tenant=tenant,
        host=workspace.host,
        person=person.person,
        binding=binding,
        origin=person.id,
    )
    action = workspace_url(workspace.host, "/session")
    facts().form_actions.append(workspace_url(workspace.host, ""))
    return page("open.html", workspace=workspace, ticket=ticket, action=action, next=target)


@blueprint.get("/account/sessions")
@base_host(person=True)
def show_sessions(person: PersonSession) -> Response:
    """Where the person is signed in, and the form for another password."""
    return _sessions(person)


@blueprint.post("/account/sessions/<uuid:session>/revoke")
@base_host(person=True)
def revoke_session(person: PersonSession, session: UUID) -> Response:
    """End one session; another person's is not found."""
    if not sessions.revoke(runtime(), person.person, session):
        raise NotFound("There is no such session.")
    return see_other("/account/sessions")


@blueprint.post("/account/sessions/revoke-others")
@base_host(person=True)
def revoke_others(person: PersonSession) -> Response:
    """End all sessions but this one."""
    sessions.revoke_others(runtime(), person.person, person.id)
    return see_other("/account/sessions")


@blueprint.post("/account/password")
@base_host(person=True)
def change_password(person: PersonSession) -> Response:
    """Another password; the present one is asked for."""
    ratelimit.limit("password", str(person.person), ratelimit.SIGN_IN_ACCOUNT)
    try:
        people.change_password(
            runtime(), person.person, person.id, request.form.get("current", ""), request.form.get("password", "")
        )
    except InvalidInput as error:
        return _sessions(person, errors=by_field(error.errors), status=422)
    return _sessions(person, message="The password is changed. Every other session has ended.")


@blueprint.get("/invitations/<token>")
@base_host()
def show_invitation(token: str) -> Response:
    """What the invitation is about."""
    return _invitation(token, {"name": ""}, {}, "")


@blueprint.post("/invitations/<token>")
@base_host()
def accept_invitation(token: str) -> Response:
    """Join, as who is signed in or as a new person."""
    ratelimit.limit("invitation", ratelimit.client_address(), ratelimit.SIGN_UP)
    session = current_person()
    values = {"name": request.form.get("name", "")[:200]}
    try:
        if session is not None:
            person, started = Known(session.person, session.name, session.email), None
        else:
            row = invitations.find(runtime(), token)
            with runtime().databases.control.connect() as connection:
                company = repository.tenant_name(connection, row.tenant) or ""
            people.check_password(request.form.get("password", ""), row.email, values["name"], company)
            person = people.register(
                runtime(), name=values["name"], email=row.email, password=request.form.get("password", "")
            )
            started = sessions.start(runtime().databases, person.id, visitor())
        tenant = invitations.accept(runtime(), token, person)
    except NotFound:
        return _invitation(token, values, {}, "", status=404)
    except InvalidInput as error:
        return _invitation(token, values, by_field(error.errors), "", status=422)
    except Conflict as error:
        return _invitation(token, values, {}, error.detail, status=409)
    if person.new:
        people.send_verification(runtime(), person)
    with runtime().databases.control.connect() as connection:
        host = repository.primary_host(connection, tenant) or ""
    response = see_other(workspace_url(host, "/session/start"))
    if started is not None:
        set_person_cookie(response, started)
    return response


def _invitation(
    token: str, values: dict[str, str], errors: dict[str, str], problem: str, status: int = 200
) -> Response:
    found: InvitationRow | None = None
    workspace = None
    try:
        found = invitations.find(runtime(), token)
        with runtime().databases.control.connect() as connection:
            workspace = repository.tenant_name(connection, found.tenant)
    except NotFound:
        status = 404
    return page(
        "invitation.html",
        status,
        invitation=found,
        workspace=workspace,
        person=current_person(),
        values=values,
        errors=errors,
        problem=problem,
        here=f"/invitations/{token}",
    )


def _sessions(
    person: PersonSession, *, errors: dict[str, str] | None = None, message: str = "", status: int = 200
) -> Response:
    rows = [devices.shown(row) for row in sessions.list_sessions(runtime().databases, person.person)]
    return page("sessions.html", status, person=person, sessions=rows, errors=errors or {}, message=message)
