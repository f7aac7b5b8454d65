"""Figures over amounts in several currencies: added up per currency and day first, converted then.

A rate is looked up once per (group, currency, day) instead of once per record, and amounts in the tenant's own currency
never ask for one: a million records make some thousand sums. Addition is exact (numeric), so the order changes nothing;
rates are positive, so the smallest amount of a currency and day stays its smallest when converted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.records.environment import currency_of, home_rate
from app.records.metrics import AVERAGE, SUMS, rate_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.records.grains import GroupKey
    from app.records.metrics import Metric
    from app.records.sources import Source


def sums_by_currency(
    source: Source, groups: Sequence[GroupKey], metrics: Sequence[Metric], where: Sequence[sa.ColumnElement[bool]]
) -> sa.Subquery:
    """Per group, currency and day: keys (g), counts (n), sums or extremes (v) and the factor to the home currency (f).

    Amounts in the home currency share one row whatever their day.
    """
    currencies = _currencies(metrics)
    records = _amounts(source, groups, metrics, where, currencies)
    columns = [records.c[f"g{index}"] for index in range(len(groups))]
    columns += [records.c[name] for name in currencies.values()]
    columns.append(records.c.day)
    grouped = tuple(columns)
    for index, metric in enumerate(metrics):
        value = records.c.get(f"v{index}")
        counted = records.c.get(f"m{index}")
        columns.append((sa.func.count() if counted is None else sa.func.count(counted)).label(f"n{index}"))
        if value is not None:
            columns.append(_partial(metric, value).label(f"v{index}"))
    summed = sa.select(*columns).group_by(*grouped).subquery("p")
    factors = [
        home_rate(summed.c[currencies[metric.located.path]], summed.c.day).label(f"f{index}")
        for index, metric in enumerate(metrics)
        if metric.money and metric.located is not None
    ]
    return sa.select(*summed.c, *factors).subquery("s")


def combined(metric: Metric, index: int, sums: sa.Subquery) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """The figure over a group's ``sums``, and how many of its values have no rate."""
    count, value, factor = sums.c[f"n{index}"], sums.c.get(f"v{index}"), sums.c.get(f"f{index}")
    if value is None:
        return _whole(sa.func.sum(count)), sa.literal_column("0")
    total: sa.ColumnElement[Any] = sa.func.sum(count)
    missing: sa.ColumnElement[Any] = sa.literal_column("0")
    if factor is not None:
        value = value * factor
        missing = _whole(total.filter(factor.is_(None)))
        total = total.filter(factor.is_not(None))
    if metric.function == AVERAGE:
        return metric.finished(sa.func.sum(value) / sa.func.nullif(total, 0)), missing
    function = sa.func.sum if metric.function in SUMS else getattr(sa.func, metric.function)
    return metric.finished(function(value)), missing


def _currencies(metrics: Sequence[Metric]) -> dict[str, str]:
    """A column name for the currency of each money field, by its path."""
    paths = dict.fromkeys(metric.located.path for metric in metrics if metric.money and metric.located is not None)
    return {path: f"c{index}" for index, path in enumerate(paths)}


def _amounts(
    source: Source,
    groups: Sequence[GroupKey],
    metrics: Sequence[Metric],
    where: Sequence[sa.ColumnElement[bool]],
    currencies: Mapping[str, str],
) -> sa.Subquery:
    """Each record's keys (g), values as they are stored (v), what says whether there is one (m), currencies, day."""
    columns: list[sa.ColumnElement[Any]] = [group.sql.label(f"g{index}") for index, group in enumerate(groups)]
    found: dict[str, sa.ColumnElement[Any]] = {}
    for index, metric in enumerate(metrics):
        value, located = metric.stored(source), metric.located
        if value is None or located is None:
            continue
        columns += [value.label(f"v{index}"), located.sql.label(f"m{index}")]
        if metric.money:
            found[located.path] = currency_of(located)
    columns += [currency.label(currencies[path]) for path, currency in found.items()]
    home = sa.bindparam("home", type_=sa.Text())
    foreign = sa.or_(*[currency != home for currency in found.values()])
    columns.append(sa.case((foreign, rate_day(source))).label("day"))
    return sa.select(*columns).select_from(source.from_clause()).where(*where).subquery("a")


def _partial(metric: Metric, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if metric.function in SUMS or metric.function == AVERAGE:
        return sa.cast(sa.func.sum(value), sa.Numeric())
    return getattr(sa.func, metric.function)(value)


def _whole(total: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A sum of counts as the integer it is."""
    return sa.cast(sa.func.coalesce(total, 0), sa.BigInteger())
