"""ETags of versioned things: the version, quoted (RFC 9110 §8.8.3)."""

from __future__ import annotations

import re

from flask import request

from app.core.errors import InvalidInput, RapportError


class PreconditionFailed(RapportError):
    """If-Match named another version: somebody changed the thing since."""

    status = 412
    code = "precondition_failed"
    title = "Changed in the meantime"


_ETAG = re.compile(r'^(?:W/)?"([0-9]{1,18})"$')


def etag(version: int) -> str:
    """The ETag header's value."""
    return f'"{version}"'


def parse_if_match() -> int | None:
    """The version of If-Match; None when absent or ``*``."""
    given = request.headers.get("If-Match", "*")
    if given.strip() == "*":
        return None
    found = _ETAG.match(given.strip())
    if found is None:
        raise InvalidInput('If-Match must be a version in quotes, such as "3".')
    return int(found.group(1))
