"""What every text value must obey, whichever type it belongs to."""

from __future__ import annotations

from app.core.streamsafe import MOST_MARKS, is_stream_safe
from app.metadata.fieldtypes.base import ValueProblem

_BLANKS = " \t\u00a0"


def checked_text(raw: object, limit: int) -> str | None:
    """Return ``raw`` as text of at most ``limit`` characters, unchanged; ``None`` for ``None`` and ``""``.

    NUL can't be stored by PostgreSQL and lone surrogates are no text, so both are refused rather than dropped.
    """
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise ValueProblem("text.type", "Must be text")
    if len(raw) > limit:
        raise ValueProblem("text.too_long", f"Must be at most {limit:,} characters, has {len(raw):,}")
    if "\0" in raw:
        raise ValueProblem("text.nul", "Must not contain the NUL character")
    if not raw.isascii():
        try:
            raw.encode()
        except UnicodeEncodeError:
            raise ValueProblem("text.surrogate", "Contains half of a surrogate pair, which is no character") from None
        if not is_stream_safe(raw):
            raise ValueProblem("text.marks", f"Has more than {MOST_MARKS} accents on one letter")
    return raw


def checked_line(raw: object, limit: int) -> str | None:
    """Like ``checked_text``, with blanks around it removed: for values that are identifiers, not prose.

    Line breaks stay: in an address or a host they are a mistake worth telling.
    """
    text = checked_text(raw, limit)
    return (text.strip(_BLANKS) or None) if text is not None else None
