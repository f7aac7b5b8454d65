"""Exporting over HTTP with an API key (``RAPPORT_URL`` and ``RAPPORT_API_KEY``)."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.core import net
from app.core.client import PATIENCE_AT_FIRST, document, patiently
from app.core.errors import RapportError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from app.exports.options import ExportOptions

_PAUSE: Final = 0.5
_ENDED: Final = frozenset({"done", "failed", "cancelled"})


def export_there(
    url: str, key: str, options: ExportOptions, output: Callable[[], BinaryIO], progress: Callable[[float], None]
) -> dict[str, Any]:
    """Ask for the export, wait for its end, fetch the file and throw it away there; the summary.

    Raises: what the server refuses with; Unavailable: it failed there.
    """
    base, bearer = url.rstrip("/"), {"Authorization": f"Bearer {key}"}
    # The same request sent again after a lost answer starts no second export.
    headers = {**bearer, "Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
    body = msgspec.json.encode(options)
    found = patiently(
        lambda: document(net.call("POST", f"{base}/api/v1/exports", headers=headers, body=body)), PATIENCE_AT_FIRST
    )
    address = f"{base}/api/v1/exports/{found['id']}"
    while found["status"] not in _ENDED:
        progress(found["progress"])
        time.sleep(_PAUSE)
        found = patiently(lambda: document(net.call("GET", address, headers=bearer)))
    if found["status"] != "done":
        raise Unavailable(str(found.get("error") or f"The export was {found['status']}."))
    document(net.download(f"{address}/file", headers=bearer, write=output().write))
    with contextlib.suppress(RapportError):
        net.call("DELETE", address, headers=bearer)
    return {"export": found["id"], **{name: found[name] for name in ("object", "format", "rows", "bytes")}}
