"""Lists of records and single ones, in their JSON form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.access import catalogs
from app.core.errors import FieldError, InvalidInput
from app.records import reach
from app.records.environment import check_filter, condition_sql, spec_key
from app.records.errors import RecordNotFound, UnknownObject
from app.records.keyset import Branch, branches, decode_cursor, encode_cursor, subject_of
from app.records.metrics import minor_digits
from app.records.paths import column_of
from app.records.projection import Projection, project
from app.records.query import EXPORT_LIMIT, MAX_LIMIT, JSONRecord, ListQuery, Page, Trash
from app.records.sorting import SortKey, parse_sort
from app.records.statements import ShapeCache, Statement, compile_statement, condition_binds, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.expressions import Checked
    from app.metadata.model import Catalog, Field, ObjectType
    from app.records.sources import Source
    from tenants.scope import TenantScope

_STATEMENTS: Final = ShapeCache()
_TOTALS: Final = ("exact", "estimate", "none")
#: Below it the planner knows too little of the rows, and counting them costs next to nothing.
_WORTH_GUESSING: Final = 10_000
_TRASH: Final = ("", "only", "with")


@dataclass(frozen=True, slots=True)
class _ListPlan:
    """A list's statement for one shape."""

    statement: Statement
    projection: Projection
    keys: tuple[SortKey, ...]
    keys_at: int


def find_object(scope: TenantScope, name: str) -> tuple[Catalog, ObjectType]:
    """The tenant's catalog and its object called ``name``. Raises UnknownObject."""
    catalog = catalogs.for_scope(scope)
    obj = catalog.objects.get(name)
    if obj is None:
        raise UnknownObject(f"This workspace has no object called {name!r}.")
    return catalog, obj


def list_records(scope: TenantScope, object_name: str, query: ListQuery) -> Page:
    """Answer one page of the records of an object that meet the query's condition."""
    catalog, obj = find_object(scope, object_name)
    check_limits(query.limit, MAX_LIMIT if query.action == "read" else EXPORT_LIMIT)
    _check_choices(query)
    checked = check_filter(scope, catalog, obj, query.filter)
    sort = query.sort or obj.default_sort
    spec = spec_key(catalog, obj)
    keys = _STATEMENTS.get(("keys", spec, sort), lambda: parse_sort(reach.source(catalog, obj), sort))
    question = f"{obj.name}?{sort}"
    subject = subject_of(scope.tenant.id, question, query.filter, query.trash)
    subjects = (subject, subject_of(scope.tenant.id, question))
    place = decode_cursor(subjects, query.cursor, keys) if query.cursor else None
    shape = (
        "list",
        spec,
        query.fields,
        checked.shape if checked else None,
        sort,
        place.form if place else None,
        query.trash,
        query.action,
    )
    plan = _STATEMENTS.get(shape, lambda: _plan(catalog, obj, query, checked, sort, place.form if place else None))
    params = condition_params(scope, checked)
    binds = {**params, "limit": query.limit + 1, **(place.binds() if place else {})}
    rows = run(scope, plan.statement, binds)
    page, more = rows[: query.limit], len(rows) > query.limit
    following = encode_cursor(subject, page[-1][plan.keys_at :], page[-1][0]) if more and page else None
    total = len(page) if place is None and not more and query.total != "none" else None
    if total is None and query.total != "none":
        total = _total(scope, catalog, obj, checked, query, params)
    return Page([plan.projection.record(row) for row in page], following, total)


def get_record(
    scope: TenantScope, object_name: str, record_id: UUID | str, *, fields: tuple[str, ...] = (), trash: bool = False
) -> JSONRecord:
    """Answer one record; ``trash`` finds trashed ones too. Raises RecordNotFound."""
    catalog, obj = find_object(scope, object_name)
    wanted = as_id(obj, record_id)
    statement, projection = _STATEMENTS.get(
        ("get", spec_key(catalog, obj), fields, trash), lambda: _get_plan(catalog, obj, fields, trash=trash)
    )
    rows = run(scope, statement, {"record_id": wanted})
    if not rows:
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    return projection.record(rows[0])


def filled(
    scope: TenantScope, catalog: Catalog, obj: ObjectType, record: JSONRecord, *, fresh: bool = False
) -> JSONRecord:
    """A record as it was written, with its fields that only a statement that asks calculates; most objects have none.

    Whoever asks sees in them what they would see reading the record. Nothing links to a ``fresh`` one yet, so that its
    roll-ups are known without asking.
    """
    names = asked_fields(obj)
    if not names:
        return record
    if fresh and all(obj.fields[name].rollup is not None for name in names):
        return record | {name: _of_nothing(scope, obj.fields[name]) for name in names}
    statement, projection = _STATEMENTS.get(
        ("get", spec_key(catalog, obj), names, True), lambda: _get_plan(catalog, obj, names, trash=True)
    )
    rows = run(scope, statement, {"record_id": record["id"]})
    return {**record, **projection.record(rows[0])} if rows else record


def _of_nothing(scope: TenantScope, field: Field) -> object:
    """What a roll-up answers for a record that nothing links to."""
    rollup = field.rollup
    if rollup is None or rollup.problem or rollup.function not in {"count", "sum"}:
        return None
    home = scope.tenant.currency
    if field.type.name == "money":
        return field.type.decode((f"{0:.{minor_digits(home)}f}", home))
    return field.type.decode((0 if field.type.name == "integer" else "0",))


def asked_fields(obj: ObjectType) -> tuple[str, ...]:
    """The fields of an object that no column holds."""
    return tuple(field.name for field in obj.fields.values() if field.computed and not field.columns)


def as_id(obj: ObjectType, record_id: UUID | str) -> UUID:
    """The id as UUID; what can't be one names no record. Raises RecordNotFound."""
    try:
        wanted = record_id if isinstance(record_id, UUID) else UUID(record_id)
    except ValueError:
        wanted = None
    # Braces, urn:uuid: and ids without hyphens are forms of Python's, not of this interface.
    if wanted is None or str(wanted) != str(record_id).lower():
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    return wanted


def check_limits(limit: int, most: int = MAX_LIMIT) -> None:
    """Raise InvalidInput at ``?limit`` unless 1 … 200."""
    if not 1 <= limit <= most:
        message = f"limit is a number from 1 to {most}."
        raise InvalidInput(message, [FieldError("?limit", "limit.invalid", message)])


def condition_params(scope: TenantScope, checked: Checked | None) -> dict[str, object]:
    """Parameters of a condition's SQL, the tenant's currency included."""
    return {**condition_binds(scope, checked), "home": scope.tenant.currency}


def live(source: Source, trash: Trash = "") -> sa.ColumnElement[bool]:
    """The condition that leaves trashed records out, or takes only them."""
    deleted = column_of(source.base, "deleted_at", sa.DateTime(timezone=True))
    if trash == "with":
        return sa.true()
    return deleted.is_not(None) if trash == "only" else deleted.is_(None)


def _check_choices(query: ListQuery) -> None:
    for name, given, known in (("total", query.total, _TOTALS), ("trash", query.trash, _TRASH)):
        if given not in known:
            message = f"{name} is one of {', '.join(choice for choice in known if choice)}."
            raise InvalidInput(message, [FieldError(f"?{name}", f"{name}.invalid", message)])


def _plan(
    catalog: Catalog,
    obj: ObjectType,
    query: ListQuery,
    checked: Checked | None,
    sort: str,
    form: tuple[bool, ...] | None,
) -> _ListPlan:
    source = reach.source(catalog, obj, query.action)
    projection = project(source, query.fields)
    keys = parse_sort(source, sort)
    where = [live(source, query.trash)]
    if checked is not None:
        where.append(condition_sql(source, checked))
    columns = [*projection.columns, *(key.sql for key in keys)]
    ranges = branches(keys, source.id, form)
    statement = union([select_branch(source, columns, where, branch) for branch in ranges])
    return _ListPlan(compile_statement(statement), projection, keys, len(projection.columns))


def select_branch(
    source: Source, columns: Sequence[sa.ColumnElement[Any]], where: Sequence[sa.ColumnElement[bool]], branch: Branch
) -> sa.Select[Any]:
    """One range of a page, limited by the parameter ``limit``."""
    labelled = [column.label(f"x{index}") for index, column in enumerate(columns)]
    conditions = [*where, *([branch.where] if branch.where is not None else [])]
    chosen = sa.select(*labelled).select_from(source.from_clause()).where(*conditions)
    return chosen.order_by(*branch.order).limit(sa.bindparam("limit", type_=sa.Integer()))


def union(selects: Sequence[sa.Select[Any]]) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The ranges one after the other; an Append under a Limit starts the second only when it is needed."""
    if len(selects) == 1:
        return selects[0]
    return sa.union_all(*selects).limit(sa.bindparam("limit", type_=sa.Integer()))


def _get_plan(
    catalog: Catalog, obj: ObjectType, fields: tuple[str, ...], *, trash: bool
) -> tuple[Statement, Projection]:
    source = reach.source(catalog, obj)
    projection = project(source, fields)
    wanted = sa.bindparam("record_id", type_=source.id.type)
    where = [source.id == wanted] if trash else [source.id == wanted, live(source)]
    labelled = [column.label(f"x{index}") for index, column in enumerate(projection.columns)]
    chosen = sa.select(*labelled).select_from(source.from_clause()).where(*where)
    return compile_statement(chosen), projection


def _total(
    scope: TenantScope,
    catalog: Catalog,
    obj: ObjectType,
    checked: Checked | None,
    query: ListQuery,
    params: dict[str, object],
) -> int:
    """How many records meet the condition: counted, or as the planner guesses."""
    statement = _STATEMENTS.get(
        ("count", spec_key(catalog, obj), checked.shape if checked else None, query.trash, query.action),
        lambda: _count_statement(catalog, obj, checked, query, rows=False),
    )
    # A guess is made of all records there are: who sees some of them gets those counted.
    if query.total == "exact" or obj.reach:
        return run(scope, statement, params)[0][0]
    rows = _STATEMENTS.get(
        ("rows", spec_key(catalog, obj), checked.shape if checked else None, query.trash),
        lambda: _count_statement(catalog, obj, checked, query, rows=True),
    )
    guess = run(scope, Statement(b"EXPLAIN (FORMAT JSON) " + rows.text, rows.constants), params)[0][0]
    plan = json.loads(guess) if isinstance(guess, str) else guess
    guessed = int(plan[0]["Plan"]["Plan Rows"])
    return guessed if guessed >= _WORTH_GUESSING else run(scope, statement, params)[0][0]


def _count_statement(
    catalog: Catalog, obj: ObjectType, checked: Checked | None, query: ListQuery, *, rows: bool
) -> Statement:
    source = reach.source(catalog, obj, query.action)
    where = [live(source, query.trash)]
    if checked is not None:
        where.append(condition_sql(source, checked))
    counted = source.id if rows else sa.func.count()
    return compile_statement(sa.select(counted).select_from(source.from_clause()).where(*where))
