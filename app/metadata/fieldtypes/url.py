"""``url``: a web address, http or https only, so that a page may link to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.domain import ascii_host
from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_line

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 2_000
#: Longer unique addresses may not fit an index entry (2,704 bytes) once folded.
UNIQUE_LIMIT: Final = 500
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
_REFUSED: Final = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")


class UrlType(SingleColumn):
    """An absolute http(s) URL; a missing scheme becomes https."""

    name = "url"
    condition = "text"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Add the scheme, lower-case scheme and host, keep the rest."""
        text = checked_line(raw, UNIQUE_LIMIT if field.unique else LIMIT)
        return None if text is None else normalised(text)

    def json_schema(self, field: Field) -> dict[str, object]:
        """A string of format uri or null."""
        return nullable({"type": "string", "format": "uri", "maxLength": (UNIQUE_LIMIT if field.unique else LIMIT) + 8})


def normalised(text: str) -> str:
    """The absolute URL ``text`` means. Raises ValueProblem."""
    if text.startswith("//"):
        text = "https:" + text
    elif not _SCHEME.match(text):
        text = "https://" + text
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueProblem("url.invalid", "Must be a web address like https://example.com") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueProblem("url.scheme", "Must start with http:// or https://")
    if _REFUSED.search(text) or "@" in parts.netloc:
        raise ValueProblem("url.invalid", "Must be a web address like https://example.com, without spaces or sign-in")
    name = f"[{host}]" if ":" in host else ascii_host(host)
    if name is None:
        raise ValueProblem("url.host", "Must name a host, like https://example.com")
    netloc = name if port is None else f"{name}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))


TYPE = UrlType()
