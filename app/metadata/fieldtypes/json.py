"""``json``: any JSON value, kept for programs; people see and edit its text."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg.types.json import Jsonb

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

#: Bytes of its text without blanks, and lists and objects inside one another.
LIMIT: Final = 65_536
DEPTH: Final = 20
#: Characters people are shown of it in one line.
_SHOWN: Final = 200
#: Beyond, a whole number is no 64-bit integer, and a fraction is written out with more digits than it has.
_LARGEST: Final = 2**63 - 1
_SMALLEST: Final = 1e-30
_MOST_DIGITS: Final = 40
_EXACT: Final = 2**53
_STATED: Final = "a number beyond 64 bits or smaller than 1e-30; write it as a text"


class JsonText(str):
    """What somebody typed: JSON still to be read, not a JSON text."""

    __slots__ = ()


class JsonType(SingleColumn):
    """Any JSON of at most 64 KB; ``null`` is empty. Not sorted, grouped or compared: conditions ask ``has()``."""

    name = "json"
    condition = "none"
    sql_type = "jsonb"
    sortable = False

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """The JSON value as it came; ``JsonText`` is read first."""
        if isinstance(raw, JsonText):
            return self.parse(field, raw, ctx)
        if raw is None or raw == "":
            return None
        value = _checked(raw, 1)
        if len(compact(value).encode()) > LIMIT:
            raise _too_long()
        return value

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """JSON text. Raises ValueProblem with the line and character of what is wrong."""
        if not text.strip():
            return None
        if len(text) > 4 * LIMIT:
            raise _too_long()
        try:
            value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            what = error.msg[0].lower() + error.msg[1:]
            message = f"Line {error.lineno}, character {error.colno}: {what}"
            raise ValueProblem("json.invalid", message) from None
        except RecursionError:
            raise _too_deep() from None
        except ValueError:  # more digits than Python reads
            raise ValueProblem("json.number", f"Holds {_STATED}") from None
        return self.coerce(field, value, ctx)

    def initial(self, field: Field, ctx: Coercion) -> Any:
        """A default is written as its text."""
        if isinstance(field.default, str):
            return self.parse(field, field.default, ctx)
        return super().initial(field, ctx)

    def bind(self, value: Any) -> tuple[object, ...]:
        """As jsonb."""
        return (None if value is None else Jsonb(value),)

    def json_sql(self, columns: Sequence[str]) -> str:
        """The column itself."""
        return columns[0]

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """Anything."""
        types = ["object", "array", "string", "number", "boolean", "null"]
        return {"type": types, "description": f"Any JSON, at most {LIMIT:,} bytes, {DEPTH} levels deep"}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """On one line, the beginning of a long one."""
        text = "" if value is None else compact(value)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def compact(value: object) -> str:
    """JSON text on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pretty(value: object) -> str:
    """JSON text over several lines, as people read and edit it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _checked(raw: object, depth: int) -> object:
    """``raw`` as the database gives it back. Raises ValueProblem."""
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        return _text(raw)
    if isinstance(raw, (int, float, Decimal)):
        return _number(raw)
    if depth > DEPTH:
        raise _too_deep()
    if isinstance(raw, (list, tuple)):
        return [_checked(one, depth + 1) for one in cast("Sequence[object]", raw)]
    if isinstance(raw, dict):
        given = cast("dict[object, object]", raw)
        return {_text(str(key)): _checked(one, depth + 1) for key, one in given.items()}
    raise ValueProblem("json.type", "Must be JSON")


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueProblem("text.nul", "Must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueProblem("text.surrogate", "Contains half of a surrogate pair, which is no character") from None
    return text


def _number(number: float | Decimal) -> float:
    """Whole numbers whole, as PostgreSQL writes them; fractions as near as 64 bits hold them."""
    if isinstance(number, Decimal):
        if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
            raise ValueProblem("json.number", f"Holds {_STATED}")
        number = int(number) if number == number.to_integral_value() else float(number)
    if isinstance(number, float):
        if not math.isfinite(number) or 0 < abs(number) < _SMALLEST:
            raise ValueProblem("json.number", f"Holds {_STATED}")
        if not number or abs(number) >= _EXACT:
            number = int(Decimal(repr(number)))
    if abs(number) > _LARGEST:
        raise ValueProblem("json.number", f"Holds {_STATED}")
    return number


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueProblem("json.twice", f"Holds {key[:40]!r} twice in one object")
        found[key] = value
    return found


def _no_constant(word: str) -> object:
    raise ValueProblem("json.number", f"{word} is no JSON")


def _too_long() -> ValueProblem:
    return ValueProblem("json.too_long", f"Must be at most {LIMIT:,} bytes of JSON")


def _too_deep() -> ValueProblem:
    return ValueProblem("json.too_deep", f"Must be at most {DEPTH} levels deep")


TYPE = JsonType()
