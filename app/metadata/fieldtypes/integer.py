"""``integer``: a whole number that every JSON reader keeps exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from babel.numbers import format_decimal

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.exact import exact, parse_exact
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from decimal import Decimal

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

#: The largest whole number a double holds exactly (RFC 8259 §6).
BOUND: Final = 2**53 - 1


class IntegerType(SingleColumn):
    """-(2⁵³-1) … 2⁵³-1."""

    name = "integer"
    condition = "number"
    sql_type = "bigint"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A whole JSON number or a string of digits; ``12.0`` is whole."""
        if type(raw) is int and -BOUND <= raw <= BOUND:
            return raw
        return _whole(exact(raw))

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:  # noqa: ARG002
        """Digits with thousands separators; ``13313.0`` is whole."""
        return _whole(parse_exact(text, decimal_comma=ctx.decimal_comma))

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An integer or null."""
        return nullable({"type": "integer", "minimum": -BOUND, "maximum": BOUND})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Grouped by locale."""
        return format_decimal(value, locale=locale) if isinstance(value, int) else ""


def _whole(number: Decimal | None) -> int | None:
    if number is None:
        return None
    if number != int(number):
        raise ValueProblem("integer.fraction", "Must be a whole number")
    if abs(number) > BOUND:
        raise ValueProblem("number.range", f"Must be between -{BOUND} and {BOUND}")
    return int(number)


TYPE = IntegerType()
