"""Counts, sums and extremes of records by groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.core import clock
from app.records import reach
from app.records.converted import combined, sums_by_currency
from app.records.environment import check_filter, condition_sql, spec_key
from app.records.grains import GroupKey, parse_groups
from app.records.keyset import Branch, branches, decode_cursor, encode_cursor, subject_of
from app.records.metrics import Metric, minor_digits, parse_metrics, plain_amount, stray_select
from app.records.paths import refuse
from app.records.read import check_limits, condition_params, find_object, live, union
from app.records.statements import ShapeCache, Statement, compile_statement, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.expressions import Checked
    from app.metadata.model import Catalog, ObjectType
    from app.records.query import AggregateQuery
    from app.records.sorting import SortKey
    from app.records.sources import Source
    from tenants.scope import Tenant, TenantScope

_STATEMENTS: Final = ShapeCache(512)
_MAX_GROUPS: Final = 4
_MAX_METRICS: Final = 12


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides the text of an aggregate besides the objects' specs."""

    group_by: tuple[str, ...]
    metrics: tuple[str, ...]
    checked: Checked | None
    form: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """An aggregate's statement, how its rows read, and the statements for what could not be converted."""

    statement: Statement
    groups: tuple[GroupKey, ...]
    metrics: tuple[Metric, ...]
    keys: tuple[SortKey, ...]
    strays: tuple[tuple[Metric, Statement], ...]


def aggregate(scope: TenantScope, object_name: str, query: AggregateQuery) -> dict[str, object]:
    """Answer ``{"data": [{"group", "count", "sum_<field>"}], "next", "unconverted"}``.

    ``unconverted`` lists ``{"metric", "group", "currency", "amount", "count"}`` of amounts without a rate.
    """
    catalog, obj = find_object(scope, object_name)
    check_limits(query.limit)
    _check_sizes(query)
    checked = check_filter(scope, catalog, obj, query.filter)
    subject = subject_of(scope.tenant.id, f"{obj.name}*{','.join(query.group_by)}", query.filter)
    place = None
    if query.cursor:
        place = decode_cursor([subject], query.cursor, _plan_for(catalog, obj, query, checked, None).keys)
    plan = _plan_for(catalog, obj, query, checked, place.form if place else None)
    params = figure_params(scope, checked)
    binds = {**params, "limit": query.limit + 1, **(place.binds() if place else {})}
    rows = run(scope, plan.statement, binds)
    page = rows[: query.limit]
    following = None
    if len(rows) > query.limit:
        at = len(plan.groups) + 2 * len(plan.metrics)
        following = encode_cursor(subject, page[-1][at:], None)
    data = [_row(plan, row, scope.tenant) for row in page]
    return {"data": data, "next": following, "unconverted": _unconverted(scope, plan, page, params)}


def figure_params(scope: TenantScope, checked: Checked | None) -> dict[str, object]:
    """Parameters of figures and conditions: home currency and its digits, zone, today."""
    today = clock.now().astimezone(ZoneInfo(scope.tenant.timezone)).date()
    return {
        **condition_params(scope, checked),
        "zone": scope.tenant.timezone,
        "today": today,
        "digits": minor_digits(scope.tenant.currency),
    }


def _check_sizes(query: AggregateQuery) -> None:
    if len(query.group_by) > _MAX_GROUPS:
        raise refuse("?group_by", "group.too_many", f"At most {_MAX_GROUPS} fields to group by.")
    if not 1 <= len(query.metrics) <= _MAX_METRICS:
        raise refuse("?metrics", "metric.count", f"Ask for 1 to {_MAX_METRICS} metrics.")


def _plan_for(
    catalog: Catalog, obj: ObjectType, query: AggregateQuery, checked: Checked | None, form: tuple[bool, ...] | None
) -> _Plan:
    shape = _Shape(query.group_by, query.metrics, checked, form)
    key = (spec_key(catalog, obj), query.group_by, query.metrics, checked.shape if checked else None, form)
    return _STATEMENTS.get(key, lambda: _plan(catalog, obj, shape))


def _plan(catalog: Catalog, obj: ObjectType, shape: _Shape) -> _Plan:
    source = reach.source(catalog, obj)
    groups = parse_groups(source, shape.group_by)
    metrics = parse_metrics(source, shape.metrics)
    where = [live(source)]
    if shape.checked is not None:
        where.append(condition_sql(source, shape.checked))
    read = sums_by_currency if any(metric.money for metric in metrics) else _contributions
    inner = read(source, groups, metrics, where)
    keys = tuple(group.sort_key(inner.c[f"g{index}"]) for index, group in enumerate(groups))
    ranges = branches(keys, None, shape.form) if keys else [Branch(None, ())]
    selects = [_figures(inner, metrics, keys, branch) for branch in ranges]
    strays = tuple(
        (metric, compile_statement(stray_select(source, metric, [group.sql for group in groups], where)))
        for metric in metrics
        if metric.money
    )
    return _Plan(compile_statement(union(selects)), groups, metrics, keys, strays)


def _contributions(
    source: Source, groups: Sequence[GroupKey], metrics: Sequence[Metric], where: Sequence[sa.ColumnElement[bool]]
) -> sa.Subquery:
    """Each record's keys (g) and values (v), none of them money."""
    columns: list[sa.ColumnElement[Any]] = [group.sql.label(f"g{index}") for index, group in enumerate(groups)]
    for index, metric in enumerate(metrics):
        value = metric.value(source)
        if value is not None:
            columns.append(value.label(f"v{index}"))
    columns = columns or [source.id.label("id")]
    return sa.select(*columns).select_from(source.from_clause()).where(*where).subquery("s")


def _figures(inner: sa.Subquery, metrics: Sequence[Metric], keys: Sequence[SortKey], branch: Branch) -> sa.Select[Any]:
    """Keys, then per metric its figure and the number of values without a rate, then the order keys."""
    grouped: list[sa.ColumnElement[Any]] = [inner.c[f"g{index}"] for index in range(len(keys))]
    columns = list(grouped)
    for index, metric in enumerate(metrics):
        if f"n{index}" in inner.c:
            columns += combined(metric, index, inner)
        else:
            columns += [metric.figure(inner.c.get(f"v{index}")), sa.literal_column("0")]
    columns += [key.sql for key in keys]
    chosen = sa.select(*[column.label(f"x{index}") for index, column in enumerate(columns)]).select_from(inner)
    if branch.where is not None:
        chosen = chosen.where(branch.where)
    if grouped:
        chosen = chosen.group_by(*grouped).order_by(*branch.order)
    return chosen.limit(sa.bindparam("limit", type_=sa.Integer()))


def _row(plan: _Plan, row: Sequence[Any], tenant: Tenant) -> dict[str, object]:
    answer: dict[str, object] = {"group": group_json(plan.groups, row)}
    at = len(plan.groups)
    for index, metric in enumerate(plan.metrics):
        answer[metric.name] = metric.json(row[at + 2 * index], tenant)
    return answer


def group_json(groups: Sequence[GroupKey], row: Sequence[Any]) -> dict[str, object]:
    """The key of a group as the API shows it."""
    return {
        group.name: group.decode((row[index],)) if group.decode and row[index] is not None else row[index]
        for index, group in enumerate(groups)
    }


def _unconverted(
    scope: TenantScope, plan: _Plan, page: Sequence[Sequence[Any]], params: dict[str, object]
) -> list[dict[str, object]]:
    """Amounts without a rate, by metric, group and currency; asked for only when the page shows there are some."""
    at = len(plan.groups)
    found: list[dict[str, object]] = []
    for metric, statement in plan.strays:
        if not any(row[at + 2 * plan.metrics.index(metric) + 1] for row in page):
            continue
        for row in run(scope, statement, params):
            currency, amount, count = row[at : at + 3]
            stray: dict[str, object] = {"metric": metric.name, "group": group_json(plan.groups, row)}
            found.append(stray | {"currency": currency, "amount": plain_amount(amount, currency), "count": count})
    return found
