"""What operators and functions mean in Python; none is called with an empty or unknown argument."""

from __future__ import annotations

import calendar
import operator
import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from app.expressions.limits import (
    BLANKS,
    DURATION_PLACES,
    LARGEST_INTEGER,
    LONGEST_DURATION,
    LONGEST_TEXT,
    MINOR_DIGITS,
    MOST_PLACES,
    NO_WORDS,
    NUMBER_TEXT,
    RESULT_LENGTH,
    USUAL_DIGITS,
    WHOLE_DIGITS,
    WHOLE_TEXT,
    YES_WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
#: Exact for every product the checker lets through.
_EXACT: Final = Context(prec=8_000)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ONE: Final = Decimal(1)
_WHOLE: Final = re.compile(WHOLE_TEXT)
_NUMBER: Final = re.compile(NUMBER_TEXT)

Number = Decimal | int


def any_of(function: Callable[..., object]) -> Callable[[Sequence[str], str], object]:
    """A text search in a list of texts: any of them will do; in none it is unknown."""

    def evaluate(values: Sequence[str], part: str) -> object:
        return any(function(value, part) for value in values) if values else UNKNOWN

    return evaluate


def _divide(left: Number, right: Number) -> object:
    """Half up at the 12th place, as PostgreSQL rounds numeric; by zero unknown."""
    if right == 0:
        return UNKNOWN
    (a, b), (c, d) = left.as_integer_ratio(), right.as_integer_ratio()
    above, below = a * d, b * c
    quotient = (2 * abs(above) * 10**12 + abs(below)) // (2 * abs(below))
    value = _EXACT.scaleb(Decimal(quotient), -12)
    return value.copy_negate() if (above < 0) != (below < 0) else value


def _modulo(left: Number, right: Number) -> object:
    """Keep the dividend's sign, as in SQL and C."""
    return UNKNOWN if right == 0 else _EXACT.remainder(left, right)


def _rounding(mode: str) -> Callable[[Number], Decimal]:
    return lambda value: _EXACT.create_decimal(value).quantize(_ONE, rounding=mode, context=_EXACT)


def _round_to(value: Number, places: Number) -> object:
    if places != int(places) or not 0 <= places <= MOST_PLACES:
        return UNKNOWN
    return _EXACT.create_decimal(value).quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP, _EXACT)


def _sign(value: Number) -> int:
    return (value > 0) - (value < 0)


def _int_text(text: str) -> object:
    return int(text) if _WHOLE.fullmatch(text) else UNKNOWN


def _double_text(text: str) -> object:
    return Decimal(text) if _NUMBER.fullmatch(text) else UNKNOWN


def _plain_number(value: Number) -> str:
    text = format(Decimal(value), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value == 0 else text


def _bool_text(text: str) -> object:
    return True if text in YES_WORDS else False if text in NO_WORDS else UNKNOWN


def _replace(text: str, part: str, by: str) -> object:
    """An empty part is nowhere, as in SQL; results that could grow without end are unknown."""
    if len(text) * max(len(by), 1) > LONGEST_TEXT:
        return UNKNOWN
    return text.replace(part, by) if part else text


def _substring(text: str, start: Number, end: Number | None = None) -> object:
    stop = len(text) if end is None else end
    if start != int(start) or stop != int(stop) or not 0 <= start <= stop <= len(text):
        return UNKNOWN
    return text[int(start) : int(stop)]


def _lower(value: str | Sequence[str]) -> object:
    return value.lower() if isinstance(value, str) else value


def _local(point: datetime, zone: str) -> datetime | None:
    try:
        return point.astimezone(ZoneInfo(zone))
    except OverflowError:
        return None


def _day(point: datetime, zone: str) -> object:
    local = _local(point, zone)
    return UNKNOWN if local is None else local.date()


def _hour(point: datetime, zone: str) -> object:
    local = _local(point, zone)
    return UNKNOWN if local is None else local.hour


def _minute(point: datetime, zone: str) -> object:
    local = _local(point, zone)
    return UNKNOWN if local is None else local.minute


def _add_days(day: date, days: int) -> object:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return UNKNOWN


def _add_months(day: date, months: int) -> object:
    """The last day of a shorter month, as PostgreSQL adds months."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return UNKNOWN
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _months_between(first: date, second: date) -> int:
    """Whole months, towards zero: a month is over on the same day of the next one, or behind its last."""
    months = (second.year - first.year) * 12 + second.month - first.month
    if months > 0 and second.day < first.day:
        return months - 1
    return months + 1 if months < 0 and second.day > first.day else months


def _years_between(first: date, second: date) -> int:
    months = _months_between(first, second)
    return months // 12 if months >= 0 else -(-months // 12)


def _as_integer(value: Number) -> object:
    whole = int(_EXACT.create_decimal(value).quantize(_ONE, ROUND_HALF_UP, _EXACT))
    return whole if abs(whole) <= LARGEST_INTEGER else UNKNOWN


def _as_decimal(value: Number) -> object:
    return _within(value, MOST_PLACES)


def _as_duration(value: Number) -> object:
    return _within(value, DURATION_PLACES, LONGEST_DURATION)


def _within(value: Number, places: int, bound: int = 10**WHOLE_DIGITS) -> object:
    found = _EXACT.create_decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    return found if abs(found) < bound else UNKNOWN


def _as_amount(value: Number, currency: str) -> object:
    return _within(value, MINOR_DIGITS.get(currency, USUAL_DIGITS))


def _seconds(span: timedelta) -> Decimal:
    return _EXACT.scaleb(Decimal(span // _MICROSECOND), -6)


def _later(point: datetime, seconds: Decimal) -> object:
    """To whole microseconds, down; beyond the calendar unknown."""
    total = _EXACT.add(_seconds(point - _EPOCH), seconds)
    try:
        return _EPOCH + int(_EXACT.scaleb(total, 6).to_integral_value(ROUND_FLOOR)) * _MICROSECOND
    except OverflowError:
        return UNKNOWN


def _elapsed(first: datetime, second: datetime) -> Decimal:
    """By way of UTC: two points of one zone would be subtracted by their clocks."""
    return _seconds((first - _EPOCH) - (second - _EPOCH))


def _per(seconds: int) -> Callable[[Decimal], object]:
    return lambda value: _divide(value, seconds)


SEARCHES: Final = frozenset({"startsWith", "endsWith", "contains"})


_UNARY: Final[dict[str, Callable[[Any], object]]] = {
    "lower": _lower,
    "trim": lambda text: text.strip(BLANKS),
    "stringNumber": _plain_number,
    "stringBoolean": lambda value: "true" if value else "false",
    "boolText": _bool_text,
    "sign": _sign,
    "round": _rounding(ROUND_HALF_UP),
    "floor": _rounding(ROUND_FLOOR),
    "ceil": _rounding(ROUND_CEILING),
    "truncate": _rounding(ROUND_DOWN),
    "intText": _int_text,
    "intPoint": lambda point: (point - _EPOCH) // timedelta(seconds=1),
    "doubleText": _double_text,
    "year": lambda day: day.year,
    "quarter": lambda day: (day.month + 2) // 3,
    "month": lambda day: day.month,
    "week": lambda day: day.isocalendar().week,
    "day": lambda day: day.day,
    "startOfWeek": lambda day: day - timedelta(days=day.weekday()),
    "startOfMonth": lambda day: day.replace(day=1),
    "startOfQuarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "startOfYear": lambda day: day.replace(month=1, day=1),
    "asInteger": _as_integer,
    "asDecimal": _as_decimal,
    "asDuration": _as_duration,
    "hourOf": lambda clock: clock.hour,
    "minuteOf": lambda clock: clock.minute,
    "asText": lambda text: text[:RESULT_LENGTH] or UNKNOWN,
    "days": _per(86_400),
    "hours": _per(3_600),
    "minutes": _per(60),
}
_BINARY: Final[dict[str, Callable[[Any, Any], object]]] = {
    "div": _divide,
    "mod": _modulo,
    "roundTo": _round_to,
    "date": _day,
    "addDays": _add_days,
    "addMonths": _add_months,
    "hour": _hour,
    "minute": _minute,
    "years": _years_between,
    "months": _months_between,
    "asAmount": _as_amount,
    "beside": lambda _, value: value,
    "daysBetween": lambda first, second: (second - first).days,
    "elapsed": _elapsed,
    "daysElapsed": lambda first, second: _seconds(first - second),
    "later": _later,
    "earlier": lambda point, seconds: _later(point, seconds.copy_negate()),
}
_OTHERS: Final[dict[str, Callable[..., object]]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "add": _EXACT.add,
    "sub": _EXACT.subtract,
    "mul": _EXACT.multiply,
    "neg": _EXACT.minus,
    "concat": operator.add,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
    "upper": str.upper,
    "replace": _replace,
    "substring": _substring,
    "indexOf": str.find,
    "size": len,
    "stringDate": date.isoformat,
    "string": str,
    "abs": _EXACT.abs,
    "min": min,
    "max": max,
    "weekday": date.isoweekday,
    "seconds": _EXACT.plus,
}
FUNCTIONS: Final[dict[str, Callable[..., object]]] = {**_UNARY, **_BINARY, **_OTHERS}
