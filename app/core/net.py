"""The one outbound HTTP client. So far it serves the command line, which talks to the server its user names."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.core.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes


def call(method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """Send one request; redirects are not followed.

    Raises:
        InvalidInput: the address is no http(s) address.
        Unavailable: nobody answers there.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"{url!r} is not an address like https://acme.example.com")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=_SECONDS)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{parts.netloc} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()
