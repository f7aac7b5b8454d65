"""CEL text to the parsed expression, by the C++ reference parser; its errors in our words with a position."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from cel_expr_python import cel  # pyright: ignore[reportMissingTypeStubs]

from app.core.streamsafe import MOST_MARKS, is_stream_safe
from app.expressions.errors import ConditionError
from app.expressions.wire import Parsed, read_parsed

#: A condition longer than this is a mistake or an attack; a list of 1,000 ids fits.
MAX_LENGTH: Final = 50_000
#: ``has()`` is a macro that takes field selections only; under this name of the same length it is a function.
HAS: Final = "h4s"

_STRING: Final = (
    r"""[rRbB]{0,2}(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
)
#: A quote that opens no string that ends takes all that follows with it: looking on from the next one takes the square.
_HAS: Final = re.compile(rf"({_STRING}|//[^\n]*|[\"'].*)|(?<![\w.])has(?=\s*\()", re.DOTALL)
_ERROR: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_QUOTED: Final = re.compile(r"'((?:\\'|[^'])*)'")


@lru_cache(maxsize=1)
def _environment() -> cel.Env:
    return cel.NewEnv(variables={})


def parse(source: str) -> Parsed:
    """Parse ``source``. Raises ConditionError."""
    if len(source) > MAX_LENGTH:
        raise ConditionError.at(MAX_LENGTH, f"The condition is longer than {MAX_LENGTH:,} characters.")
    if not source.strip():
        raise ConditionError.at(0, "The condition is empty.")
    if "\x00" in source:
        raise ConditionError.at(source.index("\x00"), "A condition can't hold the character NUL.")
    if not is_stream_safe(source):
        raise ConditionError.at(0, f"The condition holds more than {MOST_MARKS} accents on one letter.")
    rewritten = _HAS.sub(lambda found: found[1] or HAS, source)
    try:
        serialised = _environment().compile(rewritten, disable_check=True).serialize()
    except RuntimeError as error:
        raise _explain(source, str(error)) from None
    except UnicodeEncodeError:
        raise ConditionError.at(0, "The condition holds a character that is not valid Unicode.") from None
    return read_parsed(serialised)


def _explain(source: str, text: str) -> ConditionError:
    if "recursion" in text:
        return ConditionError.at(0, "The condition is nested too deeply; write lists as `x in [...]` or split it.")
    found = _ERROR.search(text)
    if found is None:
        return ConditionError.at(0, "The condition can't be read.")
    lines = source.split("\n")
    line = min(int(found[1]), len(lines)) - 1
    position = sum(len(before) + 1 for before in lines[:line]) + int(found[2]) - 1
    return ConditionError.at(max(0, min(position, len(source))), _reword(found[3]))


def _reword(message: str) -> str:
    token = _QUOTED.search(message)
    what = token[1] if token else ""
    hint = _HINTS.get(what.strip().lower(), "")
    if what == "<EOF>":
        return "Something is missing at the end of the condition."
    if message.startswith("reserved identifier"):
        return f"`{message.rpartition(' ')[2]}` is a reserved word."
    if message.startswith("invalid ") and message.endswith("int literal"):
        return "This number is too large."
    if message.startswith("Syntax error") and what:
        return f"`{what.strip()}` is not understood here.{hint}"
    return f"The condition can't be read here: {message.removeprefix('Syntax error: ')}.{hint}"


_HINTS: Final = {
    "=": " Compare with `==`.",
    "and": " Join conditions with `&&`.",
    "or": " Join conditions with `||`.",
    "not": " Negate with `!`.",
    "<>": " Write `!=` for unequal.",
    "&": " Join conditions with `&&`.",
    "|": " Join conditions with `||`.",
    "like": ' Use `name.contains("x")` or `name.startsWith("x")`.',
    "is": " Ask for an empty field with `!has(x)` or `x == null`.",
}
