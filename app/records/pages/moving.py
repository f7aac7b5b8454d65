"""Moving a record: to another stage, option or linked record, by dragging a card, by key, menu or the record's page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from uuid import UUID

from flask import request

from app.core.errors import InvalidInput, NotFound
from app.http.guard import workspace
from app.http.respond import json_response
from app.records.errors import InvalidRecord, StaleVersion
from app.records.pages import record as record_pages
from app.records.pages.answers import agree, by_field, fragment, sentence, vals
from app.records.pages.asking import Asked
from app.records.pages.boards import group_of, lanes_of
from app.records.pages.controls import Control, control, form_fields, read_form
from app.records.pages.lanes import asks, is_movable, lane_heads
from app.records.pages.live import live_form, outlook_of, told
from app.records.pages.merging import save_merged
from app.records.pages.values import Record, gather_titles, is_editable, reader_of
from app.records.pages.viewing import chosen_view, viewed
from app.records.paths import TITLE
from app.records.permits import leave_for
from app.records.reach import permitted
from app.records.read import find_object, get_record

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.model import Field, ObjectType
    from app.records.outlook import Outlook
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is moved: the value of a field, None without one. ``asks``: the field it always wants to know."""

    field: Field
    value: str | None
    label: str
    asks: str = ""

    @property
    def patch(self) -> Record:
        """What moving writes."""
        return {self.field.name: self.value}


@workspace("record.edit")
def move_dialog(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """What a stage, or the rules, want to know before the record is moved (lost: why)."""
    obj, field = _movable(scope, object_name, field_name)
    record = get_record(scope, object_name, record_id)
    return _ask(scope, obj, record, _known(_place(scope, obj, field, request.args.get("to", ""))), {}, {})


@workspace("record.edit")
def move(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """Move the record; JSON for the board's script, fragments for the record page."""
    obj, field = _movable(scope, object_name, field_name)
    place = _known(_place(scope, obj, field, request.form.get(field_name, "")))
    before = get_record(scope, object_name, record_id, fields=(field_name,))
    patch: Record = {**_filled_in(scope, obj), **place.patch}
    if field_name == "stage" and "lost_reason" in request.form and "lost_reason" in obj.fields:
        patch["lost_reason"] = request.form["lost_reason"] or None
    for_board = request.accept_mimetypes.best == "application/json"
    version = request.form.get("version", "")
    agree(scope)
    try:
        if place.asks and not patch.get(place.asks) and "undo" not in request.form:
            raise InvalidRecord("Say why it was lost.", extra={"field": place.asks})
        after = save_merged(scope, object_name, record_id, patch, version)
    except (InvalidInput, StaleVersion) as error:
        if for_board or isinstance(error, StaleVersion):
            raise
        record = get_record(scope, object_name, record_id)
        return _ask(scope, obj, record, place, patch, _errors(error, place.asks))
    back = str(before[field_name] or "")
    if for_board:
        catalog, _ = find_object(scope, object_name)
        kept = not scope.confirmed or permitted(scope, catalog, obj, [record_id], "edit")
        toast = f"{_base(obj, record_id)}/fields/{field_name}/moved?back={back}" if kept else ""
        return json_response({"version": after["version"], "toast": toast})
    if request.form.get("view") == "board":
        return _undone_on_board(scope, obj)
    return record_pages.refreshed(scope, obj, record_id, moved_from=back, filled=frozenset(patch))


@workspace("record.edit")
def moved_toast(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """The toast after a move, with the way back unless that is retired."""
    obj, field = _movable(scope, object_name, field_name)
    record = get_record(scope, object_name, record_id, fields=(field_name, "version", TITLE))
    back = _place(scope, obj, field, request.args.get("back", ""))
    undo = vals(**{field_name: back.value or ""}, undo="1", view="board", version=record["version"], lost_reason="")
    return fragment(
        "records/_moved.html", object=obj, record=record, undo=undo if _offered(back) else "",
        place=_place(scope, obj, field, str(record[field_name] or "")), url=_url(obj, record_id, field),
    )  # fmt: skip


def _movable(scope: TenantScope, object_name: str, field_name: str) -> tuple[ObjectType, Field]:
    """The object and the field that moving writes."""
    _, obj = find_object(scope, object_name)
    if field_name == "stage" and not obj.has_pipeline:
        raise NotFound(f"{obj.plural} have no stages.")
    if field_name not in obj.fields:
        raise NotFound(f"{obj.plural} have no field of that name.")
    if not is_movable(obj, field_name):
        raise InvalidInput(f"{obj.fields[field_name].label} can't be changed by moving.")
    return obj, obj.fields[field_name]


def _place(scope: TenantScope, obj: ObjectType, field: Field, value: str) -> Place:
    """The column a value names."""
    key = value or None
    if key is not None and field.to:
        key = str(_as_uuid(field, key))
    head = lane_heads(scope, obj, field.name, [key])[key]
    return Place(field, key, head.label, asks(obj, head) if field.name == "stage" else "")


def _as_uuid(field: Field, value: str) -> UUID:
    """The id of a linked record. Raises InvalidInput for what is none."""
    try:
        return UUID(value)
    except ValueError as error:
        raise InvalidInput(f"{field.label}: there is no such record.") from error


def _known(place: Place) -> Place:
    """The place, when there is one of its name."""
    field = place.field
    if place.value is not None and not field.to and place.value not in field.options:
        raise InvalidInput(f"There is no such {field.label.lower()}.")
    return place


def _offered(place: Place) -> bool:
    """Whether the record could be moved there."""
    option = place.field.options.get(place.value or "")
    return place.value is None or bool(place.field.to) or (option is not None and not option.retired)


def _filled_in(scope: TenantScope, obj: ObjectType) -> Record:
    """What somebody filled in where a stage asked for it."""
    names = [n for n in request.form.get("fields", "").split(",") if n in obj.fields and is_editable(obj.fields[n])]
    return read_form(obj, names, request.form, reader_of(scope).locale)


def _undone_on_board(scope: TenantScope, obj: ObjectType) -> Response:
    sent = parse_qs(request.headers.get("HX-Current-URL", "").partition("?")[2])
    given = Asked(obj.name, *(sent.get(name, [""])[0] for name in ("filter", "q", "sort")))
    question = viewed(scope, obj, replace(given, view=sent.get("view", [""])[0]))
    view = chosen_view(scope, obj, question.view)
    group = group_of(obj, view)
    return fragment(
        "records/_board_again.html", object=obj, asked=question, lanes=lanes_of(scope, obj, question, view), error="",
        group=group, movable=is_movable(obj, group),
    )  # fmt: skip


def _ask(
    scope: TenantScope, obj: ObjectType, record: Record, place: Place, patch: Record, errors: dict[str, str]
) -> Response:
    """What is missing for the move, to be filled in; ``patch`` and ``errors`` of one that was refused."""
    leave = leave_for(scope, obj.name)
    found = outlook_of(leave, {**patch, **place.patch}, UUID(str(record["id"])))
    wanted = _wanted(obj, place, patch, found)
    held = {**record, **patch}
    known = gather_titles(scope, obj, [field.name for field in wanted], [held])

    def built(field: Field) -> Control:
        value = held.get(field.name)
        made = control(
            obj, field, value, known, reader_of(scope), currency=scope.tenant.currency,
            error=errors.get(field.name, ""),
        )  # fmt: skip
        return made if field.required or field.name == place.asks else replace(made, required=value is None)

    live = live_form(f"{_base(obj, record['id'])}/live", told(leave, found)) if found is not None else {}
    said = {one.message for one in found.objections} if found is not None else set[str]()
    general = errors.get("", errors.get(place.field.name, ""))
    if general in {sentence(one) for one in said}:
        general = ""
    answer = fragment(
        "records/_move_dialog.html", 422 if errors else 200, object=obj, record=record, place=place,
        controls=[built(field) for field in wanted], fields=",".join(field.name for field in wanted),
        url=_url(obj, record["id"], place.field), general=general, live=live,
    )  # fmt: skip
    if errors:  # the button that was pressed awaits no dialog
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#dialogs", "innerHTML"
    return answer


def _wanted(obj: ObjectType, place: Place, patch: Record, found: Outlook | None) -> list[Field]:
    """The fields a move asks for: those its rules miss something in, and those shown before."""
    names = {*patch, place.asks}
    for one in found.objections if found is not None else ():
        names |= one.fields | {one.pointer.lstrip("/")}
    names.discard(place.field.name)
    fields = [field for field in form_fields(obj) if field.name in names and is_editable(field)]
    return [field for field in fields if found is None or field.name not in found.locked]


def _errors(error: InvalidInput | StaleVersion, asked_field: str) -> dict[str, str]:
    named, general = by_field(error)
    return named or {asked_field: general}


def _base(obj: ObjectType, record_id: object) -> str:
    return f"/records/{obj.name}/{record_id}"


def _url(obj: ObjectType, record_id: object, field: Field) -> str:
    return f"{_base(obj, record_id)}/fields/{field.name}/move"
