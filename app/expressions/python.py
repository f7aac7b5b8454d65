"""Checked tree to a Python function. Unknown is ``UNKNOWN``, an empty value ``None``; SQL agrees (tests prove it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from app.expressions.functions import MANY
from app.expressions.python_functions import FUNCTIONS, SEARCHES, UNKNOWN, any_of
from app.expressions.tree import Call, Const, Node, Null, Param, Ref, Related

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.expressions.tree import Checked

_Evaluate: TypeAlias = "Callable[[Mapping[str, object]], Any]"
_PARAMS: Final = ("me", "now", "today", "zone", "home")


def to_python(checked: Checked) -> Callable[[Mapping[str, object]], bool]:
    """Make a function from variable path → value (``me``, ``now``, ``today`` too) to whether the condition is met.

    Values: numbers and money ``Decimal`` or ``int``, dates and aware datetimes, links ``UUID``, lists of ``str``,
    to-many links (``deals``) the rows of the linked records; a path that is missing is empty.
    """
    evaluate = _Compiler(checked.literals).node(checked.root)
    return lambda row: evaluate(row) is True


def to_value(checked: Checked) -> Callable[[Mapping[str, object]], object]:
    """Like ``to_python`` for an expression of any kind; what is unknown is ``None``."""
    evaluate = _Compiler(checked.literals).node(checked.root)

    def value(row: Mapping[str, object]) -> object:
        found = evaluate(row)
        return None if found is UNKNOWN else found

    return value


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
            case Related():
                return _related(node.path, self.node(node.body))
            case Call():
                return self._call(node)

    def _call(self, call: Call) -> _Evaluate:
        args = [self.node(arg) for arg in call.args]
        if call.op in _SPECIAL:
            return _SPECIAL[call.op](*args)
        function: Callable[..., object] = FUNCTIONS[call.op]
        if call.op in SEARCHES and call.args[0].kind == "texts":
            function = any_of(function)
        if len(args) == 1:
            return _strict1(function, args[0])
        return _strict2(function, args[0], args[1]) if len(args) == 2 else _strict(function, args)


def _related(path: str, body: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, Any]) -> object:
        given = {name: row.get(name) for name in _PARAMS}
        records: Iterable[Mapping[str, object]] = row.get(path) or ()
        return any(body({**record, **given}) is True for record in records)

    return evaluate


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


def _includes(first: _Evaluate, second: _Evaluate) -> _Evaluate:
    return lambda row: set(second(row)) <= set(first(row))


def _ternary(test: _Evaluate, then: _Evaluate, other: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        met = test(row)
        if met is not True and met is not False:
            return UNKNOWN
        value = then(row) if met else other(row)
        return UNKNOWN if value is None else value

    return evaluate


def _coalesce(*args: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        for arg in args:
            value = arg(row)
            if value is not None and value is not UNKNOWN:
                return value
        return UNKNOWN

    return evaluate


def _join(*args: _Evaluate) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        values = [arg(row) for arg in args]
        return "".join(str(value) for value in values if value is not None and value is not UNKNOWN)

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
    "includes": _includes,
    "if": _ternary,
    "coalesce": _coalesce,
    "join": _join,
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


def _strict(function: Callable[..., object], args: list[_Evaluate]) -> _Evaluate:
    def evaluate(row: Mapping[str, object]) -> object:
        values = [arg(row) for arg in args]
        return UNKNOWN if any(value is None or value is UNKNOWN for value in values) else function(*values)

    return evaluate
