"""Figures over records: counts, sums, averages, extremes; money converted by the tenant's dated rates.

An amount in a currency without any rate is never added to others: it is left out and reported apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from babel.numbers import get_currency_precision

from app.records.environment import currency_of, home_amount
from app.records.paths import Located, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.records.sources import Source
    from tenants.scope import Tenant

COUNT: Final = "count"
#: The sum of what amounts are worth by the record's ``probability``: 40 % of 100 counts as 40.
WEIGHTED: Final = "weighted"
_WEIGHT: Final = "probability"
AVERAGE: Final = "avg"
_FUNCTIONS: Final = ("sum", AVERAGE, "min", "max", WEIGHTED)
#: Functions that are zero over nothing.
SUMS: Final = frozenset({"sum", WEIGHTED})
#: The day whose rate an object's amounts convert by; other objects use today's.
_RATE_DAY: Final = "close_on"
_NUMBERS: Final = frozenset({"number", "money", "duration"})
_ORDERED: Final = _NUMBERS | {"date", "datetime", "time"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: its name in the answer and what it is computed from; ``count`` has no ``located``."""

    name: str
    function: str
    located: Located | None = None

    @property
    def money(self) -> bool:
        """Whether the figure is an amount in the tenant's currency."""
        return self.located is not None and self.located.kind == "money"

    def stored(self, source: Source) -> sa.ColumnElement[Any] | None:
        """The record's contribution, money in its own currency."""
        return None if self.located is None else self._weighed(source, self.located.sql)

    def value(self, source: Source) -> sa.ColumnElement[Any] | None:
        """The record's contribution, converted when money."""
        if self.located is None:
            return None
        return self._weighed(source, home_amount(self.located, rate_day(source)) if self.money else self.located.sql)

    def _weighed(self, source: Source, amount: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        if self.function != WEIGHTED:
            return amount
        return amount * sa.func.coalesce(source.need(_WEIGHT, "?metrics").sql, 0)

    def stray(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Whether a record's amount could not be converted to ``value``."""
        located = self.located
        if located is None:
            return sa.false()
        return sa.and_(located.sql.is_not(None), value.is_(None))

    def figure(self, column: sa.ColumnElement[Any] | None) -> sa.ColumnElement[Any]:
        """The aggregate over ``column`` (what ``value`` gave, as a subquery names it)."""
        if column is None:
            return sa.func.count()
        return self.finished(sa.func.sum(column) if self.function in SUMS else getattr(sa.func, self.function)(column))

    def finished(self, figure: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """An aggregate as it is shown: sums of nothing zero, money rounded, numbers without trailing zeros."""
        if self.function in SUMS:
            figure = sa.func.coalesce(figure, 0, type_=sa.Numeric())
        if self.money:
            return sa.func.round(figure, sa.bindparam("digits", type_=sa.Integer()), type_=sa.Numeric())
        if self.function == AVERAGE:
            return sa.func.trim_scale(sa.func.round(figure, 12), type_=sa.Numeric())
        if self.function == "sum":
            return sa.func.trim_scale(sa.cast(figure, sa.Numeric()), type_=sa.Numeric())
        return figure

    @property
    def length(self) -> bool:
        """Whether the figure is a length of time."""
        return self.located is not None and self.located.kind == "duration"

    def json(self, loaded: Any, tenant: Tenant) -> object:
        """The figure's JSON form."""
        if self.located is None:
            return loaded
        if self.money:
            return None if loaded is None else {"amount": loaded, "currency": tenant.currency}
        if loaded is None or (self.function in ("sum", AVERAGE) and not self.length):
            return loaded if loaded is None else str(loaded)
        kind, part = self.located.field.type, self.located.part
        return kind.decode_part(part, loaded) if part else kind.decode((loaded,))

    def nothing(self, tenant: Tenant) -> object:
        """The figure over no records: zero for counts and sums, else null."""
        if self.located is None:
            return 0
        if self.function not in SUMS:
            return None
        zero = plain_amount("0", tenant.currency) if self.money else "0"
        return self.json(zero, tenant)


def parse_metrics(source: Source, names: Sequence[str]) -> tuple[Metric, ...]:
    """Metrics of a ``metrics`` parameter. Raises InvalidInput at ``?metrics``."""
    return tuple(_metric(source, name) for name in dict.fromkeys(names))


def _metric(source: Source, text: str) -> Metric:
    if text == COUNT:
        return Metric(COUNT, COUNT)
    function, _, path = text.partition(":")
    if function not in _FUNCTIONS or not path:
        message = f"{text!r} is no metric: write count, or {', '.join(f'{name}:field' for name in _FUNCTIONS)}."
        raise refuse("?metrics", "metric.unknown", message)
    located = source.need(path, "?metrics")
    allowed = _NUMBERS if function in ("sum", AVERAGE) else _ORDERED
    if function == WEIGHTED:
        allowed = {"money"} if _WEIGHT in source.object.fields else set[str]()
    if located.kind not in allowed or located.composite:
        raise refuse("?metrics", "metric.unsupported", f"{path} has no {function}.")
    return Metric(f"{function}_{path}", function, located)


def rate_day(source: Source) -> sa.ColumnElement[Any]:
    """The day whose rate an amount converts by: the expected or actual close, else today (parameter ``today``)."""
    today = sa.bindparam("today", type_=sa.Date())
    field = source.object.fields.get(_RATE_DAY)
    if field is None or not field.shown:
        return today
    return sa.func.coalesce(source.need(_RATE_DAY, "?metrics").sql, today, type_=sa.Date())


def stray_select(
    source: Source, metric: Metric, keys: Sequence[sa.ColumnElement[Any]], where: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """Keys, currency, sum and count of the amounts ``metric`` left out."""
    located, value = metric.located, metric.value(source)
    if located is None or value is None:
        raise ValueError("a count leaves nothing out")
    columns: list[sa.ColumnElement[Any]] = [key.label(f"g{index}") for index, key in enumerate(keys)]
    columns += [currency_of(located).label("currency"), located.sql.label("amount")]
    inner = sa.select(*columns).select_from(source.from_clause()).where(*where, metric.stray(value)).subquery("s")
    grouped: list[sa.ColumnElement[Any]] = [*(inner.c[f"g{index}"] for index in range(len(keys))), inner.c.currency]
    figures = [*grouped, sa.func.sum(inner.c.amount), sa.func.count()]
    return sa.select(*figures).group_by(*grouped).order_by(*grouped)


def minor_digits(currency: str) -> int:
    """Decimal places amounts of a currency are shown with (CLDR)."""
    return get_currency_precision(currency)


def plain_amount(text: str, currency: str) -> str:
    """A loaded sum with the minor digits of its own currency."""
    return str(round(Decimal(text), minor_digits(currency)))
