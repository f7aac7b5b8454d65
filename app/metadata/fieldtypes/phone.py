"""``phone``: the primary phone number."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

import phonenumbers

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.entries import Entry, SingleEntry, nullable_text

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 100
_MIN_DIGITS: Final = 3
_CACHE: Final = 4_096


class PhoneType(SingleEntry):
    """E.164 by the tenant's region.

    A number that can't be dialled is kept as typed with ``valid`` false: a card copied from paper is worth more than a
    refusal. What holds no number at all is refused.
    """

    name = "phone"

    def entry(self, text: str, ctx: Coercion) -> Entry:
        """Normalise to E.164; an extension stays in ``typed``."""
        text = " ".join(text.split())
        if len(text) > LIMIT:
            raise ValueProblem("text.too_long", f"Must be at most {LIMIT} characters")
        if sum(map(str.isdigit, text)) < _MIN_DIGITS:
            raise ValueProblem("phone.invalid", f"{text[:60]!r} is not a phone number")
        number = e164(text.removeprefix("tel:"), ctx.region)
        return Entry(text, text, valid=False) if number is None else Entry(number, text)

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string or null."""
        return nullable_text({"maxLength": LIMIT, "description": "E.164 when it is a valid number"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """In international form."""
        return readable(str(value)) if value else ""


@functools.lru_cache(maxsize=_CACHE)
def e164(text: str, region: str) -> str | None:
    """``text`` in E.164, ``None`` when it is no valid number in ``region`` or of the country it names."""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@functools.lru_cache(maxsize=_CACHE)
def readable(value: str) -> str:
    """An E.164 number in its international form, anything else as it is."""
    if not re.fullmatch(r"\+\d+", value):
        return value
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


TYPE = PhoneType()
