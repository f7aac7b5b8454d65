"""What operators and functions mean in SQL. Each gives NULL for a NULL argument and never raises.

A guarded CASE is safe even for constants: PostgreSQL drops an arm whose condition folds to false before it looks
at the arm's result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    from collections.abc import Callable

Sql: TypeAlias = sa.ColumnElement[Any]

ZERO: Final = sa.literal_column("0", sa.Numeric())
_ONE: Final = sa.literal_column("1", sa.Numeric())
#: Makes PostgreSQL carry at least 20 places through a division before it is rounded to 12.
_PLACES: Final = sa.literal_column("0.00000000000000000000", sa.Numeric())
_FIRST_DAY: Final = sa.literal_column("date '0001-01-01'", sa.Date())
_LAST_DAY: Final = sa.literal_column("date '9999-12-31'", sa.Date())
_FIRST_CLOCK: Final = sa.literal_column("timestamp '0001-01-01'", sa.DateTime())
_LAST_CLOCK: Final = sa.literal_column("timestamp '9999-12-31 23:59:59.999999'", sa.DateTime())
#: The same ends in microseconds since 1970.
_FIRST_POINT: Final = sa.literal_column("-62135596800000000", sa.Numeric())
_LAST_POINT: Final = sa.literal_column("253402300799999999", sa.Numeric())
_EPOCH: Final = sa.literal_column("timestamp '1970-01-01'", sa.DateTime())
_A_DAY: Final = sa.literal_column("86400000000", sa.Numeric())
_FLOAT: Final[sa.types.TypeEngine[Any]] = sa.Double()
_MILLION: Final = sa.literal_column("1000000", sa.Numeric())


def _numeric(value: Sql) -> Sql:
    """Integer columns and literals as numeric: nothing overflows."""
    return sa.cast(value, sa.Numeric())


def _count(number: int) -> Sql:
    return sa.literal_column(str(number), sa.Numeric())


def _when(condition: Sql, value: Sql) -> Sql:
    """The value where the condition holds, else unknown."""
    return sa.case((condition, value))


def _divide(left: Sql, right: Sql) -> Sql:
    divisor = sa.func.nullif(_numeric(right), ZERO, type_=sa.Numeric())
    return sa.func.round((_numeric(left) + _PLACES) / divisor, sa.literal_column("12"), type_=sa.Numeric())


def _number(name: str) -> Callable[[Sql], Sql]:
    return lambda value: getattr(sa.func, name)(_numeric(value), type_=sa.Numeric())


def _round_to(value: Sql, places: Sql) -> Sql:
    wanted = _numeric(places)
    fits = sa.and_(wanted == sa.func.trunc(wanted), wanted.between(ZERO, _count(MOST_PLACES)))
    return _when(fits, sa.func.round(_numeric(value), sa.cast(wanted, sa.Integer()), type_=sa.Numeric()))


def _least(name: str) -> Callable[..., Sql]:
    """``least`` and ``greatest`` pass over NULL; here it makes the answer unknown."""

    def write(*args: Sql) -> Sql:
        kind = args[0].type
        values = [_numeric(arg) for arg in args] if isinstance(kind, (sa.Numeric, sa.BigInteger)) else list(args)
        found = getattr(sa.func, name)(*values, type_=values[0].type)
        return _when(sa.and_(*(value.is_not(None) for value in values)), found)

    return write


def _text(value: Sql) -> Sql:
    return sa.cast(value, sa.Text())


def _case_of(name: str) -> Callable[[Sql], Sql]:
    def write(text: Sql) -> Sql:
        if isinstance(text.type, ARRAY):
            return text
        return getattr(sa.func, name)(sa.collate(text, "pg_unicode_fast"), type_=sa.Text())

    return write


def _quoted(text: str) -> Sql:
    return sa.literal_column(f"'{text}'", sa.Text())


def _blanks() -> Sql:
    escaped = "".join(f"\\{ord(character):04X}" for character in BLANKS)
    return sa.literal_column(f"U&'{escaped}'", sa.Text())


def _replace(text: Sql, part: Sql, by: Sql) -> Sql:
    longest = sa.func.char_length(text) * sa.func.greatest(sa.func.char_length(by), _ONE)
    return _when(longest <= _count(LONGEST_TEXT), sa.func.replace(text, part, by, type_=sa.Text()))


def _substring(text: Sql, start: Sql, end: Sql | None = None) -> Sql:
    length = sa.func.char_length(text, type_=sa.Numeric())
    first, stop = _numeric(start), length if end is None else _numeric(end)
    inside = sa.and_(first >= ZERO, first <= stop, stop <= length)
    whole = sa.and_(first == sa.func.trunc(first), stop == sa.func.trunc(stop))
    begin, count = sa.cast(first, sa.Integer()) + 1, sa.cast(stop - first, sa.Integer())
    return _when(sa.and_(inside, whole), sa.func.substr(text, begin, count, type_=sa.Text()))


def _ends_with(text: Sql, part: Sql) -> Sql:
    return sa.func.right(text, sa.func.char_length(part), type_=sa.Text()) == part


def _size(value: Sql) -> Sql:
    if isinstance(value.type, ARRAY):
        return sa.func.coalesce(sa.func.cardinality(value), ZERO, type_=sa.Numeric())
    return sa.func.char_length(value, type_=sa.Numeric())


def _matching(pattern: str) -> Callable[[Sql], Sql]:
    return lambda text: _when(text.op("~", is_comparison=True)(_quoted(f"^{pattern}$")), sa.cast(text, sa.Numeric()))


def _bool_text(text: Sql) -> Sql:
    return sa.case(
        (text.in_([_quoted(word) for word in YES_WORDS]), sa.true()),
        (text.in_([_quoted(word) for word in NO_WORDS]), sa.false()),
    )


def _clock(point: Sql, zone: Sql) -> Sql:
    """What clocks in the zone show; beyond the calendar unknown."""
    shown = sa.func.timezone(zone, point, type_=sa.DateTime())
    return _when(shown.between(_FIRST_CLOCK, _LAST_CLOCK), shown)


def _part(name: str) -> Callable[[Sql], Sql]:
    return lambda value: sa.type_coerce(sa.extract(name, value), sa.Numeric())


def _clock_part(name: str) -> Callable[[Sql, Sql], Sql]:
    return lambda point, zone: _part(name)(_clock(point, zone))


def _start_of(name: str) -> Callable[[Sql], Sql]:
    return lambda day: sa.cast(sa.func.date_trunc(_quoted(name), sa.cast(day, sa.DateTime())), sa.Date())


def _in_calendar(day: Sql) -> Sql:
    return _when(day.between(_FIRST_DAY, _LAST_DAY), day)


def _add_days(day: Sql, days: Sql) -> Sql:
    return _in_calendar(day.op("+", return_type=sa.Date())(sa.cast(days, sa.Integer())))


def _add_months(day: Sql, months: Sql) -> Sql:
    span = sa.func.make_interval(sa.literal_column("0"), sa.cast(months, sa.Integer()), type_=sa.Interval())
    return _in_calendar(sa.cast(day.op("+", return_type=sa.DateTime())(span), sa.Date()))


def _days_between(first: Sql, second: Sql) -> Sql:
    return sa.cast(second.op("-", return_type=sa.Integer())(first), sa.Numeric())


def _age(first: Sql, second: Sql, part: str) -> Sql:
    clock = sa.DateTime()
    apart = sa.func.age(sa.cast(second, clock), sa.cast(first, clock), type_=sa.Interval())
    return _part(part)(apart)


def _months_between(first: Sql, second: Sql) -> Sql:
    return _age(first, second, "year") * _count(12) + _age(first, second, "month")


def _as_integer(value: Sql) -> Sql:
    whole = sa.func.round(_numeric(value), type_=sa.Numeric())
    return sa.cast(_between(whole, LARGEST_INTEGER + 1), sa.BigInteger())


def _between(value: Sql, bound: int) -> Sql:
    """The value where it is nearer to zero than ``bound``; stated once, since formulas stand inside formulas."""
    least, greatest = sa.literal_column(f"-{bound}", sa.Numeric()), _count(bound)
    cut = sa.func.least(sa.func.greatest(value, least, type_=sa.Numeric()), greatest, type_=sa.Numeric())
    return sa.func.nullif(sa.func.nullif(cut, least, type_=sa.Numeric()), greatest, type_=sa.Numeric())


def _as_decimal(value: Sql) -> Sql:
    return _within(value, _whole(MOST_PLACES))


def _as_duration(value: Sql) -> Sql:
    rounded = sa.func.round(_numeric(value), _whole(DURATION_PLACES), type_=sa.Numeric())
    return _between(rounded, LONGEST_DURATION)


def _within(value: Sql, places: Sql) -> Sql:
    return _between(sa.func.round(_numeric(value), places, type_=sa.Numeric()), 10**WHOLE_DIGITS)


def _as_amount(value: Sql, currency: Sql) -> Sql:
    """Without a currency there is no amount (``app.expressions.money``)."""
    listed = ",".join(f'"{code}":{digits}' for code, digits in MINOR_DIGITS.items())
    found = sa.cast(_quoted("{" + listed + "}"), JSONB()).op("->>", return_type=sa.Text())(currency)
    digits = sa.func.coalesce(sa.cast(found, sa.Integer()), _whole(USUAL_DIGITS), type_=sa.Integer())
    return _within(value, digits)


def _as_text(text: Sql) -> Sql:
    return sa.func.nullif(sa.func.left(text, _whole(RESULT_LENGTH), type_=sa.Text()), _quoted(""), type_=sa.Text())


def _whole(number: int) -> Sql:
    return sa.literal_column(str(number), sa.Integer())


def _iso_day(day: Sql) -> Sql:
    """``to_char`` depends on the session for PostgreSQL, whatever its pattern; a generated column may not."""
    year, month, of_month = (_text(sa.cast(_part(name)(day), sa.Integer())) for name in ("year", "month", "day"))
    zero, dash = _quoted("0"), _quoted("-")
    padded = [sa.func.lpad(part, _whole(width), zero, type_=sa.Text())
              for part, width in ((year, 4), (month, 2), (of_month, 2))]  # fmt: skip
    return padded[0].concat(dash).concat(padded[1]).concat(dash).concat(padded[2])


def join(*texts: Sql) -> Sql:
    """Texts one after the other; what is empty is left out."""
    first, *others = (sa.func.coalesce(text, _quoted(""), type_=sa.Text()) for text in texts)
    for text in others:
        first = first.concat(text)
    return first


def coalesce(*values: Sql) -> Sql:
    """The first value there is."""
    kind = values[0].type
    numbers = isinstance(kind, (sa.Numeric, sa.BigInteger))
    given = [_numeric(value) for value in values] if numbers else list(values)
    return sa.func.coalesce(*given, type_=given[0].type)


def _since(point: Sql) -> Sql:
    """Seconds since 1970, exact to the microsecond; by way of a clock, since of a point they depend on the session."""
    return _part("epoch")(sa.func.timezone(_quoted("UTC"), point, type_=sa.DateTime()))


def _later(point: Sql, seconds: Sql) -> Sql:
    """To whole microseconds, down. Counted in numeric and put together from whole days, which floats hold exactly."""
    total = sa.func.floor((_since(point) + seconds) * _MILLION, type_=sa.Numeric())
    days = sa.func.div(total, _A_DAY, type_=sa.Numeric())
    day = sa.literal_column("interval '24 hours'", sa.Interval())
    microsecond = sa.literal_column("interval '1 microsecond'", sa.Interval())
    span = sa.cast(days, _FLOAT).op("*", return_type=sa.Interval())(day)
    rest = sa.cast(total - days * _A_DAY, _FLOAT).op("*", return_type=sa.Interval())(microsecond)
    clock = _EPOCH.op("+", return_type=_EPOCH.type)(span).op("+", return_type=_EPOCH.type)(rest)
    moved = sa.func.timezone(_quoted("UTC"), clock, type_=sa.DateTime(timezone=True))
    return _when(total.between(_FIRST_POINT, _LAST_POINT), moved)


def _per(seconds: int) -> Callable[[Sql], Sql]:
    return lambda value: _divide(value, _count(seconds))


_UNARY: Final[dict[str, Callable[[Sql], Sql]]] = {
    "neg": lambda value: ZERO - _numeric(value),
    "lower": _case_of("lower"),
    "upper": _case_of("upper"),
    "trim": lambda text: sa.func.btrim(text, _blanks(), type_=sa.Text()),
    "size": _size,
    "string": _text,
    "stringNumber": lambda value: _text(sa.func.trim_scale(_numeric(value))),
    "stringBoolean": lambda value: sa.case((value, _quoted("true")), (sa.not_(value), _quoted("false"))),
    "stringDate": _iso_day,
    "asInteger": _as_integer,
    "asDecimal": lambda value: sa.func.trim_scale(_as_decimal(value), type_=sa.Numeric()),
    "asDuration": lambda value: sa.func.trim_scale(_as_duration(value), type_=sa.Numeric()),
    "asText": _as_text,
    "boolText": _bool_text,
    "abs": _number("abs"),
    "sign": _number("sign"),
    "round": _number("round"),
    "floor": _number("floor"),
    "ceil": _number("ceil"),
    "truncate": _number("trunc"),
    "intText": _matching(WHOLE_TEXT),
    "doubleText": _matching(NUMBER_TEXT),
    "intPoint": lambda point: sa.func.floor(_since(point), type_=sa.Numeric()),
    "year": _part("year"),
    "quarter": _part("quarter"),
    "month": _part("month"),
    "week": _part("week"),
    "day": _part("day"),
    "weekday": _part("isodow"),
    "hourOf": _part("hour"),
    "minuteOf": _part("minute"),
    "startOfWeek": _start_of("week"),
    "startOfMonth": _start_of("month"),
    "startOfQuarter": _start_of("quarter"),
    "startOfYear": _start_of("year"),
    "days": _per(86_400),
    "hours": _per(3_600),
    "minutes": _per(60),
    "seconds": _numeric,
}
_BINARY: Final[dict[str, Callable[[Sql, Sql], Sql]]] = {
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "add": lambda left, right: _numeric(left) + _numeric(right),
    "sub": lambda left, right: _numeric(left) - _numeric(right),
    "mul": lambda left, right: _numeric(left) * _numeric(right),
    "div": _divide,
    "mod": lambda left, right: sa.func.mod(_numeric(left), sa.func.nullif(_numeric(right), ZERO), type_=sa.Numeric()),
    "concat": lambda left, right: left.concat(right),
    "startsWith": lambda text, part: sa.func.starts_with(text, part, type_=sa.Boolean()),
    "endsWith": _ends_with,
    "contains": lambda text, part: sa.func.strpos(text, part) > ZERO,
    "indexOf": lambda text, part: sa.cast(sa.func.strpos(text, part), sa.Numeric()) - _ONE,
    "roundTo": _round_to,
    "date": lambda point, zone: sa.cast(_clock(point, zone), sa.Date()),
    "addDays": _add_days,
    "addMonths": _add_months,
    "hour": _clock_part("hour"),
    "minute": _clock_part("minute"),
    "daysBetween": _days_between,
    "years": lambda first, second: _age(first, second, "year"),
    "months": _months_between,
    "asAmount": _as_amount,
    "beside": lambda value, other: _when(value.is_not(None), other),
    "elapsed": lambda first, second: _since(first) - _since(second),
    "daysElapsed": lambda first, second: _days_between(second, first) * _count(86_400),
    "later": _later,
    "earlier": lambda point, seconds: _later(point, ZERO - seconds),
}
_OTHERS: Final[dict[str, Callable[..., Sql]]] = {
    "replace": _replace,
    "substring": _substring,
    "min": _least("least"),
    "max": _least("greatest"),
}
FUNCTIONS: Final[dict[str, Callable[..., Sql]]] = {**_UNARY, **_BINARY, **_OTHERS}
