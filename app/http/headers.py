"""Security headers of every response: CSP with nonce and Trusted Types, HSTS, and no caching of tenant pages.

They are put on where an answer leaves, as one list behind what the view has set: setting them one by one took a tenth
of a short request's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Flask, Response, g, request

from app.http.context import VISIT_COOKIE, facts, runtime

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug.wrappers import Response as AnyResponse

    from app.http.context import RequestFacts

#: The kit alone decides on these; no view sets them.
_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
_TWO_YEARS_OF_HTTPS: Final = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
_NO_STORE: Final = ("Cache-Control", "no-store")
_VARY: Final = ("Vary", "HX-Request")
#: Reference: CSP3; Trusted Types policies: htmx's and DOMPurify's.
_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self' {targets}; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx dompurify"
)
_BODILESS: Final = frozenset({204, 304})


class Answer(Response):
    """A response that puts the kit's headers on as it leaves.

    A body in memory goes to the server as a list, which it sends in one piece, not as an iterator it asks for more.
    """

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        ours = _headers(self)
        if self._in_memory(environ):
            body: Iterable[bytes] = list(self.iter_encoded())
            self.close()
            status, headers = self.status, self.headers.to_wsgi_list()
        else:
            body, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers + ours)
        return body

    def _in_memory(self, environ: WSGIEnvironment) -> bool:
        """Whether nothing about body and headers depends on the request, and the length is known."""
        return (
            isinstance(self.response, list)
            and "Content-Length" in self.headers
            and "Location" not in self.headers
            and environ["REQUEST_METHOD"] != "HEAD"
            and self.status_code >= 200
            and self.status_code not in _BODILESS
        )


def install_headers(flask_app: Flask) -> None:
    """Make every answer one of ours, remember visits, and give templates the nonce."""
    flask_app.response_class = Answer
    flask_app.after_request(remember_visit)
    flask_app.jinja_env.globals["csp_nonce"] = lambda: facts().nonce  # pyright: ignore[reportArgumentType]


def remember_visit(response: AnyResponse) -> AnyResponse:
    """The cookie that a form's token is bound to before there is a session."""
    request_facts = facts()
    if request_facts.new_visit and request_facts.visit:
        response.set_cookie(VISIT_COOKIE, request_facts.visit, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def _headers(response: Response) -> list[tuple[str, str]]:
    """What the kit adds; a policy or a Cache-Control of the view's own stays."""
    added = [*_ALWAYS]
    given = response.headers
    if runtime().config.scheme == "https":
        added.append(_TWO_YEARS_OF_HTTPS)
    if request.endpoint != "static":
        added.append(_VARY)
        if "Cache-Control" not in given:
            added.append(_NO_STORE)
    request_facts: RequestFacts | None = g.get("rapport")
    if request_facts is None:
        return added  # it failed before anything was known of it
    added.append(("X-Request-Id", request_facts.id))
    if "Content-Security-Policy" not in given:
        targets = " ".join(_form_actions(request_facts))
        added.append(("Content-Security-Policy", _POLICY.format(nonce=request_facts.nonce, targets=targets)))
    if request_facts.rate is not None:
        limit, remaining, reset = request_facts.rate
        added += [
            ("RateLimit-Limit", str(limit)),
            ("RateLimit-Remaining", str(max(0, remaining))),
            ("RateLimit-Reset", str(reset)),
        ]
    return added


def _form_actions(request_facts: RequestFacts) -> list[str]:
    """The base host's forms end at a workspace's host (sign-up, opening a workspace), so that must be allowed."""
    config = runtime().config
    if request_facts.kind != "base":
        return [config.base_url, *request_facts.form_actions]
    _, _, port = config.base_url.partition("://")[2].partition(":")
    suffix = f":{port}" if port else ""
    return [f"{config.scheme}://*.{config.base_domain}{suffix}", *request_facts.form_actions]
