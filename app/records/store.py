"""The statements that write one record: row, event and outbox in one, text cached by shape.

Nothing here decides what is written; ``write`` and ``trash`` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from app.core import clock
from app.events.append import event_ctes, event_params, one_event_ctes
from app.records.feeds import parts_of
from app.records.links import live_target_sql, with_trash
from app.records.reach import whole
from app.records.rowform import diff_sql, quote, row_form, trusted, whole_row_sql
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Field, ObjectType
    from app.records.links import Target
    from tenants.scope import TenantScope

Record: TypeAlias = dict[str, Any]

_TEXTS: Final = ShapeCache()


def field_params(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters ``v_<position>_<part>`` of the fields' values, as the texts below name them."""
    params: dict[str, Any] = {}
    for position, field in enumerate(fields):
        value = values[field.name]
        parts = field.type.bind(value)
        for part, bound in enumerate(parts):
            params[f"v{position}_{part}"] = bound
    return params


def _placeholders(fields: Sequence[Field]) -> list[tuple[str, str]]:
    """Quoted column and typed placeholder of each column of ``fields``."""
    return [
        (quote(column.name), f"%(v{position}_{part})s::{column.sql_type}")
        for position, field in enumerate(fields)
        for part, column in enumerate(field.columns)
    ]


def insert_record(
    scope: TenantScope, object_type: ObjectType, values: Mapping[str, Any], targets: Sequence[Target], record_id: UUID
) -> Record | None:
    """Insert a record with its event; None when one of the link targets is not a live record.

    What comes back is known before: the values' JSON forms are what reading them would give (``FieldType.to_json``).
    """
    fields, targets = _ordered(object_type, values), with_trash(targets)
    shape = ("insert", object_type.spec_hash, tuple(field.name for field in fields), _target_shape(targets))
    text = _TEXTS.get(shape, lambda: _insert_text(object_type, fields, targets))
    by, now = scope.member.id if scope.member else None, clock.now()
    params = field_params(fields, values) | _target_params(targets) | event_params(scope)
    params |= {"id": record_id, "now": now, "by": by}
    form = row_form(object_type)
    cursor = scope.cursor_text()
    cursor.execute(trusted(text), params)
    row = cursor.fetchone()
    if row is None:
        return None
    system = {"id": record_id, "version": 1, "created_at": now, "created_by": by, "updated_at": now, "updated_by": by}
    return {**form.written({**values, **system}), **form.decode_calculated(row)}


def _insert_text(object_type: ObjectType, fields: Sequence[Field], targets: Sequence[Target]) -> str:
    pairs = [("id", "%(id)s::uuid"), *_placeholders(fields)]
    pairs += [("created_at", "%(now)s::timestamptz"), ("updated_at", "%(now)s::timestamptz")]
    pairs += [("created_by", "%(by)s::uuid"), ("updated_by", "%(by)s::uuid")]
    where = _targets_where(targets)
    calculated = ", ".join(quote(name) for name in row_form(object_type).calculated)
    fed = parts_of(object_type, "w", new=True)
    return (
        f"WITH w AS (INSERT INTO {whole(object_type)} ({', '.join(name for name, _ in pairs)})"
        f" SELECT {', '.join(value for _, value in pairs)}{f' WHERE {where}' if where else ''}"
        f" RETURNING id, version{f', {calculated}' if calculated else ''}{fed.returned}),"
        f" {one_event_ctes('w', 'created', object_type.name)}{fed.cte} SELECT {calculated or 'version'} FROM w"
    )


def change_record(
    scope: TenantScope,
    object_type: ObjectType,
    record_id: UUID,
    values: Mapping[str, Any],
    targets: Sequence[Target],
    if_match: int | None,
) -> Record | None:
    """Update a live record with its event; None when it is gone, stale, unchanged or a link target is not live."""
    fields, targets = _ordered(object_type, values), with_trash(targets)
    names = tuple(field.name for field in fields)
    shape = ("update", object_type.spec_hash, names, _target_shape(targets), if_match is None)
    text = _TEXTS.get(shape, lambda: _update_text(object_type, fields, targets, checked=if_match is not None))
    params = field_params(fields, values) | _target_params(targets) | event_params(scope)
    params |= {"id": record_id, "now": clock.now(), "by": scope.member.id if scope.member else None}
    if if_match is not None:
        params["if_match"] = if_match
    return _one(scope, object_type, text, params)


def _update_text(object_type: ObjectType, fields: Sequence[Field], targets: Sequence[Target], *, checked: bool) -> str:
    pairs = _placeholders(fields)
    form = row_form(object_type)
    sets = ", ".join(f"{name} = {value}" for name, value in pairs)
    changed = " OR ".join(f"t.{name} IS DISTINCT FROM {value}" for name, value in pairs)
    where = f"t.id = %(id)s::uuid AND t.deleted_at IS NULL AND ({changed})"
    if checked:
        where += " AND t.version = %(if_match)s::bigint"
    if targets:
        where += f" AND {_targets_where(targets)}"
    diff = " || ".join(diff_sql(field) for field in fields)
    returned = ", ".join(f"new.{quote(name)}" for name in form.columns)
    fed = parts_of(object_type, "u", old=True, new=True)
    return (
        f"WITH u AS (UPDATE {whole(object_type)} t SET {sets}, version = t.version + 1,"
        f" updated_at = %(now)s::timestamptz, updated_by = %(by)s::uuid WHERE {where}"
        f" RETURNING {returned}, {diff} AS event_diff{fed.returned}),"
        f" {one_event_ctes('u', 'updated', object_type.name, diff='event_diff')}{fed.cte} SELECT {form.select} FROM u"
    )


def read_record(
    scope: TenantScope, object_type: ObjectType, record_id: UUID, *, lock: bool = False, trashed: bool = False
) -> Record | None:
    """A live record (or, with ``trashed``, one in any state) in its JSON form, locked for this transaction if asked."""
    form = row_form(object_type)
    text = f"SELECT {form.select} FROM {whole(object_type)} WHERE id = %(id)s::uuid"
    if not trashed:
        text += " AND deleted_at IS NULL"
    if lock:
        text += " FOR NO KEY UPDATE"
    return _one(scope, object_type, text, {"id": record_id})


def delete_rows(scope: TenantScope, object_type: ObjectType, ids: Sequence[UUID]) -> int:
    """Delete rows for good, in one statement because they may link to each other; each event keeps the whole row."""
    fed = parts_of(object_type, "d", old=True)
    returned = f"old.id, old.version, {whole_row_sql(object_type, 'old')} AS event_diff{fed.returned}"
    text = (
        f"WITH d AS (DELETE FROM {whole(object_type)} t WHERE t.id = ANY(%(ids)s::uuid[]) RETURNING {returned}),"
        f" {event_ctes('d', 'destroyed', object_type.name, diff='event_diff')}{fed.cte} SELECT count(*) FROM d"
    )
    row = scope.execute(trusted(text), event_params(scope) | {"ids": list(ids)}).fetchone()
    return int(row[0]) if row else 0


def _one(scope: TenantScope, object_type: ObjectType, text: str, params: Mapping[str, Any]) -> Record | None:
    cursor = scope.cursor_text()
    cursor.execute(trusted(text), params)
    row = cursor.fetchone()
    return None if row is None else row_form(object_type).decode(row)


def _ordered(object_type: ObjectType, values: Mapping[str, Any]) -> list[Field]:
    """The fields of ``values`` in catalog order, so that equal sets of fields share one text."""
    return [field for name, field in object_type.fields.items() if name in values]


def _target_shape(targets: Sequence[Target]) -> tuple[str, ...]:
    return tuple(target.table for target in targets)


def _target_params(targets: Sequence[Target]) -> dict[str, Any]:
    return {f"target{position}": target.id for position, target in enumerate(targets)}


def _targets_where(targets: Sequence[Target]) -> str:
    return " AND ".join(live_target_sql(target, f"target{position}") for position, target in enumerate(targets))
