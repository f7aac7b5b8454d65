"""Opaque, signed list cursors: a client can't forge the place a list goes on from."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import crypto
from app.core.errors import FieldError, InvalidInput
from app.http.context import runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAC_BYTES = 12


class BadCursor(InvalidInput):
    """Not a cursor of ours, or of another list."""

    code = "cursor.invalid"


def encode(values: Sequence[Any], context: str = "") -> str:
    """Pack JSON-able ``values``; ``context`` (sort, filter) must be the same when it comes back."""
    payload = msgspec.json.encode(list(values))
    return base64.urlsafe_b64encode(_mac(payload, context) + payload).rstrip(b"=").decode()


def decode(cursor: str, context: str = "") -> list[Any]:
    """The values of a cursor made by ``encode`` with the same context."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if hmac.compare_digest(mac, _mac(payload, context)):
            return msgspec.json.decode(payload, type=list[Any])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        pass
    raise BadCursor(
        "The cursor does not belong to this list.", [FieldError("?cursor", "cursor.invalid", "Start without a cursor.")]
    )


def _mac(payload: bytes, context: str) -> bytes:
    message = context.encode() + b"\0" + payload
    return crypto.hmac_sign(runtime().config.secret_key, "cursor", message)[:_MAC_BYTES]
