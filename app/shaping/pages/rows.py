"""Several fields at once: a row each with what their types need, and the stages of a new object's pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as columns_of
from itertools import count, zip_longest
from typing import TYPE_CHECKING, Any, Final

from flask import request

from app.expressions import RETURNS
from app.metadata.kinds.field import SELECTS
from app.metadata.kinds.schema import NAME_LIMIT
from app.shaping.pages import typed
from app.shaping.pages.cards import groups

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from app.shaping.pages.cards import Card
    from app.shaping.pages.reading import Reading

#: Types that lead to several objects or look at what links here: these have pages of their own.
ELSEWHERE: Final = frozenset({"reference", "rollup"})
#: The pipeline of an object made with its stages.
PIPELINE: Final = "main"


@dataclass(frozen=True, slots=True)
class Row:
    """A field as it is typed; ``options`` with commas between, ``returns`` "" for whatever the formula comes to."""

    label: str = ""
    type: str = "text"
    to: str = ""
    options: str = ""
    returns: str = ""
    value: str = ""


def choices(reading: Reading) -> dict[str, Any]:
    """What the rows offer."""
    return {
        "types": [(name, found) for name, cards in groups() if (found := _offered(cards))],
        "targets": reading.targets(),
        "returns": [(one, one.replace("_", " ").capitalize()) for one in RETURNS if one != "select"],
    }


def sent() -> list[Row]:
    """The rows of the form that have a label."""
    names = [one.name for one in columns_of(Row)]
    columns = [[one.replace("\0", "").strip() for one in request.form.getlist(f"row.{name}")] for name in names]
    return [row for values in zip_longest(*columns, fillvalue="") if (row := Row(*values)).label]


def fields(given: Iterable[Row], reading: Reading, plural: str, taken: Collection[str]) -> dict[str, dict[str, Any]]:
    """Rows as fields, by name; ``plural`` is what linked records call these. Raises Wrong."""
    offered = {card.type for _, cards in groups() for card in _offered(cards)}
    found: dict[str, dict[str, Any]] = {}
    called: dict[str, set[str]] = {}
    for row in given:
        if row.type not in offered:
            raise typed.Wrong(f"{row.label}: choose what it holds.")
        name = _name(row.label, (*taken, *found), "field")
        if row.to and row.to not in called:
            called[row.to] = {*reading.names.inverses(row.to), *reading.names.fields(row.to)}
        found[name] = {"type": row.type, "label": row.label} | _details(row, name, plural, called.get(row.to, set()))
    return found


def stages() -> list[dict[str, Any]]:
    """The stages typed with commas between; the last one is where a record is done. Raises Wrong."""
    labels = [one.strip() for one in typed.text("stages").split(",") if one.strip()]
    if len(labels) == 1:
        raise typed.Wrong("Stages: name at least two, with commas between.")
    found: list[dict[str, Any]] = []
    for label in labels:
        name = _name(label, [one["name"] for one in found], "stage")
        found.append({"name": name, "label": label, "status": "done" if label == labels[-1] else "open"})
    return found


def _offered(cards: list[Card]) -> list[Card]:
    return [card for card in cards if card.type not in ELSEWHERE]


def _name(label: str, taken: Collection[str], what: str) -> str:
    """The label as a name; counted where it has no letters a name may have (機械 → field_1). Raises Wrong."""
    name = typed.name_of(label)
    if not name:
        return next(one for number in count(1) if (one := f"{what}_{number}") not in taken)
    if name in taken:
        raise typed.Wrong(f"{label}: the name {name} is taken already. Call it something else.")
    return name


def _details(row: Row, name: str, plural: str, called: set[str]) -> dict[str, Any]:
    """What the row's type needs besides. ``called``: names the object it leads to has given already."""
    if row.type == "link":
        typed.needs(row.to, f"{row.label}: choose the object it leads to.")
        inverse = plural if plural not in called else f"{plural}_by_{name}"[:NAME_LIMIT].rstrip("_")
        called.add(inverse)
        return {"to": row.to, "inverse": inverse}
    if row.type in SELECTS:
        options = [one.strip() for one in row.options.split(",") if one.strip()]
        if not options:
            raise typed.Wrong(f"{row.label}: name its options, with commas between.")
        made: list[dict[str, str]] = []
        for text in options:
            made.append({"name": _name(text, [one["name"] for one in made], "option"), "label": text})
        return {"options": made}
    if row.type == "formula":
        typed.needs(row.value, f"{row.label}: write the formula.")
        return ({"returns": row.returns} if row.returns else {}) | {"value": row.value}
    return {}
