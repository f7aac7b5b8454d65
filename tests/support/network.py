"""Closes the network for the tests: loopback and unix sockets only, for every socket Python opens."""

from __future__ import annotations

import ipaddress
import sys

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo"})


class NetworkClosedError(RuntimeError):
    """A test tried to reach the network."""


def _allowed(host: object) -> bool:
    if host is None or host in ("", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return text.endswith(".localhost")


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _EVENTS:
        return
    host = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
    if isinstance(host, (str, bytes)) and event != "socket.getaddrinfo":
        return  # the path of a unix socket
    if isinstance(host, tuple):
        host = host[0]
    if not _allowed(host):
        raise NetworkClosedError(f"a test tried to reach {host!r}; only loopback is open")


def close() -> None:
    """From here on, for the life of the process."""
    sys.addaudithook(_guard)
