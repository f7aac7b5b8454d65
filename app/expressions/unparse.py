"""A parsed expression as text again: the parser reads the same from it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from app.expressions.parse import HAS
from app.expressions.wire import Apply, Items, Lit, Name, Unsupported

if TYPE_CHECKING:
    from app.expressions.wire import Parsed

_TERNARY, _OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _PRIMARY = range(1, 9)
_INFIX: Final = {
    "_||_": ("||", _OR), "_&&_": ("&&", _AND),
    "_==_": ("==", _RELATION), "_!=_": ("!=", _RELATION), "_<_": ("<", _RELATION), "_<=_": ("<=", _RELATION),
    "_>_": (">", _RELATION), "_>=_": (">=", _RELATION), "@in": ("in", _RELATION),
    "_+_": ("+", _SUM), "_-_": ("-", _SUM), "_*_": ("*", _PRODUCT), "_/_": ("/", _PRODUCT), "_%_": ("%", _PRODUCT),
}  # fmt: skip
_NUMBER: Final = re.compile(r"-?\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def quoted(text: str) -> str:
    """A text as a literal."""
    return json.dumps(text, ensure_ascii=False)


def number_of(source: str, parsed: Lit) -> str:
    """A number as it was written: the parser's float has only 17 digits."""
    if isinstance(parsed.value, int):
        return str(parsed.value)
    found = _NUMBER.match(source, parsed.position)
    text = found[0].replace(" ", "") if found else ""
    return text if re.search("[.eE]", text) else repr(parsed.value)


def unparse(source: str, parsed: Parsed) -> str:
    """The text of ``parsed``, which was read from ``source``."""
    return _text(source, parsed)[0]


def _text(source: str, parsed: Parsed) -> tuple[str, int]:
    """The text and how tightly it binds."""
    match parsed:
        case Lit():
            return _literal(source, parsed), _PRIMARY
        case Name():
            return parsed.path, _PRIMARY
        case Items():
            return f"[{', '.join(unparse(source, one) for one in parsed.items)}]", _PRIMARY
        case Apply():
            return _applied(source, parsed)
        case Unsupported():
            raise ValueError(parsed.what)


def _literal(source: str, parsed: Lit) -> str:
    match parsed.value:
        case None:
            return "null"
        case bool():
            return "true" if parsed.value else "false"
        case str():
            return quoted(parsed.value)
        case bytes():
            message = "bytes"
            raise ValueError(message)
        case _:
            return number_of(source, parsed)


def _applied(source: str, parsed: Apply) -> tuple[str, int]:
    if parsed.function == "_?_:_":
        parts = [_bound(source, arg, _OR) for arg in parsed.args]
        return "{} ? {} : {}".format(*parts), _TERNARY
    if parsed.function in _INFIX:
        return _infix(source, parsed)
    if parsed.function in ("!_", "-_"):
        arg, sign = parsed.args[0], parsed.function[0]
        # Two of one sign side by side are read as none, a sign before a number as the number's.
        apart = (isinstance(arg, Apply) and arg.function == parsed.function) or (isinstance(arg, Lit) and sign == "-")
        return sign + _bound(source, arg, _PRIMARY + 1 if apart else _UNARY), _UNARY
    name = "has" if parsed.function == HAS else parsed.function
    args = ", ".join(unparse(source, arg) for arg in parsed.args)
    target = "" if parsed.target is None else f"{_bound(source, parsed.target, _PRIMARY)}."
    return f"{target}{name}({args})", _PRIMARY


def _infix(source: str, parsed: Apply) -> tuple[str, int]:
    sign, level = _INFIX[parsed.function]
    first, second = parsed.args
    left = level if level in (_OR, _AND, _SUM, _PRODUCT) else level + 1
    right = level if level in (_OR, _AND) else level + 1
    return f"{_bound(source, first, left)} {sign} {_bound(source, second, right)}", level


def _bound(source: str, parsed: Parsed, least: int) -> str:
    text, level = _text(source, parsed)
    return text if level >= least else f"({text})"
