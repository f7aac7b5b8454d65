"""Pipelines of an object: stages in their order, colours, probabilities, what must hold to enter and to leave."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata import catalog, uses
from app.metadata.kinds.schema import COLORS
from app.metadata.kinds.stage import STATUSES
from app.shaping.pages import typed
from app.shaping.pages.conditions import chosen
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_pipelines", __name__)
_PIPELINES: Final = "/settings/objects/<object_name>/pipelines"
_STATUSES: Final = {
    "open": "Open", "won": "Won", "lost": "Lost", "done": "Done", "cancelled": "Cancelled",
}  # fmt: skip
_GATES: Final = ("enter_if", "leave_if")


@blueprint.get(_PIPELINES)
@workspace(METADATA_EDIT, member=True)
def show_pipelines(scope: TenantScope, object_name: str) -> Response:
    """All pipelines with their stages."""
    reading = Reading(scope)
    obj = reading.object(object_name)
    found = reading.items(object_name, "pipelines") if "pipelines" in obj.spec else []
    lines = [(one, reading.items(object_name, f"pipelines/{one.name}/stages")) for one in found]
    return answer(
        "pipelines.html", reading, object=obj, pipelines=lines, held=_held(scope, object_name),
        standard={one.name: reading.told(object_name, f"pipelines/{one.name}", one.changed) for one in found},
        used={one.name: reading.used(object_name, f"pipelines/{one.name}") for one in found},
        gone=reading.hidden(object_name, "pipelines"), **_choices(),
    )  # fmt: skip


@blueprint.post(_PIPELINES)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_pipelines(scope: TenantScope, object_name: str) -> Response:
    """What changing one pipeline would do: its label, its stages in the order sent; a new one without ``pipeline``.

    ``act`` other than save: retire, offer, remove, reset (one ``leaf`` or all) and restore of a pipeline taken away.
    """
    reading = Reading(scope)
    obj, name = reading.object(object_name), request.form.get("pipeline", "")
    known = {one.name: one for one in reading.items(object_name, "pipelines")} if "pipelines" in obj.spec else {}
    if request.form.get("act", "save") != "save":
        return _plan_act(scope, reading, object_name, known)
    if name and name not in known:
        raise NotFound("There is no such pipeline.")
    stages = reading.items(object_name, f"pipelines/{name}/stages") if name else []
    try:
        label = typed.text("label")
        typed.needs(label, "Label: say what people call the pipeline.")
        spec: dict[str, Any] = {"stages": _stages(scope, object_name, {one.name: one for one in stages})}
        spec |= {"label": label} if not name or label != known[name].label else {}
        name = name or typed.named(label, known)
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "pipeline", "name": f"{object_name}.{name}"} | spec
    following = f"/settings/objects/{object_name}/pipelines"
    return preview(scope, Asked(components=[component], next=following, base=typed.base()))


def _plan_act(scope: TenantScope, reading: Reading, object_name: str, known: dict[str, Line]) -> Response:
    """What an act that needs nothing but its name would do. Raises NotFound."""
    act, name, leaf = request.form["act"], request.form.get("pipeline", ""), request.form.get("leaf", "")
    said: dict[str, dict[str, Any]] = {
        "retire": {"retired": True}, "offer": {"retired": None}, "remove": {"remove": True},
        "reset": {"reset": [leaf] if leaf else True}, "restore": {"reset": ["hidden"]},
    }  # fmt: skip
    there = {one.name for one in reading.hidden(object_name, "pipelines")} if act == "restore" else set(known)
    if act not in said or name not in there:
        raise NotFound("There is no such pipeline.")
    component = {"kind": "pipeline", "name": f"{object_name}.{name}"} | said[act]
    following = f"/settings/objects/{object_name}/pipelines"
    return preview(scope, Asked(components=[component], next=following, base=typed.base()))


def _held(scope: TenantScope, object_name: str) -> dict[tuple[str, str], int]:
    """How many records are in each pipeline and stage: by field and name."""
    obj = catalog.whole(scope).objects[object_name]
    fields = [(obj, obj.fields[one]) for one in ("pipeline", "stage") if obj.has_pipeline]
    return {(field, value): count for (_, field, value), count in uses.held(scope.execute, fields).items()}


def _choices() -> dict[str, Any]:
    return {
        "statuses": [(one, _STATUSES.get(one, one)) for one in STATUSES],
        "colors": [(one, one.capitalize()) for one in COLORS],
        "gates": _GATES,
    }


def _stages(scope: TenantScope, object_name: str, known: dict[str, Line]) -> list[dict[str, Any]]:
    """The stages as the form lists them; what is not listed any more is taken away."""
    columns = {
        key: request.form.getlist(f"stage.{key}")
        for key in (
            "name",
            "label",
            "status",
            "color",
            "probability",
            "retired",
            *(f"{gate}.{one}" for gate in _GATES for one in ("when", "when.rows", "message")),
        )
    }
    found: list[dict[str, Any]] = []
    for optional in ("retired", *(f"{gate}.when.rows" for gate in _GATES)):
        columns[optional] = columns[optional] or [""] * len(columns["name"])
    for values in zip(*columns.values(), strict=False):
        one = dict(zip(columns, (value.strip() for value in values), strict=True))
        if one["label"]:
            for gate in _GATES:
                one[f"{gate}.when"] = chosen(scope, object_name, one[f"{gate}.when"], one[f"{gate}.when.rows"])
            found.append(_stage(one, known, [stage["name"] for stage in found]))
    if not found:
        raise typed.Wrong("Stages: a pipeline needs at least one.")
    kept = {stage["name"] for stage in found}
    return found + [{"name": name, "remove": True} for name in known if name not in kept]


def _stage(one: dict[str, str], known: dict[str, Line], taken: list[str]) -> dict[str, Any]:
    line = known.get(one["name"])
    name = one["name"] if line else typed.named(one["label"], [*taken, *known])
    spec = line.spec if line else {}
    now: dict[str, Any] = {
        "label": one["label"],
        "color": one["color"] or None,
        "probability": _fraction(one["probability"]),
        "retired": True if one["retired"] else None,
    }
    if line is None:
        now["status"] = one["status"] or "open"
    found: dict[str, Any] = {key: value for key, value in now.items() if typed.differs(spec.get(key), value)}
    for gate in _GATES:
        was = spec.get(gate) or {}
        said = {"when": one[f"{gate}.when"] or None, "message": one[f"{gate}.message"] or None}
        if said["when"] and not said["message"]:
            raise typed.Wrong(f"{one['label']}: say what people read when the condition does not hold.")
        changed = {
            key: value if said["when"] else None
            for key, value in said.items()
            if typed.differs(was.get(key), value if said["when"] else None)
        }
        if changed:
            found[gate] = changed
    if line is not None and spec.get("label") is None and found.get("label") == line.label:
        del found["label"]
    return {"name": name} | {key: value for key, value in found.items() if value is not None or line is not None}


def _fraction(percent: str) -> str | None:
    """A probability in per cent as the fraction that is kept."""
    if not percent:
        return None
    try:
        value = Decimal(percent.replace(",", "."))
    except InvalidOperation as error:
        raise typed.Wrong("Probability: a number from 0 to 100.") from error
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,2})?", percent) or value > 100:
        raise typed.Wrong("Probability: a number from 0 to 100.")
    return format((value / 100).normalize(), "f")
