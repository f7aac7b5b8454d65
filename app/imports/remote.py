"""Importing over HTTP with an API key (``RAPPORT_URL`` and ``RAPPORT_API_KEY``)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

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

    from app.imports.options import ImportOptions

_PAUSE: Final = 0.5
#: An import that was taken in outlives a restart of the server; a server that was never there is soon reported.
_PATIENCE: Final = 600.0
_PATIENCE_AT_FIRST: Final = 30.0
_ENDED: Final = frozenset({"done", "failed", "undone"})
_BY_STATUS: Final[dict[int, type[RapportError]]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Conflict, 422: InvalidInput,
}  # fmt: skip


def import_there(
    url: str, key: str, options: ImportOptions, file_name: str, content: bytes,
    progress: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:  # fmt: skip
    """Send the file, wait for the end; the API's form of the import with a full address of its error file."""
    base = url.rstrip("/")
    boundary = secrets.token_hex(16)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        # The same request sent again after a lost answer starts no second import.
        "Idempotency-Key": secrets.token_hex(16),
    }
    body = _multipart(boundary, msgspec.json.encode(options), file_name, content)
    found = _patiently(
        lambda: _json(net.call("POST", f"{base}/api/v1/imports", headers=headers, body=body)), _PATIENCE_AT_FIRST
    )
    address = f"{base}/api/v1/imports/{found['import']}"
    while found["status"] not in _ENDED:
        progress(found)
        time.sleep(_PAUSE)
        found = _patiently(lambda: _json(net.call("GET", address, headers={"Authorization": f"Bearer {key}"})))
    if found.get("errors_file"):
        found["errors_file"] = f"{address}/errors.csv"
    return found


def check_tenant(url: str, key: str, tenant: str) -> None:
    """Refuse a key of another workspace than the one that was named. Raises NotFound."""
    headers = {"Authorization": f"Bearer {key}"}
    me = _patiently(lambda: _json(net.call("GET", f"{url.rstrip('/')}/api/v1/me", headers=headers)), _PATIENCE_AT_FIRST)
    if tenant not in {me["tenant"]["slug"], me["tenant"]["id"]}:
        raise NotFound(f"The key is not one of the workspace {tenant}")


def _multipart(boundary: str, options: bytes, file_name: str, content: bytes) -> bytes:
    name = file_name.replace('"', "'").replace("\r", " ").replace("\n", " ")
    return b"\r\n".join(
        (
            f"--{boundary}".encode(),
            b'Content-Disposition: form-data; name="options"',
            b"Content-Type: application/json",
            b"",
            options,
            f"--{boundary}".encode(),
            f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode(),
            b"Content-Type: text/csv",
            b"",
            content,
            f"--{boundary}--".encode(),
            b"",
        )
    )


def _json(answer: net.Answer) -> dict[str, Any]:
    try:
        document: dict[str, Any] = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        document = {}
    if answer.status < 400:
        return document
    detail = str(document.get("detail") or document.get("title") or f"The server answered {answer.status}.")
    errors = [
        FieldError(str(one.get("pointer", "")), str(one.get("code", "")), str(one.get("message", "")))
        for one in document.get("errors", [])
    ]
    raise _BY_STATUS.get(answer.status, Unavailable)(detail, errors)


def _patiently(act: Callable[[], dict[str, Any]], patience: float = _PATIENCE) -> dict[str, Any]:
    """Ask again while the server is away or restarting."""
    since = time.monotonic()
    while True:
        try:
            return act()
        except Unavailable:
            if time.monotonic() - since > patience:
                raise
            time.sleep(_PAUSE)
