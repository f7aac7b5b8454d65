"""Reads the parser's answer: a serialised ``cel.expr.ParsedExpr`` (syntax.proto of the CEL specification).

The protobuf runtime and the package with the generated messages weigh more than the twenty fields read here, so
the wire format (varints and length-delimited fields, protobuf.dev/programming-guides/encoding) is read directly.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_INT64 = 1 << 63
_CONTINUES = 0x80
# Field numbers of syntax.proto.
_EXPRESSION, _SOURCE_INFO = 2, 3
_POSITIONS = 4
_ID = 2
_TARGET, _FUNCTION = 1, 2


@dataclass(frozen=True, slots=True)
class Lit:
    """A literal as parsed; ``value`` is None for ``null``."""

    position: int
    value: str | int | float | bool | bytes | None


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its dots (``company.industry``)."""

    position: int
    path: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator (``_&&_``) or function; ``target`` is what stands before the dot of a method."""

    position: int
    function: str
    target: Parsed | None
    args: tuple[Parsed, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list literal."""

    position: int
    items: tuple[Parsed, ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something CEL knows and conditions do not."""

    position: int
    what: str


Parsed: TypeAlias = "Lit | Name | Apply | Items | Unsupported"


def read_parsed(serialised: bytes) -> Parsed:
    """Read the expression in the serialised answer of ``Env.compile(…, disable_check=True)``."""
    parsed = _bytes(dict(_fields(serialised)), _EXPRESSION)
    expression, info = b"", b""
    for number, value in _fields(parsed):
        if number == _EXPRESSION:
            expression = _as_bytes(value)
        elif number == _SOURCE_INFO:
            info = _as_bytes(value)
    return _expression(expression, _positions(info))


def _positions(info: bytes) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, value in _fields(info):
        if number == _POSITIONS:
            entry = dict(_fields(_as_bytes(value)))
            found[_int(entry, 1)] = _int(entry, 2)
    return found


def _expression(message: bytes, positions: Mapping[int, int]) -> Parsed:
    number, body, identity = 0, b"", 0
    for field, value in _fields(message):
        if field == _ID:
            identity = _as_int(value)
        else:
            number, body = field, _as_bytes(value)
    position = positions.get(identity, 0)
    match number:
        case 3:
            return Lit(position, _constant(body))
        case 4:
            return Name(position, _text(dict(_fields(body)), 1))
        case 5:
            return _select(body, position, positions)
        case 6:
            return _call(body, position, positions)
        case 7:
            return Items(position, tuple(_expression(_as_bytes(v), positions) for n, v in _fields(body) if n == 1))
        case 8:
            return Unsupported(position, "maps")
        case _:
            return Unsupported(position, "all(), exists(), map() and filter(); ask linked records by `any(deals, …)`")


def _select(body: bytes, position: int, positions: Mapping[int, int]) -> Parsed:
    parts = dict(_fields(body))
    operand = _expression(_bytes(parts, 1), positions)
    if isinstance(operand, Name):
        return Name(operand.position, f"{operand.path}.{_text(parts, 2)}")
    return Unsupported(position, "a dot after anything but a name")


def _call(body: bytes, position: int, positions: Mapping[int, int]) -> Parsed:
    target: Parsed | None = None
    function = ""
    args: list[Parsed] = []
    for number, value in _fields(body):
        if number == _TARGET:
            target = _expression(_as_bytes(value), positions)
        elif number == _FUNCTION:
            function = _as_bytes(value).decode()
        else:
            args.append(_expression(_as_bytes(value), positions))
    return Apply(position, function, target, tuple(args))


def _constant(body: bytes) -> str | int | float | bool | bytes | None:
    for number, value in _fields(body):
        match number:
            case 2:
                return bool(value)
            case 3:
                unsigned = _as_int(value)
                return unsigned - (1 << 64) if unsigned >= _INT64 else unsigned
            case 4:
                return _as_int(value)
            case 5:
                return value if isinstance(value, float) else 0.0
            case 6:
                return _as_bytes(value).decode()
            case 7:
                return _as_bytes(value)
            case _:
                return None
    return None


def _fields(message: bytes) -> Iterator[tuple[int, float | bytes]]:
    """Field numbers and values of one message, in order."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif wire == _BYTES:
            size, at = _varint(message, at)
            yield number, message[at : at + size]
            at += size
        elif wire == _FIXED64:
            yield number, struct.unpack_from("<d", message, at)[0]
            at += 8
        else:
            message_ = f"unexpected wire type {wire}"
            raise ValueError(message_)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            return value, at
        shift += 7


def _as_bytes(value: float | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _as_int(value: float | bytes) -> int:
    return value if isinstance(value, int) else 0


def _bytes(fields: Mapping[int, float | bytes], number: int) -> bytes:
    return _as_bytes(fields.get(number, b""))


def _int(fields: Mapping[int, float | bytes], number: int) -> int:
    return _as_int(fields.get(number, 0))


def _text(fields: Mapping[int, float | bytes], number: int) -> str:
    return _bytes(fields, number).decode()
