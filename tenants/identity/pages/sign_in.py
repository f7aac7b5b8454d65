"""Signing in and out at the base host."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.core.errors import TooManyRequests
from app.http import ratelimit
from app.http.context import PERSON_COOKIE, facts, runtime
from app.http.guard import base_host, current_person
from app.http.respond import see_other
from tenants.identity import people, sessions, workspaces
from tenants.identity.addresses import counted_as
from tenants.identity.pages.replies import drop_cookie, page, safe_path, signed_in, visitor, workspace_url

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("sign_in", __name__)

#: How long the way from a workspace's sign-out to the base host's may take.
SIGN_OUT_LIFE = timedelta(minutes=1)


@blueprint.get("/sign-in")
@base_host()
def show() -> Response:
    """The form; who is signed in goes on."""
    target = safe_path(request.args.get("next", ""), "")
    if current_person() is not None:
        return see_other(target or "/workspaces")
    return page("sign_in.html", email="", next=target, problem="", message="")


@blueprint.post("/sign-in")
@base_host()
def submit() -> Response:
    """Check the password and go on to where the person came from, or to their only workspace."""
    email = request.form.get("email", "")[:320]
    target = safe_path(request.form.get("next", ""), "")
    try:
        _limit(email)
        person = people.authenticate(runtime(), email, request.form.get("password", ""))
    except people.WrongCredentials as error:
        return page("sign_in.html", 422, email=email, next=target, problem=error.detail, message="")
    except TooManyRequests as error:
        wait = error.extra["retry_after"]
        problem = f"Too many tries. Wait {wait} seconds and try again."
        response = page("sign_in.html", 429, email=email, next=target, problem=problem, message="")
        response.headers["Retry-After"] = str(wait)
        return response
    old = request.cookies.get(PERSON_COOKIE)
    if old:
        sessions.end(runtime(), old)
    token = sessions.start(runtime().databases, person.id, visitor())
    return signed_in(token, target or _home(person))


@blueprint.post("/sign-out")
@base_host()
def sign_out() -> Response:
    """End the base host's session."""
    target = safe_path(request.form.get("next", ""), "/signed-out")
    return _ended(see_other(target))


@blueprint.get("/signed-out")
@base_host()
def signed_out() -> Response:
    """Said after signing out. Coming from a workspace's sign-out, ends the base host's session too.

    The signed ``proof`` is made by that sign-out, which checked its CSRF token, for this person and one minute.
    """
    person = current_person()
    proof = request.args.get("proof", "")
    if person is not None and proof and proves(proof) == str(person.person):
        return _ended(see_other("/signed-out"))
    if person is not None:
        return see_other("/workspaces")
    return page("signed_out.html")


def proof_of(person: str) -> str:
    """A workspace's word that this person signed out there."""
    return _serializer().dumps(person)


def proves(proof: str) -> str | None:
    """Whose sign-out the proof is about, while it is fresh."""
    try:
        return str(_serializer().loads(proof, max_age=int(SIGN_OUT_LIFE.total_seconds())))
    except BadSignature:
        return None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().config.secret_key, salt="sign-out")


def _ended(response: Response) -> Response:
    token = request.cookies.get(PERSON_COOKIE)
    if token:
        sessions.end(runtime(), token)
    drop_cookie(response, PERSON_COOKIE)
    return response


def _home(person: people.Known) -> str:
    found = workspaces.list_workspaces(runtime(), person.id)
    return workspace_url(found[0].host, "/session/start") if len(found) == 1 else "/workspaces"


def _limit(email: str) -> None:
    """Guessing is slowed by account and address together, and by address; nobody is locked out for another's tries."""
    address = ratelimit.client_address()
    ratelimit.limit("sign-in", f"{counted_as(email)}|{address}", ratelimit.SIGN_IN_ACCOUNT)
    ratelimit.limit("sign-in-address", address, ratelimit.SIGN_IN_ADDRESS)
    facts().rate = None
