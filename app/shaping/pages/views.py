"""Views of an object: lists and boards people find above its records; made here, or from a list as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access.policy import role_names
from app.access.rights import METADATA_EDIT
from app.http.guard import workspace
from app.metadata.environment import find, link_target
from app.records.pages.columns import path_columns, possible_columns
from app.records.pages.values import NUMERIC
from app.records.read import find_object
from app.shaping.pages import typed
from app.shaping.pages.conditions import chosen
from app.shaping.pages.layouts_form import in_order
from app.shaping.pages.objects import answer
from app.shaping.pages.parts_of_objects import called, line_of, lines_of, reordered
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from app.metadata.model import Catalog, ObjectType
    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_views", __name__)
_VIEWS: Final = "/settings/objects/<object_name>/views"
_VIEW: Final = f"{_VIEWS}/<view_name>"
_SHAPES: Final = (("list", "List"), ("board", "Board"))
_SORTS: Final = 3
_FIGURES: Final = (("sum", "Sum of"), ("avg", "Average"), ("max", "Largest"))


@blueprint.get(_VIEWS)
@workspace(METADATA_EDIT, member=True)
def show_views(scope: TenantScope, object_name: str) -> Response:
    """The views of an object in the order people see them."""
    reading, labels = Reading(scope), dict(role_names(scope))
    lines = [
        (one, [labels.get(role, role) for role in one.spec.get("roles", ())])
        for one in lines_of(reading, "view", object_name)
    ]
    return answer("views.html", reading, object=reading.object(object_name), lines=lines)


@blueprint.post(_VIEWS)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_views(scope: TenantScope, object_name: str) -> Response:
    """What showing them in another order would do."""
    components = reordered(lines_of(Reading(scope), "view", object_name), "view", object_name)
    following = f"/settings/objects/{object_name}/views"
    return preview(scope, Asked(components=components, next=following, base=typed.base()))


@blueprint.get(f"{_VIEWS}/new")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope, object_name: str) -> Response:
    """The form of a new view; the address may fill in ``label``, ``filter``, ``sort``, ``shape``, ``from`` a view."""
    reading = Reading(scope)
    known = {one.name: one for one in lines_of(reading, "view", object_name)}
    like, given = known.get(request.args.get("from", "")), request.args
    spec: dict[str, Any] = dict(like.spec) if like else {}
    both = [one for one in (spec.get("filter"), given.get("filter", "").strip()[:10_000]) if one]
    spec["filter"] = " && ".join(f"({one})" for one in both) if len(both) > 1 else "".join(both)
    spec["label"] = given.get("label", "")[:100]
    if given.get("sort"):
        spec["sort"] = given["sort"].split(",")
    if given.get("shape") in dict(_SHAPES):
        spec["shape"] = given["shape"]
    return _form(scope, reading, object_name, None, spec)


@blueprint.post(f"{_VIEWS}/new")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope, object_name: str) -> Response:
    """What making it would do."""
    lines = lines_of(Reading(scope), "view", object_name)
    try:
        name = called(lines, "view")
        spec = _sent(scope, object_name, {})
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "view", "name": f"{object_name}.{name}"}
    component |= {key: value for key, value in spec.items() if value is not None}
    following, title = f"/settings/objects/{object_name}/views", f"Add the view {typed.text('label')}?"
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


@blueprint.get(_VIEW)
@workspace(METADATA_EDIT, member=True)
def show_view(scope: TenantScope, object_name: str, view_name: str) -> Response:
    """The form of one view."""
    reading = Reading(scope)
    line = line_of(reading, "view", object_name, view_name)
    return _form(scope, reading, object_name, line, line.spec)


@blueprint.post(_VIEW)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_view(scope: TenantScope, object_name: str, view_name: str) -> Response:
    """What changing it would do: ``act`` is save or remove."""
    line, act = line_of(Reading(scope), "view", object_name, view_name), request.form.get("act", "save")
    component: dict[str, Any] = {"kind": "view", "name": f"{object_name}.{view_name}"}
    following = f"/settings/objects/{object_name}/views"
    if act == "remove":
        title = f"Remove the view {line.label}?"
        return preview(scope, Asked(components=[component | {"remove": True}], next=following, title=title))
    try:
        typed.needs(typed.text("label"), "Label: say what people call the view.")
        component |= _sent(scope, object_name, line.spec)
    except typed.Wrong as error:
        return refused(error.messages)
    return preview(scope, Asked(components=[component], next=f"{following}/{view_name}", base=typed.base()))


def _sent(scope: TenantScope, object_name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says of a view, as far as it differs from ``known``. Raises typed.Wrong."""
    shape = request.form.get("shape", "list")
    group_by = typed.text("group_by") or None
    if shape == "board" and group_by is None:
        raise typed.Wrong("Columns of the board: choose the field they are made of.")
    now: dict[str, Any] = {
        "label": typed.text("label"), "help": typed.text("help") or None,
        "shape": "board" if shape == "board" else ("list" if known.get("shape") else None),
        "filter": chosen(scope, object_name, typed.text("filter"), request.form.get("filter.rows", "")) or None,
        "sort": _sorts() or None, "group_by": group_by if shape == "board" else None,
        "metrics": (_several("metrics") or None) if shape == "board" else None, "roles": _several("roles") or None,
    }  # fmt: skip
    found = {key: value for key, value in now.items() if typed.differs(known.get(key), value)}
    columns, before = _several("column"), [name for name, _ in in_order(known.get("columns"))]
    if columns != before:
        gone = [{"name": one, "remove": True} for one in before if one not in columns]
        found["columns"] = [{"name": one} for one in columns] + gone
    return found


def _several(name: str) -> list[str]:
    return list(dict.fromkeys(one for one in request.form.getlist(name) if one))


def _sorts() -> list[str]:
    pairs = zip(request.form.getlist("sort.field"), request.form.getlist("sort.way"), strict=False)
    found = {field: f"-{field}" if way == "down" else field for field, way in pairs if field}
    return list(found.values())[:_SORTS]


def _form(
    scope: TenantScope, reading: Reading, object_name: str, line: Line | None, spec: Mapping[str, Any]
) -> Response:
    shown = reading.object(object_name)
    catalog, obj = find_object(scope, object_name)
    sorts = [(one.removeprefix("-"), "down" if one.startswith("-") else "up") for one in spec.get("sort") or ()]
    columns = [name for name, _ in in_order(spec.get("columns"))]
    return answer(
        "view.html", reading, object=shown, view=line, spec=spec, shapes=_SHAPES, roles=role_names(scope),
        sorts=[*sorts, *[("", "up")] * _SORTS][:_SORTS], sortable=_sortable(catalog, obj, [one for one, _ in sorts]),
        columns=columns, column_groups=_column_groups(catalog, obj, columns), grouping=_grouping(obj),
        figures=_figures(obj, spec.get("metrics") or ()),
    )  # fmt: skip


def _sortable(catalog: Catalog, obj: ObjectType, used: list[str]) -> list[tuple[str, str]]:
    found = {"title": "Name"} | {one.path: one.full_label for one in possible_columns(obj) if one.sortable}
    for path in used:
        named = find(catalog.objects, obj, path)
        if named is not None:
            found.setdefault(path, path.replace(".", ": "))
    return list(found.items())


def _column_groups(catalog: Catalog, obj: ObjectType, used: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The columns a list can have: the object's own, then those of what its links lead to."""
    own = [(one.path, one.full_label) for one in possible_columns(obj)]
    own += [(name, obj.fields[name].label) for name in obj.title if name in used and name in obj.fields]
    groups = [(obj.label, own)]
    for field in obj.fields.values():
        target = link_target(catalog.objects, field) if field.type.name == "link" and field.shown else None
        if target is not None and target.name in catalog.objects:
            paths = [f"{field.name}.{one.path}" for one in possible_columns(target)]
            found = path_columns(catalog, obj, paths[:14]) + path_columns(catalog, obj, paths[14:28])
            groups.append((field.label, [(one.path, one.label) for one in found]))
    known = {path for _, paths in groups for path, _ in paths}
    others = [(path, path) for path in used if path not in known]
    return [*groups, *([("Others", others)] if others else [])]


def _grouping(obj: ObjectType) -> list[tuple[str, str]]:
    fits = [
        one for one in obj.fields.values() if one.type.name in {"select", "stage"} or (len(one.to) == 1 and one.shown)
    ]
    return [(one.name, one.label) for one in fits if one.shown]


def _figures(obj: ObjectType, used: list[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    found = {
        f"{function}:{one.name}": f"{told} {one.label.lower()}"
        for one in obj.fields.values() if one.shown and one.type.name in NUMERIC and not one.name.startswith("version")
        for function, told in _FIGURES
    }  # fmt: skip
    money = next((one.name for one in obj.fields.values() if one.type.name == "money"), "")
    if money and "probability" in obj.fields:
        found[f"weighted:{money}"] = f"{obj.fields[money].label} by probability"
    return [*found.items(), *((one, one) for one in used if one not in found and one != "count")]
