"""Expressions that answer a value of a field type (formulas): checked, and brought into the form the type holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.expressions.check import MAX_WEIGHT, check_value, weight
from app.expressions.errors import ConditionError
from app.expressions.literals import describe
from app.expressions.money import plain, worth
from app.expressions.tree import Call, Const, Node, Null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.expressions.kinds import Environment
    from app.expressions.tree import Checked

#: What a formula may return → the kinds of expressions that give it.
_TAKES: Final[dict[str, frozenset[str]]] = {
    "text": frozenset({"text", "option"}),
    "integer": frozenset({"number"}),
    "decimal": frozenset({"number"}),
    "percent": frozenset({"number"}),
    "money": frozenset({"money", "number"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "time": frozenset({"time"}),
    "duration": frozenset({"duration"}),
    "select": frozenset({"text", "option"}),
}
RETURNS: Final = tuple(_TAKES)
_HINTS: Final[dict[tuple[str, str], str]] = {
    ("datetime", "date"): " Write `date(…)` around it.",
    ("duration", "number"): " Write `days(…)`, `hours(…)` or `minutes(…)` around it.",
    ("money", "number"): " Let it return money, or ask for the part `.amount` of the field.",
    ("number", "duration"): ' Multiply by a length of time: `score * duration("1h")`.',
    ("texts", "text"): " It holds many values.",
    ("options", "text"): " It holds many values.",
    ("link", "text"): " Go through the link to a field behind it: `company.name`.",
}


def check_answer(source: str, environment: Environment, returns: str, options: Sequence[str] = ()) -> list[Checked]:
    """The expression checked, one tree a column of the type it returns (money: amount, currency).

    What is empty, unknown or beyond what the type holds is empty. Raises ConditionError with position and hint.
    """
    checked = check_value(source, environment)
    root = checked.root
    if isinstance(root, Null):
        raise ConditionError.at(0, "A formula that is always empty answers nothing.")
    if root.kind not in _TAKES[returns]:
        wanted = "number" if "number" in _TAKES[returns] else "text" if "text" in _TAKES[returns] else returns
        hint = _HINTS.get((root.kind, wanted), "")
        raise ConditionError.at(0, f"The formula is to return {returns}, but gives {describe(root)}.{hint}")
    literals = list(checked.literals)
    roots = _roots(root, returns, options, literals)
    if sum(weight(one) for one in roots) > MAX_WEIGHT:
        raise ConditionError.at(0, "The formula is nested too deeply; split it.")
    return [replace(checked, root=one, literals=tuple(literals)) for one in roots]


def _roots(root: Node, returns: str, options: Sequence[str], literals: list[object]) -> list[Node]:
    if returns == "money":
        money = worth(root)
        amount = Call("asAmount", (money.guarded, money.currency), "number")
        return [amount, Call("beside", (money.guarded, money.currency), "text")]
    value = plain(root)
    match returns:
        case "text":
            return [Call("asText", (value,), "text")]
        case "integer":
            return [Call("asInteger", (value,), "number")]
        case "decimal" | "percent":
            return [Call("asDecimal", (value,), "number")]
        case "duration":
            return [Call("asDuration", (value,), "duration")]
        case "select":
            literals.append(list(options))
            known = Call("in", (value, Const(len(literals) - 1, "text", many=True)), "boolean")
            return [Call("if", (known, value, Null()), "text")]
        case _:
            return [value]
