"""A field of an object: its type chosen from cards, its attributes, renamed, retired, removed, brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.expressions import RETURNS
from app.http.guard import workspace
from app.metadata import catalog, uses
from app.metadata.fieldtypes import rating
from app.metadata.kinds.field import FUNCTIONS, SELECTS, TYPES
from app.metadata.kinds.schema import COLORS
from app.metadata.labels import type_label
from app.shaping.pages import retyping, typed
from app.shaping.pages.cards import card_of, groups
from app.shaping.pages.objects import answer, removed_spec
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.cards import Card
    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_fields", __name__)
_FIELDS: Final = "/settings/objects/<object_name>/fields"
_FIELD: Final = f"{_FIELDS}/<field_name>"
_ON_DELETE: Final = (
    ("clear", "Empties the link"), ("restrict", "Is kept from happening"),
    ("cascade", "Moves this record to the trash, too"),
)  # fmt: skip
_FUNCTIONS: Final = {
    "count": "How many", "sum": "Sum of", "avg": "Average of", "min": "Smallest or earliest",
    "max": "Largest or latest", "latest": "Value of the newest",
}  # fmt: skip
_RETURNS: Final = {
    name: type_label(name)
    for name in (
        "text", "integer", "decimal", "percent", "money", "boolean", "date", "datetime", "time", "duration", "select",
    )
}  # fmt: skip
_NUMBERS: Final = ("integer", "decimal", "percent", "money", "duration", "rating")
_ORDERED: Final = (*_NUMBERS, "date", "datetime", "time")


@blueprint.get(f"{_FIELDS}/new")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope, object_name: str) -> Response:
    """The cards; with ``type`` the form of that type."""
    reading = Reading(scope)
    obj, kind = reading.object(object_name), request.args.get("type", "")
    if kind not in TYPES:
        return answer("field_types.html", reading, object=obj, groups=groups())
    spec = {
        name: request.args.get(name, "")
        for name in ("label", "help", "over", "function", "field", "when", "value", "returns")
    }
    if kind == "rollup":
        spec["label"] = _suggested(reading, object_name, spec)
    return answer(
        "field_new.html",
        reading,
        object=obj,
        name=request.args.get("name", ""),
        **_form(reading, object_name, card_of(kind), spec),
    )


@blueprint.post(_FIELDS)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope, object_name: str) -> Response:
    """What adding it would do."""
    reading, kind = Reading(scope), request.form.get("type", "")
    obj = reading.object(object_name)
    if kind not in TYPES:
        return refused(["Type: choose one of the cards."])
    leaves = reading.whole.get(f"object/{object_name}", {})
    taken = {path.split("/")[1] for path in leaves if path.startswith("fields/")}
    try:
        spec = typed.field_spec(card_of(kind), {})
        name = typed.named(str(spec["label"]), taken, typed.text("name"))
    except typed.Wrong as error:
        return refused(error.messages)
    said = {key: value for key, value in spec.items() if value is not None and value != []}
    component = {"kind": "field", "name": f"{object_name}.{name}", "type": kind} | said
    title = f"Add {spec['label']} to {obj.label}?"
    return preview(
        scope, Asked(components=[component], next=f"/settings/objects/{object_name}", title=title, base=typed.base())
    )


@blueprint.get(_FIELD)
@workspace(METADATA_EDIT, member=True)
def show_field(scope: TenantScope, object_name: str, field_name: str) -> Response:
    """One field: its attributes, where it is used, what may be done with it."""
    reading = Reading(scope)
    obj, field = reading.object(object_name), reading.field(object_name, field_name)
    node = f"fields/{field_name}"
    standard = reading.told(object_name, node, field.changed)
    form = _form(reading, object_name, field.card, field.spec)
    form["v"]["held"] = _held(scope, object_name, field_name) if field.type in SELECTS else None
    return answer(
        "field.html", reading, object=obj, field=field, standard=standard, used=reading.used(object_name, node),
        becoming=retyping.choices(field), **form,
    )  # fmt: skip


@blueprint.post(_FIELD)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_field(scope: TenantScope, object_name: str, field_name: str) -> Response:
    """What changing it would do: ``act`` is save, rename, retype, retire, offer, remove, restore or reset."""
    reading, act = Reading(scope), request.form.get("act", "save")
    following = f"/settings/objects/{object_name}/fields/{field_name}"
    component: dict[str, Any] = {"kind": "field", "name": f"{object_name}.{field_name}"}
    title = "Apply this change?"
    if act == "restore":
        component |= _restored(scope, reading, object_name, field_name)
        return preview(scope, Asked(components=[component], next=following, title="Bring the field back?"))
    field = reading.field(object_name, field_name)
    try:
        if act == "rename":
            taken = [one.name for one in reading.items(object_name, "fields")]
            name = typed.named("", taken, typed.text("name"))
            component |= {"name": f"{object_name}.{name}", "renamed_from": field_name}
            following, title = f"/settings/objects/{object_name}/fields/{name}", f"Rename {field_name} to {name}?"
        elif act == "save":
            component |= typed.field_spec(field.card, field.spec)
        elif act == "retype":
            component |= retyping.said(scope, object_name, field, request.form.get("type", ""))
            title = f"Make {field.label} {card_of(component['type']).label.lower()}?"
        elif act == "remove":
            following, title = f"/settings/objects/{object_name}", f"Remove {field.label}?"
            component |= {"remove": True}
        else:
            component |= _simple(act)
    except typed.Wrong as error:
        return refused(error.messages)
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def _held(scope: TenantScope, object_name: str, field_name: str) -> dict[str, int]:
    """By option: how many records hold it."""
    obj = catalog.whole(scope).objects[object_name]
    found = uses.held(scope.execute, [(obj, obj.fields[field_name])])
    return {value: count for (_, _, value), count in found.items()}


def _simple(act: str) -> dict[str, Any]:
    """Acts that need nothing but their name."""
    leaf = request.form.get("leaf", "")
    found: dict[str, dict[str, Any]] = {
        "retire": {"retired": True},
        "offer": {"retired": None},
        "reset": {"reset": [leaf] if leaf else True},
    }
    if act not in found:
        raise NotFound("There is nothing of that name to do.")
    return found[act]


def _restored(scope: TenantScope, reading: Reading, name: str, field: str) -> dict[str, Any]:
    """What brings a field back: a hidden one is shown, a removed one is stated as it was."""
    if field in {one.name for one in reading.hidden(name)}:
        return {"reset": ["hidden"]}
    reading.object(name)
    return removed_spec(scope, reading, name, field)


def _form(reading: Reading, name: str, card: Card, spec: Any) -> dict[str, Any]:
    """What the form of a field shows."""
    default = spec.get("default")
    formula = spec.get("default_formula")
    found: dict[str, Any] = {
        "default": f"= {formula}"
        if formula
        else {True: "true", False: "false"}.get(default, default)
        if default is not None
        else "",
        "options": sorted((spec.get("options") or {}).items(), key=lambda one: (str(one[1].get("rank", "")), one[0])),
        "option_choices": [(key, one.get("label") or key) for key, one in (spec.get("options") or {}).items()],
        "sets": [(one.name, one.label) for one in reading.all_of("option_set")] if card.type in SELECTS else [],
        "colors": [(one, one.capitalize()) for one in COLORS],
        "returns": [(one, _RETURNS.get(one, one)) for one in RETURNS],
        "most": [(str(stars), f"{stars} stars") for stars in range(rating.LEAST, rating.MOST + 1)],
        "usual": str(rating.USUAL),
        "on_delete": _ON_DELETE,
        "targets": reading.targets() if card.type in ("link", "reference") else [],
    }
    more = _rolled(reading, name, spec) if card.type == "rollup" else {}
    return {"card": card, "spec": spec, "v": found | more}


def _rolled(reading: Reading, name: str, spec: Any) -> dict[str, Any]:
    """What a roll-up may look at: the links here, the functions, the fields that fit."""
    links = reading.inverses(name)
    chosen = next((one for one in links if one[0] == spec.get("over")), links[0] if links else None)
    function = spec.get("function") or "count"
    fits = _NUMBERS if function in ("sum", "avg") else _ORDERED if function in ("min", "max") else ()
    fields = reading.items(chosen[2], "fields") if chosen and function != "count" else []
    inner = [
        (one.name, one.label) for one in fields if _given(one) in (fits or (*_ORDERED, "text", "select", "boolean"))
    ]
    return {
        "links": [(link, told) for link, told, _ in links],
        "functions": [(one, _FUNCTIONS.get(one, one)) for one in FUNCTIONS],
        "function": function,
        "inner": inner,
        "counted": reading.plural(chosen[2]) if chosen else "",
    }


def _suggested(reading: Reading, name: str, spec: dict[str, str]) -> str:
    """What people call a roll-up: a count is called after what it counts, until somebody says otherwise."""
    found = {link: f"Number of {reading.plural(holder).lower()}" for link, _, holder in reading.inverses(name)}
    if spec["label"] and spec["label"] not in found.values():
        return spec["label"]
    return found.get(spec["over"], "") if spec["function"] in ("", "count") else ""


def _given(field: Line) -> str:
    """The type of a field's values."""
    return str(field.spec.get("returns", "text")) if field.type == "formula" else field.type
