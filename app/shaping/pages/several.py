"""Several fields at once: lines of text become rows, and rows the fields of an object that is there, in one change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template

from app.access.rights import METADATA_EDIT
from app.http.guard import workspace
from app.shaping.pages import pasted, rows, typed
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading
from app.shaping.pages.resulting import settled

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_several", __name__)


@blueprint.post("/settings/objects/read-fields")
@workspace(METADATA_EDIT, member=True, write=False)
def read_fields(scope: TenantScope) -> Response:
    """The rows of lines written or pasted; what can't be read stays in its box, with why. Nothing is changed."""
    reading = Reading(scope)
    found = pasted.written(reading)
    html = render_template("shaping/_several_read.html", found=found, told=_told(found), v=rows.choices(reading))
    return current_app.make_response((html, 200 if found.rows else 422))


@blueprint.get("/settings/objects/<object_name>/more-fields")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope, object_name: str) -> Response:
    """The rows for more fields of an object."""
    reading = Reading(scope)
    return answer("fields_new.html", reading, object=reading.object(object_name), v=rows.choices(reading))


@blueprint.post("/settings/objects/<object_name>/more-fields")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope, object_name: str) -> Response:
    """What adding them would do."""
    reading = Reading(scope)
    obj = reading.object(object_name)
    leaves = reading.whole.get(f"object/{object_name}", {})
    taken = {path.split("/")[1] for path in leaves if path.startswith("fields/")}
    try:
        given = pasted.sent(reading)
        typed.needs("yes" if given else "", "Name at least one field.")
        fields = rows.fields(given, reading, typed.name_of(reading.plural(object_name)) or object_name, taken)
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "object", "name": object_name, "fields": settled(reading, object_name, fields)}
    title = f"Add {_counted(len(fields), 'field')} to {obj.label}?"
    asked = Asked(components=[component], next=f"/settings/objects/{object_name}", title=title, base=typed.base())
    return preview(scope, asked)


def _told(found: pasted.Pasted) -> str:
    """What came of it, in one sentence."""
    if not found.messages and not found.rows:
        return "Write a field a line first."
    if not found.messages:
        return f"{_counted(len(found.rows), 'field')} added."
    left = f"{_counted(len(found.left), 'line')} can't be read yet."
    return f"{_counted(len(found.rows), 'field')} added. {left}" if found.rows else left


def _counted(number: int, what: str) -> str:
    return f"{number} {what if number == 1 else what + 's'}"
