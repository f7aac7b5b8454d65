"""What a formula that is not saved yet would give for one record."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.access import catalogs
from app.metadata import fieldtypes
from app.metadata.formulas import checked_formula
from app.metadata.model import Field, Formula
from app.records import reach
from app.records.errors import RecordNotFound
from app.records.projection import project
from app.records.read import as_id, find_object, live
from app.records.statements import compile_statement, run

if TYPE_CHECKING:
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


def _no_options() -> dict[str, Option]:
    return {}
