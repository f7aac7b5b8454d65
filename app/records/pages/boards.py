"""The board: one column a stage, cards that move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from flask import request

from app.core import clock
from app.core.errors import InvalidInput, NotFound
from app.http.guard import workspace
from app.http.respond import json_response
from app.records.board import board
from app.records.errors import InvalidRecord, StaleVersion
from app.records.pages import record as record_pages
from app.records.pages.answers import agree, by_field, fragment, page, sentence, vals
from app.records.pages.asking import Asked
from app.records.pages.controls import Control, control, form_fields, read_form
from app.records.pages.lanes import figures_of, lane_heads
from app.records.pages.levels import Levels
from app.records.pages.live import live_form, outlook_of, told
from app.records.pages.merging import save_merged
from app.records.pages.values import Record, Shown, gather_titles, is_editable, reader_of, show, stage_tone
from app.records.pages.viewing import chosen_view, view_tabs, viewed
from app.records.paths import TITLE
from app.records.permits import leave_for
from app.records.query import BoardQuery
from app.records.reach import permitted
from app.records.read import find_object, get_record
from app.records.retired import stages_offered

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.arrangement import View
    from app.metadata.model import Field, ObjectType, Stage
    from app.records.outlook import Outlook
    from tenants.scope import TenantScope

_CARDS: Final = 20
#: An open record nobody touched for longer is shown as idle.
_IDLE: Final = 14
#: What a card shows beside title and amount, where the object has it.
_CARD_FIELDS: Final = ("company", "contact", "close_on", "due_at", "owner")


@dataclass(frozen=True, slots=True)
class Card:
    """A record on the board; ``idle`` are the days since anybody touched it, when they are too many.

    ``fixed``: its reader may see it, not move it.
    """

    id: str
    title: str
    href: str
    version: int
    amount: Shown | None
    company: Shown | None
    date: Shown | None
    owner: Shown | None
    idle: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A stage with its cards. ``weighted``: its total by probability; ``asks``: the field a move into it wants."""

    stage: Stage
    count: int
    total: dict[str, str] | None
    weighted: dict[str, str] | None
    cards: tuple[Card, ...]
    more: str
    asks: str
    tone: str
    #: What a view wants to know of each column, in words.
    figures: tuple[tuple[str, str], ...] = ()
    #: It stands here only while records are in it; nothing comes to it.
    retired: bool = False


@workspace("record.read")
def board_page(scope: TenantScope, object_name: str) -> Response:
    """The board, whole or only its lanes when htmx asks."""
    _, obj = find_object(scope, object_name)
    question = viewed(scope, obj)
    view = chosen_view(scope, obj, question.view)
    if group_of(obj, view) == "stage":
        _staged(scope, object_name)
    return _answer(scope, obj, question, view)


@workspace("record.edit")
def stage_dialog(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """What a stage wants to know before the record enters it (lost: why)."""
    obj = _staged(scope, object_name)
    record = get_record(scope, object_name, record_id)
    stage = _stage(obj, request.args.get("to", ""))
    return _ask(scope, obj, record, stage, {}, {})


@workspace("record.edit")
def change_stage(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Move the record; JSON for the board's script, fragments for the record page."""
    obj = _staged(scope, object_name)
    stage = _stage(obj, request.form.get("stage", ""))
    before = get_record(scope, object_name, record_id, fields=("stage",))
    asked_field = _asks(obj, stage)
    patch: Record = {"stage": stage.name, **_filled_in(scope, obj)}
    if "lost_reason" in request.form and "lost_reason" in obj.fields:
        patch["lost_reason"] = request.form["lost_reason"] or None
    for_board = request.accept_mimetypes.best == "application/json"
    version = request.form.get("version", "")
    agree(scope)
    try:
        if asked_field and not patch.get(asked_field) and "undo" not in request.form:
            raise InvalidRecord("Say why it was lost.", extra={"field": asked_field})
        after = save_merged(scope, object_name, record_id, patch, version)
    except (InvalidInput, StaleVersion) as error:
        if for_board or isinstance(error, StaleVersion):
            raise
        record = get_record(scope, object_name, record_id)
        return _ask(scope, obj, record, stage, patch, _errors(error, asked_field))
    back = str(before["stage"])
    if for_board:
        catalog, _ = find_object(scope, object_name)
        kept = not scope.confirmed or permitted(scope, catalog, obj, [record_id], "edit")
        toast = f"{_base(obj, record_id)}/moved?back={back}" if kept else ""
        return json_response({"version": after["version"], "toast": toast})
    if request.form.get("view") == "board":
        return _undone_on_board(scope, obj)
    return record_pages.refreshed(scope, obj, record_id, moved_from=back, filled=frozenset(patch))


def _filled_in(scope: TenantScope, obj: ObjectType) -> Record:
    """What somebody filled in where a stage asked for it."""
    names = [n for n in request.form.get("fields", "").split(",") if n in obj.fields and is_editable(obj.fields[n])]
    return read_form(obj, names, request.form, reader_of(scope).locale)


@workspace("record.edit")
def moved_toast(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """The toast after a move, with the way back."""
    obj = _staged(scope, object_name)
    record = get_record(scope, object_name, record_id, fields=("stage", "version", TITLE))
    back = _stage(obj, request.args.get("back", ""))
    undo = vals(stage=back.name, undo="1", view="board", version=record["version"], lost_reason="")
    if back not in stages_offered(obj):
        undo = ""
    return fragment(
        "records/_moved.html", object=obj, record=record, stage=_stage(obj, str(record["stage"])), undo=undo,
        url=f"{_base(obj, record_id)}/stage",
    )  # fmt: skip


def _answer(scope: TenantScope, obj: ObjectType, question: Asked, view: View | None) -> Response:
    values: dict[str, Any] = {"object": obj, "asked": question, "error": "", "lanes": (), "status": 200}
    values |= {"views": view_tabs(scope, obj, question, "board"), "view": view, "group": group_of(obj, view)}
    try:
        values["lanes"] = lanes_of(scope, obj, question, view)
    except InvalidInput as error:
        values |= {"error": error.detail, "status": 422}
    return page("records/board.html", "records/_board.html", values.pop("status"), **values)


def group_of(obj: ObjectType, view: View | None) -> str:
    """The field whose values are the columns: the view's, else the stage."""
    named = view.group_by if view is not None else ""
    return named if named in obj.fields else "stage"


def lanes_of(scope: TenantScope, obj: ObjectType, question: Asked, view: View | None = None) -> list[Lane]:
    """All columns in order, each with its figures and first cards."""
    group_by = group_of(obj, view)
    money = next((f.name for f in obj.fields.values() if f.type.name == "money"), "")
    names = [name for name in _CARD_FIELDS if name in obj.fields]
    idle = [name for name in ("updated_at", "stage_status") if name in obj.fields]
    levels = Levels(scope, obj, ("edit",))
    fields = (TITLE, "version", *levels.paths, *idle, *names, *((money,) if money else ()))
    figures = ("count", *((f"sum:{money}",) if money else ()))
    if money and "probability" in obj.fields:
        figures = (*figures, f"weighted:{money}")
    if view is not None and view.metrics:
        figures = tuple(dict.fromkeys(("count", *view.metrics)))
    query = BoardQuery(
        group_by=group_by, metrics=figures, limit=_CARDS, fields=fields,
        filter=question.condition(obj), sort=question.sort or question.order or "-id",
    )  # fmt: skip
    groups: Any = board(scope, obj.name, query)["groups"]
    records = [record for group in groups for record in group["data"]]
    known = gather_titles(scope, obj, names, records)
    reader = reader_of(scope)

    def shown(record: Record, name: str) -> Shown | None:
        found = show(obj.fields[name], record.get(name), reader, known, obj) if name in obj.fields else None
        return found if found is not None and not found.empty else None

    def card(record: Record) -> Card:
        return Card(
            id=str(record["id"]), title=str(record[TITLE] or "Untitled"), href=_base(obj, record["id"]),
            version=int(record["version"]), amount=shown(record, money),
            company=shown(record, "company") or shown(record, "contact"),
            date=shown(record, "close_on") or shown(record, "due_at"), owner=shown(record, "owner"),
            idle=_idle_days(record), fixed="edit" not in levels.of(record) or group_by != "stage",
        )  # fmt: skip

    heads = lane_heads(scope, obj, group_by, [group["key"] for group in groups])
    return [
        Lane(
            stage=heads[group["key"]], count=int(group["count"]), total=group.get(f"sum_{money}"),
            weighted=group.get(f"weighted_{money}"),
            cards=tuple(card(record) for record in group["data"]),
            more=_more(question, group_by, group["key"]) if group["next"] else "",
            asks=_asks(obj, heads[group["key"]]) if group_by == "stage" else "",
            tone=stage_tone(obj, group["key"]) if group_by == "stage" else heads[group["key"]].color or "slate",
            figures=figures_of(obj, view, group, reader), retired=bool(group.get("retired")),
        )
        for group in groups
        if group["key"] in heads
    ]  # fmt: skip


def _idle_days(record: Record) -> int:
    """Days an open record has not been touched, 0 while that is nothing to worry about."""
    if record.get("stage_status") != "open" or "updated_at" not in record:
        return 0
    days = (clock.now() - datetime.fromisoformat(str(record["updated_at"]))).days
    return days if days > _IDLE else 0


def _more(question: Asked, group_by: str, key: object) -> str:
    only = f'{group_by} == "{key}"' if key is not None else f"!has({group_by})"
    return question.href(filter=f"({question.filter}) && {only}" if question.filter else only)


def _undone_on_board(scope: TenantScope, obj: ObjectType) -> Response:
    sent = parse_qs(request.headers.get("HX-Current-URL", "").partition("?")[2])
    given = Asked(obj.name, *(sent.get(name, [""])[0] for name in ("filter", "q", "sort")))
    question = viewed(scope, obj, replace(given, view=sent.get("view", [""])[0]))
    view = chosen_view(scope, obj, question.view)
    return fragment(
        "records/_board_again.html", object=obj, asked=question, lanes=lanes_of(scope, obj, question, view), error="",
        group=group_of(obj, view),
    )  # fmt: skip


def _staged(scope: TenantScope, object_name: str) -> ObjectType:
    _, obj = find_object(scope, object_name)
    if not obj.has_pipeline:
        raise NotFound(f"{obj.plural} have no stages.")
    return obj


def _stage(obj: ObjectType, name: str) -> Stage:
    for pipeline in obj.pipelines.values():
        if name in pipeline.stages:
            return pipeline.stages[name]
    raise InvalidInput("There is no such stage.")


def _asks(obj: ObjectType, stage: Stage) -> str:
    return "lost_reason" if stage.status == "lost" and "lost_reason" in obj.fields else ""


def _ask(
    scope: TenantScope, obj: ObjectType, record: Record, stage: Stage, patch: Record, errors: dict[str, str]
) -> Response:
    """What is missing for the stage, to be filled in; ``patch`` and ``errors`` of a move that was refused."""
    leave = leave_for(scope, obj.name)
    found = outlook_of(leave, {**patch, "stage": stage.name}, UUID(str(record["id"])))
    wanted = _wanted(obj, stage, patch, found)
    held = {**record, **patch}
    known = gather_titles(scope, obj, [field.name for field in wanted], [held])

    def built(field: Field) -> Control:
        value = held.get(field.name)
        made = control(
            obj, field, value, known, reader_of(scope), currency=scope.tenant.currency,
            error=errors.get(field.name, ""),
        )  # fmt: skip
        return made if field.required or field.name == _asks(obj, stage) else replace(made, required=value is None)

    live = live_form(f"{_base(obj, record['id'])}/live", told(leave, found)) if found is not None else {}
    said = {one.message for one in found.objections} if found is not None else set[str]()
    general = errors.get("", errors.get("stage", ""))
    if general in {sentence(one) for one in said}:
        general = ""
    answer = fragment(
        "records/_stage_dialog.html", 422 if errors else 200, object=obj, record=record, stage=stage,
        controls=[built(field) for field in wanted], fields=",".join(field.name for field in wanted),
        url=f"{_base(obj, record['id'])}/stage", general=general, live=live,
    )  # fmt: skip
    if errors:  # the button that was pressed awaits no dialog
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#dialogs", "innerHTML"
    return answer


def _wanted(obj: ObjectType, stage: Stage, patch: Record, found: Outlook | None) -> list[Field]:
    """The fields a move into the stage asks for: those its rules miss something in, and those shown before."""
    names = {*patch, _asks(obj, stage)}
    for one in found.objections if found is not None else ():
        names |= one.fields | {one.pointer.lstrip("/")}
    fields = [field for field in form_fields(obj) if field.name in names and is_editable(field)]
    return [field for field in fields if found is None or field.name not in found.locked]


def _errors(error: InvalidInput | StaleVersion, asked_field: str) -> dict[str, str]:
    named, general = by_field(error)
    return named or {asked_field: general}


def _base(obj: ObjectType, record_id: object) -> str:
    return f"/records/{obj.name}/{record_id}"
