"""Keeping a list or board as a view of one's own: made, renamed, brought to what is shown, deleted and brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request
from werkzeug.wrappers import Response

from app.access.rights import METADATA_EDIT, allows
from app.core.errors import Conflict, InvalidInput
from app.http.context import is_htmx
from app.http.guard import workspace
from app.records.pages.answers import by_field, fragment
from app.records.pages.asking import joined, quick_condition
from app.records.pages.conditions import Desk, condition_sent
from app.records.pages.own_views import (
    LONGEST_LABEL,
    add_view,
    delete_view,
    is_own,
    own_view,
    put_view,
    restore_view,
)
from app.records.pages.viewing import address_of, check_view, mended, shown_now, viewed
from app.records.read import find_object

if TYPE_CHECKING:
    from app.metadata.arrangement import View
    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope


@workspace("record.read", member=True)
def new_view_dialog(scope: TenantScope, object_name: str) -> Response:
    """What is shown, to be given a name."""
    _, obj = find_object(scope, object_name)
    return _new(scope, obj, _shown(scope, obj), {}, "")


@workspace("record.read", member=True, write=True)
def save_new_view(scope: TenantScope, object_name: str) -> Response:
    """Keep what is shown and go to it; for everybody it is made on the settings' page."""
    _, obj = find_object(scope, object_name)
    view = replace(_shown(scope, obj), label=request.form.get("label", ""))
    if request.form.get("who") == "everybody" and allows(scope, METADATA_EDIT):
        return _go(_for_everybody(scope, obj, view))
    try:
        check_view(scope, obj, view)
        made = add_view(scope, obj, view)
    except (InvalidInput, Conflict) as error:
        return _new(scope, obj, view, *by_field(error))
    return _go(address_of(obj, made))


@workspace("record.read", member=True)
def view_dialog(scope: TenantScope, object_name: str, own_view_name: str) -> Response:
    """Name and condition of one's own view."""
    _, obj = find_object(scope, object_name)
    return _change(scope, obj, own_view(scope, obj, own_view_name), {}, "")


@workspace("record.read", member=True, write=True)
def save_view(scope: TenantScope, object_name: str, own_view_name: str) -> Response:
    """Give it another name or condition; what else of it can't be asked for any more is left out."""
    _, obj = find_object(scope, object_name)
    before = own_view(scope, obj, own_view_name)
    view = replace(before, label=request.form.get("label", ""), filter=request.form.get("filter", "").strip())
    try:
        view = mended(scope, obj, replace(view, filter=condition_sent(scope, obj.name, "filter", "/filter")))
        check_view(scope, obj, view)
        put_view(scope, obj, view)
    except InvalidInput as error:
        return _change(scope, obj, view, *by_field(error))
    return _go(address_of(obj, view))


@workspace("record.read", member=True, write=True)
def save_shown_view(scope: TenantScope, object_name: str, own_view_name: str) -> Response:
    """Bring it to what is shown now, under its name."""
    _, obj = find_object(scope, object_name)
    before = own_view(scope, obj, own_view_name)
    view = replace(_shown(scope, obj), name=before.name, label=before.label)
    check_view(scope, obj, view)
    put_view(scope, obj, view)
    return _go(address_of(obj, view))


@workspace("record.read", member=True, write=True)
def trash_view(scope: TenantScope, object_name: str, own_view_name: str) -> Response:
    """Take it away: on to all records, where the toast offers it back."""
    _, obj = find_object(scope, object_name)
    view = own_view(scope, obj, own_view_name)
    delete_view(scope, obj, view.name)
    board = "/board" if view.shape == "board" and obj.has_pipeline else ""
    return _go(f"/records/{obj.name}{board}?deleted={view.name}")


@workspace("record.read", member=True, write=True)
def bring_back_view(scope: TenantScope, object_name: str, own_view_name: str) -> Response:
    """Undo: bring it back and go to it."""
    _, obj = find_object(scope, object_name)
    return _go(address_of(obj, restore_view(scope, obj, own_view_name)))


def _shown(scope: TenantScope, obj: ObjectType) -> View:
    """What the address of this request says is shown."""
    return shown_now(scope, obj, viewed(scope, obj), request.args.get("shape", ""))


def _for_everybody(scope: TenantScope, obj: ObjectType, view: View) -> str:
    """The form of a new view of the workspace, filled in with what is shown."""
    question = viewed(scope, obj)
    of_workspace = question.view if not is_own(question.view) else ""
    given = {
        "label": view.label.strip()[:LONGEST_LABEL], "from": of_workspace, "sort": question.sort, "shape": view.shape,
        "filter": joined(question.filter, quick_condition(obj, question.words)),
    }  # fmt: skip
    if not of_workspace:
        given |= {"filter": view.filter, "sort": ",".join(view.sort)}
    asks = urlencode({name: value for name, value in given.items() if value})
    return f"/settings/objects/{obj.name}/views/new?{asks}"


def _new(scope: TenantScope, obj: ObjectType, view: View, named: dict[str, str], general: str) -> Response:
    return fragment(
        "records/_view_new.html", 422 if named or general else 200, object=obj, view=view, error=named.get("label", ""),
        general=general or named.get("filter", ""), most=LONGEST_LABEL, words=_in_words(scope, obj, view),
        query=request.query_string.decode(), may_share=allows(scope, METADATA_EDIT),
        who=request.form.get("who", "me"),
    )  # fmt: skip


def _change(scope: TenantScope, obj: ObjectType, view: View, named: dict[str, str], general: str) -> Response:
    return fragment(
        "records/_view_change.html", 422 if named or general else 200, object=obj, view=view, most=LONGEST_LABEL,
        error=named.get("label", ""), general=general or named.get("filter", ""),
        left_out=mended(scope, obj, view) != view,
    )  # fmt: skip


def _in_words(scope: TenantScope, obj: ObjectType, view: View) -> str:
    return _desk(scope, obj).words(view.filter) if view.filter else ""


def _desk(scope: TenantScope, obj: ObjectType) -> Desk:
    catalog, _ = find_object(scope, obj.name)
    return Desk(scope, catalog, obj, me="me")


def _go(address: str) -> Response:
    return Response("", 200, {"HX-Redirect": address}) if is_htmx() else Response("", 303, {"Location": address})
