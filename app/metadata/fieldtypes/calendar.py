"""Days and moments in text cells: what reads one way is taken, what reads two ways is asked about."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final

from app.metadata.fieldtypes.base import ValueProblem

_PARTS: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\.?")
_COMPACT: Final = re.compile(r"\d{8}")
_TIME: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?[AaPp]\.?[Mm]\.?)?")
_NAMED: Final = (
    re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[ .-]+(?P<month>[A-Za-z]{3,9})\.?[ ,.-]+(?P<year>\d{4})"),
    re.compile(r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})"),
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS_IN_A_YEAR: Final = 12
_PATTERN_WORDS: Final = (
    ("YYYY", "%Y"), ("yyyy", "%Y"), ("YY", "%y"), ("yy", "%y"), ("MM", "%m"), ("DD", "%d"), ("dd", "%d"),
    ("HH", "%H"), ("mm", "%M"), ("ss", "%S"), ("M", "%m"), ("D", "%d"), ("d", "%d"),
)  # fmt: skip


def strptime_format(pattern: str) -> str:
    """``DD.MM.YYYY`` or ``dd/MM/yyyy HH:mm`` as strptime writes it; a pattern with ``%`` is one already."""
    if "%" in pattern:
        return pattern
    out, at = "", 0
    while at < len(pattern):
        for word, code in _PATTERN_WORDS:
            if pattern.startswith(word, at):
                out, at = out + code, at + len(word)
                break
        else:
            out, at = out + pattern[at], at + 1
    return out


def parse_day(text: str, pattern: str = "") -> date:
    """The day ``text`` means. A midnight behind it is dropped. Raises ValueProblem."""
    moment, has_time = parse_moment(text, pattern)
    if has_time and moment.time() != time(0):
        raise ValueProblem("date.time", f"{text[:40]!r} carries a time, a date has none")
    return moment.date()


def parse_moment(text: str, pattern: str = "") -> tuple[datetime, bool]:
    """The moment ``text`` means, aware when it names its zone, and whether it names a time. Raises ValueProblem."""
    if pattern:
        moment = _by_pattern(text, pattern)
        if moment is not None:
            return moment
    try:
        return datetime.fromisoformat(text.replace(",", ".", 1)), len(text) > len("2017-03-01")
    except ValueError:
        pass
    head, found = _without_time(text)
    return datetime.combine(_day(head, text, known_order=bool(pattern)), found or time(0)), found is not None


def _by_pattern(text: str, pattern: str) -> tuple[datetime, bool] | None:
    code = strptime_format(pattern)
    head, found = _without_time(text)
    names_time = "%H" in code or "%I" in code
    try:
        moment = datetime.strptime(text if names_time else head, code)  # noqa: DTZ007 (the zone comes after)
    except ValueError:
        return None
    if names_time or found is None:
        return moment, names_time or moment.tzinfo is not None
    return datetime.combine(moment.date(), found), True


def _without_time(text: str) -> tuple[str, time | None]:
    """Split ``31.12.2017 14:05`` into its day and time; a day alone has no time."""
    found = re.search(rf"[ T,]+({_TIME.pattern})$", text)
    if found is None:
        return text, None
    words = found[1].replace(",", ".").replace(".m", "m").replace(".M", "M").upper().strip(". ")
    suffix = words[-2:] if words[-2:] in {"AM", "PM"} else ""
    hour, minute, *rest = words.removesuffix(suffix).strip().split(":")
    number = int(hour) % 12 + (12 if suffix == "PM" else 0) if suffix else int(hour)
    second, _, fraction = (rest[0] if rest else "0").partition(".")
    try:
        return text[: found.start()], time(number, int(minute), int(second), int(fraction.ljust(6, "0")[:6] or 0))
    except ValueError:
        raise ValueProblem("datetime.invalid", f"{text[:40]!r} holds no time of day") from None


def _day(text: str, whole: str, *, known_order: bool) -> date:
    text = text.strip()
    numbers = _PARTS.fullmatch(text)
    try:
        if numbers:
            return _numeric_day(int(numbers[1]), int(numbers[3]), int(numbers[4]), numbers, known_order=known_order)
        if _COMPACT.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        for form in _NAMED:
            named = form.fullmatch(text)
            if named and named["month"][:3].lower() in _MONTHS:
                return date(int(named["year"]), _MONTHS.index(named["month"][:3].lower()) + 1, int(named["day"]))
    except ValueError:
        pass
    raise ValueProblem("date.invalid", f"{whole[:40]!r} is not a date; write it like 2017-03-01, or name the format")


def _numeric_day(first: int, second: int, third: int, found: re.Match[str], *, known_order: bool) -> date:
    """Year first reads one way; day and month only when one of them can't be a month or the point says German."""
    if len(found[1]) == len("2017"):
        return date(first, second, third)
    if known_order or len(found[4]) != len("2017"):
        raise ValueError
    if first == second or second > _MONTHS_IN_A_YEAR or first > _MONTHS_IN_A_YEAR or found[2] == ".":
        if second > _MONTHS_IN_A_YEAR and found[2] != ".":
            first, second = second, first
        return date(third, second, first)
    raise ValueProblem("date.ambiguous", f"{found[0]!r} may be day/month or month/day; name the date format", "format")


__all__ = ["parse_day", "parse_moment", "strptime_format"]
