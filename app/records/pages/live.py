"""What rules make of a form while it is filled in: asked at every change, shown before anything is saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import request

from app.http.guard import workspace
from app.http.respond import json_response
from app.records.attachments import attach
from app.records.drafts import changed_draft, missing, new_draft
from app.records.facts import Bench
from app.records.intake import coercion_of, take_in
from app.records.judging import becoming
from app.records.layouts import Fitting, fitting, offered
from app.records.outlook import outlook
from app.records.pages.answers import sentence
from app.records.pages.controls import form_fields, read_form
from app.records.pages.values import Record, reader_of
from app.records.permits import leave_for
from app.records.read import get_record
from app.records.rulebook import rulebook_of
from app.records.store import read_record

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from app.records.outlook import Outlook
    from app.records.permits import Leave
    from app.records.rules import Draft
    from tenants.scope import TenantScope


@workspace("record.create")
def new_record(scope: TenantScope, object_name: str) -> Response:
    """Of the form of a new record."""
    leave = leave_for(scope, object_name)
    values = _sent(scope, leave.shown)
    fits = form_fitting(leave, values, request.form.get("layout", ""))
    return json_response(arranged_state(leave, state_of(leave, values), fits) or {})


@workspace("record.edit")
def present_record(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Of a form about a record there is."""
    get_record(scope, object_name, record_id, fields=("id",))
    leave = leave_for(scope, object_name)
    return json_response(state_of(leave, _sent(scope, leave.shown), record_id) or {})


def _sent(scope: TenantScope, obj: ObjectType) -> Record:
    """The values of the fields that the form has."""
    has = {name.partition(".")[0] for name in request.form} | set(request.form.get("fields", "").split(","))
    names = [field.name for field in form_fields(obj) if field.name in has]
    return read_form(obj, names, request.form, reader_of(scope).locale)


def state_of(leave: Leave, values: Record, record_id: UUID | None = None) -> dict[str, Any] | None:
    """How a form holding ``values`` is to look; None when the object has no rules.

    ``{"required", "hidden", "locked", "options", "problems"}`` by field name; a problem stands at a field or at "".
    """
    found = outlook_of(leave, values, record_id)
    return None if found is None else told(leave, found)


def live_form(url: str, state: dict[str, Any] | None) -> dict[str, str]:
    """The attributes that make a form ask ``url`` at every change; none where there are no rules."""
    if state is None:
        return {}
    return {
        "data-controller": "live", "data-live-url-value": url, "data-live-state-value": json.dumps(state),
        "data-action": "input->live#changed change->live#changed",
    }  # fmt: skip


def form_fitting(leave: Leave, values: Record, layout: str = "") -> Fitting:
    """What a form of a new record holding ``values`` looks like by its layout: ``layout`` once chosen."""
    if not leave.object.layouts:
        return Fitting()
    draft = _draft(leave, values, None)
    bench = Bench(leave.scope, leave.complete, leave.object, draft.ctx)
    blank = frozenset(error.pointer[1:] for error in draft.intake.errors if error.pointer[1:] in leave.object.fields)
    known = {one.name for one in offered(leave.scope, leave.object)}
    return fitting(leave.scope, leave, becoming(draft, bench, blank), only=layout if layout in known else None)


def arranged_state(leave: Leave, state: dict[str, Any] | None, fits: Fitting) -> dict[str, Any] | None:
    """What rules make of a form, and what its layout leaves out as it is filled in now: nothing that is required."""
    if not fits.conditional:
        return state
    found = state or {"required": [], "hidden": [], "locked": {}, "options": {}, "problems": []}
    fields = leave.shown.fields
    needed = {*found["required"], *(name for name, field in fields.items() if field.required)}
    return found | {"hidden": sorted({*found["hidden"], *((fits.absent & fields.keys()) - needed)})}


def outlook_of(leave: Leave, values: Record, record_id: UUID | None = None) -> Outlook | None:
    """What the rules say of a form; a value that can't be read counts as empty."""
    scope, obj = leave.scope, leave.object
    if rulebook_of(scope, leave.complete, obj) is None:
        return None
    return outlook(scope, leave.complete, obj, _draft(leave, values, record_id))


def _draft(leave: Leave, values: Record, record_id: UUID | None) -> Draft:
    """The record as a form would leave it."""
    scope, obj = leave.scope, leave.object
    ctx = coercion_of(scope)
    current = None
    if record_id is not None:
        leave.check([record_id], "edit")
        current = read_record(scope, obj, record_id)
        if current is None:
            raise missing(obj)
    sent = values if current is not None else {n: v for n, v in values.items() if v not in (None, [], "")}
    intake = take_in(leave.shown, sent, ctx, current)
    if current is None:
        draft = new_draft(scope, obj, intake, ctx, frozenset(sent), narrowed=leave.narrowed)
    else:
        draft = changed_draft(obj, intake, ctx, frozenset(sent), current)
    attach(scope, obj, [draft])
    draft.intake.errors += leave.unseen_links(draft.values, current)
    return draft


def told(leave: Leave, found: Outlook) -> dict[str, Any]:
    """The outlook as the page's script takes it: only of fields that whoever asks may see."""
    names = leave.shown.fields
    return {
        "required": sorted(name for name in found.required if name in names),
        "hidden": sorted(name for name in found.hidden if name in names),
        "locked": {name: sentence(text) for name, text in found.locked.items() if name in names},
        "options": {name: list(known) for name, known in found.options.items() if name in names},
        "problems": [
            {"field": one.pointer.lstrip("/"), "message": sentence(one.message), "about": sorted(one.fields)}
            for one in found.objections
            if not one.pointer or one.pointer.lstrip("/") in names
        ],
    }
