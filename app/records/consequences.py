"""What a write means for other records: primary links kept in step, amounts added up from lines.

Each function takes many records at once and writes set-based, in the transaction of the write that caused it, with
events of its own. Records are locked in id order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.records import amounts, primaries
from app.records.reach import whole
from app.records.rowform import quote, trusted
from app.records.store_many import lock_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

Record = dict[str, Any]


#: Objects whose rows change a parent: the parent is locked before the row, whoever comes first.
PARENTS: Final = {
    "deal_line": ("deal", "deal"),
    "affiliation": ("contact", "contact"),
    "deal_contact": ("deal", "deal"),
}


def lock_parents(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    values: Iterable[Mapping[str, Any]],
    row_ids: Iterable[UUID] = (),
) -> None:
    """Lock, in id order, the parents a write will change, before its own rows: those linked now and those to be."""
    if object_type.name not in PARENTS:
        return
    field, parent = PARENTS[object_type.name]
    wanted = {row[field] for row in values if row.get(field)}
    present = sorted(set(row_ids))
    if present:
        text = f"SELECT DISTINCT {quote(field)} FROM {whole(object_type)} WHERE id = ANY(%s::uuid[])"
        wanted |= {row[0] for row in scope.execute(trusted(text), (present,)).fetchall() if row[0]}
    if wanted:
        lock_records(scope, catalog.objects[parent], wanted)


def touches_others(object_type: ObjectType, names: Iterable[str]) -> bool:
    """Whether writing the fields ``names`` has consequences at all: most writes have none."""
    return amounts.concerns(object_type, names) or primaries.concerns(object_type, names)


def after_creation(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, created: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> list[UUID]:
    """Draw the consequences of new records (id, values) that follow from these alone; answers whose are still open.

    An empty link or an own amount has none.
    """
    if object_type.name in PARENTS:
        return [record_id for record_id, _ in created]
    open_ = {
        record_id
        for record_id, values in created
        if object_type.name == amounts.DEAL and values.get("amount_from_lines")
    }
    primaries.join_new(scope, catalog, object_type, [one for one in created if one[0] not in open_])
    return list(open_)


def after_write(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    records: Sequence[Record],
    names: frozenset[str],
    before: Mapping[str, Record] | None = None,
) -> None:
    """Draw the consequences of created or updated ``records`` (their new JSON form).

    ``names`` are the fields written; ``before`` holds earlier JSON forms by id where records were updated.
    """
    if not records:
        return
    if amounts.concerns(object_type, names):
        amounts.follow_lines(scope, catalog, object_type, records, before or {})
    if primaries.concerns(object_type, names):
        primaries.keep_in_step(scope, catalog, object_type, records, before or {})


def after_gone(scope: TenantScope, catalog: Catalog, object_type: ObjectType, records: Sequence[Record]) -> None:
    """Draw the consequences of records that went to the trash or were destroyed."""
    if records and object_type.name == amounts.LINE:
        amounts.add_up(scope, catalog, {UUID(record["deal"]) for record in records})
    if records:
        primaries.forget(scope, catalog, object_type, records)


def after_return(scope: TenantScope, catalog: Catalog, object_type: ObjectType, records: Sequence[Record]) -> None:
    """Draw the consequences of records brought back from the trash."""
    primaries.give_way(scope, catalog, object_type, records)
    known = {str(record["id"]): record for record in records}
    after_write(scope, catalog, object_type, records, frozenset(object_type.fields), known)
