"""The log as somebody may see it: events of records in their reach, without fields they may not read.

Whoever reads every record and field of the workspace gets the log as it is. For others an event is there when its
record is: one destroyed since is not, nor is a change of hidden fields only, which would tell when it happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.access import catalogs
from app.access.rights import MEMBERS_MANAGE, allows
from app.events import read
from app.records.errors import RecordNotFound
from app.records.reach import permitted
from app.records.read import find_object, get_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope

Event = dict[str, Any]

#: Pages of the log looked through at most to fill one of the answer; ``next`` goes on from there.
_ROUNDS: Final = 10


def feed(scope: TenantScope, *, after: int, limit: int) -> dict[str, Any]:
    """The workspace's change feed by ``seq``: ``{"data": [...], "next": seq | None}``; raises InvalidInput."""
    catalog = catalogs.for_scope(scope)
    if catalog.whole is None:
        return read.tenant_events(scope, after=after, limit=limit)
    found: list[Event] = []
    following: int | None = after
    for _ in range(_ROUNDS):
        page = read.tenant_events(scope, after=following or 0, limit=limit)
        found += _seen(scope, catalog, page["data"])
        following = page["next"]
        if following is None or len(found) >= limit:
            break
    if len(found) > limit:
        return {"data": found[:limit], "next": found[limit - 1]["seq"]}
    return {"data": found, "next": following}


def record_events(
    scope: TenantScope, object_name: str, record_id: UUID, *, after: str = "", limit: int = 50, field: str = ""
) -> dict[str, Any]:
    """One record's events, oldest first; of one that was destroyed only for whoever reaches every record.

    Raises: RecordNotFound, InvalidInput.
    """
    catalog, obj = find_object(scope, object_name)
    if obj.reach and not permitted(scope, catalog, obj, [record_id], "read"):
        raise RecordNotFound(f"There is no such {obj.label.lower()}.")
    body = read.record_events(scope, object_name, record_id, after=after, limit=limit, field=field)
    if not body["data"] and not after:
        get_record(scope, object_name, record_id, fields=("id",), trash=True)  # a destroyed record keeps its history
    if catalog.whole is not None:
        body["data"] = _cut(catalog, obj, body["data"])
    return body


def _seen(scope: TenantScope, catalog: Catalog, events: Sequence[Event]) -> list[Event]:
    """The events of records in reach; what concerns no record is for those who manage members."""
    complete = catalog.whole or catalog
    others = allows(scope, MEMBERS_MANAGE)
    wanted: dict[str, set[UUID]] = {}
    for event in events:
        obj = catalog.objects.get(event["object"])
        if obj is not None and obj.reach and event["record_id"]:
            wanted.setdefault(obj.name, set()).add(UUID(event["record_id"]))
    reached = {
        name: permitted(scope, catalog, catalog.objects[name], ids, "read") for name, ids in sorted(wanted.items())
    }
    found: list[Event] = []
    for event in events:
        obj = catalog.objects.get(event["object"])
        if obj is None or event["kind"] == "exported":
            found += [event] if others and (obj is not None or event["object"] not in complete.objects) else []
        elif not obj.reach or (event["record_id"] and UUID(event["record_id"]) in reached[obj.name]):
            found += _cut(catalog, obj, [event])
    return found


def _cut(catalog: Catalog, obj: ObjectType, events: Sequence[Event]) -> list[Event]:
    """The events without hidden fields and objects, and without those that tell of nothing else."""
    complete = (catalog.whole or catalog).objects[obj.name].fields
    if complete.keys() == obj.fields.keys() and all(obj.fields[name].to == complete[name].to for name in complete):
        return list(events)
    found: list[Event] = []
    for event in events:
        diff: dict[str, Any] | None = event["diff"]
        kept = {name: leading(obj.fields[name], v) for name, v in diff.items() if name in obj.fields} if diff else diff
        told = {name: value for name, value in kept.items() if value != [None, None]} if kept else kept
        if told or not diff:
            found.append({**event, "diff": told})
    return found


def leading(field: Field, value: Any) -> Any:
    """A value of the log, or its two before and after, without links to objects that may not be read."""
    if field.type.name != "reference":
        return value
    if isinstance(value, list):
        return [leading(field, one) for one in cast("list[Any]", value)]
    return value if value is None or cast("dict[str, Any]", value).get("object") in field.to else None
