"""The statements that write many records of one object: set-based, each row with its event, one outbox row.

Larger inserts go by COPY, their ids are made in Python; updates by one statement per set of fields, fed through
``jsonb_to_recordset``. Rows are locked in id order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from psycopg.types.json import Json, Jsonb

from app.core import clock
from app.events.append import event_ctes, event_params
from app.records.feeds import insert_of, parts_of
from app.records.parts import batched
from app.records.reach import whole
from app.records.rowform import diff_sql, quote, row_form, trusted
from app.records.statements import ShapeCache
from tenants.copying import copy_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

_TEXTS: Final = ShapeCache()
#: Up to here one statement with its parameters as JSON is quicker than two COPY.
_FEW: Final = 50


@dataclass(frozen=True, slots=True)
class Change:
    """New values of one live record."""

    id: UUID
    values: Mapping[str, Any]


def insert_many(
    scope: TenantScope,
    object_type: ObjectType,
    rows: Sequence[tuple[UUID, Mapping[str, Any]]],
    created_by: UUID | None,
) -> None:
    """Insert records (id, values) with their events and one outbox row: few in one statement, many by COPY."""
    if not rows:
        return
    present = {name for _, values in rows for name in values}
    fields = [field for name, field in object_type.fields.items() if name in present]
    if len(rows) <= _FEW:
        _insert_few(scope, object_type, fields, rows, created_by)
    else:
        _copy(scope, object_type, fields, rows, created_by)


def _insert_few(
    scope: TenantScope,
    object_type: ObjectType,
    fields: Sequence[Field],
    rows: Sequence[tuple[UUID, Mapping[str, Any]]],
    created_by: UUID | None,
) -> None:
    shape = ("insert", object_type.spec_hash, tuple(field.name for field in fields))
    text = _TEXTS.get(shape, lambda: _insert_text(object_type, fields))
    params = event_params(scope) | {"now": clock.now(), "by": created_by}
    params["rows"] = _json_rows(fields, [Change(record_id, values) for record_id, values in rows])
    scope.execute(trusted(text), params)


def _insert_text(object_type: ObjectType, fields: Sequence[Field]) -> str:
    columns = [column for field in fields for column in field.columns]
    record = "".join(f", n{position} {column.sql_type}" for position, column in enumerate(columns))
    names = "".join(f", {quote(column.name)}" for column in columns)
    values = "".join(f", r.n{position}" for position in range(len(columns)))
    fed = parts_of(object_type, "w", new=True)
    return (
        f"WITH w AS (INSERT INTO {whole(object_type)} (id{names}, created_at, updated_at, created_by, updated_by)"
        f" SELECT r.id{values}, %(now)s::timestamptz, %(now)s::timestamptz, %(by)s::uuid, %(by)s::uuid"
        f" FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid{record})"
        f" RETURNING id, version{fed.returned}),"
        f" {event_ctes('w', 'created', object_type.name)}{fed.cte} SELECT count(*) FROM w"
    )


def _copy(
    scope: TenantScope,
    object_type: ObjectType,
    fields: Sequence[Field],
    rows: Sequence[tuple[UUID, Mapping[str, Any]]],
    created_by: UUID | None,
) -> None:
    columns = ["id", *(column.name for field in fields for column in field.columns)]
    columns += ["created_at", "updated_at", "created_by", "updated_by"]
    tail = (now := clock.now().isoformat(), now, by := _text_of(created_by), by)
    for part in batched(rows):
        cells = _columns(fields, [values for _, values in part])
        identities = [str(record_id) for record_id, _ in part]
        copy_into(scope, object_type.table, columns, zip(identities, *cells, *map(repeat, tail), strict=False))
    log_created(scope, object_type, [record_id for record_id, _ in rows])


def _columns(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> Iterator[Iterable[object]]:
    """The parameters of many rows, column by column: a call a field instead of one a value where the type allows."""
    for field in fields:
        name, kind = field.name, field.type
        if kind.binds_itself:
            yield [values.get(name) for values in rows]
        else:
            unset = kind.bind(None)
            bound = [kind.bind(values[name]) if name in values else unset for values in rows]
            yield from ([_copied(cell) for cell in cells] for cells in zip(*bound, strict=True))


def _copied(cell: object) -> object:
    """JSON as text: psycopg writes it with the slow module of the standard library."""
    return msgspec.json.encode(cell.obj).decode() if isinstance(cell, (Jsonb, Json)) else cell


def log_created(scope: TenantScope, object_type: ObjectType, record_ids: Sequence[UUID]) -> None:
    """Events of new records at version 1 and their outbox row; only the ids travel."""
    fed = insert_of(object_type, "SELECT r.id FROM unnest(%(ids)s::text::uuid[]) AS r(id)")
    text = _TEXTS.get(
        ("created", object_type.spec_hash),
        lambda: (
            "WITH w AS (SELECT r.id, 1 AS version FROM unnest(%(ids)s::text::uuid[]) AS r(id)),"
            f" {event_ctes('w', 'created', object_type.name)}{f', {fed}' if fed else ''} SELECT count(*) FROM logged"
        ),
    )
    scope.execute(trusted(text), event_params(scope) | {"ids": array_text(record_ids)})


def array_text(items: Iterable[object]) -> str:
    """Ids or numbers as the text of a PostgreSQL array: psycopg writes a list item by item."""
    return f"{{{','.join(map(str, items))}}}"


def _text_of(identity: UUID | None) -> str | None:
    """As COPY sends it; psycopg writes a UUID in Python each time, a text in C."""
    return None if identity is None else str(identity)


def change_many(
    scope: TenantScope,
    object_type: ObjectType,
    changes: Sequence[Change],
    *,
    cause: Mapping[str, object] | None = None,
    updated_by: UUID | None = None,
) -> dict[UUID, int]:
    """Update live records with events; answers the new version of each that really changed."""
    groups: defaultdict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        if change.values:
            groups[tuple(name for name in object_type.fields if name in change.values)].append(change)
    versions: dict[UUID, int] = {}
    by = updated_by or (scope.member.id if scope.member else None)
    for names, group in sorted(groups.items()):
        fields = [object_type.fields[name] for name in names]
        shape = ("update", object_type.spec_hash, names)
        text = _TEXTS.get(shape, lambda fields=fields: _change_text(object_type, fields))
        group.sort(key=lambda change: change.id)
        for part in batched(group):
            params = event_params(scope, cause) | {"rows": _json_rows(fields, part), "now": clock.now(), "by": by}
            versions |= {row[0]: row[1] for row in scope.execute(trusted(text), params).fetchall()}
    return versions


def _change_text(object_type: ObjectType, fields: Sequence[Field]) -> str:
    columns = [column for field in fields for column in field.columns]
    named = [(quote(column.name), f"n{position}", column.sql_type) for position, column in enumerate(columns)]
    record = ", ".join(f"{alias} {sql_type}" for _, alias, sql_type in named)
    sets = ", ".join(f"{name} = r.{alias}" for name, alias, _ in named)
    changed = " OR ".join(f"t.{name} IS DISTINCT FROM r.{alias}" for name, alias, _ in named)
    diff = " || ".join(diff_sql(field) for field in fields)
    fed = parts_of(object_type, "u", old=True, new=True)
    return (
        f"WITH r AS (SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, {record})),"
        f" u AS (UPDATE {whole(object_type)} t SET {sets}, version = t.version + 1,"
        " updated_at = %(now)s::timestamptz, updated_by = %(by)s::uuid"
        f" FROM r WHERE t.id = r.id AND t.deleted_at IS NULL AND ({changed})"
        f" RETURNING new.id AS id, new.version AS version, {diff} AS event_diff{fed.returned}),"
        f" {event_ctes('u', 'updated', object_type.name, diff='event_diff')}{fed.cte} SELECT id, version FROM u"
    )


def _json_rows(fields: Sequence[Field], changes: Iterable[Change]) -> str:
    """JSON that PostgreSQL reads back as rows of the columns' types (UUID, dates and decimals as texts)."""
    rows: list[dict[str, object]] = []
    for change in changes:
        row: dict[str, object] = {"id": change.id}
        cells = (cell for field in fields for cell in field.type.bind(change.values.get(field.name)))
        row.update((f"n{position}", cell) for position, cell in enumerate(cells))
        rows.append(row)
    return msgspec.json.encode(rows, enc_hook=_inner).decode()


def _inner(cell: object) -> object:
    """What psycopg's wrappers of JSON hold."""
    if isinstance(cell, (Jsonb, Json)):
        return cell.obj
    raise TypeError(type(cell).__name__)


def lock_records(
    scope: TenantScope, object_type: ObjectType, record_ids: Iterable[UUID], *, hard: bool = False
) -> dict[UUID, dict[str, Any]]:
    """Live records in their JSON form, locked in id order; ``hard`` also keeps new links to them out."""
    return _live_records(scope, object_type, record_ids, f" ORDER BY id FOR {'UPDATE' if hard else 'NO KEY UPDATE'}")


def present_records(
    scope: TenantScope, object_type: ObjectType, record_ids: Iterable[UUID]
) -> dict[UUID, dict[str, Any]]:
    """The same as they are now, without a lock: to say what a write would meet."""
    return _live_records(scope, object_type, record_ids, "")


def _live_records(
    scope: TenantScope, object_type: ObjectType, record_ids: Iterable[UUID], lock: str
) -> dict[UUID, dict[str, Any]]:
    form = row_form(object_type)
    cursor = scope.cursor_text()
    text = f"SELECT {form.select} FROM {whole(object_type)} WHERE id = ANY(%s::uuid[]) AND deleted_at IS NULL{lock}"
    cursor.execute(trusted(text), (sorted(set(record_ids)),))
    records = [form.decode(row) for row in cursor.fetchall()]
    return {UUID(record["id"]): record for record in records}
