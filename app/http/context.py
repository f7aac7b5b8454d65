"""Facts about the current request: id, host kind, credentials, CSP nonce."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from flask import current_app, g, request

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from app.http.gate import Gate, PersonSession, RequestScope

HostKind = Literal["base", "workspace", "unknown"]

#: Cookies. `__Host-` = Secure, Path=/, no Domain: no other host can plant or read them (RFC 6265bis).
WORKSPACE_COOKIE: Final = "__Host-rapport"
PERSON_COOKIE: Final = "__Host-rapport_person"
VISIT_COOKIE: Final = "__Host-rapport_visit"
BIND_COOKIE: Final = "__Host-rapport_bind"

_REQUEST_ID: Final = re.compile(r"^[A-Za-z0-9_-]{8,64}$")


@dataclass(slots=True)
class RequestFacts:
    """What was found out about the request before its view ran. ``secret``: its answer must not be stored."""

    id: str
    nonce: str
    host: str
    kind: HostKind
    pod: int | None
    scope: RequestScope | None = None
    person: PersonSession | None = None
    visit: str | None = None
    new_visit: bool = False
    form_actions: list[str] = field(default_factory=list[str])
    rate: tuple[int, int, int] | None = None
    secret: bool = False


def runtime() -> Runtime:
    """The runtime the application was installed with."""
    return current_app.extensions["rapport"]


def gate() -> Gate:
    """The adapter that finds tenants and people."""
    return current_app.extensions["rapport_gate"]


def facts() -> RequestFacts:
    """The facts of the current request."""
    return g.rapport


def host_name(raw: str) -> str:
    """A Host header without port and trailing dot, lower case."""
    name = raw.rsplit(":", 1)[0] if not raw.endswith("]") else raw
    return name.rstrip(".").lower()


def bearer() -> str | None:
    """The API key of the Authorization header, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def new_request_id() -> str:
    """The caller's X-Request-Id when it is harmless, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.match(given) else secrets.token_hex(8)


def is_api() -> bool:
    """Whether the answer to this request is for a program."""
    return request.path.startswith("/api/")


def is_htmx() -> bool:
    """Whether htmx asks for a fragment."""
    return request.headers.get("HX-Request") == "true"


def load_facts() -> None:
    """Find out host kind and pod; runs first on each request."""
    config = runtime().config
    host = host_name(request.host)
    pod: int | None = None
    if host == config.base_domain:
        kind: HostKind = "base"
    else:
        pod = gate().pod_of_host(host)
        kind = "unknown" if pod is None else "workspace"
    g.rapport = RequestFacts(new_request_id(), secrets.token_urlsafe(16), host, kind, pod)
