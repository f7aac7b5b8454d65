"""Which kinds each operator takes. Meaning lives in the back ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.expressions.errors import ConditionError
from app.expressions.functions import AMOUNT, MANY, NUMERIC
from app.expressions.literals import constants, describe, fit
from app.expressions.tree import Call, Const, Node, Null, Ref
from app.expressions.wire import Apply, Items, Lit, Name, Parsed

if TYPE_CHECKING:
    from app.expressions.check import Checker
    from app.expressions.kinds import Kind

_SIGNS: Final = {
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "mod": "%",
}
_ORDERED: Final = frozenset[str]({"text", "number", "date", "datetime", "time", "duration", "boolean"})


def family(kind: Kind) -> str:
    """Kinds of one family can be compared: money with numbers, choices with texts."""
    match kind:
        case "money":
            return "number"
        case "option":
            return "text"
        case _:
            return kind


def _pair(checker: Checker, left: Parsed, right: Parsed) -> tuple[Node, Node]:
    """Both sides; a literal takes the form of what it is compared with."""
    if isinstance(left, Lit) and not isinstance(right, Lit):
        second, first = _pair(checker, right, left)
        return first, second
    first = _plain(checker, left)
    if isinstance(right, Lit):
        return first, fit(checker, right, first)
    known = first.variable.options if isinstance(first, Ref) else frozenset[str]()
    if isinstance(right, Name) and right.path in known and not checker.knows(right.path):
        raise ConditionError.at(right.position, f'Choices stand in quotes: `"{right.path}"`.')
    return first, _plain(checker, right)


def _plain(checker: Checker, parsed: Parsed) -> Node:
    node = checker.node(parsed)
    if isinstance(node, Ref) and node.kind == "none":
        path = node.variable.path
        raise ConditionError.at(parsed.position, f"`{path}` can only be asked with `has({path})`.")
    return node


def equality(checker: Checker, call: Apply) -> Node:
    """``==``; ``!=`` is its negation. One of many values is enough to be equal."""
    left, right = (call.args[0], call.args[1])
    for side in (left, right):
        if isinstance(side, Items):
            raise ConditionError.at(side.position, "A list can't be compared; use `in`.")
    first, second = _pair(checker, left, right)
    if isinstance(first, Null) and not isinstance(second, Null):
        first, second = second, first
    if isinstance(second, Null):
        return Call("isnull", (first,), "boolean")
    if first.kind not in MANY and second.kind in MANY:
        first, second = second, first
    if first.kind == "options":
        raise ConditionError.at(call.position, f'{_name(first)} holds many values: write `"x" in {_path(first)}`.')
    if first.kind == "texts":
        if family(second.kind) != "text":
            raise _unlike(call.position, first, second, "compared")
        return Call("member", (second, first), "boolean")
    if family(first.kind) != family(second.kind):
        raise _unlike(call.position, first, second, "compared")
    return Call("eq", (first, second), "boolean")


def order(checker: Checker, call: Apply, op: str) -> Node:
    """``<``, ``<=``, ``>``, ``>=``."""
    first, second = _pair(checker, call.args[0], call.args[1])
    kinds = {family(first.kind), family(second.kind)}
    if kinds == {"date", "datetime"}:
        point = first if first.kind == "datetime" else second
        raise ConditionError.at(call.position, f"A date and a point in time: compare `date({_path(point)})`.")
    if len(kinds) > 1:
        raise _unlike(call.position, first, second, "compared")
    if first.kind not in _ORDERED | {"money"} or "option" in {first.kind, second.kind}:
        raise ConditionError.at(call.position, f"`{_SIGNS[op]}` does not order {describe(first)}.")
    return Call(op, (first, second), "boolean")


def membership(checker: Checker, call: Apply) -> Node:
    """``x in [..]`` and ``"x" in tags``."""
    left, right = call.args[0], call.args[1]
    if isinstance(right, Items):
        return _in_list(checker, left, right)
    container = _plain(checker, right)
    if container.kind not in MANY:
        hint = f"{_name(container)} holds one value" if isinstance(container, Ref) else f"this is {describe(container)}"
        raise ConditionError.at(right.position, f'A list is needed right of `in`; {hint}. Write `x in ["a", "b"]`.')
    member = fit(checker, left, container) if isinstance(left, Lit) else _plain(checker, left)
    if isinstance(member, Null) or family(member.kind) != "text":
        raise _unlike(call.position, member, container, "looked up")
    return Call("member", (member, container), "boolean")


def _in_list(checker: Checker, left: Parsed, right: Items) -> Node:
    value = _plain(checker, left)
    if value.kind == "options":
        path = _path(value)
        raise ConditionError.at(left.position, f'Turn it round: `"a" in {path} || "b" in {path}`.')
    plain = constants(checker, right.items, value)
    if plain is not None:
        wanted = "text" if value.kind == "texts" else family(value.kind)
        if not isinstance(value, Null) and family(plain.kind) != wanted:
            raise _unlike(right.position, value, plain, "compared")
        return Call("overlaps" if value.kind == "texts" else "in", (value, plain), "boolean")
    # Null or fields among the items: each is an equality of its own, sharing its rules.
    if not right.items:
        return Call("in", (value, Const(checker.literal([]), "text", many=True)), "boolean")
    each = tuple(equality(checker, Apply(right.position, "_==_", None, (left, item))) for item in right.items)
    return each[0] if len(each) == 1 else Call("or", each, "boolean")


def ternary(checker: Checker, call: Apply, test: Node) -> Node:
    """``c ? a : b``; its empty result is unknown."""
    then, other = _pair(checker, call.args[1], call.args[2])
    for node in (then, other):
        if node.kind in MANY:
            raise ConditionError.at(call.position, f"{_name(node)} holds many values and can't stand here.")
    given = other if isinstance(then, Null) else then
    if not isinstance(other, Null) and family(given.kind) != family(other.kind):
        raise _unlike(call.position, then, other, "one value")
    if isinstance(given, Null):
        raise ConditionError.at(call.position, "Both branches are null.")
    return Call("if", (test, then, other), given.kind)


def arithmetic(checker: Checker, call: Apply, op: str) -> Node:
    """``+ - * / %`` on numbers, money and lengths of time; ``+`` joins texts."""
    checker.count_arithmetic(call.position)
    first, second = (_plain(checker, arg) for arg in call.args)
    if op == "add" and family(first.kind) == family(second.kind) == "text":
        return Call("concat", (first, second), "text")
    timed = _TIMED.get((first.kind, op, second.kind))
    if timed is not None:
        pair = (second, first) if second.kind == "datetime" and timed[0] == "later" else (first, second)
        return Call(timed[0], pair, timed[1])
    if not {first.kind, second.kind} <= NUMERIC:
        raise ConditionError.at(
            call.position,
            f"`{_SIGNS[op]}` does not take {describe(first)} and {describe(second)}.{_days(first, second)}",
        )
    both_money = first.kind == second.kind == "money"
    if (both_money and op == "mul") or (op == "mod" and "money" in {first.kind, second.kind}):
        raise ConditionError.at(
            call.position, f"`{_SIGNS[op]}` has no meaning between {describe(first)} and {describe(second)}."
        )
    money = "money" in {first.kind, second.kind} and not (both_money and op == "div")
    return Call(op, (first, second), "money" if money else "number")


#: Left kind, operator, right kind → meaning and kind of the answer.
_TIMED: Final[dict[tuple[str, str, str], tuple[str, Kind]]] = {
    ("datetime", "sub", "datetime"): ("elapsed", "duration"),
    ("date", "sub", "date"): ("daysElapsed", "duration"),
    ("datetime", "add", "duration"): ("later", "datetime"),
    ("duration", "add", "datetime"): ("later", "datetime"),
    ("datetime", "sub", "duration"): ("earlier", "datetime"),
    ("duration", "add", "duration"): ("add", "duration"),
    ("duration", "sub", "duration"): ("sub", "duration"),
    ("duration", "mul", "number"): ("mul", "duration"),
    ("number", "mul", "duration"): ("mul", "duration"),
    ("duration", "div", "number"): ("div", "duration"),
    ("duration", "div", "duration"): ("div", "number"),
}


def _days(first: Node, second: Node) -> str:
    kinds = {first.kind, second.kind}
    if "date" in kinds:
        return " Write `addDays(d, 7)`."
    return ' Write `created_at + duration("1h")`.' if "datetime" in kinds else ""


def negation(checker: Checker, call: Apply) -> Node:
    """``-x``."""
    checker.count_arithmetic(call.position)
    node = _plain(checker, call.args[0])
    if node.kind not in AMOUNT:
        raise ConditionError.at(call.position, f"`-` does not take {describe(node)}.")
    return Call("neg", (node,), node.kind)


def _unlike(position: int, first: Node, second: Node, verb: str) -> ConditionError:
    hint = ""
    literal = next((node for node in (first, second) if isinstance(node, Const)), None)
    field = next((node for node in (first, second) if isinstance(node, Ref)), None)
    if literal is not None and field is not None:
        if field.kind in NUMERIC and literal.kind == "text":
            hint = f" Leave out the quotes: `{field.variable.path} == 100`."
        elif field.kind in {"text", "option"} and literal.kind in {"number", "boolean"}:
            hint = f' Put quotes around it: `{field.variable.path} == "..."`.'
    kinds = f"{describe(first)} and {describe(second)}"
    return ConditionError.at(position, f"{kinds[0].upper()}{kinds[1:]} can't be {verb}.{hint}")


def _path(node: Node) -> str:
    return node.variable.path if isinstance(node, Ref) else "x"


def _name(node: Node) -> str:
    return f"`{_path(node)}`" if isinstance(node, Ref) else describe(node).capitalize()
