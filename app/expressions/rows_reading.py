"""A condition as rows of a builder. What is met stays met: only what no record can tell apart is written another way.

An empty yes-or-no field asked by its name alone is unknown, asked by a row it is not ``true``. Where the whole is met
just when it is true, the two are the same; below a negation they are not, and the text stays.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.expressions.check import check
from app.expressions.parse import HAS, parse
from app.expressions.rows import COUNTED, OPERATORS, STARTS, Group, Part, Row, Value, tidy
from app.expressions.rows_clock import length_shown, time_shown
from app.expressions.unparse import number_of, unparse
from app.expressions.wire import Apply, Items, Lit, Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.expressions.kinds import Environment
    from app.expressions.rows import Item
    from app.expressions.wire import Parsed

_SIGNS: Final = {"_==_": "is", "_!=_": "is_not", "_<_": "lt", "_<=_": "le", "_>_": "gt", "_>=_": "ge"}
_TURNED: Final = {"is": "is", "is_not": "is_not", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_METHODS: Final = {"contains": "contains", "startsWith": "starts", "endsWith": "ends"}
_LISTS: Final = {"hasAny": "any_of", "hasAll": "all_of"}
_PLAIN: Final = frozenset({"text", "option"})
_NUMBERS: Final = frozenset({"number", "money"})
#: Kind of a field (day: that of a point in time) → kinds of fields it is compared with.
_COMPARABLE: Final[Mapping[str, frozenset[str]]] = {
    "text": _PLAIN, "texts": _PLAIN, "option": _PLAIN, "number": _NUMBERS, "money": _NUMBERS,
    "link": frozenset({"link"}), "date": frozenset({"date"}), "day": frozenset({"date"}),
    "datetime": frozenset({"datetime"}), "time": frozenset({"time"}), "duration": frozenset({"duration"}),
}  # fmt: skip
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
#: Numbers as a box takes them.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_COUNTERS: Final = {function: unit for unit, function in COUNTED.items()}
_STARTERS: Final = {function: unit for unit, function in STARTS.items()}
_MOST_COUNTED: Final = 999_999


def read(source: str, environment: Environment) -> Group:
    """The condition as rows; "" as none. Raises ConditionError for a text that is no condition."""
    if not source.strip():
        return Group("all")
    check(source, environment)
    return tidy(_Reader(source, environment).item(parse(source), positive=True))


class _Reader:
    def __init__(self, source: str, environment: Environment) -> None:
        self._source, self._environment = source, environment

    def item(self, parsed: Parsed, *, positive: bool) -> Item:
        """``positive``: below an even number of negations."""
        if isinstance(parsed, Name) and positive and self._kind(parsed) == "boolean":
            return Row(parsed.path, "is", Value("value", "true"))
        if isinstance(parsed, Apply):
            if parsed.function in ("_&&_", "_||_"):
                join = "all" if parsed.function == "_&&_" else "any"
                return Group(join, tuple(self.item(one, positive=positive) for one in parsed.args))
            if parsed.function == "!_":
                return self._not(parsed.args[0], positive=positive)
            return self._row(parsed) or self._part(parsed)
        return self._part(parsed)

    def _not(self, parsed: Parsed, *, positive: bool) -> Item:
        if isinstance(parsed, Name) and positive and self._kind(parsed) == "boolean":
            return Row(parsed.path, "is", Value("value", "false"))
        return Group("none", (self.item(parsed, positive=not positive),))

    def _part(self, parsed: Parsed) -> Part:
        return Part(unparse(self._source, parsed))

    def _kind(self, parsed: Parsed) -> str:
        variable = self._environment.variable(parsed.path) if isinstance(parsed, Name) else None
        return variable.kind if variable is not None else ""

    def _row(self, parsed: Apply) -> Row | None:
        args = (parsed.target, *parsed.args) if parsed.target is not None else parsed.args
        first = args[0] if args else None
        if first is None:
            return None
        if parsed.function == HAS:
            return Row(first.path, "filled") if isinstance(first, Name) else None
        if parsed.function in _SIGNS:
            return self._compared(_SIGNS[parsed.function], first, args[1])
        if parsed.function == "@in":
            return self._member(first, args[1])
        if parsed.function in _METHODS and self._kind(first) in ("text", "texts"):
            return self._valued(first, _METHODS[parsed.function], _plain(args[1]))
        if parsed.function in _LISTS and isinstance(args[1], Items) and self._kind(first) in ("options", "texts"):
            return self._listed(first, _LISTS[parsed.function], args[1])
        return None

    @staticmethod
    def _valued(field: Parsed, op: str, value: Value | None) -> Row | None:
        return Row(field.path, op, value) if isinstance(field, Name) and value is not None else None

    def _member(self, left: Parsed, right: Parsed) -> Row | None:
        """``x in [..]`` and ``"x" in tags``."""
        if isinstance(right, Items):
            kind = self._kind(left)
            if kind == "texts":
                return self._listed(left, "any_of", right)
            return self._listed(left, "in", right) if "in" in OPERATORS.get(kind, ()) else None
        value = _plain(left)
        if value is None:
            return None
        if self._kind(right) == "options":
            return self._valued(right, "any_of", Value("list", items=(value.text,)))
        return self._valued(right, "is", value) if self._kind(right) == "texts" else None

    def _listed(self, left: Parsed, op: str, listed: Items) -> Row | None:
        number = self._kind(left) in _NUMBERS
        values = [self._number(one) if number else _plain(one) for one in listed.items]
        if not values or None in values:
            return None
        return self._valued(left, op, Value("list", items=tuple(one.text for one in values if one is not None)))

    def _compared(self, op: str, left: Parsed, right: Parsed) -> Row | None:
        for field, other, sign in ((left, right, op), (right, left, _TURNED[op])):
            row = self._side(field, sign, other)
            if row is not None:
                return row
        return None

    def _side(self, field: Parsed, op: str, other: Parsed) -> Row | None:
        """The row when ``field`` is the field of it."""
        dayed = self._dayed(field)
        kind = "day" if dayed is not None else self._kind(field)
        subject = dayed or field
        if not isinstance(subject, Name) or not kind:
            return None
        if isinstance(other, Lit) and other.value is None:
            there = {"is": "empty", "is_not": "filled"}.get(op)
            return Row(subject.path, there) if there and dayed is None else None
        if kind != "day" and op not in OPERATORS.get(kind, ()):
            return None
        return self._valued(subject, op, self._value(kind, other))

    def _dayed(self, parsed: Parsed) -> Name | None:
        """The point in time whose day ``date(…)`` is."""
        if isinstance(parsed, Apply) and parsed.function == "date" and parsed.args and isinstance(parsed.args[0], Name):
            return parsed.args[0] if self._kind(parsed.args[0]) == "datetime" else None
        return None

    def _value(self, kind: str, other: Parsed) -> Value | None:
        found = self._field(kind, other)
        if found is not None:
            return found
        match kind:
            case "text" | "texts" | "option":
                return _plain(other)
            case "number" | "money":
                return self._number(other)
            case "boolean":
                yes = other.value if isinstance(other, Lit) else None
                return Value("value", "true" if yes else "false") if isinstance(yes, bool) else None
            case "link":
                return _linked(other)
            case "date" | "day":
                return _day(other)
            case "datetime":
                return _point(other)
            case "time" | "duration":
                shown = (time_shown if kind == "time" else length_shown)(_only_text(other, kind))
                return Value("value", shown) if shown else None
            case _:
                return None

    def _field(self, kind: str, other: Parsed) -> Value | None:
        """Another field to compare with."""
        dayed = self._dayed(other)
        if dayed is not None:
            return Value("field", dayed.path) if kind == "date" else None
        theirs = self._kind(other)
        same = _COMPARABLE.get(kind, frozenset())
        return Value("field", other.path) if isinstance(other, Name) and theirs in same else None

    def _number(self, other: Parsed) -> Value | None:
        if not isinstance(other, Lit) or not isinstance(other.value, int | float) or isinstance(other.value, bool):
            return None
        text = number_of(self._source, other)
        return Value("value", text) if _NUMBER.fullmatch(text) else None


def _plain(other: Parsed) -> Value | None:
    """A text that a box of one line can hold."""
    text = other.value if isinstance(other, Lit) else None
    if not isinstance(text, str) or not text or not all(_shows(character) for character in text):
        return None
    return Value("value", text)


def _shows(character: str) -> bool:
    return character.isprintable() or character in "\u00a0\u3000"


def _linked(other: Parsed) -> Value | None:
    if isinstance(other, Name) and other.path == "me":
        return Value("me")
    text = other.value if isinstance(other, Lit) else None
    try:
        return Value("value", str(UUID(text))) if isinstance(text, str) else None
    except ValueError:
        return None


def _point(other: Parsed) -> Value | None:
    """A moment, or now."""
    if _is_now(other):
        return Value("now")
    text = _only_text(other, "timestamp")
    try:
        if text and _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return Value("moment", text)
    except ValueError:
        pass
    return None


def _is_now(other: Parsed) -> bool:
    return (isinstance(other, Name) and other.path == "now") or (isinstance(other, Apply) and other.function == "now")


def _day(other: Parsed) -> Value | None:
    """A day of the calendar, or one counted from today."""
    if not isinstance(other, Apply):
        return None
    if _is_today(other):
        return Value("today")
    text = _only_text(other, "date")
    if text:
        return Value("value", date.fromisoformat(text).isoformat())
    args = list(_arguments(other))
    if not args or not _is_today(args[0]):
        return None
    if other.function in _STARTERS:
        return Value("start", unit=_STARTERS[other.function])
    many = args[1].value if len(args) > 1 and isinstance(args[1], Lit) else None
    if other.function in _COUNTERS and isinstance(many, int) and 0 < abs(many) <= _MOST_COUNTED:
        return Value("ago" if many < 0 else "ahead", str(abs(many)), _COUNTERS[other.function])
    return None


def _is_today(other: Parsed) -> bool:
    return isinstance(other, Apply) and other.function == "today"


def _arguments(other: Apply) -> Iterator[Parsed]:
    if other.target is not None:
        yield other.target
    yield from other.args


def _only_text(other: Parsed, function: str) -> str:
    """The text of ``date("…")``."""
    if isinstance(other, Apply) and other.function == function and len(other.args) == 1:
        inner = other.args[0]
        if isinstance(inner, Lit) and isinstance(inner.value, str):
            return inner.value
    return ""
