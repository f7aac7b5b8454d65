"""Settings → Objects: the list, a new one, one with its fields: their order, what it is called, what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from flask import Blueprint, current_app, render_template, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata import history
from app.metadata.layers import conflicts
from app.metadata.leaves import nest
from app.metadata.ranks import placed
from app.shaping.pages import pasted, rows, typed
from app.shaping.pages.applying import progress
from app.shaping.pages.cards import groups, texts_of
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading
from app.shaping.pages.resulting import settled

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_objects", __name__)
_OBJECT: Final = "/settings/objects/<object_name>"
#: What a new object's records show at their head and in lists, and what is too long for that.
_HIGHLIGHTS: Final = 3
_COLUMNS: Final = 5
_LONG: Final = frozenset({"long_text", "rich_text", "json", "file"})
#: How far back a removed field is looked for.
_CHANGES: Final = 100
ICONS: Final = (
    "package", "blocks", "building-2", "users", "user", "handshake", "contact", "briefcase", "factory", "house",
    "receipt", "file-text", "sticky-note", "calendar", "clock", "tag", "flag", "star", "target", "trophy", "megaphone",
    "phone", "mail", "message-square", "globe", "map-pin", "banknote", "coins", "key-round", "shield", "life-buoy",
    "printer", "video", "link", "list-checks", "circle-dot",
)  # fmt: skip


@blueprint.get("/settings/objects")
@workspace(METADATA_EDIT, member=True)
def show_objects(scope: TenantScope) -> Response:
    """All objects, standard and own."""
    reading = Reading(scope)
    lines = [(one, len(one.spec.get("fields", {})), _own_fields(reading, one)) for one in reading.objects()]
    return answer("objects.html", reading, lines=lines, gone=reading.hidden_objects())


@blueprint.get("/settings/objects/new")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope) -> Response:
    """The form for a new object."""
    reading = Reading(scope)
    return answer("object_new.html", reading, icons=ICONS, v=rows.choices(reading))


@blueprint.post("/settings/objects/new")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope) -> Response:
    """What making it would do."""
    reading = Reading(scope)
    one, other = typed.text("label"), typed.text("plural")
    try:
        typed.needs(one and other, "Label: say what one and what several of them are called.")
        taken = [line.name for line in (*reading.objects(), *reading.hidden_objects())]
        name = typed.named(one, taken, typed.text("name"))
        title = typed.named(typed.text("title") or "Name", ())
        stages = rows.stages()
        fields = rows.fields(pasted.sent(reading), reading, typed.name_of(other) or name, (title,))
        fields = settled(reading, name, fields, stages)
    except typed.Wrong as error:
        return refused(error.messages)
    field = {"type": "text", "label": typed.text("title") or "Name", "required": True, "searchable": True}
    shown = [one for one, spec in fields.items() if spec["type"] not in _LONG]
    component: dict[str, Any] = {
        "kind": "object", "name": name, "label": {"one": one, "other": other}, "icon": typed.text("icon") or "package",
        "title": [title], "highlights": shown[:_HIGHLIGHTS], "list_columns": [title, *shown[:_COLUMNS]],
        "fields": {title: field} | fields,
    }  # fmt: skip
    if typed.text("help"):
        component["help"] = typed.text("help")
    if stages:
        component["pipelines"] = {rows.PIPELINE: {"label": one, "stages": stages}}
    asked = Asked(components=[component], next=f"/settings/objects/{name}", title=f"Make the object {one}?")
    return preview(scope, asked)


@blueprint.get(_OBJECT)
@workspace(METADATA_EDIT, member=True)
def show_object(scope: TenantScope, object_name: str) -> Response:
    """One object with its fields."""
    reading = Reading(scope)
    obj = reading.object(object_name)
    fields = reading.items(object_name, "fields")
    texts = texts_of((one.name, one.type) for one in fields)
    title = list(obj.spec.get("title", ()))
    labels = {one.name: one.label for one in fields}
    choices = [(one, labels[one]) for one in texts]
    if len(title) != 1 or title[0] not in texts:
        choices.insert(0, (",".join(title), " + ".join(labels.get(one, str(one)) for one in title)))
    return answer(
        "object.html",
        reading,
        object=obj,
        fields=fields,
        pipelines=reading.items(object_name, "pipelines") if "pipelines" in obj.spec else [],
        titles=choices,
        title=",".join(title),
        icons=ICONS if obj.spec.get("icon") in ICONS else (obj.spec.get("icon", ""), *ICONS),
        hidden_fields=reading.hidden(object_name),
        removed=_removed(scope, reading, object_name),
        used=[
            one for one in reading.used(object_name, "") if not one[1].startswith(f"/settings/objects/{object_name}")
        ],
        groups=groups(),
    )


@blueprint.post(_OBJECT)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_object(scope: TenantScope, object_name: str) -> Response:
    """What changing it would do: ``act`` is save, order, remove, restore or reset."""
    reading, act = Reading(scope), request.form.get("act", "save")
    component: dict[str, Any] = {"kind": "object", "name": object_name}
    following, title = f"/settings/objects/{object_name}", "Apply this change?"
    if act == "restore":
        if object_name not in {one.name for one in reading.hidden_objects()}:
            raise NotFound("There is no such object.")
        component |= {"reset": ["hidden"]}
    elif act == "remove":
        label = reading.object(object_name).label
        component |= {"remove": True}
        following, title = "/settings/objects", f"Remove {label}?"
    elif act == "reset":
        component |= {"reset": ["label", "help", "icon", "title", "highlights", "list_columns", "default_sort"]}
        title = "Reset to standard?"
    elif act == "order":
        component["fields"] = _order(reading, object_name)
    else:
        component |= _said(reading.object(object_name))
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def answer(template: str, reading: Reading, **values: Any) -> Response:
    """A page, with what came of the change that led to it."""
    updates = len(conflicts(reading.lower, reading.stored.overrides))
    known = {"version": reading.scope.version, "applied": _applied(reading.scope), "updates": updates}
    found = current_app.make_response(render_template(f"shaping/{template}", **known, **values))
    found.headers["Cache-Control"] = "no-store"
    return found


def _applied(scope: TenantScope) -> dict[str, Any] | None:
    """The change the address names, just applied."""
    given = request.args.get("change", "")
    if len(given) != 36 or not set(given) <= set("0123456789abcdef-"):
        return {"deferred": True} if "deferred" in request.args else None
    try:
        return progress(history.change(scope.execute, UUID(given)))
    except (NotFound, ValueError):
        return None


def _own_fields(reading: Reading, obj: Line) -> int:
    """Of a standard object how many fields are the workspace's own."""
    return 0 if obj.own else sum(one.own for one in reading.items(obj.name, "fields"))


def _order(reading: Reading, name: str) -> dict[str, dict[str, str]]:
    """The ranks of the fields that move."""
    reading.object(name)
    lines = reading.items(name, "fields")
    wanted = typed.order_of(lines, request.form.getlist("order"))
    ranks = placed({one.name: str(one.spec.get("rank", "")) for one in lines}, wanted, {}, listed=True)
    return {field: {"rank": rank} for field, rank in ranks.items()}


def _said(obj: Line) -> dict[str, Any]:
    """What the form says of an object, as far as it is new."""
    now: dict[str, Any] = {"icon": typed.text("icon") or None, "help": typed.text("help") or None}
    now["title"] = [one for one in typed.text("title").split(",") if one] or None
    found = {name: value for name, value in now.items() if typed.differs(obj.spec.get(name), value)}
    if typed.differs(obj.spec.get("navigation", True), "navigation" in request.form):
        found["navigation"] = "navigation" in request.form
    label = {"one": typed.text("label"), "other": typed.text("plural")}
    changed = {key: text for key, text in label.items() if text and text != obj.spec.get("label", {}).get(key)}
    return found | ({"label": changed} if changed else {})


def _removed(scope: TenantScope, reading: Reading, name: str) -> list[dict[str, Any]]:
    """Own fields that were removed and are not there any more, with what they said: to be brought back."""
    component, found = f"object/{name}", dict[str, dict[str, Any]]()
    for change in history.changes(scope.execute, limit=_CHANGES):
        gone = [one for one in change["leaves"] if one["component"] == component and one["after"] is None]
        leaves = {one["path"]: one["before"] for one in gone if one["path"].startswith("fields/")}
        specs = cast("dict[str, Any]", nest(leaves)).get("fields", {})
        for field, spec in specs.items():
            there = any(path.startswith(f"fields/{field}/") for path in reading.whole.get(component, ()))
            if "type" in spec and not there:
                found.setdefault(field, {"name": field, "spec": spec, "at": change["at"]})
    return list(found.values())


def removed_spec(scope: TenantScope, reading: Reading, name: str, field: str) -> dict[str, Any]:
    """What a removed field said. Raises NotFound."""
    for one in _removed(scope, reading, name):
        if one["name"] == field:
            return dict(one["spec"])
    raise NotFound("There is no such field.")
