"""``percent``: a fraction 0…1; ``0.25`` is 25 %."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import format_percent

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.decimal import DecimalType
from app.metadata.fieldtypes.exact import parse_exact, shortest

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_HUNDRED: Final = Decimal(100)


class PercentType(DecimalType):
    """A decimal between 0 and 1."""

    name = "percent"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """A fraction; ``"25%"`` is taken too."""
        if isinstance(raw, str) and raw.rstrip().endswith("%"):
            return self.parse(field, raw, ctx)
        return _in_range(super().coerce(field, raw, ctx))

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """``25 %`` or a fraction; a bare 25 is taken in a column that holds percents, else it may mean either."""
        text = text.strip()
        if not text.endswith("%") and not ctx.hundredths:
            return _in_range(super().parse(field, text, ctx))
        number = parse_exact(text.removesuffix("%"), decimal_comma=ctx.decimal_comma)
        return None if number is None else _in_range(shortest(number / _HUNDRED))

    def json_schema(self, field: Field) -> dict[str, object]:
        """A string of digits or null."""
        return super().json_schema(field) | {"description": "A fraction 0…1: 0.25 is 25 %"}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """As percent by locale."""
        return "" if value is None else format_percent(Decimal(str(value)), locale=locale, decimal_quantization=False)


def _in_range(number: Decimal | None) -> Decimal | None:
    if number is not None and not 0 <= number <= 1:
        raise ValueProblem("percent.range", "Must be between 0% and 100%: a fraction like 0.25, or written like 25%")
    return number


TYPE = PercentType()
