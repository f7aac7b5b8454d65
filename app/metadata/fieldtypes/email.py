"""``email``: the primary e-mail address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from email_validator import EmailNotValidError, validate_email

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.entries import Entry, SingleEntry, nullable_text

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 254
_LOCAL_LIMIT: Final = 64
#: The plain addresses nearly everybody has; anything else goes through the full check, ten times slower.
_PLAIN: Final = re.compile(
    r"[a-z0-9_+'-]+(\.[a-z0-9_+'-]+)*@[a-z0-9]([a-z0-9]|-(?!-))*(?<!-)(\.[a-z0-9]([a-z0-9]|-(?!-))*(?<!-))*\.[a-z]{2,24}"
)
_LABEL_LIMIT: Final = 63
_NAMED: Final = re.compile(r".*<([^<>]+)>")


class EmailType(SingleEntry):
    """Syntax of RFC 5321 and 5322 without quoted local parts; lower case, so that one mailbox is one value."""

    name = "email"

    def entry(self, text: str, ctx: Coercion) -> Entry:  # noqa: ARG002
        """Normalise; ``Name <address>`` and ``mailto:`` are taken apart."""
        named = _NAMED.fullmatch(text)
        return Entry(normalised(named[1] if named else text.removeprefix("mailto:")), text)

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format email or null."""
        return nullable_text({"format": "email", "maxLength": LIMIT})


def normalised(text: str) -> str:
    """The address in lower case, its domain in its own script. Raises ValueProblem."""
    lowered = text.lower()
    if len(lowered) <= LIMIT and _PLAIN.fullmatch(lowered):
        local, _, domain = lowered.partition("@")
        if len(local) <= _LOCAL_LIMIT and all(len(label) <= _LABEL_LIMIT for label in domain.split(".")):
            return lowered
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError:
        raise ValueProblem("email.invalid", f"{text[:60]!r} is not an e-mail address") from None


TYPE = EmailType()
