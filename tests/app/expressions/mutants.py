"""Mutants of the back ends: each differs from the real module in one place of its syntax tree."""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
}  # fmt: skip
#: Attributes whose twin is the mistake one makes.
_TWINS = {
    "and_": "or_", "or_": "and_", "startswith": "endswith", "endswith": "startswith", "least": "greatest",
    "add": "subtract", "subtract": "add", "is_not": "is_", "is_": "is_not", "true": "false", "false": "true",
    "is_not_distinct_from": "is_distinct_from", "any_": "all_", "lower": "upper", "upper": "lower",
}  # fmt: skip
_WORDS = {
    "floor": "ceil", "ceil": "floor", "trunc": "round", "least": "greatest", "greatest": "least", "lower": "upper",
    "upper": "lower", "abs": "sign", "year": "month", "month": "day", "day": "month", "hour": "minute",
    "minute": "hour", "week": "month", "quarter": "month", "isodow": "dow", "&&": "@>", "@>": "&&",
}  # fmt: skip


class Mutant:
    """One change; ``what`` says which."""

    def __init__(self, module: str, line: int, what: str, tree: ast.Module) -> None:
        self.module, self.what, self._tree = module, f"{module}:{line} {what}", tree

    def code(self) -> object:
        """The changed module, compiled."""
        return compile(ast.fix_missing_locations(self._tree), self.what, "exec")


def mutants(module: str) -> list[Mutant]:
    """Every mutant of a module."""
    source = importlib.import_module(module).__file__
    tree = ast.parse(Path(str(source)).read_text(encoding="utf-8"))
    found: list[Mutant] = []
    count = sum(1 for _ in _places(tree))
    for index in range(count):
        changed = copy.deepcopy(tree)
        line, what, change = list(_places(changed))[index]
        change()
        found.append(Mutant(module, line, what, changed))
    return found


def _places(tree: ast.Module) -> Iterator[tuple[int, str, object]]:
    """Line, description and the change itself for every place a mutation can happen."""
    for node in _inside(tree):
        if isinstance(node, ast.Compare):
            twin = _COMPARISONS[type(node.ops[0])]
            yield node.lineno, f"{type(node.ops[0]).__name__} → {twin.__name__}", _set(node.ops, 0, twin())
        elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            twin_op = _OPERATORS[type(node.op)]
            yield node.lineno, f"{type(node.op).__name__} → {twin_op.__name__}", _put(node, "op", twin_op())
        elif isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node.lineno, "and ↔ or", _put(node, "op", other)
        elif isinstance(node, ast.Constant):
            yield from _of_constant(node)
        elif isinstance(node, ast.Attribute) and node.attr in _TWINS:
            yield node.lineno, f".{node.attr} → .{_TWINS[node.attr]}", _put(node, "attr", _TWINS[node.attr])
        elif isinstance(node, (ast.IfExp, ast.If)):
            negated = ast.UnaryOp(ast.Not(), node.test)
            yield node.lineno, "if negated", _put(node, "test", negated)
        elif isinstance(node, ast.Name) and node.id == "UNKNOWN" and isinstance(node.ctx, ast.Load):
            yield node.lineno, "UNKNOWN → None", _put(node, "id", "_nothing")
        elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
            yield node.lineno, "arguments swapped", _put(node, "args", node.args[::-1])


def _inside(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes of function bodies and of the tables of functions; annotations, docstrings and error paths left out."""
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield from _body(statement)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict):
            for value in statement.value.values:
                if value is not None:
                    yield from ast.walk(value)


def _body(statement: ast.FunctionDef | ast.ClassDef) -> Iterator[ast.AST]:
    for one in statement.body:
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            yield from _body(one)
        elif isinstance(one, (ast.Raise, ast.AnnAssign)) or (
            isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
        ):
            continue
        else:
            yield from ast.walk(one)


def _of_constant(node: ast.Constant) -> Iterator[tuple[int, str, object]]:
    value = node.value
    if value is True or value is False:
        yield node.lineno, f"{value} → {not value}", _put(node, "value", not value)
    elif isinstance(value, int):
        yield node.lineno, f"{value} → {value + 1}", _put(node, "value", value + 1)
    elif isinstance(value, str) and value in _WORDS:
        yield node.lineno, f"{value} → {_WORDS[value]}", _put(node, "value", _WORDS[value])


def _put(node: ast.AST, name: str, value: object) -> object:
    return lambda: setattr(node, name, value)


def _set(items: list[ast.cmpop], index: int, value: ast.cmpop) -> object:
    def change() -> None:
        items[index] = value

    return change


@contextmanager
def planted(mutant: Mutant, back_end: str) -> Iterator[ModuleType]:
    """The module ``back_end`` as it is with the mutant in its place; everything as before afterwards."""
    names = [mutant.module] + ([back_end] if back_end != mutant.module else [])
    before = {name: sys.modules[name] for name in names}
    try:
        changed = ModuleType(mutant.module)
        changed.__dict__["__file__"] = before[mutant.module].__file__
        changed.__dict__["_nothing"] = None
        sys.modules[mutant.module] = changed
        exec(mutant.code(), changed.__dict__)  # noqa: S102 - our own source
        if back_end == mutant.module:
            yield changed
            return
        spec = importlib.util.find_spec(back_end)
        assert spec is not None
        assert spec.loader is not None
        fresh = importlib.util.module_from_spec(spec)
        sys.modules[back_end] = fresh
        spec.loader.exec_module(fresh)
        yield fresh
    finally:
        sys.modules.update(before)
