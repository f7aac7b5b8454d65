"""The dialog that creates a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InvalidInput
from app.http.guard import workspace
from app.metadata.fieldtypes.choices import retired_in
from app.metadata.fieldtypes.json import JsonText
from app.records.errors import LeavesReach
from app.records.pages.answers import agree, by_field, fragment
from app.records.pages.arranging import Group, grouped
from app.records.pages.controls import Control, control, country_names, form_fields, read_form
from app.records.pages.live import arranged_state, form_fitting, live_form, state_of
from app.records.pages.standing import standing
from app.records.pages.values import Record, gather_titles, reader_of
from app.records.permits import leave_for
from app.records.read import find_object
from app.records.stages import usual_pipeline
from app.records.write import create_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

#: So many fields are shown at once; the rest unfolds.
_SHOWN: Final = 7
_ID_LENGTH: Final = 36


@workspace("record.create")
def new_dialog(scope: TenantScope, object_name: str) -> Response:
    """The empty form; the address may fill in fields (``?company=<id>``)."""
    _, obj = find_object(scope, object_name)
    given = {name: value for name, value in request.args.items() if name in obj.fields}
    return _dialog(scope, obj, _defaults(scope, obj) | given, {}, "")


@workspace("record.create")
def create(scope: TenantScope, object_name: str) -> Response:
    """Create and go to the record, or show the form again with what is wrong."""
    _, obj = find_object(scope, object_name)
    names = [f.name for f in form_fields(obj)]
    sent = read_form(obj, names, request.form, reader_of(scope).locale)
    payload = {name: value for name, value in sent.items() if value not in (None, [])}
    agree(scope)
    try:
        record = create_record(scope, object_name, payload)
    except LeavesReach:
        raise
    except (InvalidInput, Conflict) as error:
        named, general = by_field(error)
        missing = {name: text for name, text in named.items() if name not in names}
        return _dialog(scope, obj, payload, named, " ".join(missing.values()) or general, status=422)
    # What was created for somebody else, as they confirmed, may be out of sight.
    target = f"/records/{object_name}" if scope.confirmed else f"/records/{object_name}/{record['id']}"
    if request.form.get("stay"):
        return fragment("records/_created.html", object=obj, href=target)
    return Response("", 200, {"HX-Redirect": target})


def _dialog(
    scope: TenantScope,
    obj: ObjectType,
    values: Record,
    errors: Mapping[str, str],
    general: str,
    *,
    status: int = 200,
) -> Response:
    fields = form_fields(obj)
    leave = leave_for(scope, obj.name)
    fits = form_fitting(leave, values, request.form.get("layout", ""))
    known = gather_titles(scope, obj, [f.name for f in fields], [_safe_links(obj, values)])
    reader = reader_of(scope)

    def built(field: Field) -> Control:
        found = control(
            obj, field, values.get(field.name), known, reader, currency=scope.tenant.currency,
            error=errors.get(field.name, ""),
        )  # fmt: skip
        return standing(found, obj, values) if found.name == "stage" and obj.has_pipeline else found

    usual = ([Group("", tuple(fields[:_SHOWN]))], fields[_SHOWN:])
    shown, left = grouped(fields, fits.layout) if fits.layout else usual
    groups = [(group.label, [built(field) for field in group.fields]) for group in shown]
    more = [built(field) for field in left]
    countries = country_names(reader.locale) if any(f.type.name == "address" for f in fields) else ()
    return fragment(
        "records/_new.html", status, object=obj, groups=groups, more=more, general=general,
        unfold=any(c.error for c in more) or not groups, countries=countries,
        layout=fits.layout.name if fits.layout else "",
        live=live_form(f"/records/{obj.name}/live", arranged_state(leave, state_of(leave, values), fits)),
    )  # fmt: skip


def _defaults(scope: TenantScope, obj: ObjectType) -> Record:
    values: Record = {
        f.name: JsonText(f.default) if f.type.name == "json" and isinstance(f.default, str) else f.default
        for f in form_fields(obj)
        if f.default is not None and isinstance(f.default, str | bool | int) and not retired_in(f, f.default)
    }
    if "owner" in obj.fields and scope.member is not None:
        values["owner"] = str(scope.member.id)
    if obj.has_pipeline and "stage" in obj.fields:
        values["stage"] = usual_pipeline(obj.pipelines.values()).first.name
    return {name: value for name, value in values.items() if value not in {"today", "now", "me"}}


def _safe_links(obj: ObjectType, values: Mapping[str, Any]) -> Record:
    """Only what can be an id: an address may say anything."""
    links = {n: v for n, v in values.items() if n in obj.fields and obj.fields[n].to}
    return {n: v for n, v in links.items() if isinstance(v, str) and len(v) == _ID_LENGTH}
