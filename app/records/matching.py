"""Find live records by the value of a field: for upserts, bulk matching, imports and unique checks.

Unique text compares case-folded with accents kept, ``external_id`` exactly; ``email`` and ``phone`` in all entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import Conflict, FieldError, InvalidInput
from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.sortkeys import equal_key_sql
from app.records.intake import coercion_of, unknown_field
from app.records.reach import NO_GUARD, visible, whole
from app.records.rowform import quote, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope


class AmbiguousMatch(Conflict):
    """Several live records hold the value, so none of them is meant."""

    code = "match.ambiguous"
    title = "Several records match"


def match_field(object_type: ObjectType, name: str) -> Field:
    """The field records can be matched by: a unique one, an e-mail or a phone. Raises InvalidInput."""
    field = object_type.fields.get(name)
    if field is None:
        message = unknown_field(object_type, name)
        raise InvalidInput(message, [FieldError("?match", "field.unknown", message)])
    if not field.unique and not field.primary_of:
        message = f"{object_type.label} records can't be matched by {field.label}: it is not unique."
        raise InvalidInput(message, [FieldError("?match", "match.not_unique", message)])
    return field


def _key_sql(field: Field, column: str) -> str:
    return equal_key_sql(column) if field.unique == "folded" else column


def matches(
    scope: TenantScope,
    object_type: ObjectType,
    field: Field,
    values: Sequence[Any],
    *,
    seen_in: Catalog | None = None,
) -> list[tuple[str, list[UUID]]]:
    """For each coerced, non-empty value, in order, its comparison key and the live records that hold it.

    With ``seen_in`` only records in reach there; whether a value is taken is asked of all of them.
    """
    if not values:
        return []
    bound = [field.type.bind(value)[0] for value in values]
    column = field.columns[0]
    table, guard = visible(seen_in, object_type) if seen_in is not None else (whole(object_type), NO_GUARD)
    if field.primary_of:
        every = next(c.name for c in object_type.fields[field.primary_of].columns if c.part == "all")
        text = (
            f"SELECT v.raw, array(SELECT t.id FROM {table} t WHERE t.{quote(every)} @> ARRAY[v.raw] AND t.deleted_at"
            " IS NULL ORDER BY t.id) FROM unnest(%(values)s::text[]) WITH ORDINALITY AS v(raw, at) ORDER BY v.at"
        )
    else:
        key = _key_sql(field, "v.raw")
        text = (
            f"SELECT {key}::text, array(SELECT t.id FROM {table} t WHERE"
            f" {_key_sql(field, f't.{quote(column.name)}')} = {key} AND t.deleted_at IS NULL ORDER BY t.id)"
            f" FROM unnest(%(values)s::{column.sql_type}[]) WITH ORDINALITY AS v(raw, at) ORDER BY v.at"
        )
    return [
        (row[0], row[1]) for row in scope.execute(trusted(text), {"values": bound, **guard.binds(scope)}).fetchall()
    ]


def match_one(scope: TenantScope, catalog: Catalog, object_type: ObjectType, name: str, raw: object) -> UUID | None:
    """The one live record in reach whose field is ``raw``, else None. Raises AmbiguousMatch, InvalidInput."""
    field = match_field(object_type, name)
    try:
        value = field.type.coerce(field, raw, coercion_of(scope))
    except ValueProblem as problem:
        raise InvalidInput(problem.message, [FieldError(f"/{name}", problem.code, problem.message)]) from problem
    if value is None:
        message = f"{field.label} is empty."
        raise InvalidInput(message, [FieldError(f"/{name}", "required", message)])
    _, found = matches(scope, object_type, field, [value], seen_in=catalog)[0]
    if len(found) > 1:
        raise AmbiguousMatch(f"{len(found)} {object_type.plural} have this {field.label}.")
    return found[0] if found else None


def lock_value(scope: TenantScope, object_type: ObjectType, name: str, raw: object) -> None:
    """Make upserts of one value in one workspace wait for each other until the transaction ends."""
    scope.execute(
        "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(lower(%s)))",
        (f"upsert {scope.tenant.schema}.{object_type.name}.{name}", str(raw)),
    )


def lock_values(scope: TenantScope, object_type: ObjectType, name: str, raws: Iterable[object]) -> None:
    """``lock_value`` for many values, in an order all batches share."""
    scope.execute(
        "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(lower(v))) FROM unnest(%s::text[]) AS v",
        (
            f"upsert {scope.tenant.schema}.{object_type.name}.{name}",
            sorted({str(raw).casefold() for raw in raws}),
        ),
    )
