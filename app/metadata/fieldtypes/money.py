"""``money``: an exact amount and its currency."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

from app.metadata.fieldtypes.base import ConditionKind, FieldType, ValueProblem
from app.metadata.fieldtypes.exact import exact, parse_exact, plain_text
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

#: What a cell may carry before or after the amount when it names no code of its own.
_SYMBOLS: Final = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "US$": "USD", "zł": "PLN", "₽": "RUB"}
#: Currencies that share a symbol: the tenant's own is meant when it is one of them.
_SHARED: Final = {
    "$": frozenset(("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "TWD", "BRL")),
    "¥": frozenset(("JPY", "CNY")),
    "£": frozenset(("GBP", "EGP", "LBP")),
}
_CELL: Final = re.compile(
    r"(?P<sign>[-(]?)\s*(?P<before>[A-Za-zł$€£¥₹₽]{0,3})\s*"
    r"(?P<amount>[-+\d.,'\u2019 ]+)\)?\s*(?P<after>[A-Za-zł$€£¥₹₽]{0,3})\)?"
)
_CODE: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency (ISO 4217). ``amount`` carries at least the currency's minor digits."""

    amount: Decimal
    currency: str


class MoneyType(FieldType):
    """JSON ``{"amount": "12.50", "currency": "EUR"}``; a bare number is in the tenant's currency."""

    name = "money"
    condition = "money"
    parts: ClassVar[Mapping[str, ConditionKind]] = MappingProxyType({"amount": "number", "currency": "text"})

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """The amount under the field's name, the currency beside it."""
        return (
            Column(field_name, "numeric", "amount"),
            Column(f"{field_name}__currency", "text", "currency"),
        )

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An object of amount and currency, or a bare amount. Without an amount there is no money."""
        if raw is None or raw == "":
            return None
        currency: str = ctx.currency
        if isinstance(raw, Money):
            return raw
        if isinstance(raw, dict):
            given = cast("dict[str, object]", raw)
            unknown = set(given) - {"amount", "currency"}
            if unknown:
                raise ValueProblem("money.part", f"Unknown part {min(unknown)!r}; there are amount and currency")
            part = given.get("amount")
            cell = cast("dict[str, object]", part) if isinstance(part, dict) else {}
            if "amount" in cell:  # a file's amount cell that named its currency (parse_part)
                given = cell | {key: value for key, value in given.items() if key != "amount"}
            raw = given.get("amount")
            stated = given.get("currency")
            currency = currency if stated is None or stated == "" else currency_code(stated)
        try:
            amount = exact(raw)
        except ValueProblem as problem:
            raise ValueProblem(problem.code, problem.message, "amount") from None
        return None if amount is None else Money(with_minor_digits(amount, currency), currency)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """``1,234.50``, ``$1,234.50``, ``12,50 EUR``, ``EUR 12.50``; without a currency the tenant's."""
        raw = self.parse_part(field, "amount", text, ctx)
        return self.coerce(field, raw, ctx)

    def parse_part(self, field: Field, part: str, text: str, ctx: Coercion) -> object:  # noqa: ARG002
        """The amount may bring its currency along; the currency is a code."""
        if part == "currency":
            return text.strip() or None
        if not text.strip():
            return None
        try:
            return parse_exact(text, decimal_comma=ctx.decimal_comma)
        except ValueProblem:
            return _with_currency(text, ctx)

    def bind(self, value: Any) -> tuple[object, ...]:
        """Amount, currency."""
        return (None, None) if value is None else (value.amount, value.currency)

    def decode(self, parts: Sequence[Any]) -> object:
        """Both as text."""
        return None if parts[0] is None else {"amount": parts[0], "currency": parts[1]}

    def to_json(self, value: Any) -> object:
        """Amount as a string."""
        return None if value is None else {"amount": plain_text(value.amount), "currency": value.currency}

    def json_sql(self, columns: Sequence[str]) -> str:
        """Null without an amount."""
        amount, currency = columns
        return (
            f"case when {amount} is not null then"
            f" jsonb_build_object('amount', {amount}::text, 'currency', {currency}) end"
        )

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An object or null."""
        return {
            "type": ["object", "null"],
            "properties": {
                "amount": {"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"},
            },
            "required": ["amount", "currency"],
            "additionalProperties": False,
        }

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """With the currency's symbol by locale, every digit kept."""
        if not isinstance(value, dict):
            return ""
        money = cast("dict[str, str]", value)
        return format_currency(Decimal(money["amount"]), money["currency"], locale=locale, decimal_quantization=False)


def currency_code(raw: object) -> str:
    """``raw`` as an ISO 4217 code in use today or before. Raises ValueProblem of the part ``currency``."""
    code = raw.strip().upper() if isinstance(raw, str) else ""
    if not _CODE.fullmatch(code) or code not in _currencies():
        raise ValueProblem("money.currency", "Must be an ISO 4217 currency code like EUR", "currency")
    return code


def with_minor_digits(amount: Decimal, currency: str) -> Decimal:
    """``12.5`` EUR as ``12.50``; digits beyond the minor unit are kept."""
    digits = minor_digits(currency)
    exponent = cast("int", amount.as_tuple().exponent)
    return amount.quantize(Decimal(1).scaleb(-digits)) if -exponent < digits else amount


@functools.lru_cache(maxsize=512)
def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit (CLDR)."""
    return get_currency_precision(currency)


def _with_currency(text: str, ctx: Coercion) -> object:
    found = _CELL.fullmatch(text.replace("\u00a0", " ").replace("\u202f", " ").strip())
    if not found or not (found["before"] or found["after"]) or (found["before"] and found["after"]):
        raise ValueProblem("money.invalid", "Must be an amount like 1234.50 or 1234.50 EUR")
    word = found["before"] or found["after"]
    amount = parse_exact(found["amount"], decimal_comma=ctx.decimal_comma)
    if amount is not None and found["sign"]:
        amount = amount.copy_negate()
    currency = _SYMBOLS.get(word) or currency_code(word)
    if ctx.currency in _SHARED.get(word, ()):
        currency = ctx.currency
    return {"amount": amount, "currency": currency}


@functools.cache
def _currencies() -> frozenset[str]:
    return frozenset(cast("Mapping[str, object]", get_global("all_currencies")))


TYPE = MoneyType()
