"""What a formula or a condition that is not saved yet would give for one record."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.access import catalogs
from app.expressions import ConditionError, check, to_sql_value
from app.metadata import fieldtypes
from app.metadata.formulas import checked_formula
from app.metadata.generated import literal
from app.metadata.model import Field, Formula
from app.records import reach
from app.records.environment import RecordEnvironment, RecordTables
from app.records.errors import RecordNotFound
from app.records.projection import project
from app.records.read import as_id, condition_params, find_object, live
from app.records.statements import compile_statement, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.metadata.model import Option
    from tenants.scope import TenantScope

#: Whoever has a field of this name would have been refused it: names do not begin so.
_TRIED = "_tried"


def tried(
    scope: TenantScope, object_name: str, source: str, returns: str, record_id: UUID | str | None = None
) -> tuple[Field, object]:
    """The formula as a field, and its value for a record; None without one. Raises ConditionError, RecordNotFound."""
    whole = catalogs.whole(scope)
    checked = Formula(source=source, returns=returns)
    kind = fieldtypes.get(returns)
    field = Field(name=_TRIED, type=kind, label="Result", system=True, options=_no_options(), formula=checked)
    parts = checked_formula(whole.objects, whole.objects[object_name], field, checked)
    field = replace(field, formula=replace(checked, parts=parts))
    if record_id is None:
        return field, None
    catalog, obj = find_object(scope, object_name)
    wanted = as_id(obj, record_id)
    with_it = replace(obj, fields=MappingProxyType({**obj.fields, _TRIED: field}))
    objects = MappingProxyType({**catalog.objects, object_name: with_it})
    asked = reach.source(replace(catalog, objects=objects), with_it)
    projection = project(asked, (_TRIED,))
    columns = [column.label(f"x{index}") for index, column in enumerate(projection.columns)]
    where = [asked.id == sa.bindparam("record_id", type_=asked.id.type), live(asked)]
    rows = run(
        scope, compile_statement(sa.select(*columns).select_from(asked.from_clause()).where(*where)),
        {"record_id": wanted},
    )  # fmt: skip
    if not rows:
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    return field, projection.record(rows[0])[_TRIED]


def tried_conditions(
    scope: TenantScope, object_name: str, sources: Sequence[str], record_id: UUID | str
) -> list[bool | None]:
    """Whether a record meets each condition; None where that is unknown, or beyond what one may read.

    Raises RecordNotFound.
    """
    catalog, obj = find_object(scope, object_name)
    wanted = as_id(obj, record_id)
    environment = RecordEnvironment(catalog, obj, scope.tenant)
    source = reach.source(catalog, obj)
    tables = RecordTables(source)
    columns: list[sa.ColumnElement[Any]] = [source.id]
    params = condition_params(scope, None)
    for text in sources:
        try:
            checked = check(text, environment)
        except ConditionError:
            columns.append(sa.null())
            continue
        params |= {name: one for name, one in condition_params(scope, checked).items() if not name.startswith("c")}
        columns.append(to_sql_value(checked, tables, literal))
    labelled = [column.label(f"x{index}") for index, column in enumerate(columns)]
    where = [source.id == sa.bindparam("record_id", type_=source.id.type), live(source)]
    chosen = compile_statement(sa.select(*labelled).select_from(source.from_clause()).where(*where))
    rows = run(scope, chosen, {**params, "record_id": wanted})
    if not rows:
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    return [found if isinstance(found, bool) else None for found in rows[0][1:]]


def _no_options() -> dict[str, Option]:
    return {}
