"""Checked tree to a Python function. Unknown is ``UNKNOWN``, an empty value ``None``; SQL agrees (tests prove it)."""

from __future__ import annotations

import operator
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from app.expressions.functions import MANY
from app.expressions.tree import Call, Const, Node, Null, Param, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.expressions.tree import Checked


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
_Evaluate: TypeAlias = "Callable[[Mapping[str, object]], Any]"

#: Exact for every product the checker lets through.
_EXACT: Final = Context(prec=8_000)


def to_python(checked: Checked) -> Callable[[Mapping[str, object]], bool]:
    """Make a function from variable path → value (``me``, ``now``, ``today`` too) to whether the condition is met.

    Values: numbers and money ``Decimal`` or ``int``, dates and aware datetimes, links ``UUID``, lists of ``str``;
    a path that is missing is empty.
    """
    evaluate = _Compiler(checked.literals).node(checked.root)
    return lambda row: evaluate(row) is True


class _Compiler:
    """Walks one tree."""

    def __init__(self, literals: tuple[object, ...]) -> None:
        self._literals = literals

    def node(self, node: Node) -> _Evaluate:
        match node:
            case Const():
                value = self._literals[node.index]
                return lambda _: value
            case Null():
                return lambda _: None
            case Param(name="me"):
                return lambda row: UNKNOWN if row.get("me") is None else row["me"]
            case Param():
                name = node.name
                return lambda row: row[name]
            case Ref():
                path = node.variable.path
                if node.kind in MANY:
                    return lambda row: row.get(path) or ()
                return lambda row: row.get(path)
            case Call():
                return self._call(node)

    def _call(self, call: Call) -> _Evaluate:
        args = [self.node(arg) for arg in call.args]
        if call.op in _SPECIAL:
            return _SPECIAL[call.op](*args)
        if len(args) == 1:
            return _strict1(_FUNCTIONS[call.op], args[0])
        if call.op in _SEARCHES and call.args[0].kind == "texts":
            return _strict2(_any_of(_FUNCTIONS[call.op]), args[0], args[1])
        return _strict2(_FUNCTIONS[call.op], args[0], args[1])


def _and(*args: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        answer: object = True
        for arg in args:
            value = arg(row)
            if value is False:
                return False
            if value is not True:
                answer = UNKNOWN
        return answer

    return evaluate


def _or(*args: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        answer: object = False
        for arg in args:
            value = arg(row)
            if value is True:
                return True
            if value is not False:
                answer = UNKNOWN
        return answer

    return evaluate


def _not(arg: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        value = arg(row)
        return not value if value is True or value is False else UNKNOWN

    return evaluate


def _is_null(arg: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        value = arg(row)
        return UNKNOWN if value is UNKNOWN else value is None or value == ()

    return evaluate


def _equal(first: _Evaluate, second: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        left, right = first(row), second(row)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        return left == right

    return evaluate


def _member(first: _Evaluate, second: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        value, values = first(row), second(row)
        if value is UNKNOWN:
            return UNKNOWN
        return value is not None and value in values

    return evaluate


def _overlaps(first: _Evaluate, second: _Evaluate) -> _Evaluate:
    return lambda row: any(value in second(row) for value in first(row))


def _ternary(test: _Evaluate, then: _Evaluate, other: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        met = test(row)
        if met is not True and met is not False:
            return UNKNOWN
        value = then(row) if met else other(row)
        return UNKNOWN if value is None else value

    return evaluate


def _has(arg: _Evaluate) -> _Evaluate:
    return _not(_is_null(arg))


_SPECIAL: Final[dict[str, Callable[..., _Evaluate]]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "isnull": _is_null,
    "has": _has,
    "eq": _equal,
    "in": _member,
    "member": _member,
    "overlaps": _overlaps,
    "if": _ternary,
}


def _strict1(function: Callable[[Any], object], arg: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        value = arg(row)
        return UNKNOWN if value is None or value is UNKNOWN else function(value)

    return evaluate


def _strict2(function: Callable[[Any, Any], object], first: _Evaluate, second: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        left = first(row)
        if left is None or left is UNKNOWN:
            return UNKNOWN
        right = second(row)
        return UNKNOWN if right is None or right is UNKNOWN else function(left, right)

    return evaluate


def _any_of(function: Callable[[Any, Any], object]) -> Callable[[Sequence[str], str], object]:
    def evaluate(values: Sequence[str], part: str) -> object:
        return any(function(value, part) for value in values) if values else UNKNOWN

    return evaluate


def _divide(left: Decimal | int, right: Decimal | int) -> object:
    """Half up at the 12th place, as PostgreSQL rounds numeric; by zero unknown."""
    if right == 0:
        return UNKNOWN
    (a, b), (c, d) = left.as_integer_ratio(), right.as_integer_ratio()
    above, below = a * d, b * c
    quotient = (2 * abs(above) * 10**12 + abs(below)) // (2 * abs(below))
    value = _EXACT.scaleb(Decimal(quotient), -12)
    return -value if (above < 0) != (below < 0) else value


def _modulo(left: Decimal | int, right: Decimal | int) -> object:
    """Keep the dividend's sign, as in SQL and C."""
    return UNKNOWN if right == 0 else _EXACT.remainder(left, right)


def _day(point: datetime, zone: str) -> object:
    try:
        return point.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return UNKNOWN


def _add_days(day: date, days: int) -> object:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return UNKNOWN


def _lower(value: str | Sequence[str]) -> object:
    return value.lower() if isinstance(value, str) else value


_SEARCHES: Final = frozenset({"startsWith", "endsWith", "contains"})
_FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "add": _EXACT.add,
    "sub": _EXACT.subtract,
    "mul": _EXACT.multiply,
    "div": _divide,
    "mod": _modulo,
    "neg": _EXACT.minus,
    "concat": operator.add,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
    "lower": _lower,
    "size": len,
    "date": _day,
    "addDays": _add_days,
}
