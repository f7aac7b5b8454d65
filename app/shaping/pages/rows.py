"""What a new object begins with: fields, a row each with what their types need, and the stages of a pipeline."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from flask import request

from app.expressions import RETURNS
from app.metadata.kinds.field import SELECTS
from app.shaping.pages import typed
from app.shaping.pages.cards import groups

if TYPE_CHECKING:
    from app.shaping.pages.cards import Card
    from app.shaping.pages.reading import Reading

#: Types that lead to several objects or look at what links here: these have pages of their own.
_ELSEWHERE: Final = frozenset({"reference", "rollup"})
_COLUMNS: Final = ("label", "type", "to", "options", "returns", "value")
#: The pipeline of an object made with its stages.
PIPELINE: Final = "main"


def choices(reading: Reading) -> dict[str, Any]:
    """What the rows offer."""
    return {
        "types": [(name, found) for name, cards in groups() if (found := _offered(cards))],
        "targets": reading.targets(),
        "returns": [(one, one.replace("_", " ").capitalize()) for one in RETURNS if one != "select"],
    }


def fields(title: str, inverse: str) -> dict[str, dict[str, Any]]:
    """The fields of rows with a label, by name; ``inverse`` is what linked records call these. Raises Wrong."""
    columns = [[one.strip() for one in request.form.getlist(f"row.{name}")] for name in _COLUMNS]
    offered = {card.type for _, cards in groups() for card in _offered(cards)}
    found: dict[str, dict[str, Any]] = {}
    inverses: dict[str, list[str]] = {}
    for values in zip_longest(*columns, fillvalue=""):
        row: dict[str, str] = dict(zip(_COLUMNS, values, strict=True))
        if not row["label"]:
            continue
        if row["type"] not in offered:
            raise typed.Wrong(f"{row['label']}: choose what it holds.")
        name = typed.named(row["label"], (title, *found))
        called = inverses.setdefault(row["to"], [])
        found[name] = {"type": row["type"], "label": row["label"]} | _details(row, inverse, called)
    return found


def stages() -> list[dict[str, Any]]:
    """The stages typed with commas between; the last one is where a record is done. Raises Wrong."""
    labels = [one.strip() for one in typed.text("stages").split(",") if one.strip()]
    if len(labels) == 1:
        raise typed.Wrong("Stages: name at least two, with commas between.")
    found: list[dict[str, Any]] = []
    for label in labels:
        name = typed.named(label, [one["name"] for one in found])
        found.append({"name": name, "label": label, "status": "done" if label == labels[-1] else "open"})
    return found


def _offered(cards: list[Card]) -> list[Card]:
    return [card for card in cards if card.type not in _ELSEWHERE]


def _details(row: dict[str, str], inverse: str, called: list[str]) -> dict[str, Any]:
    """What the row's type needs besides. ``called``: what that object calls records that link to it already."""
    label = row["label"]
    if row["type"] == "link":
        typed.needs(row["to"], f"{label}: choose the object it leads to.")
        called.append(f"{inverse}_by_{typed.name_of(label)}" if called else inverse)
        return {"to": row["to"], "inverse": called[-1]}
    if row["type"] in SELECTS:
        options = [one.strip() for one in row["options"].split(",") if one.strip()]
        typed.needs(row["options"], f"{label}: name its options, with commas between.")
        made: list[dict[str, str]] = []
        for text in options:
            made.append({"name": typed.named(text, [one["name"] for one in made]), "label": text})
        return {"options": made}
    if row["type"] == "formula":
        typed.needs(row["value"], f"{label}: write the formula.")
        return {"returns": row["returns"] or "text", "value": row["value"]}
    return {}
