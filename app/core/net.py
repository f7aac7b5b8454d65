"""The one outbound HTTP client. So far it serves the command line, which talks to the server its user names."""

from __future__ import annotations

import http.client
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.core.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

_SECONDS: Final = 60.0
_PIECE: Final = 1 << 16


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
    with _answer(method, url, headers, body) as response:
        return Answer(response.status, response.read())


def download(url: str, *, headers: Mapping[str, str], write: Callable[[bytes], object]) -> Answer:
    """GET a file and hand it to ``write`` piece by piece; the body of the answer is empty then.

    An answer that is an error comes whole, and nothing is written. Raises as ``call``, also for a file cut short.
    """
    with _answer("GET", url, headers, b"") as response:
        if response.status != http.client.OK:
            return Answer(response.status, response.read())
        expected, given = response.length, 0
        while piece := response.read(_PIECE):
            given += len(piece)
            _written(write, piece)
        if expected is not None and given != expected:
            raise Unavailable(f"The file ended after {given:,} of {expected:,} bytes.")
        return Answer(response.status, b"")


def _written(write: Callable[[bytes], object], piece: bytes) -> None:
    try:
        write(piece)
    except OSError as error:
        raise InvalidInput(f"The file can't be written: {error.strerror}.") from error


@contextmanager
def _answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Generator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"{url!r} is not an address like https://acme.example.com")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(_host(parts.hostname), parts.port, timeout=_SECONDS)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body or None, headers={"Host": parts.netloc} | dict(headers))
        yield connection.getresponse()
    except socket.gaierror as error:
        raise Unavailable(f"There is no host called {parts.hostname}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{parts.netloc} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()


def _host(name: str) -> str:
    """Whom to ask: names below localhost are this machine (RFC 6761), which resolvers do not all know."""
    return "localhost" if name.endswith(".localhost") else name
