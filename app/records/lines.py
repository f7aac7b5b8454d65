"""The total of a line: quantity x unit price x (1 - discount), rounded to the currency; tax is not in it.

Computed by the write path until formulas exist.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from babel.numbers import get_currency_precision

from app.metadata.fieldtypes.money import Money

if TYPE_CHECKING:
    from app.records.rules import Draft


def line_total(draft: Draft) -> None:
    """Set ``total`` from what the line becomes."""
    if not draft.creating and not draft.touches("quantity", "unit_price", "discount"):
        return
    quantity, price = draft.becomes("quantity"), draft.becomes("unit_price")
    discount = draft.becomes("discount") or Decimal(0)
    if isinstance(discount, Decimal) and not 0 <= discount <= 1:
        draft.intake.refuse("/discount", "number.range", "The discount is a fraction from 0 to 1.")
        return
    if quantity is None or price is None:
        draft.values["total"] = None
        return
    draft.values["total"] = Money(rounded(quantity * price.amount * (1 - discount), price.currency), price.currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """``amount`` in the currency's minor digits, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), rounding=ROUND_HALF_UP)
