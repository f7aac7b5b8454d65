"""``deal.amount`` from its lines, where the deal asks for it (``amount_from_lines``)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from babel.numbers import get_currency_precision

from app.core import clock
from app.core.errors import FieldError, InvalidInput
from app.metadata.fieldtypes.money import Money
from app.records.reach import whole
from app.records.rowform import quote, trusted
from app.records.store_many import Change, change_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

DEAL: Final = "deal"
LINE: Final = "deal_line"


class RateMissing(InvalidInput):
    """Lines in several currencies can't be added up without a rate."""

    code = "rate.missing"
    title = "An exchange rate is missing"


def concerns(object_type: ObjectType, names: Iterable[str]) -> bool:
    """Whether writing these fields may change a deal's amount."""
    if object_type.name == LINE:
        return not {"deal", "quantity", "unit_price", "discount"}.isdisjoint(names)
    return object_type.name == DEAL and not {"amount", "amount_from_lines"}.isdisjoint(names)


def follow_lines(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    records: Sequence[dict[str, Any]],
    before: Mapping[str, dict[str, Any]],
) -> None:
    """Bring the amounts of the deals concerned up to date."""
    if object_type.name == DEAL:
        asking = {UUID(record["id"]) for record in records if record["amount_from_lines"]}
        add_up(scope, catalog, asking)
        return
    deals = {UUID(record["deal"]) for record in records} | {UUID(record["deal"]) for record in before.values()}
    add_up(scope, catalog, deals)


def add_up(scope: TenantScope, catalog: Catalog, deals: Iterable[UUID]) -> None:
    """Set the amount of each of the live ``deals`` that asks for it to the sum of its live lines."""
    wanted = sorted(set(deals))
    if not wanted:
        return
    deal_type, line = catalog.objects[DEAL], catalog.objects[LINE]
    text = (
        f"SELECT id FROM {whole(deal_type)} WHERE id = ANY(%s::uuid[]) AND deleted_at IS NULL"
        " AND amount_from_lines ORDER BY id FOR NO KEY UPDATE"
    )
    asking = [row[0] for row in scope.execute(trusted(text), (wanted,)).fetchall()]
    if not asking:
        return
    sums: dict[UUID, dict[str, Decimal]] = {deal: {} for deal in asking}
    amount, code = (quote(column.name) for column in line.fields["total"].columns)
    text = (
        f"SELECT deal, {code}, sum({amount}) FROM {whole(line)}"
        f" WHERE deal = ANY(%s::uuid[]) AND deleted_at IS NULL AND {amount} IS NOT NULL GROUP BY deal, {code}"
    )
    for deal, currency, total in scope.execute(trusted(text), (asking,)).fetchall():
        sums[deal][currency] = total
    change_many(scope, deal_type, [Change(deal, {"amount": _in_one(scope, found)}) for deal, found in sums.items()])


def _in_one(scope: TenantScope, by_currency: Mapping[str, Decimal]) -> Money | None:
    """The sum in its one currency, or converted to the tenant's by today's rates."""
    if not by_currency:
        return None
    if len(by_currency) == 1:
        ((currency, total),) = by_currency.items()
        return Money(rounded(total, currency), currency)
    own = scope.tenant.currency
    converted = sum((total * _rate(scope, currency) for currency, total in by_currency.items()), Decimal(0))
    return Money(rounded(converted, own), own)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """``amount`` in the currency's minor digits, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), rounding=ROUND_HALF_UP)


def _rate(scope: TenantScope, currency: str) -> Decimal:
    if currency == scope.tenant.currency:
        return Decimal(1)
    row = scope.execute(
        "SELECT rate FROM rate WHERE currency = %s AND day <= %s ORDER BY day DESC LIMIT 1",
        (currency, clock.today(scope.tenant.timezone)),
    ).fetchone()
    if row is None:
        message = (
            f"The lines are in several currencies and there is no rate from {currency} to {scope.tenant.currency}."
        )
        raise RateMissing(message, [FieldError("/unit_price/currency", "rate.missing", message)])
    return row[0]
