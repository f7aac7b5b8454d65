"""``decimal``: an exact number; travels as a JSON string so that no reader rounds it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel.numbers import format_decimal

from app.metadata.fieldtypes.exact import exact, parse_exact, plain_text
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field


class DecimalType(SingleColumn):
    """Up to 18 digits before and after the point, kept in shortest form."""

    name = "decimal"
    condition = "number"
    sql_type = "numeric"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A JSON number or a string of digits."""
        return exact(raw)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:  # noqa: ARG002
        """Digits with thousands separators."""
        return parse_exact(text, decimal_comma=ctx.decimal_comma)

    def decode(self, parts: Sequence[Any]) -> object:
        """A numeric arrives as its text, which is the JSON form."""
        return parts[0]

    def to_json(self, value: Any) -> object:
        """A string of digits."""
        return None if value is None else plain_text(value)

    def json_sql(self, columns: Sequence[str]) -> str:
        """As text: jsonb would make it a number."""
        return f"to_jsonb({columns[0]}::text)"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of digits or null."""
        return nullable({"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Grouped by locale, every decimal shown."""
        return "" if value is None else format_decimal(Decimal(str(value)), locale=locale, decimal_quantization=False)


TYPE = DecimalType()
