"""What the base host's pages share: cookies, visitors, redirects that stay at home."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, render_template, request
from werkzeug.wrappers import Response

from app.http.context import PERSON_COOKIE, runtime
from tenants.identity.sessions import ABSOLUTE, Visitor

if TYPE_CHECKING:
    from app.core.errors import FieldError

ROLE_LABELS = {"owner": "Owner", "admin": "Admin", "manager": "Manager", "member": "Member", "read_only": "Read only"}


def page(template: str, status: int = 200, **values: object) -> Response:
    """A rendered page."""
    body = render_template(f"identity/{template}", role_labels=ROLE_LABELS, **values)
    return current_app.make_response((body, status))


def by_field(errors: list[FieldError]) -> dict[str, str]:
    """The first message of each field, for the form."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(error.pointer.lstrip("/"), error.message)
    return found


def visitor() -> Visitor:
    """Browser and address, for the person's own list of sessions."""
    return Visitor(request.headers.get("User-Agent", ""), request.remote_addr or "")


def safe_path(target: str, default: str = "/") -> str:
    """``target`` when it is a path of this host, else ``default``: no redirect leads to another site."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if plain and target.isprintable() and "\\" not in target else default


def workspace_url(host: str, path: str = "/") -> str:
    """The address of a page of a workspace; the port is the base host's."""
    config = runtime().config
    base = urlsplit(config.base_url)
    port = f":{base.port}" if base.port else ""
    return f"{config.scheme}://{host}{port}{path}"


def signed_in(token: str, location: str) -> Response:
    """303 to ``location`` with the base host's session cookie."""
    response = Response("", 303, {"Location": location})
    set_person_cookie(response, token)
    return response


def set_person_cookie(response: Response, token: str) -> None:
    """`__Host-`: Secure, HttpOnly, no Domain, the whole host."""
    response.set_cookie(
        PERSON_COOKIE,
        token,
        max_age=int(ABSOLUTE.total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Make the browser forget a `__Host-` cookie."""
    response.set_cookie(name, "", max_age=0, secure=True, httponly=True, samesite="Lax", path="/")
