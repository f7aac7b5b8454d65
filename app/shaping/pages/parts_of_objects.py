"""Layouts and views of an object as the settings pages list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import request

from app.core.errors import NotFound
from app.metadata.labels import humanised
from app.metadata.leaves import nest
from app.metadata.ranks import placed
from app.shaping.pages import typed
from app.shaping.pages.reading import Line

if TYPE_CHECKING:
    from app.shaping.pages.reading import Reading


def lines_of(reading: Reading, kind: str, object_name: str) -> list[Line]:
    """The components of one kind an object has, in their order. Raises NotFound without such an object."""
    reading.object(object_name)
    found: list[Line] = []
    for component, leaves in reading.live.items():
        owner, _, name = component.removeprefix(f"{kind}/").partition(".")
        if component.startswith(f"{kind}/") and owner == object_name:
            spec = cast("dict[str, Any]", nest(leaves))
            found.append(Line(name, str(spec.get("label") or humanised(name)), spec, *reading.whose(component)))
    return sorted(found, key=lambda one: (str(one.spec.get("rank", "")), one.name))


def line_of(reading: Reading, kind: str, object_name: str, name: str) -> Line:
    """One of them. Raises NotFound."""
    for one in lines_of(reading, kind, object_name):
        if one.name == name:
            return one
    raise NotFound(f"There is no such {kind}.")


def reordered(lines: list[Line], kind: str, object_name: str) -> list[dict[str, Any]]:
    """The components that get another rank by the order the form sends."""
    wanted = typed.order_of(lines, request.form.getlist("order"))
    ranks = placed({one.name: str(one.spec.get("rank", "")) for one in lines}, wanted, {}, listed=True)
    return [{"kind": kind, "name": f"{object_name}.{name}", "rank": rank} for name, rank in ranks.items()]


def called(lines: list[Line], what: str) -> str:
    """The name of a new one, made of its label. Raises typed.Wrong."""
    label = typed.text("label")
    typed.needs(label, f"Label: say what people call the {what}.")
    return typed.named(label, {one.name for one in lines} | {"new"}, typed.text("name"))
