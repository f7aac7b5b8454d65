"""Signing up at the base host."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, request

from app.core.errors import InvalidInput
from app.http import ratelimit
from app.http.context import runtime
from app.http.guard import base_host, current_person
from app.http.respond import see_other
from tenants.identity import sign_up as service
from tenants.identity.pages.replies import by_field, page, signed_in, visitor, workspace_url
from tenants.identity.people import Known
from tenants.identity.regions import guess
from tenants.identity.sign_up import Address, SignUp

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("sign_up", __name__)


@blueprint.get("/")
@base_host()
def front() -> Response:
    """Where people land: their workspaces, or sign-up."""
    return see_other("/workspaces" if current_person() else "/sign-up")


@blueprint.get("/sign-up")
@base_host()
def show() -> Response:
    """The empty form; who is signed in needs no account any more."""
    return _form(SignUp("", "", "", "", ""), Address("", ""), {}, "")


@blueprint.get("/sign-up/address")
@base_host()
def address() -> Response:
    """The address field again, with what is known about it (htmx)."""
    ratelimit.limit("address", ratelimit.client_address(), ratelimit.LOOKUP)
    found = service.check_address(
        runtime(),
        company=request.args.get("company", "")[:200],
        slug=request.args.get("slug", "")[:100],
        suggested=request.args.get("suggested", "")[:100],
    )
    return page("address.html", address=found, suffix=suffix())


@blueprint.post("/sign-up")
@base_host()
def submit() -> Response:
    """Make the workspace and go there."""
    ratelimit.limit("sign-up", ratelimit.client_address(), ratelimit.SIGN_UP)
    form = SignUp(**{name: request.form.get(name, "") for name in ("company", "slug", "name", "email", "password")})
    suggested = request.form.get("suggested", "")
    region = guess([language for language, _ in request.accept_languages], request.form.get("timezone", ""))
    person = current_person()
    try:
        if person is not None:
            known = Known(person.person, person.name, person.email)
            host = service.add_workspace(runtime(), form, region, known)
            return see_other(workspace_url(host, "/session/start"))
        made = service.sign_up(runtime(), form, region, visitor())
    except InvalidInput as error:
        errors = by_field(error.errors)
        shown = Address(form.slug.strip().lower(), suggested, errors.get("slug", ""))
        return _form(form, shown, errors, "" if errors else error.detail, 422)
    return signed_in(made.token, workspace_url(made.host, "/session/start"))


def suffix() -> str:
    """What follows the address in the browser's bar."""
    parts = urlsplit(runtime().config.base_url)
    return f".{runtime().config.base_domain}" + (f":{parts.port}" if parts.port else "")


def _form(values: SignUp, address: Address, errors: dict[str, str], problem: str, status: int = 200) -> Response:
    return page(
        "sign_up.html",
        status,
        values=values,
        address=address,
        errors=errors,
        problem=problem,
        suffix=suffix(),
        person=current_person(),
    )
