"""Settings → Option sets: options that several fields share, in their order, with who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata import catalog, uses
from app.metadata.kinds.schema import COLORS
from app.shaping.pages import typed
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_option_sets", __name__)
_SETS: Final = "/settings/option-sets"
_SET: Final = f"{_SETS}/<set_name>"
#: The address of the form for a new one.
_NEW: Final = "new"


@blueprint.get(_SETS)
@workspace(METADATA_EDIT, member=True)
def show_sets(scope: TenantScope) -> Response:
    """All sets with their options and how many fields take them."""
    reading = Reading(scope)
    lines = [(one, _options(one), len(_using(reading, one.name))) for one in reading.all_of("option_set")]
    return answer("option_sets.html", reading, lines=lines)


@blueprint.get(f"{_SETS}/{_NEW}")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope) -> Response:
    """The form for a new set."""
    return answer("option_set_new.html", Reading(scope), colors=_colors())


@blueprint.post(f"{_SETS}/{_NEW}")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope) -> Response:
    """What making it would do."""
    reading = Reading(scope)
    try:
        typed.needs(typed.text("label"), "Label: say what people call the set.")
        taken = [_NEW, *(one.name for one in reading.all_of("option_set"))]
        name = typed.named(typed.text("label"), taken, typed.text("name"))
        options = typed.options({})
        typed.needs("some" if options else "", "Options: a set needs at least one.")
    except typed.Wrong as error:
        return refused(error.messages)
    component: dict[str, Any] = {"kind": "option_set", "name": name, "label": typed.text("label"), "options": options}
    component |= {"help": typed.text("help")} if typed.text("help") else {}
    title = f"Make the option set {component['label']}?"
    return preview(scope, Asked(components=[component], next=f"{_SETS}/{name}", title=title, base=typed.base()))


@blueprint.get(_SET)
@workspace(METADATA_EDIT, member=True)
def show_set(scope: TenantScope, set_name: str) -> Response:
    """One set: its options, who holds them, the fields that take them."""
    reading = Reading(scope)
    one = reading.one_of("option_set", set_name)
    using = _using(reading, set_name)
    return answer(
        "option_set.html", reading, one=one, options=_options(one), colors=_colors(), held=_held(scope, using),
        used=[reading.place(f"object/{obj}", f"fields/{field}/option_set") for obj, field in using],
    )  # fmt: skip


@blueprint.post(_SET)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_set(scope: TenantScope, set_name: str) -> Response:
    """What changing it would do: ``act`` is save, remove or reset."""
    one, act = Reading(scope).one_of("option_set", set_name), request.form.get("act", "save")
    component: dict[str, Any] = {"kind": "option_set", "name": set_name}
    following, title = f"{_SETS}/{set_name}", "Apply this change?"
    try:
        if act == "save":
            component |= _said(one)
        elif act == "remove":
            component, following, title = component | {"remove": True}, _SETS, f"Remove {one.label}?"
        elif act == "reset":
            component, title = component | {"reset": True}, "Reset to standard?"
        else:
            raise NotFound("There is nothing of that name to do.")
    except typed.Wrong as error:
        return refused(error.messages)
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def _said(one: Line) -> dict[str, Any]:
    """What the form says of a set, as far as it is new. Raises Wrong."""
    label = typed.text("label")
    typed.needs(label, "Label: say what people call the set.")
    now: dict[str, Any] = {"label": label, "help": typed.text("help") or None}
    found = {name: value for name, value in now.items() if typed.differs(one.spec.get(name), value)}
    options = typed.options(one.spec.get("options") or {})
    typed.needs("some" if any("remove" not in one for one in options) else "", "Options: a set needs at least one.")
    return found | {"options": options}


def _options(one: Line) -> list[tuple[str, Any]]:
    options: dict[str, Any] = one.spec.get("options") or {}
    return sorted(options.items(), key=lambda item: (str(item[1].get("rank", "")), item[0]))


def _using(reading: Reading, name: str) -> list[tuple[str, str]]:
    """Object and field that take the set's options."""
    return [
        (component.partition("/")[2], path.split("/")[1])
        for component, leaves in reading.live.items() if component.startswith("object/")
        for path, value in leaves.items() if path.endswith("/option_set") and value == name
    ]  # fmt: skip


def _held(scope: TenantScope, using: list[tuple[str, str]]) -> dict[str, int]:
    """By option: how many records hold it, over all fields."""
    objects, found = catalog.whole(scope).objects, dict[str, int]()
    fields = [(objects[obj], objects[obj].fields[field]) for obj, field in using if field in objects[obj].fields]
    for (_, _, value), count in uses.held(scope.execute, fields).items():
        found[value] = found.get(value, 0) + count
    return found


def _colors() -> list[tuple[str, str]]:
    return [(one, one.capitalize()) for one in COLORS]
