"""Links of an object: those that lead from it and to it, and a new one of any shape: field, pairs, to any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.http.guard import workspace
from app.metadata.kinds.field import LINKS
from app.shaping.pages import typed
from app.shaping.pages.cards import card_of
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_links", __name__)
_LINKS: Final = "/settings/objects/<object_name>/links"
#: What the fields of a pair may be; the others are added on the page of the object that holds the pairs.
_OWN_TYPES: Final = ("text", "long_text", "integer", "decimal", "percent", "money", "date", "boolean")


@dataclass(frozen=True, slots=True)
class Shape:
    """How records are linked. ``{one}`` and ``{many}`` are the object's labels."""

    name: str
    label: str
    text: str
    icon: str


_SHAPES: Final = (
    Shape("one", "Each {one} leads to one record", "A field on {one}: its company, its parent, its site.", "link-2"),
    Shape("from", "Many records lead to one {one}", "A field on the other object: {one} lists what leads to it.",
          "list"),
    Shape("many", "Many to many", "Pairs with fields of their own: each {one} has several of the others, and the other "
          "way round.", "arrow-right-left"),
    Shape("any", "Each {one} leads to one of several kinds", "One field that may lead to a company, contact or others.",
          "git-branch"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A link that is there: from which object's field to what; ``called`` is its name seen from the other side.

    ``rolls`` is the object that can roll up over it.
    """

    holder: Line
    field: Line
    to: str
    called: str
    rolls: str


@blueprint.get(_LINKS)
@workspace(METADATA_EDIT, member=True)
def show_links(scope: TenantScope, object_name: str) -> Response:
    """All links of the object, and the shapes a new one may have."""
    reading = Reading(scope)
    obj = reading.object(object_name)
    every = list(_every(reading))
    return answer(
        "links.html", reading, object=obj, shapes=_shapes(reading, obj),
        outgoing=[one for one in every if one.holder.name == object_name],
        incoming=[one for one in every if one.holder.name != object_name and _leads(one, object_name)],
    )  # fmt: skip


@blueprint.get(f"{_LINKS}/new")
@workspace(METADATA_EDIT, member=True)
def new(scope: TenantScope, object_name: str) -> Response:
    """The form of a shape."""
    reading = Reading(scope)
    obj = reading.object(object_name)
    shapes = _shapes(reading, obj)
    shape = next((one for one in shapes if one.name == request.args.get("shape")), shapes[0])
    own = [(one.name, one.label) for one in reading.objects()]
    return answer(
        "link_new.html", reading, object=obj, shape=shape, plural=reading.plural(object_name),
        targets=reading.targets() if shape.name in ("one", "any") else own,
        types=[(one, card_of(one).label) for one in _OWN_TYPES],
    )  # fmt: skip


@blueprint.post(_LINKS)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope, object_name: str) -> Response:
    """What adding it would do."""
    reading = Reading(scope)
    obj, shape = reading.object(object_name), request.form.get("shape", "")
    try:
        typed.needs(shape if shape in {one.name for one in _SHAPES} else "", "Shape: choose one of the cards.")
        component = _component(reading, object_name, shape)
    except typed.Wrong as error:
        return refused(error.messages)
    following = f"/settings/objects/{object_name}/links"
    title = f"Link {obj.label} by {component['label']}?"
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def _component(reading: Reading, object_name: str, shape: str) -> dict[str, Any]:
    """What the form says. Raises Wrong."""
    label, to = typed.text("label"), [one for one in request.form.getlist("to") if one]
    typed.needs(label, "Label: say what people call the link.")
    typed.needs("some" if to else "", "Leads to: choose the object.")
    known = {one.name for one in reading.objects()} | ({"member", "team"} if shape in ("one", "any") else set())
    typed.needs("known" if set(to) <= known else "", "Leads to: choose one of the list.")
    holder, target = (to[0], object_name) if shape == "from" else (object_name, to[0])
    taken = {path.split("/")[1] for path in reading.whole.get(f"object/{holder}", {}) if path.startswith("fields/")}
    name = typed.named(label, taken, typed.text("name"))
    found: dict[str, Any] = {"kind": "link", "name": f"{holder}.{name}", "label": label}
    found |= {"inverse": typed.text("inverse")} if typed.text("inverse") else {}
    if shape == "many":
        typed.needs("free" if f"object/{holder}_{name}" not in reading.whole else "",
                    f"Name: there is an object {holder}_{name} already. Choose another name.")  # fmt: skip
        return found | {"many": True, "to": [target], "fields": _own_fields()}
    if shape == "any":
        typed.needs("several" if len(to) > 1 else "", "Leads to one of: choose two or more.")
        found |= {"type": "reference"}
    found |= {"required": True} if request.form.get("required") else {}
    return found | {"to": to if shape == "any" else [target], "on_delete": typed.text("on_delete") or "clear"}


def _own_fields() -> dict[str, dict[str, str]]:
    """The fields of a pair. Raises Wrong."""
    found: dict[str, dict[str, str]] = {}
    for label, type_ in zip(request.form.getlist("own.label"), request.form.getlist("own.type"), strict=False):
        if label.strip():
            typed.needs(type_ if type_ in _OWN_TYPES else "", "Fields of a pair: choose a type of the list.")
            found[typed.named(label, found)] = {"type": type_, "label": label.strip()}
    if found and next(iter(found.values()))["type"] not in ("text", "long_text"):
        return {"role": {"type": "text", "label": "Role"}} | found
    return found


def _shapes(reading: Reading, obj: Line) -> list[Shape]:
    words = {"one": obj.label.lower(), "many": reading.plural(obj.name).lower()}
    return [Shape(one.name, one.label.format(**words), one.text.format(**words), one.icon) for one in _SHAPES]


def _every(reading: Reading) -> Iterator[Told]:
    """Every link there is."""
    labels: dict[str, str] = dict(reading.targets())
    objects = {one.name for one in reading.objects()}
    for holder in reading.objects():
        for field in reading.items(holder.name, "fields"):
            if field.type in LINKS:
                targets: list[str] = list(field.spec.get("to", ()))
                to = ", ".join("anything" if one == "*" else labels.get(one, one) for one in targets)
                called = str(field.spec.get("inverse") or "")
                rolls = targets[0] if called and len(targets) == 1 and targets[0] in objects else ""
                yield Told(holder, field, to, called, rolls)


def _leads(link: Told, name: str) -> bool:
    return any(one in (name, "*") for one in link.field.spec.get("to", ()))
