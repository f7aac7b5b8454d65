"""Reads the conformance vectors of the CEL specification (simple.proto in text form, ../shared/data/cel)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.imports import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = DATA / "cel"
_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<mark>[{}:\[\],;])|(?P<word>[^\s{}:\[\],;"']+)"""
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

Message = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Vector:
    """One test: what is asked, over which variables, and what the specification answers."""

    name: str
    expression: str
    #: Field of ``Value`` (``int64_value``) and its text; None when an error is expected.
    expected: tuple[str, Any] | None
    #: Name → (declared type, bound value), as far as they are primitive.
    variables: dict[str, tuple[str, tuple[str, Any] | None]]
    unchecked: bool


def read() -> list[Vector]:
    """All vectors of the folder."""
    found: list[Vector] = []
    for file in sorted(FOLDER.glob("*.textproto")):
        tree, _ = _message(_tokens(file.read_text(encoding="utf-8")), 0)
        for section in _all(tree, "section"):
            for test in _all(section, "test"):
                name = f"{file.stem}/{_first(section, 'name')}/{_first(test, 'name')}"
                found.append(_vector(name, test))
    return found


def _vector(name: str, test: Message) -> Vector:
    value = _first(test, "value")
    # A test without an answer expects true (simple.proto).
    expected = ("bool_value", "true") if value is None else (value[0] if value else None)
    if any(key in {"eval_error", "any_eval_errors"} for key, _ in test):
        expected = None
    variables: dict[str, tuple[str, tuple[str, Any] | None]] = {}
    bound = {_first(one, "key"): _first(one, "value") for one in _all(test, "bindings")}
    for declared in _all(test, "type_env"):
        kind = _first(_first(declared, "ident") or [], "type") or [("", "")]
        variables[_first(declared, "name")] = (str(kind[0][1] if isinstance(kind[0][1], str) else kind[0][0]), None)
    for key, held in bound.items():
        inner = _first(held or [], "value")
        variables[key] = (variables.get(key, ("", None))[0], inner[0] if inner else None)
    return Vector(name, str(_first(test, "expr")), expected, variables, _first(test, "disable_check") == "true")


def _all(message: Message, name: str) -> Iterator[Any]:
    return (value for key, value in message if key == name)


def _first(message: Message, name: str) -> Any:
    return next(_all(message, name), None)


def _tokens(text: str) -> list[tuple[str, str]]:
    return [(str(one.lastgroup), one[0]) for one in _TOKEN.finditer(text) if one.lastgroup]


def _message(tokens: list[tuple[str, str]], at: int) -> tuple[Message, int]:
    found: Message = []
    while at < len(tokens) and tokens[at][1] != "}":
        if tokens[at][1] in {",", ";"}:
            at += 1
            continue
        key, at = _key(tokens, at)
        if tokens[at][1] == ":":
            at += 1
        if tokens[at] == ("mark", "{"):
            value, at = _message(tokens, at + 1)
            at += 1
        else:
            value, at = _scalar(tokens, at)
        found.append((key, value))
    return found, at


def _key(tokens: list[tuple[str, str]], at: int) -> tuple[str, int]:
    """A field's name; ``[type.googleapis.com/…]`` names the message of an Any."""
    if tokens[at][1] != "[":
        return tokens[at][1], at + 1
    end = next(index for index in range(at, len(tokens)) if tokens[index][1] == "]")
    return "".join(text for _, text in tokens[at : end + 1]), end + 1


def _scalar(tokens: list[tuple[str, str]], at: int) -> tuple[str, int]:
    if tokens[at][0] != "text":
        return tokens[at][1], at + 1
    parts: list[bytes] = []
    while at < len(tokens) and tokens[at][0] == "text":
        parts.append(_ESCAPE.sub(_unescape, tokens[at][1][1:-1].encode()))
        at += 1
    return b"".join(parts).decode("utf-8", "surrogateescape"), at


def _unescape(found: re.Match[bytes]) -> bytes:
    octal, short, four, eight, plain = found.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if short:
        return bytes([int(short, 16)])
    if four or eight:
        return chr(int(four or eight, 16)).encode()
    return _PLAIN.get(plain, plain)
