"""The functions of the condition language: what each takes, gives and means. The back ends hold how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from app.expressions.kinds import Kind

Kinds: TypeAlias = frozenset[str]

PLAIN: Final = frozenset[str]({"text", "option"})
TEXT: Final = PLAIN | {"texts"}
NUMBER: Final = frozenset[str]({"number"})
NUMERIC: Final = NUMBER | {"money"}
AMOUNT: Final = NUMERIC | {"duration"}
DATE: Final = frozenset[str]({"date"})
POINT: Final = frozenset[str]({"datetime"})
DAY: Final = DATE | POINT
TIME: Final = frozenset[str]({"time"})
DURATION: Final = frozenset[str]({"duration"})
MANY: Final = frozenset[str]({"options", "texts"})
#: What ``min`` and ``max`` compare; all arguments of one family.
COMPARABLE: Final = AMOUNT | DAY | TIME


@dataclass(frozen=True, slots=True)
class Signature:
    """``takes`` are the kinds of each argument, the thing before the dot first; ``gives`` "same" as the first.

    ``local`` functions of a point in time get the tenant's zone as one more argument; ``day`` ones see its day.
    ``many`` allows more arguments of the last kind.
    """

    op: str
    takes: tuple[Kinds, ...]
    gives: Kind | Literal["same"]
    example: str
    says: str
    method: bool = False
    local: bool = False
    day: bool = False
    many: bool = False


_TEXTS: Final[dict[str, tuple[Signature, ...]]] = {
    "startsWith": (
        Signature("startsWith", (TEXT, PLAIN), "boolean", 'name.startsWith("A")', "begins with", method=True),
    ),
    "endsWith": (Signature("endsWith", (TEXT, PLAIN), "boolean", 'name.endsWith("GmbH")', "ends with", method=True),),
    "contains": (Signature("contains", (TEXT, PLAIN), "boolean", 'name.contains("bank")', "holds", method=True),),
    "lower": (Signature("lower", (TEXT,), "text", "name.lower()", "in small letters", method=True),),
    "upper": (Signature("upper", (PLAIN,), "text", "name.upper()", "in capital letters", method=True),),
    "trim": (Signature("trim", (PLAIN,), "text", "name.trim()", "without blanks around it", method=True),),
    "replace": (
        Signature(
            "replace",
            (PLAIN, PLAIN, PLAIN),
            "text",
            'phone.replace(" ", "")',
            "with each such part replaced",
            method=True,
        ),
    ),
    "substring": (
        Signature(
            "substring", (PLAIN, NUMBER), "text", "name.substring(3)", "from a place (0 is the first)", method=True
        ),
        Signature(
            "substring",
            (PLAIN, NUMBER, NUMBER),
            "text",
            "name.substring(0, 3)",
            "from one place up to before another; unknown outside the text",
            method=True,
        ),
    ),
    "indexOf": (
        Signature(
            "indexOf", (PLAIN, PLAIN), "number", 'name.indexOf(" ")', "where a part begins, -1 without it", method=True
        ),
    ),
    "size": (Signature("size", (TEXT | MANY,), "number", "size(name)", "how many characters, or values of a list"),),
    "string": (
        Signature("string", (PLAIN,), "text", "string(stage)", "as text"),
        Signature("stringNumber", (NUMERIC,), "text", "string(amount)", "as text, without needless zeros"),
        Signature("stringBoolean", (frozenset({"boolean"}),), "text", "string(active)", "`true` or `false`"),
        Signature("stringDate", (DATE,), "text", "string(close_on)", "as `2017-01-31`"),
    ),
    "bool": (
        Signature("same", (frozenset({"boolean"}),), "boolean", "bool(active)", "as it is"),
        Signature("boolText", (PLAIN,), "boolean", "bool(name)", "`true`, `t`, `1` and their opposites as yes or no"),
    ),
}

_NUMBERS: Final[dict[str, tuple[Signature, ...]]] = {
    "abs": (Signature("abs", (AMOUNT,), "same", "abs(amount)", "without its sign"),),
    "sign": (Signature("sign", (AMOUNT,), "number", "sign(amount)", "-1, 0 or 1"),),
    "round": (
        Signature("round", (NUMERIC,), "same", "round(amount)", "to whole numbers, halves away from zero"),
        Signature("roundTo", (NUMERIC, NUMBER), "same", "round(amount, 2)", "to 0 … 12 places"),
    ),
    "floor": (Signature("floor", (NUMERIC,), "same", "floor(score)", "down to a whole number"),),
    "ceil": (Signature("ceil", (NUMERIC,), "same", "ceil(score)", "up to a whole number"),),
    "min": (Signature("min", (COMPARABLE, COMPARABLE), "same", "min(amount, 100)", "the least", many=True),),
    "max": (Signature("max", (COMPARABLE, COMPARABLE), "same", "max(opened_on, close_on)", "the greatest", many=True),),
    "int": (
        Signature("truncate", (NUMBER,), "number", "int(score)", "without its places"),
        Signature("intText", (PLAIN,), "number", 'int("42")', "a text of digits as a number"),
        Signature("intPoint", (POINT,), "number", "int(created_at)", "whole seconds since 1970"),
    ),
    "double": (
        Signature("same", (NUMBER,), "number", "double(score)", "as it is"),
        Signature("doubleText", (PLAIN,), "number", 'double("1.5")', "a text like `-1.5` or `1e3` as a number"),
    ),
}

_TIMES: Final[dict[str, tuple[Signature, ...]]] = {
    "year": (Signature("year", (DAY,), "number", "year(close_on)", "the year", day=True),),
    "quarter": (Signature("quarter", (DAY,), "number", "quarter(close_on)", "1 … 4", day=True),),
    "month": (Signature("month", (DAY,), "number", "month(close_on)", "1 … 12", day=True),),
    "week": (Signature("week", (DAY,), "number", "week(close_on)", "the week's number (ISO 8601)", day=True),),
    "day": (Signature("day", (DAY,), "number", "day(close_on)", "the day of the month", day=True),),
    "weekday": (Signature("weekday", (DAY,), "number", "weekday(close_on)", "1 Monday … 7 Sunday", day=True),),
    "hour": (
        Signature("hour", (POINT,), "number", "hour(created_at)", "0 … 23 in your zone", local=True),
        Signature("hourOf", (TIME,), "number", "hour(opens)", "the hour of a time of day"),
    ),
    "minute": (
        Signature("minute", (POINT,), "number", "minute(created_at)", "0 … 59 in your zone", local=True),
        Signature("minuteOf", (TIME,), "number", "minute(opens)", "the minute of a time of day"),
    ),
    "startOfWeek": (Signature("startOfWeek", (DAY,), "date", "startOfWeek(today())", "its Monday", day=True),),
    "startOfMonth": (Signature("startOfMonth", (DAY,), "date", "startOfMonth(today())", "the first of it", day=True),),
    "startOfQuarter": (
        Signature("startOfQuarter", (DAY,), "date", "startOfQuarter(today())", "the quarter's first day", day=True),
    ),
    "startOfYear": (Signature("startOfYear", (DAY,), "date", "startOfYear(today())", "1 January", day=True),),
    "daysBetween": (
        Signature(
            "daysBetween",
            (DAY, DAY),
            "number",
            "daysBetween(opened_on, close_on)",
            "days from one to another",
            day=True,
        ),
    ),
    "years": (
        Signature(
            "years", (DAY, DAY), "number", "years(opened_on, today())", "whole years from one to another", day=True
        ),
    ),
    "months": (
        Signature(
            "months", (DAY, DAY), "number", "months(opened_on, today())", "whole months from one to another", day=True
        ),
    ),
    "days": (
        Signature("days", (DURATION,), "number", "days(now - created_at)", "a duration in days"),
        Signature("daysBetween", (DAY, DAY), "number", "days(opened_on, today())", "as `daysBetween()`", day=True),
    ),
    "hours": (Signature("hours", (DURATION,), "number", "hours(now - created_at)", "a duration in hours"),),
    "minutes": (Signature("minutes", (DURATION,), "number", "minutes(now - created_at)", "a duration in minutes"),),
    "seconds": (Signature("seconds", (DURATION,), "number", "seconds(now - created_at)", "a duration in seconds"),),
}

#: By group, as the reference lists them. Functions that look at their literals live in ``app.expressions.calls``.
GROUPS: Final[dict[str, dict[str, tuple[Signature, ...]]]] = {
    "Texts": _TEXTS,
    "Numbers and money": _NUMBERS,
    "Days, points in time, durations": _TIMES,
}
FUNCTIONS: Final[dict[str, tuple[Signature, ...]]] = {
    name: signatures for group in GROUPS.values() for name, signatures in group.items()
}

#: Functions with rules of their own: example and meaning, for hints and the reference.
SPECIAL: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "has": (("has(amount)", "whether a field is filled"),),
    "any": (('any(deals, stage == "won")', "whether a linked record meets the condition; names inside are its own"),),
    "hasAny": (('hasAny(tags, ["a", "b"])', "whether a list holds one of these values"),),
    "hasAll": (('hasAll(tags, ["a", "b"])', "whether a list holds all of these values"),),
    "date": (
        ('date("2017-01-31")', "a day"),
        ("date(created_at)", "the day of a point in time, in the workspace's zone"),
    ),
    "timestamp": (
        ('timestamp("2017-01-31T12:00:00Z")', "a point in time; without an offset in the workspace's zone"),
        ("timestamp(1485864000)", "by seconds since 1970"),
    ),
    "time": (('time("09:30")', "a time of day, in no zone"),),
    "duration": (('duration("1h30m")', "a length of time in d, h, m, s, ms, us"),),
    "coalesce": (("coalesce(score, 0.5)", "the first of up to ten values that is there"),),
    "concat": (('concat(name, " / ", close_on)', "texts, numbers and dates in a row; what is empty is left out"),),
    "today": (("today()", "the present day in the workspace's zone"),),
    "now": (("now", "the present moment"),),
    "addDays": (("addDays(today(), -30)", "a number of days later or, negative, earlier"),),
    "addMonths": (("addMonths(close_on, 1)", "the same day of a later month, or that month's last"),),
    "addYears": (("addYears(close_on, 1)", "the same day of a later year"),),
}

#: What people coming from other languages write, and what it is called here.
OTHER_NAMES: Final[dict[str, str]] = {
    "startswith": 'name.startsWith("A")',
    "endswith": 'name.endsWith("A")',
    "len": "size(name)",
    "length": "size(name)",
    "lowerAscii": "name.lower()",
    "upperAscii": "name.upper()",
    "toLowerCase": "name.lower()",
    "toUpperCase": "name.upper()",
    "strip": "name.trim()",
    "isEmpty": "!has(name)",
    "isBlank": "!has(name)",
    "empty": "!has(name)",
    "exists": "has(name)",
    "matches": 'name.contains("x") (patterns are not part of filters)',
    "includes": '"x" in tags',
    "datetime": 'timestamp("2017-01-01T00:00:00Z")',
    "ifnull": "coalesce(a, b)",
    "nvl": "coalesce(a, b)",
    "isnull": "!has(name)",
    "iif": "amount > 100 ? 1 : 0",
    "when": "amount > 100 ? 1 : 0",
    "age": "years(birthday, today())",
    "dateDiff": "daysBetween(opened_on, close_on)",
    "join": 'concat(first_name, " ", last_name)',
    "least": "min(a, b)",
    "greatest": "max(a, b)",
    "getFullYear": "year(created_at)",
    "getMonth": "month(created_at) (January is 1)",
    "getDate": "day(created_at)",
    "getDayOfMonth": "day(created_at)",
    "getDayOfWeek": "weekday(created_at) (Monday is 1)",
    "getHours": "hour(created_at)",
    "getMinutes": "minute(created_at)",
    "containsAny": 'hasAny(tags, ["a", "b"])',
    "some": 'any(deals, stage == "won")',
}
