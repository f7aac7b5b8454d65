"""Importing over HTTP with an API key (``RAPPORT_URL`` and ``RAPPORT_API_KEY``)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.core import net
from app.core.client import PATIENCE_AT_FIRST, document, patiently

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.imports.options import ImportOptions

_PAUSE: Final = 0.5
_ENDED: Final = frozenset({"done", "failed", "undone"})


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
    found = patiently(
        lambda: document(net.call("POST", f"{base}/api/v1/imports", headers=headers, body=body)), PATIENCE_AT_FIRST
    )
    address = f"{base}/api/v1/imports/{found['import']}"
    while found["status"] not in _ENDED:
        progress(found)
        time.sleep(_PAUSE)
        found = patiently(lambda: document(net.call("GET", address, headers={"Authorization": f"Bearer {key}"})))
    if found.get("errors_file"):
        found["errors_file"] = f"{address}/errors.csv"
    return found


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
