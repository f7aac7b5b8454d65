"""A workspace's API as the command line calls it with a key (``RAPPORT_URL`` and ``RAPPORT_API_KEY``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from app.core import net
from app.core.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RapportError,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_PAUSE: Final = 0.5
#: Work that was taken in outlives a restart of the server; a server that was never there is soon reported.
PATIENCE: Final = 600.0
PATIENCE_AT_FIRST: Final = 30.0
_BY_STATUS: Final[dict[int, type[RapportError]]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Conflict, 422: InvalidInput,
}  # fmt: skip


def check_tenant(url: str, key: str, tenant: str) -> None:
    """Refuse a key of another workspace than the one that was named. Raises NotFound."""
    headers = {"Authorization": f"Bearer {key}"}
    me = patiently(
        lambda: document(net.call("GET", f"{url.rstrip('/')}/api/v1/me", headers=headers)), PATIENCE_AT_FIRST
    )
    if tenant not in {me["tenant"]["slug"], me["tenant"]["id"]}:
        raise NotFound(f"The key is not one of the workspace {tenant}")


def document(answer: net.Answer) -> dict[str, Any]:
    """The JSON of an answer. Raises the error that it tells of."""
    try:
        found: dict[str, Any] = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        found = {}
    if answer.status < 400:
        return found
    detail = str(found.get("detail") or found.get("title") or f"The server answered {answer.status}.")
    errors = [
        FieldError(str(one.get("pointer", "")), str(one.get("code", "")), str(one.get("message", "")))
        for one in found.get("errors", [])
    ]
    raise _BY_STATUS.get(answer.status, Unavailable)(detail, errors)


def patiently(act: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask again while the server is away or restarting."""
    since = time.monotonic()
    while True:
        try:
            return act()
        except Unavailable:
            if time.monotonic() - since > patience:
                raise
            time.sleep(_PAUSE)
