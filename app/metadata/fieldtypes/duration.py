"""``duration``: a length of time, an exact number of seconds."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from babel.units import format_unit

from app.expressions.limits import DURATION_PLACES, LONGEST_DURATION
from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.exact import plain_text, shortest
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_MINUTE: Final = 60
_HOUR: Final = 3_600
_LIKE: Final = "write it like 1:30, 1h 30m, 90 min or PT1H30M"
_TEXT_LIMIT: Final = 60
_NUMBER: Final = r"\d{1,12}(?:[.,]\d{1,9})?"
_ISO: Final = re.compile(
    rf"P(?:({_NUMBER})W)?(?:({_NUMBER})D)?(?:T(?=\d)(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?", re.ASCII
)
_OURS: Final = re.compile(r"-?PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.ASCII)
_CALENDAR: Final = re.compile(r"P[\d.,]*[YM].*|P[^T]*[YM].*", re.ASCII)
_CLOCK: Final = re.compile(
    r"(\d{1,9}):([0-5]\d)(?::([0-5]\d(?:[.,]\d{1,6})?))?(?:\s*(?:h|hrs?|hours?)\.?)?", re.ASCII | re.IGNORECASE
)
#: ``1h30``: as the French write it.
_HOURS_MINUTES: Final = re.compile(r"(\d{1,9})\s*h\s*([0-5]\d)", re.ASCII | re.IGNORECASE)
_UNITS: Final[dict[str, int]] = {
    word: seconds
    for seconds, words in {
        604_800: "w wk wks week weeks",
        86_400: "d day days",
        _HOUR: "h hr hrs hour hours",
        _MINUTE: "m min mins minute minutes",
        1: "s sec secs second seconds",
    }.items()
    for word in words.split()
}
_BARE: Final = re.compile(rf"[-+\u2212]?\s*{_NUMBER}", re.ASCII)
#: A single letter of a heading is a unit in brackets only: "Plan M" is none.
_HEADING: Final = re.compile(r"[(\[]\s*([a-z]+)\.?\s*[)\]]|([a-z]{2,})", re.ASCII)
_WORD: Final = re.compile(rf"({_NUMBER})\s*([a-z]+)\.?", re.ASCII)
_WORDS: Final = re.compile(rf"(?:{_WORD.pattern}(?:\s*(?:,|and)?\s*)?)+", re.ASCII)
_ISO_SECONDS: Final = (604_800, 86_400, _HOUR, _MINUTE, 1)


class DurationType(SingleColumn):
    """JSON ``PT1H30M`` (ISO 8601, hours without end, no days); six places of a second; negative with a minus.

    Also taken: ``1:30``, ``1h 30m``, ``1h30``, ``90 min``, ``1.5 hours``, days and weeks; a JSON number is seconds, and
    so are numbers of a field that becomes a duration. A column of a file may name the unit of its numbers in its
    heading: ``Minutes``, ``Effort (h)``. In formulas a kind of its own: ``hours(took)`` is a number.
    """

    name = "duration"
    condition = "duration"
    sql_type = "numeric"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A text people write or ISO 8601; a number is seconds."""
        if raw is None or raw == "":
            return None
        if isinstance(raw, str):
            return read_duration(raw)
        if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
            raise ValueProblem("duration.type", f"Must be a length of time; {_LIKE}")
        return _bounded(Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw))

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """As people write it; a bare number is of the unit that the column's heading names."""
        unit = _unit_of(ctx.heading) if ctx.heading and _BARE.fullmatch(text.strip()) else ""
        return self.coerce(field, f"{text.strip()} {unit}" if unit else text, ctx)

    def decode(self, parts: Sequence[Any]) -> object:
        """A numeric arrives as its text."""
        return None if parts[0] is None else iso(Decimal(parts[0]))

    def to_json(self, value: Any) -> object:
        """ISO 8601."""
        return None if value is None else iso(value)

    def json_sql(self, columns: Sequence[str]) -> str:
        """The same text put together from hours, minutes and seconds."""
        seconds = columns[0]
        rest = f"mod(abs({seconds}), {_HOUR})"
        return (
            f"to_jsonb(case when {seconds} = 0 then 'PT0S' when {seconds} is not null then"
            f" case when {seconds} < 0 then '-PT' else 'PT' end"
            f" || case when abs({seconds}) >= {_HOUR} then div(abs({seconds}), {_HOUR})::text || 'H' else '' end"
            f" || case when {rest} >= {_MINUTE} then div({rest}, {_MINUTE})::text || 'M' else '' end"
            f" || case when mod({rest}, {_MINUTE}) > 0 then trim_scale(mod({rest}, {_MINUTE}))::text || 'S' else '' end"
            " end)"
        )

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format duration or null; RFC 3339 durations know no minus and no fraction, so a pattern."""
        pattern = r"^-?PT(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?$"
        return nullable({"type": "string", "pattern": pattern, "description": "ISO 8601: PT1H30M"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Hours, minutes and seconds in short words of the locale."""
        if not isinstance(value, str) or not value:
            return ""
        seconds = seconds_of(value)
        hours, minutes, rest = split(abs(seconds))
        parts: list[tuple[Decimal | int, str]] = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
        said = [_said(number, unit, locale) for number, unit in parts if number or (unit == "minute" and not seconds)]
        return ("-" if seconds < 0 else "") + " ".join(said)


def _said(number: Decimal | int, unit: str, locale: str) -> str:
    """``30m``; CLDR has the narrowest form of some languages only."""
    narrow = format_unit(number, f"duration-{unit}", length="narrow", locale=locale)
    return narrow if unit not in narrow else format_unit(number, f"duration-{unit}", length="short", locale=locale)


def split(seconds: Decimal) -> tuple[int, int, Decimal]:
    """Hours, minutes and seconds of a length of time that is not negative."""
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(int(minutes), _MINUTE)
    return hours, minutes, rest


def iso(seconds: Decimal) -> str:
    """Seconds as ISO 8601; digits beyond the microsecond are rounded."""
    seconds = shortest(round(seconds, DURATION_PLACES))
    hours, minutes, rest = split(abs(seconds))
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    text += f"{plain_text(rest)}S" if rest else ""
    return ("-PT" if seconds < 0 else "PT") + (text or "0S")


def seconds_of(text: str) -> Decimal:
    """Seconds of the JSON form, however many: a sum may be longer than a value."""
    found = _OURS.fullmatch(text)
    hours, minutes, rest = found.groups() if found else ("0", "0", "0")
    total = int(hours or 0) * _HOUR + int(minutes or 0) * _MINUTE + Decimal(rest or 0)
    return -total if text.startswith("-") else total


def clock_text(seconds: Decimal) -> str:
    """As a form holds it: ``1:30``, with seconds only where there are some."""
    hours, minutes, rest = split(abs(seconds))
    whole = f"{hours}:{minutes:02}" + (f":{'0' if rest < 10 else ''}{plain_text(rest)}" if rest else "")
    return ("-" if seconds < 0 else "") + whole


def read_duration(text: str) -> Any:
    """Seconds of ``1:30``, ``1h 30m``, ``90 min``, ``1.5 hours``, ``PT1H30M``; None of blanks. Raises ValueProblem."""
    given = text.strip()
    if not given:
        return None
    if len(given) > _TEXT_LIMIT:
        raise ValueProblem("duration.invalid", f"Must be a length of time; {_LIKE}")
    negative = given[0] in "-\u2212"
    bare = given.lstrip("-+\u2212").strip() if given[0] in "-+\u2212" else given
    total = _seconds(bare)
    if total is None:
        if re.fullmatch(_NUMBER, bare, re.ASCII):
            raise ValueProblem("duration.unit", f"{given!r} has no unit; {_LIKE}")
        raise ValueProblem("duration.invalid", f"{given!r} is not a length of time; {_LIKE}")
    return _bounded(-total if negative else total)


def _seconds(text: str) -> Decimal | None:
    if text == "0":
        return Decimal(0)
    if _CALENDAR.fullmatch(text.upper()):
        raise ValueProblem("duration.calendar", "Years and months have no fixed length; write weeks, days or hours")
    clock = _CLOCK.fullmatch(text)
    if clock:
        return int(clock[1]) * _HOUR + int(clock[2]) * _MINUTE + _decimal(clock[3] or "0")
    clock = _HOURS_MINUTES.fullmatch(text)
    if clock:
        return Decimal(int(clock[1]) * _HOUR + int(clock[2]) * _MINUTE)
    found = _ISO.fullmatch(text.upper())
    if found and any(found.groups()):
        pairs = zip(found.groups(), _ISO_SECONDS, strict=True)
        return sum((_decimal(number) * seconds for number, seconds in pairs if number), Decimal(0))
    return _worded(text.lower())


def _worded(text: str) -> Decimal | None:
    """``1h 30m``: each unit once, the longer before the shorter."""
    if not _WORDS.fullmatch(text):
        return None
    parts = [(number, _UNITS.get(unit)) for number, unit in _WORD.findall(text)]
    lengths = [length for _, length in parts if length is not None]
    if len(lengths) < len(parts) or sorted(set(lengths), reverse=True) != lengths:
        return None
    return sum((_decimal(number) * length for number, length in parts if length is not None), Decimal(0))


@functools.lru_cache(maxsize=256)
def _unit_of(heading: str) -> str:
    """The one unit of time a heading names; empty when there is none, or more than one."""
    words = {bracketed or word for bracketed, word in _HEADING.findall(heading.replace("_", " ").lower())}
    lengths = {_UNITS[word]: word for word in words if word in _UNITS}
    return next(iter(lengths.values())) if len(lengths) == 1 else ""


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _bounded(seconds: Decimal) -> Decimal:
    if not seconds.is_finite() or abs(seconds) > LONGEST_DURATION:
        raise ValueProblem("duration.range", "Must be at most 87,660,000 hours")
    return shortest(round(seconds, DURATION_PLACES))


TYPE = DurationType()
