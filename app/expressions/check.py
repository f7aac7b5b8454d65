"""From parsed CEL to the checked tree: names, kinds, literals, limits."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.expressions.calls import call
from app.expressions.errors import ConditionError
from app.expressions.literals import constant, describe
from app.expressions.operators import arithmetic, equality, membership, negation, order, ternary
from app.expressions.parse import parse
from app.expressions.tree import Call, Checked, Node, Param, Ref, Related
from app.expressions.wire import Apply, Items, Lit, Name, Parsed, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from app.expressions.kinds import Environment

#: Operators, functions and names in one condition; a list of literals counts once.
MAX_NODES: Final = 1_000
#: Products of products grow without end; PostgreSQL's numeric does not.
MAX_ARITHMETIC: Final = 50
#: Operators inside operators; a chain of ``&&`` counts by its logarithm.
MAX_DEPTH: Final = 60
#: Total SQL states some operands twice, so nesting multiplies its size: at most so many parts of SQL.
MAX_WEIGHT: Final = 10_000

#: A longer condition (a list of ids) is checked each time: kept ones of one tenant must not fill the memory of all.
_LONGEST_KEPT: Final = 2_000

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
    holder = _Environments(environment.key, environment)
    return _cached(source, holder) if len(source) <= _LONGEST_KEPT else _check(source, holder)


def check_value(source: str, environment: Environment) -> Checked:
    """Like ``check`` for an expression of any kind (a formula); ``root.kind`` says which."""
    checker = Checker(source, environment)
    return _checked(checker, checker.node(parse(source)))


@lru_cache(maxsize=4096)
def _cached(source: str, holder: _Environments) -> Checked:
    return _check(source, holder)


def _check(source: str, holder: _Environments) -> Checked:
    checker = Checker(source, holder.environment)
    parsed = parse(source)
    root = checker.node(parsed)
    if root.kind != "boolean":
        message = f"A condition is met or not; this gives {describe(root)}. Compare it with something."
        raise ConditionError.at(parsed.position, message)
    return _checked(checker, root)


def _checked(checker: Checker, root: Node) -> Checked:
    if weight(root) > MAX_WEIGHT:
        raise ConditionError.at(0, "The condition is nested too deeply; split it.")
    return Checked(checker.source, root, tuple(checker.literals), frozenset(checker.paths))


#: These state each operand once.
_PLAIN_OPS: Final = frozenset({
    "and", "or", "not", "add", "sub", "mul", "div", "concat", "lt", "le", "gt", "ge", "has", "coalesce", "join",
})  # fmt: skip


def weight(node: Node, of: Callable[[Ref], int] = lambda _: 1) -> int:
    """How many parts of SQL a tree makes, as far as its operators tell; ``of`` says what a name stands for."""
    if isinstance(node, Related):
        return 2 + weight(node.body, of)
    if isinstance(node, Ref):
        return of(node)
    if not isinstance(node, Call):
        return 1
    return 1 + (1 if node.op in _PLAIN_OPS else 2) * sum(weight(arg, of) for arg in node.args)


class Checker:
    """The state of one check: what was found so far."""

    def __init__(self, source: str, environment: Environment) -> None:
        self.source = source
        self.environment = environment
        self.literals: list[object] = []
        self.paths: set[str] = set()
        #: How many ``any()`` surround what is being checked.
        self.related_depth = 0
        self._prefix = ""
        self._nodes = 0
        self._depth = 0
        self._arithmetic = 0

    def node(self, parsed: Parsed) -> Node:
        """Give the checked form of ``parsed``."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ConditionError.at(parsed.position, f"The condition has more than {MAX_NODES:,} parts.")
        if self._depth >= MAX_DEPTH:
            raise ConditionError.at(parsed.position, "The condition is nested too deeply; split it.")
        self._depth += 1
        try:
            return self._node(parsed)
        finally:
            self._depth -= 1

    def inside(self, path: str, environment: Environment, parsed: Parsed) -> Node:
        """Check ``parsed`` as a condition on the records the to-many link ``path`` leads to."""
        outer = self.environment, self._prefix
        self.environment, self._prefix = environment, f"{self._prefix}{path}."
        self.related_depth += 1
        self.paths.add(f"{outer[1]}{path}")
        try:
            return self._boolean(parsed)
        finally:
            self.environment, self._prefix = outer
            self.related_depth -= 1

    def _node(self, parsed: Parsed) -> Node:
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
        self.paths.add(f"{self._prefix}{parsed.path}")
        return Ref(variable)

    def _unknown(self, path: str) -> str:
        if path in {"today", "date", "time"}:
            form = {"today": "today()", "date": 'date("2017-01-01")', "time": 'time("09:30")'}[path]
            return f"`{path}` is a function: write `{form}`."
        if self.environment.related(path) is not None:
            return f"`{path}` are many records: ask `any({path}, …)`."
        near = difflib.get_close_matches(path, list(self.environment.names(path)), n=1, cutoff=0.6)
        hint = f" Did you mean `{near[0]}`?" if near else " Texts stand in quotes."
        return f"There is no field `{path}`.{hint}"

    def _apply(self, parsed: Apply) -> Node:
        match parsed.function:
            case "_&&_" | "_||_":
                op = "and" if parsed.function == "_&&_" else "or"
                return Call(op, tuple(self._boolean(arg) for arg in parsed.args), "boolean")
            case "!_":
                return Call("not", (self._boolean(parsed.args[0]),), "boolean")
            case "_==_" | "_!=_":
                same = equality(self, parsed)
                return same if parsed.function == "_==_" else Call("not", (same,), "boolean")
            case "@in":
                return membership(self, parsed)
            case "_?_:_":
                return ternary(self, parsed, self._boolean(parsed.args[0]))
            case "-_":
                return negation(self, parsed)
            case "_[_]":
                raise ConditionError.at(parsed.position, "Conditions do not know `[…]` after a name.")
            case name if name in _ORDER:
                return order(self, parsed, _ORDER[name])
            case name if name in _ARITHMETIC:
                return arithmetic(self, parsed, _ARITHMETIC[name])
            case _:
                return call(self, parsed)

    def _boolean(self, parsed: Parsed) -> Node:
        node = self.node(parsed)
        if node.kind == "boolean":
            return node
        hint = ""
        if isinstance(node, Ref):
            hint = f" Did you mean `has({node.variable.path})`?"
        raise ConditionError.at(parsed.position, f"Yes or no is needed here; this is {describe(node)}.{hint}")
