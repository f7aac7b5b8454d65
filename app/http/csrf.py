"""Cross-site request forgery: a token bound to the session, and the browser's own word where it comes from.

OWASP ASVS 5.0 §3.5.1. The token is an HMAC over the session cookie (or, before sign-in, over a visit cookie), so
there is nothing to store and rotating the session rotates the token.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from flask import request

from app.core import crypto
from app.core.errors import Forbidden
from app.http.context import PERSON_COOKIE, VISIT_COOKIE, WORKSPACE_COOKIE, facts, runtime

HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf_token"


class CrossSite(Forbidden):
    """The request did not come from our own page, or its page is too old."""

    code = "csrf"
    title = "This page is out of date"


def token() -> str:
    """The token for forms of the current page; starts a visit when there is no session yet."""
    binding = _binding()
    if binding is None:
        request_facts = facts()
        request_facts.visit = request_facts.visit or secrets.token_urlsafe(18)
        request_facts.new_visit = True
        binding = request_facts.visit
    return _sign(binding)


def check() -> None:
    """Refuse an unsafe request that our own page did not send."""
    if not same_origin():
        raise CrossSite("The request came from another site.")
    binding = _binding()
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if binding is None or not hmac.compare_digest(_sign(binding), given):
        raise CrossSite("Load the page again and repeat what you did.")


def same_origin() -> bool:
    """Whether Origin and Sec-Fetch-Site, as far as they are sent, say that our own page asks."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.lower() == f"{runtime().config.scheme}://{request.host.lower()}"


def _binding() -> str | None:
    name = WORKSPACE_COOKIE if facts().kind == "workspace" else PERSON_COOKIE
    return request.cookies.get(name) or request.cookies.get(VISIT_COOKIE) or None


def _sign(binding: str) -> str:
    message = f"{facts().host}:{binding}".encode()
    return crypto.hmac_sign(runtime().config.secret_key, "csrf", message).hex()
