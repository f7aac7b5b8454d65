"""Times of day and lengths of time in rows: as a box shows and takes them, and as a condition's text has them."""

from __future__ import annotations

import re
from typing import Final

from app.expressions.errors import ConditionError
from app.expressions.unparse import quoted

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
#: As the text has it: ``1h30m``.
_LENGTH: Final = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:d|h|ms|us|ns|m|s))+")
_BETWEEN: Final = re.compile(r"(?<=[a-z])(?=[0-9])")
#: As people write it: ``1:30``, ``90 min``, ``1.5 hours``.
_HOURS: Final = re.compile(r"(-?)([0-9]{1,12}):([0-5][0-9])(?::([0-5][0-9]))?")
_WORD: Final = re.compile(r"([0-9.])([a-z]+)")
_UNITS: Final = {
    word: unit
    for unit, words in {
        "d": "d day days", "h": "h hr hrs hour hours", "m": "m min mins minute minutes",
        "s": "s sec secs second seconds", "ms": "ms", "us": "us", "ns": "ns",
    }.items()
    for word in words.split()
}  # fmt: skip


def time_shown(text: str) -> str:
    """A time of day as a box shows it; "" for what it can't."""
    return text if _TIME.fullmatch(text) else ""


def length_shown(text: str) -> str:
    """A length of time as a box shows it: ``1h 30m``; "" for what it can't."""
    return _BETWEEN.sub(" ", text) if _LENGTH.fullmatch(text) else ""


def time_text(shown: str) -> str:
    """``time("09:30")``. Raises ConditionError."""
    if not _TIME.fullmatch(shown.strip()):
        raise ConditionError.at(0, "Enter a time of day.")
    return f"time({quoted(shown.strip())})"


def length_text(shown: str) -> str:
    """``duration("1h30m")`` of ``1h 30m``, ``1:30`` or ``90 min``. Raises ConditionError."""
    given = "".join(shown.lower().replace("\u2212", "-").split()).replace(",", ".")
    clock = _HOURS.fullmatch(given)
    if clock:
        seconds = f"{int(clock[4])}s" if int(clock[4] or 0) else ""
        given = f"{clock[1]}{int(clock[2])}h{int(clock[3])}m{seconds}"
    text = _WORD.sub(lambda found: found[1] + _UNITS.get(found[2], "?"), given)
    if not _LENGTH.fullmatch(text):
        raise ConditionError.at(0, "Enter a length of time like 1h 30m.")
    return f"duration({quoted(text)})"
