"""Exact numbers: from JSON and from text cells, without ever passing through binary fractions."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from app.metadata.fieldtypes.base import ValueProblem

#: Digits before and after the decimal point: beyond any business figure, far below what slows numeric down.
WHOLE_DIGITS: Final = 18
FRACTION_DIGITS: Final = 18
_BOUND: Final = Decimal(10) ** WHOLE_DIGITS
_MAX_LENGTH: Final = 60
_PLAIN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_GROUPED: Final = {
    ".": re.compile(r"[+-]?\d{1,3}([,'\u2019 ]\d{3})+(\.\d*)?|[+-]?\d{1,3}(,\d{2})*,\d{3}(\.\d*)?"),
    ",": re.compile(r"[+-]?\d{1,3}([.'\u2019 ]\d{3})+(,\d*)?"),
}
_DECIMAL_COMMA: Final = re.compile(r"[+-]?(\d+(,\d*)?|,\d+)")
_SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})


def exact(raw: object) -> Decimal | None:
    """The number in a JSON value: a number or a string of digits. ``None`` when empty. Raises ValueProblem."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str, Decimal)):
        raise ValueProblem("number.type", "Must be a number")
    if isinstance(raw, str):
        raw = raw.strip()
        if not _PLAIN.fullmatch(raw) or len(raw) > _MAX_LENGTH:
            raise ValueProblem("number.invalid", f"{_short(raw)} is not a number; write it like 1234.5")
    return _bounded(raw)


def _bounded(raw: float | str | Decimal) -> Decimal:
    """Plain, bounded and in its shortest form: ``1.50`` and ``15E-1`` are both ``1.5``."""
    try:
        number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    except (InvalidOperation, ValueError):
        raise ValueProblem("number.invalid", "Must be a number") from None
    if not number.is_finite():
        raise ValueProblem("number.invalid", "Must be a finite number")
    if number.copy_abs() >= _BOUND:
        raise ValueProblem("number.range", f"Must have at most {WHOLE_DIGITS} digits before the decimal point")
    return shortest(number)


def shortest(number: Decimal) -> Decimal:
    """``number`` without exponent and without trailing zeros; at most 18 decimal places, else a ValueProblem."""
    sign, digits, exponent = number.as_tuple()
    if not any(digits):
        return Decimal(0)
    if not isinstance(exponent, int):
        raise ValueProblem("number.invalid", "Must be a finite number")
    end = len(digits)
    while exponent < 0 and digits[end - 1] == 0:
        end -= 1
        exponent += 1
    if exponent < -FRACTION_DIGITS:
        raise ValueProblem("number.scale", f"Must have at most {FRACTION_DIGITS} decimal places")
    return Decimal((sign, digits[:end] + (0,) * max(exponent, 0), min(exponent, 0)))


def parse_exact(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The number in a text cell: thousands separators, a decimal comma when said so, ``(12)`` as minus 12."""
    if text.isdecimal() and text.isascii() and len(text) <= WHOLE_DIGITS:
        return Decimal(text)
    text = text.translate(_SPACES).strip()
    if not text:
        return None
    if text[0] == "(" and text[-1] == ")":
        text = "-" + text[1:-1].strip()
    elif text[-1] == "-" and text[0] not in "+-":
        text = "-" + text[:-1].strip()
    if len(text) > _MAX_LENGTH:
        raise ValueProblem("number.invalid", f"{_short(text)} is not a number")
    return _bounded(_without_groups(text, "," if decimal_comma else "."))


def _without_groups(text: str, point: str) -> str:
    """``text`` with a plain point and no grouping characters. Raises ValueProblem when it reads two ways."""
    if _GROUPED[point].fullmatch(text):
        kept = re.sub(r"[,'\u2019 ]" if point == "." else r"[.'\u2019 ]", "", text)
        return kept.replace(",", ".")
    if point == "." and _PLAIN.fullmatch(text):
        return text
    if point == "," and _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    hint = " with a decimal point" if point == "." else " with a decimal comma"
    raise ValueProblem("number.invalid", f"{_short(text)} is not a number{hint}")


def plain_text(number: Decimal) -> str:
    """``number`` in digits, never with an exponent: the JSON form."""
    return format(number, "f")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
