"""The record page: highlights, stage path, details, timeline, related records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from app.http.context import is_htmx
from app.http.guard import workspace
from app.records import trash as trashing
from app.records.errors import RecordNotFound
from app.records.pages.answers import fragment
from app.records.pages.arranging import ALL, ALL_RELATED, arranged, lists_placed
from app.records.pages.neighbours import neighbours
from app.records.pages.related import Related, layout_lists, left_out, related_lists, tasks_of
from app.records.pages.timeline import timeline
from app.records.pages.values import Record, Shown, gather_titles, reader_of, show, stage_label, stage_tone
from app.records.pages.viewing import viewed
from app.records.paths import TITLE
from app.records.permits import leave_for
from app.records.read import find_object, get_record
from app.records.retired import stages_offered

if TYPE_CHECKING:
    from app.metadata.model import ObjectType, Stage
    from app.records.pages.arranging import Arranged
    from app.records.permits import Leave
    from tenants.scope import TenantScope

#: Shown in the foot of the details, not among them.
_HOUSEKEEPING: Final = ("created_at", "created_by", "updated_at", "updated_by", "external_id", "source_system")
_NEVER: Final = frozenset({
    "id", "version", "deleted_at", "pipeline", "stage", "stage_status", "stage_since", "closed_at", "amount_from_lines",
    "emails", "phones", *_HOUSEKEEPING,
})  # fmt: skip
#: No layout shows these: they are no values of people's.
_UNSEEN: Final = frozenset({"id", "version", "deleted_at", "emails", "phones"})


@dataclass(frozen=True, slots=True)
class Step:
    """A stage on the path. ``state``: past, now, ahead."""

    stage: Stage
    state: str
    tone: str
    asks: bool


@workspace("record.read")
def record_page(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """The page of one record."""
    _, obj = find_object(scope, object_name)
    record = get_record(scope, object_name, record_id)
    values = page_values(scope, obj, record)
    return fragment("records/record.html", **values, **_surroundings(scope, obj, record, values["arranged"]))


@workspace("record.read")
def related(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """The related records by themselves, to be read again after a change; ``tab`` those of a layout's tab."""
    _, obj = find_object(scope, object_name)
    record = get_record(scope, object_name, record_id)
    tab, layout = request.args.get("tab", ""), request.args.get("layout", "")
    if not layout:
        found = related_lists(scope, obj, record)
    elif tab == ALL_RELATED:
        found = left_out(scope, obj, record, lists_placed(leave_for(scope, obj.name), record, layout))
    elif tab:
        lists = [item.related for one in obj.layouts if one.name == layout for item in one.tabs if item.name == tab]
        found = layout_lists(scope, obj, record, lists[0] if lists else ())
    else:
        found = tasks_of(scope, obj, record)
    return fragment("records/_related.html", object=obj, record=record, related=found, tab=tab, layout=layout)


@workspace("record.delete")
def trash(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Delete with the way back: on to the list, whose toast offers undo."""
    find_object(scope, object_name)
    trashing.trash_record(scope, object_name, record_id)
    target = f"/records/{object_name}?trashed={record_id}"
    return Response("", 200, {"HX-Redirect": target}) if is_htmx() else Response("", 303, {"Location": target})


def refreshed(
    scope: TenantScope,
    obj: ObjectType,
    record_id: UUID,
    *,
    field: str = "",
    moved_from: str = "",
    filled: frozenset[str] = frozenset(),
) -> Response:
    """After a change: the value that was edited, and beside it every part of the page that may show it."""
    try:
        record = get_record(scope, obj.name, record_id)
    except RecordNotFound:  # it left their sight, as they confirmed
        return Response("", 200, {"HX-Redirect": f"/records/{obj.name}"})
    values = page_values(scope, obj, record)
    shown = next((s for s in values["details"] if s.name == field), None)
    moved = None
    if moved_from:
        returns = any(one.name == moved_from for one in stages_offered(obj))
        moved = {"to": stage_label(obj, str(record.get("stage"))), "back": moved_from, "returns": returns}
    return fragment(
        "records/_refreshed.html", **values, shown=shown, moved=moved, timeline=timeline(scope, obj, record_id),
        filled=filled | {"probability", "close_on", "lost_reason"},
    )  # fmt: skip


def page_values(
    scope: TenantScope, obj: ObjectType, record: Record, leave: Leave | None = None, only: str = ""
) -> dict[str, Any]:
    """What head, highlights, path and details show; ``only`` arranged by that layout of ``leave``'s object."""
    names = [name for name, field in obj.fields.items() if field.shown]
    known = gather_titles(scope, obj, names, [record])
    reader = reader_of(scope)

    def shown(name: str) -> Shown:
        return show(obj.fields[name], record.get(name), reader, known, obj)

    leave = leave or leave_for(scope, obj.name)
    usual = [n for n in names if n not in _NEVER and not _hidden(obj, n, record)]
    placed = arranged(leave, record, {n: shown(n) for n in names if n not in _UNSEEN}, usual, only)
    return {
        "object": obj,
        "record": record,
        "title": title_of(scope, obj, record),
        "highlights": placed.highlights,
        "details": placed.details,
        "arranged": placed,
        "housekeeping": [shown(n) for n in _HOUSEKEEPING if n in obj.fields],
        "steps": (steps := path_of(obj, record)),
        "closers": closers_of(steps),
    }


def title_of(scope: TenantScope, obj: ObjectType, record: Record) -> str:
    """The record's title, as the database computes it."""
    found = get_record(scope, obj.name, record["id"], fields=(TITLE,))
    return str(found.get(TITLE) or "Untitled")


def path_of(obj: ObjectType, record: Record) -> list[Step]:
    """The stages of the record's pipeline, told apart by whether it has passed them."""
    pipeline = obj.pipelines.get(str(record.get("pipeline")))
    if pipeline is None:
        return []
    stages = [one for one in pipeline.stages.values() if not one.retired or one.name == record.get("stage")]
    now = next((i for i, stage in enumerate(stages) if stage.name == record.get("stage")), -1)
    closed = now >= 0 and stages[now].status != "open"
    return [
        Step(
            stage,
            "now" if i == now else "past" if i < now and not (closed and stages[now].status == "lost") else "ahead",
            stage_tone(obj, stage.name),
            stage.status == "lost" and "lost_reason" in obj.fields,
        )
        for i, stage in enumerate(stages)
        if stage.status == "open" or i == now or stage.status in {"won", "lost", "done", "cancelled"}
    ]


def closers_of(steps: list[Step]) -> list[Step]:
    """The stages that end an open record: what the head offers as buttons."""
    now = next((step.stage for step in steps if step.state == "now"), None)
    if now is None or now.status != "open":
        return []
    return [step for step in steps if step.stage.status != "open"]


def _surroundings(scope: TenantScope, obj: ObjectType, record: Record, placed: Arranged) -> dict[str, Any]:
    question = viewed(scope, obj)
    related: dict[str, list[Related]] = {tab.name: layout_lists(scope, obj, record, tab.lists) for tab in placed.tabs}
    return {
        "related": tasks_of(scope, obj, record) if placed.layout else related_lists(scope, obj, record),
        "lists": related,
        "all_fields": ALL,
        "all_related": ALL_RELATED,
        "timeline": timeline(scope, obj, UUID(str(record["id"]))),
        "neighbours": neighbours(scope, obj, record, question),
        "back": question.href(),
    }


def _hidden(obj: ObjectType, name: str, record: Record) -> bool:
    """Fields that say nothing until something happened."""
    field = obj.fields[name]
    written = (field.system and not field.computed) or field.readonly
    quiet = written or name.startswith("converted_") or name in {"team", "lost_reason"}
    return (quiet and record.get(name) in (None, "", [])) or (field.type.name in {"emails", "phones"})
