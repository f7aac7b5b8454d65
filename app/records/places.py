"""The place of one record in a list, as the cursor that continues the list behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from app.records import reach
from app.records.environment import spec_key
from app.records.errors import RecordNotFound
from app.records.keyset import encode_cursor, subject_of
from app.records.read import as_id, find_object
from app.records.sorting import parse_sort
from app.records.statements import ShapeCache, Statement, compile_statement, run

if TYPE_CHECKING:
    from uuid import UUID

    from app.records.sources import Source
    from tenants.scope import TenantScope

_STATEMENTS: Final = ShapeCache(256)


def cursor_of(scope: TenantScope, object_name: str, record_id: UUID | str, sort: str) -> str:
    """The cursor that continues a list sorted by ``sort`` behind this record. Raises RecordNotFound."""
    catalog, obj = find_object(scope, object_name)
    statement = _STATEMENTS.get((spec_key(catalog, obj), sort), lambda: _statement(reach.source(catalog, obj), sort))
    rows = run(scope, statement, {"record_id": as_id(obj, record_id)})
    if not rows:
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    return encode_cursor(subject_of(scope.tenant.id, f"{obj.name}?{sort}"), rows[0][1:], rows[0][0])


def _statement(source: Source, sort: str) -> Statement:
    wanted = sa.bindparam("record_id", type_=source.id.type)
    columns = [source.id, *(key.sql for key in parse_sort(source, sort))]
    labelled = [column.label(f"x{index}") for index, column in enumerate(columns)]
    return compile_statement(sa.select(*labelled).select_from(source.from_clause()).where(source.id == wanted))
