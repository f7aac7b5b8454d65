"""From parsed CEL to the checked tree: names, kinds, literals, limits."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.expressions.errors import ConditionError
from app.expressions.functions import FUNCTIONS, OTHER_NAMES
from app.expressions.literals import add_days, as_date, as_timestamp, constant, describe
from app.expressions.operators import arithmetic, equality, membership, negation, order, ternary
from app.expressions.parse import HAS, parse
from app.expressions.tree import Call, Checked, Node, Param, Ref
from app.expressions.wire import Apply, Items, Lit, Name, Parsed, Unsupported

if TYPE_CHECKING:
    from collections.abc import Hashable

    from app.expressions.kinds import Environment

#: Operators, functions and names in one condition; a list of literals counts once.
MAX_NODES: Final = 1_000
#: Products of products grow without end; PostgreSQL's numeric does not.
MAX_ARITHMETIC: Final = 50

_ORDER: Final = {"_<_": "lt", "_<=_": "le", "_>_": "gt", "_>=_": "ge"}
_ARITHMETIC: Final = {"_+_": "add", "_-_": "sub", "_*_": "mul", "_/_": "div", "_%_": "mod"}


class _Environments:
    """Lets the cache below be keyed by the environment's key alone while calling the one at hand."""

    def __init__(self, key: Hashable, environment: Environment) -> None:
        self.key, self.environment = key, environment

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Environments) and self.key == other.key


def check(source: str, environment: Environment) -> Checked:
    """Parse and check a condition. Raises ConditionError with position and hint.

    Cached by ``environment.key`` and the source.
    """
    return _cached(source, _Environments(environment.key, environment))


@lru_cache(maxsize=4096)
def _cached(source: str, holder: _Environments) -> Checked:
    checker = Checker(source, holder.environment)
    parsed = parse(source)
    root = checker.node(parsed)
    if root.kind != "boolean":
        message = f"A condition is met or not; this gives {describe(root)}. Compare it with something."
        raise ConditionError.at(parsed.position, message)
    return Checked(source, root, tuple(checker.literals), frozenset(checker.paths))


class Checker:
    """The state of one check: what was found so far."""

    def __init__(self, source: str, environment: Environment) -> None:
        self.source = source
        self.environment = environment
        self.literals: list[object] = []
        self.paths: set[str] = set()
        self._nodes = 0
        self._arithmetic = 0

    def node(self, parsed: Parsed) -> Node:
        """Give the checked form of ``parsed``."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ConditionError.at(parsed.position, f"The condition has more than {MAX_NODES:,} parts.")
        match parsed:
            case Lit():
                return constant(self, parsed)
            case Name():
                return self._name(parsed)
            case Apply():
                return self._apply(parsed)
            case Items():
                raise ConditionError.at(parsed.position, "A list can only stand right of `in`.")
            case Unsupported():
                raise ConditionError.at(parsed.position, f"Conditions do not know {parsed.what}.")

    def literal(self, value: object) -> int:
        """Keep a literal; its index."""
        self.literals.append(value)
        return len(self.literals) - 1

    def count_arithmetic(self, position: int) -> None:
        """Count one arithmetic operation against the limit."""
        self._arithmetic += 1
        if self._arithmetic > MAX_ARITHMETIC:
            raise ConditionError.at(position, f"The condition calculates more than {MAX_ARITHMETIC} times.")

    def knows(self, path: str) -> bool:
        """Whether ``path`` is a variable or a parameter."""
        return path in {"me", "now"} or self.environment.variable(path) is not None

    def _name(self, parsed: Name) -> Node:
        if parsed.path == "me":
            return Param("me", "link")
        if parsed.path == "now":
            return Param("now", "datetime")
        variable = self.environment.variable(parsed.path)
        if variable is None:
            raise ConditionError.at(parsed.position, self._unknown(parsed.path))
        self.paths.add(parsed.path)
        return Ref(variable)

    def _unknown(self, path: str) -> str:
        if path in {"today", "date"}:
            form = "today()" if path == "today" else 'date("2017-01-01")'
            return f"`{path}` is a function: write `{form}`."
        near = difflib.get_close_matches(path, list(self.environment.names()), n=1, cutoff=0.6)
        hint = f" Did you mean `{near[0]}`?" if near else " Texts stand in quotes."
        return f"There is no field `{path}`.{hint}"

    def _apply(self, call: Apply) -> Node:
        match call.function:
            case "_&&_" | "_||_":
                op = "and" if call.function == "_&&_" else "or"
                return Call(op, tuple(self._boolean(arg) for arg in call.args), "boolean")
            case "!_":
                return Call("not", (self._boolean(call.args[0]),), "boolean")
            case "_==_" | "_!=_":
                same = equality(self, call)
                return same if call.function == "_==_" else Call("not", (same,), "boolean")
            case "@in":
                return membership(self, call)
            case "_?_:_":
                return ternary(self, call, self._boolean(call.args[0]))
            case "-_":
                return negation(self, call)
            case "_[_]":
                raise ConditionError.at(call.position, "Conditions do not know `[…]` after a name.")
            case name if name in _ORDER:
                return order(self, call, _ORDER[name])
            case name if name in _ARITHMETIC:
                return arithmetic(self, call, _ARITHMETIC[name])
            case _:
                return self._function(call)

    def _boolean(self, parsed: Parsed) -> Node:
        node = self.node(parsed)
        if node.kind == "boolean":
            return node
        hint = ""
        if isinstance(node, Ref):
            hint = f" Did you mean `has({node.variable.path})`?"
        raise ConditionError.at(parsed.position, f"Yes or no is needed here; this is {describe(node)}.{hint}")

    def _function(self, call: Apply) -> Node:
        name = call.function
        args = (call.target, *call.args) if call.target is not None else call.args
        match name, len(args):
            case "h4s", 1 if call.target is None:
                return self._has(args[0])
            case "date", 1 if call.target is None:
                return as_date(self, args[0])
            case "timestamp", 1 if call.target is None:
                return as_timestamp(self, args[0])
            case "today", 0:
                return Param("today", "date")
            case "now", 0:
                return Param("now", "datetime")
            case "addDays", 2:
                return add_days(self, args[0], args[1])
            case _:
                return self._listed(call, args)

    def _has(self, parsed: Parsed) -> Node:
        node = self.node(parsed)
        if not isinstance(node, Ref):
            raise ConditionError.at(parsed.position, "`has()` takes the name of a field.")
        return Call("has", (node,), "boolean")

    def _listed(self, call: Apply, args: tuple[Parsed, ...]) -> Node:
        name = "has" if call.function == HAS else call.function
        signature = FUNCTIONS.get(name)
        if signature is None:
            known = [*FUNCTIONS, "has", "date", "timestamp", "today", "addDays"]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Write `{OTHER_NAMES[name]}`." if name in OTHER_NAMES else ""
            hint = hint or (f" Did you mean `{near[0]}`?" if near else "")
            raise ConditionError.at(call.position, f"There is no function `{name}`.{hint}")
        wrong_form = signature.method and call.target is None
        if len(args) != len(signature.takes) or wrong_form:
            raise ConditionError.at(call.position, f"Write `{signature.example}`.")
        nodes = tuple(self.node(arg) for arg in args)
        for node, kinds, arg in zip(nodes, signature.takes, args, strict=True):
            if node.kind not in kinds:
                message = f"`{name}` does not take {describe(node)}; write `{signature.example}`."
                raise ConditionError.at(arg.position, message)
        gives = nodes[0].kind if name == "lower" and nodes[0].kind == "texts" else signature.gives
        return Call(signature.op, nodes, gives)
