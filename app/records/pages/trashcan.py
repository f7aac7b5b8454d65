"""What was deleted: seen, brought back, destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from app.access import catalogs
from app.http.guard import workspace
from app.records import trash
from app.records.pages.answers import fragment, page
from app.records.pages.levels import Levels
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import find_object, list_records

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

_EACH: Final = 25


@dataclass(frozen=True, slots=True)
class Trashed:
    """A record in the trash; ``may`` names what its reader may do with it: delete (and restore), destroy."""

    object: ObjectType
    id: str
    title: str
    at: str
    may: frozenset[str] = frozenset()


@workspace("record.delete")
def trash_page(scope: TenantScope) -> Response:
    """Everything in the trash, the newest first, or of one object."""
    chosen = request.args.get("object", "")
    objects = [o for o in catalogs.for_scope(scope).objects.values() if o.name != "record_link"]
    found: list[Trashed] = []
    totals: list[tuple[ObjectType, int]] = []
    for obj in objects:
        levels = Levels(scope, obj, ("delete", "destroy"))
        fields = (TITLE, "deleted_at", *levels.paths)
        query = ListQuery(fields=fields, sort="-deleted_at", limit=_EACH, trash="only", total="exact")
        listed = list_records(scope, obj.name, query)
        if listed.total:
            totals.append((obj, listed.total))
        if chosen in {"", obj.name}:
            found += [
                Trashed(obj, str(row["id"]), str(row[TITLE] or "Untitled"), str(row["deleted_at"]), levels.of(row))
                for row in listed.rows
            ]
    found.sort(key=lambda record: record.at, reverse=True)
    return page("records/trash.html", "records/_trash.html", records=found, totals=totals, chosen=chosen)


@workspace("record.delete")
def restore(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Bring one back."""
    _, obj = find_object(scope, object_name)
    trash.restore_record(scope, object_name, record_id)
    return fragment("records/_untrashed.html", object=obj, href=f"/records/{object_name}/{record_id}", destroyed=False)


@workspace("record.destroy")
def destroy(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Gone for good."""
    _, obj = find_object(scope, object_name)
    trash.destroy_record(scope, object_name, record_id)
    return fragment("records/_untrashed.html", object=obj, href="", destroyed=True)
