"""Records as columns of cards, a column a stage or option; the cards of all columns are one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.records import reach
from app.records.aggregate import aggregate, figure_params
from app.records.environment import check_filter, condition_sql, spec_key
from app.records.keyset import encode_cursor, subject_of, whole_order
from app.records.metrics import parse_metrics
from app.records.paths import Located, refuse
from app.records.projection import Projection, project
from app.records.query import MAX_LIMIT, AggregateQuery, JSONRecord
from app.records.read import check_limits, find_object, live
from app.records.sorting import option_order, parse_sort
from app.records.statements import ShapeCache, Statement, compile_statement, run

if TYPE_CHECKING:
    from app.expressions import Checked
    from app.metadata.model import Catalog, ObjectType
    from app.records.query import BoardQuery
    from app.records.sources import Source
    from tenants.scope import TenantScope

_STATEMENTS: Final = ShapeCache(256)
_KINDS: Final = frozenset({"option", "link"})
#: Newest first: ids are in order of creation and need no sort key.
_DEFAULT_SORT: Final = "-id"


@dataclass(frozen=True, slots=True)
class _Cards:
    """The statement for the first cards of every column."""

    statement: Statement
    projection: Projection
    keys_at: int


def board(scope: TenantScope, object_name: str, query: BoardQuery) -> dict[str, object]:
    """Answer ``{"groups": [{"key", "count", "sum_<field>", "data", "next"}], "unconverted"}``.

    Every stage or option has its group, in order, empty ones too; a retired one (then ``"retired": true``) as long as
    records are in it. A group's ``next`` continues it as a cursor of the
    list with the same sort and ``<group_by> == "<key>"`` added to the filter.
    """
    catalog, obj = find_object(scope, object_name)
    check_limits(query.limit)
    name = query.group_by or ("stage" if obj.has_pipeline else "")
    source = reach.source(catalog, obj)
    column = _column(source, name)
    figures = AggregateQuery(group_by=(name,), metrics=query.metrics, filter=query.filter, limit=MAX_LIMIT)
    answer = aggregate(scope, object_name, figures)
    found = {row["group"][name]: row for row in _rows(answer)}
    retired = {option.name for option in column.field.options.values() if option.retired}
    standing = [key for key in option_order(column) if key in found or key not in retired]
    keys: list[Any] = list(dict.fromkeys([*standing, *found]))
    empty = {metric.name: metric.nothing(scope.tenant) for metric in parse_metrics(source, query.metrics)}
    cards = _cards(scope, catalog, obj, query, name, [key for key in keys if key in found])
    groups: list[dict[str, object]] = []
    for key in keys:
        row = found.get(key, empty)
        data, following = cards.get(key, ([], None))
        figures_here = {k: v for k, v in row.items() if k != "group"}
        mark = {"retired": True} if key in retired else {}
        groups.append({"key": key, **mark, **figures_here, "data": data, "next": following})
    stray = [_by_key(entry, name) for entry in _list(answer["unconverted"])]
    return {"groups": groups, "unconverted": stray}


def _column(source: Source, name: str) -> Located:
    if not name:
        message = f"{source.object.plural} have no stages: say group_by=<a select field>."
        raise refuse("?group_by", "group.missing", message)
    located = source.need(name, "?group_by")
    if located.kind not in _KINDS or "." in name:
        raise refuse("?group_by", "group.unsupported", f"{name} makes no columns; use a stage, a select or a link.")
    return located


def _rows(answer: dict[str, object]) -> list[dict[str, Any]]:
    return _list(answer["data"])


def _list(value: object) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def _by_key(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {"key": entry["group"][name], **{k: v for k, v in entry.items() if k != "group"}}


def _cards(
    scope: TenantScope, catalog: Catalog, obj: ObjectType, query: BoardQuery, name: str, keys: list[Any]
) -> dict[Any, tuple[list[JSONRecord], str | None]]:
    """Cards and cursor by column."""
    sort = query.sort or _DEFAULT_SORT
    checked = check_filter(scope, catalog, obj, query.filter)
    shape = (spec_key(catalog, obj), name, sort, query.fields, checked.shape if checked else None, None in keys)
    plan = _STATEMENTS.get(shape, lambda: _plan(catalog, obj, query, name, checked, with_empty=None in keys))
    binds = {**figure_params(scope, checked), "keys": keys, "limit": query.limit + 1}
    by_key: dict[Any, list[tuple[Any, ...]]] = {}
    for row in run(scope, plan.statement, binds):
        by_key.setdefault(row[-1], []).append(row)
    cards: dict[Any, tuple[list[JSONRecord], str | None]] = {}
    subject = subject_of(scope.tenant.id, f"{obj.name}?{sort}")
    for key, rows in by_key.items():
        page, following = rows[: query.limit], None
        if len(rows) > query.limit:
            following = encode_cursor(subject, page[-1][plan.keys_at : -1], page[-1][0])
        cards[key] = ([plan.projection.record(row) for row in page], following)
    return cards


def _plan(
    catalog: Catalog, obj: ObjectType, query: BoardQuery, name: str, checked: Checked | None, *, with_empty: bool
) -> _Cards:
    source = reach.source(catalog, obj)
    column = _column(source, name).sql
    projection = project(source, query.fields)
    keys = parse_sort(source, query.sort or _DEFAULT_SORT)
    wanted = (
        sa.func.unnest(sa.bindparam("keys", type_=pg.ARRAY(column.type)))
        .table_valued(sa.column("key", column.type), name="k")
        .render_derived()
    )
    order = whole_order(keys, source.id)
    mine, pipeline = column == wanted.c.key, _one_pipeline(source, name)
    if pipeline and keys[0].path == "id":
        order = (column.desc() if keys[0].descending else column.asc(), *order)
        mine = _within(column, wanted.c.key)
    where = [live(source), sa.or_(mine, sa.and_(wanted.c.key.is_(None), column.is_(None))) if with_empty else mine]
    where += pipeline
    if checked is not None:
        where.append(condition_sql(source, checked))
    selected = [*projection.columns, *(key.sql for key in keys)]
    top = (
        sa.select(*[item.label(f"x{index}") for index, item in enumerate(selected)])
        .select_from(source.from_clause())
        .where(*where)
        .order_by(*order)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .lateral("c")
    )
    chosen = sa.select(*top.c, wanted.c.key).select_from(wanted.join(top, sa.true()))
    return _Cards(compile_statement(chosen), projection, len(projection.columns))


def _within(column: sa.ColumnElement[Any], key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """``column = key`` as a range: with it in front of the order, only the index on (pipeline, stage, id) serves.

    With an equality PostgreSQL may walk the primary key backwards and filter, through a million records for a column
    that has had no new ones for long.
    """
    return sa.and_(column >= key, column <= key)


def _one_pipeline(source: Source, name: str) -> list[sa.ColumnElement[bool]]:
    """What lets stages be read from the index on (pipeline, stage, id): every record is in the only pipeline."""
    if name != "stage" or len(source.object.pipelines) != 1:
        return []
    return [source.need("pipeline", "?group_by").sql == next(iter(source.object.pipelines))]
