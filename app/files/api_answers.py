"""A file as an answer: to save, or a picture to show; never anything a browser would run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from flask import request
from werkzeug.wrappers import Response

from app.files.media import ACTIVE, UNKNOWN
from app.files.service import find_file, pieces
from app.http.context import runtime
from app.metadata.fieldtypes.image import IMAGES

if TYPE_CHECKING:
    from uuid import UUID

    from app.records.attachments import FileRow
    from tenants.scope import TenantScope

#: Whoever opens it by itself is in a place without scripts, forms and our origin.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def file_answer(scope: TenantScope, file_id: UUID) -> Response:
    """The file, sent piece by piece after the scope has ended. Raises FileNotThere.

    Browsers keep it, and ask each time whether they still may show it.
    """
    storage = runtime().storage
    row = find_file(scope, storage, file_id)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": _disposition(row),
        "Content-Security-Policy": _POLICY,
    }
    response = Response(status=200, headers=headers, content_type=_served_as(row))
    response.set_etag(row.sha256.hex())
    if request.if_none_match.contains(row.sha256.hex()):
        response.status_code = 304
        return response
    response.response = pieces(storage, row.storage_key)
    response.content_length = row.size
    return response


def _served_as(row: FileRow) -> str:
    return UNKNOWN if ACTIVE.search(row.type) else row.type


def _disposition(row: FileRow) -> str:
    """Only pictures are shown; the name by RFC 6266, other scripts by RFC 8187."""
    how = "inline" if row.type in IMAGES else "attachment"
    plain = row.name.encode("ascii", "replace").decode().translate(_NOT_QUOTED)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(row.name, safe='')}"


_NOT_QUOTED: Final = str.maketrans({'"': "_", "\\": "_", "%": "_", "?": "_"})
