"""Literals: their kinds, and how one becomes what the thing it is compared with holds."""

from __future__ import annotations

import difflib
import re
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.expressions.errors import ConditionError
from app.expressions.tree import Const, Node, Null, Ref
from app.expressions.wire import Lit, Parsed

if TYPE_CHECKING:
    from app.expressions.check import Checker
    from app.expressions.kinds import Kind

_NUMBER: Final = re.compile(r"-?\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LARGEST: Final = Decimal("1e60")
_MOST_PLACES: Final = -40
_SMALLEST: Final = Decimal("1e-40")
_EXACT: Final = Context(prec=200)

_WORDS: Final[dict[str, str]] = {
    "text": "a text", "number": "a number", "money": "money", "boolean": "yes or no", "date": "a date",
    "datetime": "a point in time", "time": "a time of day", "duration": "a length of time",
    "option": "a choice", "options": "a list of choices", "link": "a link",
    "texts": "a list of texts", "none": "a field that can only be asked with `has()`",
}  # fmt: skip


def describe(node: Node) -> str:
    """Say what a node is, for messages."""
    if isinstance(node, Null):
        return "null"
    return _WORDS[node.kind]


def constant(checker: Checker, parsed: Lit) -> Node:
    """Check a literal standing by itself."""
    value = parsed.value
    match value:
        case None:
            return Null()
        case bool():
            return Const(checker.literal(value), "boolean")
        case int():
            return Const(checker.literal(_whole(parsed, value)), "number", exact=True)
        case float():
            return Const(checker.literal(_decimal(checker, parsed)), "number")
        case str():
            return Const(checker.literal(_text(parsed, value)), "text")
        case _:
            raise ConditionError.at(parsed.position, "Conditions do not know bytes.")


def _whole(parsed: Lit, value: int) -> int:
    if value >= 1 << 63:
        raise ConditionError.at(parsed.position, "This number is too large.")
    return value


def _decimal(checker: Checker, parsed: Lit) -> Decimal:
    """Read the number as written: the parser's float has only 17 digits."""
    found = _NUMBER.match(checker.source, parsed.position)
    try:
        value = Decimal(found[0].replace(" ", "")) if found else Decimal(repr(parsed.value))
    except ArithmeticError:
        value = Decimal(repr(parsed.value))
    if not value.is_finite() or abs(value) >= _LARGEST:
        raise ConditionError.at(parsed.position, "This number is too large.")
    # A factor of 1e-300 would make exact arithmetic carry 300 places.
    exponent = value.as_tuple().exponent
    return value.quantize(_SMALLEST, context=_EXACT) if isinstance(exponent, int) and exponent < _MOST_PLACES else value


def _text(parsed: Lit, value: str) -> str:
    if "\x00" in value:
        raise ConditionError.at(parsed.position, "A text can't hold the character NUL.")
    return value


def fit(checker: Checker, parsed: Lit, other: Node) -> Node:
    """Check a literal compared with ``other``: it is brought into the form ``other`` holds."""
    value = parsed.value
    if isinstance(value, str) and other.kind in {
        "option",
        "options",
        "link",
        "texts",
        "date",
        "datetime",
        "time",
        "duration",
        "text",
    }:
        kind, fitted = _fit_text(parsed, _text(parsed, value), other)
        return Const(checker.literal(fitted), kind)
    return constant(checker, parsed)


def _fit_text(parsed: Lit, value: str, other: Node) -> tuple[Kind, object]:
    match other.kind:
        case "option" | "options":
            return "option", _option(parsed, value, other)
        case "link":
            return "link", _identity(parsed, value)
        case "date" | "datetime" | "time" | "duration":
            function = "timestamp" if other.kind == "datetime" else other.kind
            raise ConditionError.at(parsed.position, f'Write `{function}("{value}")`: a text is not {describe(other)}.')
        case _:
            return "text", _plain(parsed, value, other)


def _plain(parsed: Lit, value: str, other: Node) -> str:
    if not isinstance(other, Ref):
        return value
    if not value:
        path = other.variable.path
        raise ConditionError.at(parsed.position, f"An empty field is null: ask with `!has({path})` or `has({path})`.")
    normalise = other.variable.normalise
    return normalise(value) if normalise else value


def _option(parsed: Lit, value: str, other: Node) -> str:
    options = other.variable.options if isinstance(other, Ref) else frozenset[str]()
    if options and value not in options:
        near = difflib.get_close_matches(value.lower().replace(" ", "_"), options, n=1, cutoff=0.5)
        known = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(sorted(options)[:12])}."
        path = other.variable.path if isinstance(other, Ref) else ""
        raise ConditionError.at(parsed.position, f"`{path}` has no choice `{value}`. {known}")
    return value


def _identity(parsed: Lit, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        message = (
            f"A link is compared with an id or `me`; `{value[:40]}` is neither. "
            "To ask by name go through the link: `company.name`."
        )
        raise ConditionError.at(parsed.position, message) from None


def constants(checker: Checker, items: tuple[Parsed, ...], other: Node) -> Const | None:
    """Make a list of plain literals one array, or None when it holds anything else (null, names, mixed kinds)."""
    if not all(isinstance(item, Lit) and item.value is not None for item in items):
        return None
    if not items:
        kind: Kind = "text" if other.kind in {"texts", "none"} else other.kind
        return Const(checker.literal([]), "number" if kind == "money" else kind, many=True)
    kept = len(checker.literals)
    nodes = [fit(checker, item, other) for item in items if isinstance(item, Lit)]
    values = checker.literals[kept:]
    del checker.literals[kept:]
    kinds = {node.kind for node in nodes}
    if len(kinds) > 1:
        raise ConditionError.at(items[0].position, "All values of a list must be of one kind.")
    exact = all(isinstance(node, Const) and node.exact for node in nodes)
    if not exact and nodes[0].kind == "number":
        values = [Decimal(value) if isinstance(value, int) else value for value in values]
    return Const(checker.literal(values), nodes[0].kind, many=True, exact=exact)
