"""Forgotten passwords and verified addresses, at the base host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from app.core.errors import InvalidInput, NotFound
from app.http import ratelimit
from app.http.context import PERSON_COOKIE, runtime
from app.http.guard import base_host
from tenants.identity import people
from tenants.identity.addresses import counted_as
from tenants.identity.pages.replies import drop_cookie, page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("passwords", __name__)


@blueprint.get("/password/forgot")
@base_host()
def forgot() -> Response:
    """The form that asks for an address."""
    return page("forgot.html", sent=False)


@blueprint.post("/password/forgot")
@base_host()
def send_link() -> Response:
    """Send the link, if there is somebody to send it to; the answer is the same either way."""
    email = request.form.get("email", "")[:320]
    ratelimit.limit("reset-address", ratelimit.client_address(), ratelimit.RESET_ADDRESS)
    allowed, _ = ratelimit.take("reset", counted_as(email), ratelimit.RESET)
    if allowed:
        people.request_reset(runtime(), email)
    return page("forgot.html", sent=True)


@blueprint.get("/password/reset/<token>")
@base_host()
def reset(token: str) -> Response:
    """The form for a new password; opening it does not spend the link."""
    live = people.reset_is_live(runtime(), token)
    return page("reset.html", 200 if live else 404, live=live, error="")


@blueprint.post("/password/reset/<token>")
@base_host()
def set_password(token: str) -> Response:
    """Spend the link."""
    try:
        person = people.reset_password(runtime(), token, request.form.get("password", ""))
    except NotFound:
        return page("reset.html", 404, live=False, error="")
    except InvalidInput as error:
        return page("reset.html", 422, live=True, error=error.detail)
    response = page(
        "sign_in.html", email=person.email, next="", problem="", message="Your new password is set. Sign in with it."
    )
    drop_cookie(response, PERSON_COOKIE)
    return response


@blueprint.get("/email/verify/<token>")
@base_host()
def verify(token: str) -> Response:  # noqa: ARG001 (spent by the button)
    """A button, because mail scanners open links."""
    return page("verified.html", state="ask")


@blueprint.post("/email/verify/<token>")
@base_host()
def confirm(token: str) -> Response:
    """Mark the address as verified."""
    done = people.verify_address(runtime(), token)
    return page("verified.html", 200 if done else 404, state="done" if done else "void")
