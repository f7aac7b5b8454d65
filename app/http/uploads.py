"""One uploaded file as a request's body: how large it may be, and what is said when it is larger."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import RapportError
from app.http.context import runtime

#: What the form around a file may take.
_FRAME = 1024 * 1024


class FileTooLarge(RapportError):
    """A file has more bytes than this installation takes."""

    status = 413
    code = "file.too_large"
    title = "The file is too large"


def file_too_large() -> FileTooLarge:
    """What is said of a file that is too large."""
    limit = runtime().config.file_limit
    return FileTooLarge(f"A file may have at most {limit // 1_000_000:,} MB.", extra={"limit": limit})


def receive_file() -> None:
    """Take the form in, the file going to the disk. Raises FileTooLarge.

    By the length that is announced it is refused before anything is read; without one, as soon as too much has come.
    """
    allowed = runtime().config.file_limit + _FRAME
    request.max_content_length = allowed
    if (request.content_length or 0) > allowed:
        raise file_too_large()
    try:
        _ = request.form
    except RequestEntityTooLarge:
        raise file_too_large() from None
