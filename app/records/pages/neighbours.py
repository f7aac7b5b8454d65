"""Where a record stands in the list one came from, and the records before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import InvalidInput
from app.records.places import cursor_of
from app.records.query import MAX_LIMIT, ListQuery
from app.records.read import list_records

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from app.records.pages.asking import Asked
    from app.records.pages.values import Record
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class Neighbours:
    """``place`` is None beyond the first records of a long list, ``first`` says how many those are."""

    place: int | None
    first: int
    count: int
    previous: str
    next: str


def neighbours(scope: TenantScope, obj: ObjectType, record: Record, question: Asked) -> Neighbours | None:
    """The neighbours in the list the address tells of, or in the object's whole list; None when it has one record."""
    sort = question.sort or question.order or obj.default_sort
    condition = question.condition(obj)
    query = ListQuery(filter=condition, sort=sort, fields=("id",), limit=MAX_LIMIT, total="exact")
    try:
        found = list_records(scope, obj.name, query)
    except InvalidInput:  # the address holds a condition that was mistyped
        return None
    ids = [str(row["id"]) for row in found.rows]
    total, mine = found.total or len(ids), str(record["id"])

    def href(record_id: str) -> str:
        asks = question.query(cursor="")
        return f"/records/{obj.name}/{record_id}" + (f"?{asks}" if asks else "") if record_id else ""

    if mine in ids and (found.next is None or ids[-1] != mine):
        at = ids.index(mine)
        following = ids[at + 1] if at + 1 < len(ids) else ""
        return Neighbours(at + 1, len(ids), total, href(ids[at - 1] if at else ""), href(following))
    if found.next is None:
        return None
    before = _one_after(scope, obj, condition, _reversed(sort), mine)
    place = len(ids) if mine in ids else None
    return Neighbours(place, len(ids), total, href(before), href(_one_after(scope, obj, condition, sort, mine)))


def _one_after(scope: TenantScope, obj: ObjectType, condition: str, sort: str, record_id: str) -> str:
    cursor = cursor_of(scope, obj.name, record_id, sort)
    query = ListQuery(filter=condition, sort=sort, fields=("id",), limit=1, cursor=cursor)
    rows = list_records(scope, obj.name, query).rows
    return str(rows[0]["id"]) if rows else ""


def _reversed(sort: str) -> str:
    return ",".join(key[1:] if key.startswith("-") else f"-{key}" for key in sort.split(","))
