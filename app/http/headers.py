"""Security headers of every response: CSP with nonce and Trusted Types, HSTS, and no caching of tenant pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, request

from app.http.context import VISIT_COOKIE, facts, runtime

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


def install_headers(flask_app: Flask) -> None:
    """Register the after-request hook and the nonce for templates."""
    flask_app.after_request(set_headers)
    flask_app.jinja_env.globals["csp_nonce"] = lambda: facts().nonce  # pyright: ignore[reportArgumentType]


def policy(nonce: str, form_actions: list[str]) -> str:
    """The Content-Security-Policy (reference: CSP3; Trusted Types policies: htmx's and DOMPurify's)."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action " + " ".join(["'self'", *form_actions]),
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types htmx dompurify",
        ]
    )


def set_headers(response: Response) -> Response:
    """Applied to every response, errors and static files included."""
    request_facts = facts()
    headers = response.headers
    config = runtime().config
    headers["X-Request-Id"] = request_facts.id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    headers.setdefault("Content-Security-Policy", policy(request_facts.nonce, _form_actions()))
    if config.scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
        headers.add("Vary", "HX-Request")
    if request_facts.rate is not None:
        limit, remaining, reset = request_facts.rate
        headers["RateLimit-Limit"] = str(limit)
        headers["RateLimit-Remaining"] = str(max(0, remaining))
        headers["RateLimit-Reset"] = str(reset)
    if request_facts.new_visit and request_facts.visit:
        response.set_cookie(VISIT_COOKIE, request_facts.visit, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def _form_actions() -> list[str]:
    """The base host's forms end at a workspace's host (sign-up, opening a workspace), so that must be allowed."""
    request_facts = facts()
    if request_facts.kind != "base":
        return [runtime().config.base_url, *request_facts.form_actions]
    config = runtime().config
    _, _, port = config.base_url.partition("://")[2].partition(":")
    suffix = f":{port}" if port else ""
    return [f"{config.scheme}://*.{config.base_domain}{suffix}", *request_facts.form_actions]
