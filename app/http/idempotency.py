"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the first answer is stored in the same transaction.

A repeat with the same body gets the stored answer, with another body 422; while the first is still running 409.
Failed requests roll back and store nothing, so they may be repeated with the same key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeVar, cast

import msgspec
from flask import current_app, request
from psycopg.errors import LockNotAvailable, QueryCanceled
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InvalidInput
from app.http.context import facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.http.gate import RequestScope

R = TypeVar("R")

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
_KEYED: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_KEPT_HEADERS: Final = ("Content-Type", "Location", "ETag")


class KeyReused(InvalidInput):
    """The key was used for another request."""

    code = "idempotency.reused"


class InFlight(Conflict):
    """The first request with this key still runs."""

    code = "idempotency.in_flight"


class NotKept(Conflict):
    """The first request was answered with a secret, which is shown once."""

    code = "idempotency.not_kept"


class _Stored(msgspec.Struct):
    headers: dict[str, str]
    body: str


def once(scope: RequestScope, view: Callable[[], R]) -> R | Response:
    """Run ``view`` unless its Idempotency-Key was answered before."""
    key = request.headers.get(HEADER) if request.method in _KEYED else None
    if key is None or not scope.write:
        return view()
    if not key or len(key) > LONGEST:
        raise InvalidInput(f"{HEADER} has 1 to {LONGEST} characters.")
    fingerprint = _fingerprint(scope)
    stored = _claim(scope, key, fingerprint)
    if stored is not None:
        return stored
    response = current_app.make_response(cast("Response", view()))
    if response.status_code < 400:
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = "" if facts().secret else msgspec.json.encode(_Stored(kept, response.get_data(as_text=True))).decode()
        scope.execute("update idempotency set status = %s, body = %s where key = %s", (response.status_code, body, key))
    return response


def _claim(scope: RequestScope, key: str, fingerprint: bytes) -> Response | None:
    """Insert the key; when it is there already, the stored answer."""
    try:
        claimed = scope.execute(
            "insert into idempotency (key, request_hash) values (%s, %s) on conflict (key) do nothing returning key",
            (key, fingerprint),
        ).fetchone()
    except (LockNotAvailable, QueryCanceled) as error:  # whichever limit ends the wait for the first request
        raise InFlight("A request with this Idempotency-Key is still running.") from error
    if claimed:
        return None
    row = scope.execute("select request_hash, status, body from idempotency where key = %s", (key,)).fetchone()
    if row is None or bytes(row[0]) != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    if row[1] is None:
        raise InFlight("A request with this Idempotency-Key is still running.")
    if not row[2]:
        raise NotKept("This was done before; its answer holds a secret and is not kept.")
    stored = msgspec.json.decode(row[2], type=_Stored)
    response = Response(stored.body, status=row[1], headers=stored.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _fingerprint(scope: RequestScope) -> bytes:
    digest = hashlib.sha256()
    for part in (str(scope.credential).encode(), request.method.encode(), request.full_path.encode()):
        digest.update(part)
        digest.update(b"\0")
    if request.mimetype == "multipart/form-data":
        _digest_parts(digest)
    else:
        digest.update(request.get_data(cache=True))
    return digest.digest()


def _digest_parts(digest: hashlib._Hash) -> None:
    """Fields and files of a form; a file may be too large to be held in memory."""
    for given, value in request.form.items(multi=True):
        name = given or ""  # werkzeug has None for a part without a name
        digest.update(f"{len(name)} {name} {len(value)} {value}\0".encode())
    for given, upload in request.files.items(multi=True):
        name = given or ""
        digest.update(f"{len(name)} {name} {upload.filename}\0".encode())
        inside = hashlib.sha256()
        while piece := upload.stream.read(1 << 20):
            inside.update(piece)
        digest.update(inside.digest())
        upload.stream.seek(0)
