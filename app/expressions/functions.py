"""The functions of the condition language: what each takes and gives. The back ends hold their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.expressions.kinds import Kind

TEXT: Final = frozenset[str]({"text", "option", "texts"})
NUMERIC: Final = frozenset[str]({"number", "money"})
MANY: Final = frozenset[str]({"options", "texts"})


@dataclass(frozen=True, slots=True)
class Signature:
    """``takes`` are the kinds of each argument, the thing before the dot first."""

    op: str
    takes: tuple[frozenset[str], ...]
    gives: Kind
    method: bool
    example: str


_PLAIN: Final = frozenset[str]({"text", "option"})
_DATE: Final = frozenset[str]({"date"})

#: Functions whose typing needs nothing but this table; ``has``, ``date``, ``timestamp``, ``today`` and ``addDays``
#: look at their literals and live in the checker.
FUNCTIONS: Final[dict[str, Signature]] = {
    "startsWith": Signature("startsWith", (TEXT, _PLAIN), "boolean", method=True, example='name.startsWith("A")'),
    "endsWith": Signature("endsWith", (TEXT, _PLAIN), "boolean", method=True, example='name.endsWith("GmbH")'),
    "contains": Signature("contains", (TEXT, _PLAIN), "boolean", method=True, example='name.contains("bank")'),
    "lower": Signature("lower", (TEXT,), "text", method=True, example="name.lower()"),
    "size": Signature("size", (TEXT | MANY,), "number", method=False, example="size(name)"),
}

#: What people coming from other languages write, and what it is called here.
OTHER_NAMES: Final[dict[str, str]] = {
    "startswith": 'name.startsWith("A")',
    "endswith": 'name.endsWith("A")',
    "len": "size(name)",
    "length": "size(name)",
    "lowerAscii": "name.lower()",
    "toLowerCase": "name.lower()",
    "isEmpty": "!has(name)",
    "isBlank": "!has(name)",
    "empty": "!has(name)",
    "exists": "has(name)",
    "matches": 'name.contains("x") (patterns are not part of filters)',
    "includes": '"x" in tags',
    "datetime": 'timestamp("2017-01-01T00:00:00Z")',
}
