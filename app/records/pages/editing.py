"""Editing one value in place: shown value, its form, saving with a version check."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from flask import request

from app.core.errors import Conflict, InvalidInput, NotFound
from app.http.guard import workspace
from app.records.errors import LeavesReach, StaleVersion
from app.records.pages import record as record_pages
from app.records.pages.answers import agree, by_field, fragment
from app.records.pages.controls import control, country_names, read_form
from app.records.pages.live import live_form, state_of
from app.records.pages.merging import save_merged
from app.records.pages.values import Record, Shown, gather_titles, is_editable, reader_of
from app.records.pages.values import show as show_value
from app.records.permits import leave_for
from app.records.read import find_object, get_record
from app.ui import formats

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope


@workspace("record.read")
def show(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """The value as it is shown; what Escape puts back."""
    _, obj = find_object(scope, object_name)
    return _shown(scope, obj, record_id, _field(obj, field_name))


@workspace("record.edit")
def edit(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """The form of the one value, with the version it was read at."""
    _, obj = find_object(scope, object_name)
    field = _editable(obj, field_name)
    record = get_record(scope, object_name, record_id, fields=(field_name, "version"))
    return _form(scope, obj, field, record)


@workspace("record.edit")
def save(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """Save the value; a wrong one comes back with the reason, a changed record asks whose value holds.

    Whether to go on when the record leaves one's reach is asked by the page's script.
    """
    _, obj = find_object(scope, object_name)
    field = _editable(obj, field_name)
    patch = read_form(obj, [field_name], request.form, reader_of(scope).locale)
    version = request.form.get("version", "")
    agree(scope)
    try:
        save_merged(scope, object_name, record_id, patch, version)
    except StaleVersion as stale:
        return _conflict(scope, obj, field, record_id, patch, stale)
    except LeavesReach:
        raise
    except (InvalidInput, Conflict) as error:
        named, general = by_field(error)
        record = {"id": str(record_id), "version": version, field_name: patch[field_name]}
        reason = named.get(field_name) or " ".join(named.values()) or general
        return _form(scope, obj, field, record, error=reason)
    return record_pages.refreshed(scope, obj, record_id, field=field_name)


def _field(obj: ObjectType, name: str) -> Field:
    field = obj.fields.get(name)
    if field is None:
        raise NotFound(f"{obj.plural} have no field of that name.")
    return field


def _editable(obj: ObjectType, name: str) -> Field:
    field = _field(obj, name)
    if not is_editable(field):
        raise InvalidInput(f"{field.label} can't be changed here.")
    return field


def _shown(scope: TenantScope, obj: ObjectType, record_id: UUID, field: Field) -> Response:
    record = get_record(scope, obj.name, record_id, fields=(field.name,))
    return fragment("records/_field.html", object=obj, record=record, shown=shown_value(scope, obj, field, record))


def shown_value(scope: TenantScope, obj: ObjectType, field: Field, record: Record) -> Shown:
    """One field of a record for the current reader."""
    known = gather_titles(scope, obj, [field.name], [record])
    return show_value(field, record.get(field.name), reader_of(scope), known, obj)


def _form(scope: TenantScope, obj: ObjectType, field: Field, record: Record, *, error: str = "") -> Response:
    sent = {field.name: record.get(field.name)} if error else {}
    state = state_of(leave_for(scope, obj.name), sent, UUID(str(record["id"])))
    known = gather_titles(scope, obj, [field.name], [record]) if not error else {}
    reader = reader_of(scope)
    built = control(obj, field, record.get(field.name), known, reader, currency=scope.tenant.currency, error=error)
    countries = country_names(reader.locale) if built.kind == "address" else ()
    return fragment(
        "records/_edit.html", 422 if error else 200, object=obj, record=record, control=built, countries=countries,
        live=live_form(f"/records/{obj.name}/{record['id']}/live", state),
    )  # fmt: skip


def _conflict(
    scope: TenantScope, obj: ObjectType, field: Field, record_id: UUID, patch: Record, stale: StaleVersion
) -> Response:
    """Somebody else changed this field: all values, who and when, and the choice."""
    theirs = get_record(scope, obj.name, record_id, fields=(field.name, "version"))
    conflicts = cast("list[Record]", stale.extra["conflicts"])
    found = next((one for one in conflicts if one["field"] == field.name), Record())
    reader = reader_of(scope)

    def shown(value: object) -> Shown:
        return shown_value(scope, obj, field, {**theirs, field.name: value})

    return fragment(
        "records/_conflict.html", 409, object=obj, record=theirs, field=field, form=request.form,
        by=found["by"]["name"] if "by" in found else "", theirs=shown(theirs[field.name]),
        at=formats.stamp(found["at"], reader.locale, reader.timezone) if "at" in found else "",
        mine=shown(found.get("yours", patch[field.name])), base=shown(found["base"]) if "base" in found else None,
    )  # fmt: skip
