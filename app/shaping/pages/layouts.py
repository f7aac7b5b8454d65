"""Layouts of an object: which there are and for whom, the editor, how a record would look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, current_app, render_template, request

from app.access.policy import role_names
from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata.arrangement import layout_of
from app.metadata.leaves import flatten, spec_hash
from app.records.errors import RecordNotFound
from app.records.pages.arranging import ALL, ALL_RELATED
from app.records.pages.record import page_values
from app.records.pages.related import layout_lists
from app.records.pages.values import icon_of
from app.records.permits import leave_for
from app.records.read import find_object, get_record
from app.shaping.pages import typed
from app.shaping.pages.layouts_form import automatic, in_order, inverses, sent
from app.shaping.pages.objects import answer
from app.shaping.pages.parts_of_objects import called, line_of, lines_of, reordered
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_layouts", __name__)
_LAYOUTS: Final = "/settings/objects/<object_name>/layouts"
_LAYOUT: Final = f"{_LAYOUTS}/<layout_name>"
#: What a layout that is only looked at is called.
_DRAFT: Final = "draft"
#: What the first layout of an object is called until somebody says otherwise.
_FIRST: Final = "Standard"


@blueprint.get(_LAYOUTS)
@workspace(METADATA_EDIT, member=True)
def show_layouts(scope: TenantScope, object_name: str) -> Response:
    """The layouts of an object in the order they are tried."""
    reading = Reading(scope)
    labels = dict(role_names(scope))
    lines = [
        (one, [labels.get(role, role) for role in one.spec.get("roles", ())], len(one.spec.get("tabs", {})))
        for one in lines_of(reading, "layout", object_name)
    ]
    return answer("layouts.html", reading, object=reading.object(object_name), lines=lines)


@blueprint.post(_LAYOUTS)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_layouts(scope: TenantScope, object_name: str) -> Response:
    """What trying them in another order would do."""
    components = reordered(lines_of(Reading(scope), "layout", object_name), "layout", object_name)
    return preview(
        scope, Asked(components=components, next=f"/settings/objects/{object_name}/layouts", base=typed.base())
    )


@blueprint.get(f"{_LAYOUTS}/new")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope, object_name: str) -> Response:
    """The editor with a copy of the automatic layout, or of the one ``like`` names."""
    reading = Reading(scope)
    reading.object(object_name)
    catalog, obj = find_object(scope, object_name)
    known = {one.name: one for one in lines_of(reading, "layout", object_name)}
    like = known.get(request.args.get("like", ""))
    spec = {**like.spec, "label": f"{like.label} (copy)"} if like else automatic(catalog, obj)
    if not known:
        spec = {**spec, "label": _FIRST}
    return _editor(scope, reading, object_name, None, spec)


@blueprint.post(f"{_LAYOUTS}/new")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope, object_name: str) -> Response:
    """What making it would do."""
    lines = lines_of(Reading(scope), "layout", object_name)
    try:
        name = called(lines, "layout")
        layout = sent(scope, object_name)
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "layout", "name": f"{object_name}.{name}"} | layout.patch({})
    following = f"/settings/objects/{object_name}/layouts/{name}"
    title = f"Add the layout {typed.text('label')}?"
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


@blueprint.get(_LAYOUT)
@workspace(METADATA_EDIT, member=True)
def show_layout(scope: TenantScope, object_name: str, layout_name: str) -> Response:
    """The editor of one layout."""
    reading = Reading(scope)
    line = line_of(reading, "layout", object_name, layout_name)
    return _editor(scope, reading, object_name, line, line.spec)


@blueprint.post(_LAYOUT)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_layout(scope: TenantScope, object_name: str, layout_name: str) -> Response:
    """What changing it would do: ``act`` is save, remove or reset."""
    line, act = line_of(Reading(scope), "layout", object_name, layout_name), request.form.get("act", "save")
    component: dict[str, Any] = {"kind": "layout", "name": f"{object_name}.{layout_name}"}
    following = f"/settings/objects/{object_name}/layouts"
    if act == "remove":
        title = f"Remove the layout {line.label}?"
        return preview(scope, Asked(components=[component | {"remove": True}], next=following, title=title))
    try:
        layout = sent(scope, object_name)
    except typed.Wrong as error:
        return refused(error.messages)
    component |= layout.patch(line.spec)
    return preview(scope, Asked(components=[component], next=f"{following}/{layout_name}", base=typed.base()))


@blueprint.post(f"{_LAYOUTS}/look")
@workspace(METADATA_EDIT, member=True, write=False)
def look(scope: TenantScope, object_name: str) -> Response:
    """How the record ``try`` would look by the layout in the form; nothing is kept."""
    _, obj = find_object(scope, object_name)
    try:
        layout = sent(scope, object_name)
        record_id = typed.text("try")
        typed.needs(record_id, "Look at: choose a record first.")
    except typed.Wrong as error:
        return refused(error.messages, "There is nothing to look at yet")
    leaves = flatten(layout.spec())
    draft = replace(layout_of(_DRAFT, leaves), when="")
    leave = leave_for(scope, object_name)
    whole = replace(leave.object, layouts=(draft,), layouts_hash=f"{_DRAFT} {spec_hash(leaves)}")
    shown = replace(leave, object=whole, shown=whole if leave.shown is leave.object else leave.shown)
    try:
        record = get_record(scope, object_name, record_id)
    except RecordNotFound as error:
        raise NotFound("There is no such record.") from error
    values = page_values(scope, obj, record, shown, _DRAFT)
    lists = {
        tab.name: [replace(one, add="") for one in layout_lists(scope, obj, record, tab.lists)]
        for tab in values["arranged"].tabs
    }
    html = render_template(
        "shaping/layout_look.html", **values, lists=lists, all_fields=ALL, all_related=ALL_RELATED,
        name=layout.said["label"],
    )  # fmt: skip
    return current_app.make_response(html)


def _editor(
    scope: TenantScope, reading: Reading, object_name: str, line: Line | None, spec: Mapping[str, Any]
) -> Response:
    catalog, obj = find_object(scope, object_name)
    links = [(name, told, _columns_of(other)) for name, told, other in inverses(catalog, obj)]
    fields = [(name, one.label, icon_of(one)) for name, one in obj.fields.items() if one.shown and _placeable(name)]
    tabs = [
        (name, tab, [(at, one, in_order(one.get("fields"))) for at, one in in_order(tab.get("sections"))],
         in_order(tab.get("related")))
        for name, tab in in_order(spec.get("tabs"))
    ]  # fmt: skip
    placed = {name for _, _, sections, _ in tabs for _, _, items in sections for name, _ in items}
    return answer(
        "layout.html", reading, object=reading.object(object_name), layout=line, spec=spec, tabs=tabs, fields=fields,
        known={name: (label, icon) for name, label, icon in fields}, links={name: told for name, told, _ in links},
        link_columns={name: columns for name, _, columns in links}, roles=role_names(scope),
        unused=[one for one in fields if one[0] not in placed],
    )  # fmt: skip


def _placeable(name: str) -> bool:
    return name not in {"id", "version", "deleted_at", "emails", "phones"}


def _columns_of(other: ObjectType) -> list[tuple[str, str]]:
    """Columns a list of these records can have."""
    skipped = {"rich_text", "reference", "emails", "phones", "address"}
    return [
        (name, one.label) for name, one in other.fields.items()
        if one.shown and _placeable(name) and one.type.name not in skipped and name not in other.title
    ]  # fmt: skip
