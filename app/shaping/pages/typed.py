"""What was typed into a form of settings, as components: only what differs from what is there is stated."""

from __future__ import annotations

import re
import unicodedata
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from flask import request

from app.metadata.kinds.field import LINKS, SELECTS
from app.metadata.kinds.schema import NAME, NAME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.shaping.pages.cards import Card
    from app.shaping.pages.reading import Line

_FLAGS: Final = ("required", "searchable", "indexed", "open", "sensitive")
_LONGEST: Final = 10_000


class Wrong(Exception):
    """What was typed can't be sent on; ``messages`` say why."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


def text(name: str) -> str:
    """A box of the form."""
    return request.form.get(name, "").replace("\0", "").strip()[:_LONGEST]


def base() -> int | None:
    """The version the page was made at: what somebody else changed since is told."""
    given = text("base")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None


def needs(given: str, message: str) -> None:
    """Refuse a form without ``given``. Raises Wrong."""
    if not given:
        raise Wrong(message)


def name_of(label: str) -> str:
    """A label as a name: Serial number → serial_number."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    name = re.sub(r"^[0-9_]+", "", name)
    return name[:NAME_LIMIT].rstrip("_")


def named(label: str, taken: Iterable[str], given: str = "") -> str:
    """The name typed, else one made of the label; refused when something has it already. Raises Wrong."""
    name = given or name_of(label)
    if not re.fullmatch(NAME, name) or len(name) > NAME_LIMIT:
        raise Wrong("Name: small letters, digits and _ , beginning with a letter; at most 50 characters.")
    if name in set(taken):
        raise Wrong(f"Name: there is a {name} already. Choose another name, or bring that one back.")
    return name


def field_spec(card: Card, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says of a field, as far as it differs from ``known``; {} for nothing. Raises Wrong."""
    found: dict[str, Any] = {"label": text("label") or None}
    if not found["label"]:
        raise Wrong("Label: say what people call the field.")
    found["help"] = text("help") or None
    allowed = card.attributes
    found |= {one: True if request.form.get(one) else None for one in _FLAGS if one in allowed}
    if "unique" in allowed:
        found["unique"] = True if request.form.get("unique") else None
    if "default" in allowed:
        found |= _default(card.type)
    if card.type in SELECTS:
        found |= _choices(known)
    if card.type in LINKS:
        found |= _link(card.type)
    if card.type == "formula":
        found |= {"returns": text("returns") or None, "value": text("value") or None}
        found["options"] = options(known.get("options") or {}) if found["returns"] == "select" else None
    if card.type == "rating":
        given = text("max")
        found["max"] = int(given) if given.isascii() and given.isdigit() and len(given) < 3 else None
    if card.type == "rollup":
        found |= {name: text(name) or None for name in ("over", "function", "field", "when")}
        found["field"] = None if found["function"] == "count" else found["field"]
    return {name: value for name, value in found.items() if differs(known.get(name), value)}


def _choices(known: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the field's own, or the set it takes them from."""
    found: dict[str, Any] = {"open": True if request.form.get("open") else None}
    if known.get("option_set") or text("option_set"):
        return found | {"option_set": text("option_set") or known.get("option_set")}
    return found | {"options": options(known.get("options") or {})}


def differs(was: Any, now: Any) -> bool:
    """Whether a leaf says another thing; a switch that is off is one that is not there."""
    if isinstance(now, list):
        return not (isinstance(was, list) and was == now)
    if was is False and now is None:
        return False
    if was in ("folded", True) and now in ("folded", True):
        return False
    return (was if was is not None else None) != now


def options(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options in the order of the form; those that are not there any more are taken away. Raises Wrong."""
    columns = (request.form.getlist(f"option.{one}") for one in ("name", "label", "color", "retired"))
    found: list[dict[str, Any]] = []
    for name, label, color, retired in zip_longest(*columns, fillvalue=""):
        if not label.strip():
            continue
        taken = [*(one["name"] for one in found), *(one for one in known if one != name)]
        stays = name if name in known else named(label, taken, name.strip())
        was = known.get(stays) or {}
        said = {"color": color or None, "retired": True if retired else None}
        changed = {key: value for key, value in said.items() if value is not None or was.get(key)}
        found.append({"name": stays, "label": label.strip()} | changed)
    kept = {one["name"] for one in found}
    return found + [{"name": name, "remove": True} for name in known if name not in kept]


def _default(type_: str) -> dict[str, Any]:
    """A value, or after = an expression."""
    given = text("default")
    if given.startswith("="):
        return {"default": None, "default_formula": given[1:].strip()}
    value: Any = given or None
    if value is not None and type_ in ("integer", "rating"):
        if not re.fullmatch(r"-?[0-9]{1,18}", given):
            raise Wrong("Default: enter a whole number.")
        value = int(given)
    elif value is not None and type_ == "boolean":
        value = given == "true"
    return {"default": value, "default_formula": None}


def _link(type_: str) -> dict[str, Any]:
    """Where it leads; what is fixed once the field is there is sent by the form of a new one only."""
    found: dict[str, Any] = {"on_delete": text("on_delete") or None}
    if "to" in request.form:
        to = [one for one in request.form.getlist("to") if one]
        if not to:
            raise Wrong("Leads to: choose the object.")
        found |= {"to": to, "inverse": text("inverse") or None}
        if type_ == "link":
            found["acyclic"] = True if request.form.get("acyclic") else None
    return found


def order_of(lines: Iterable[Line], wanted: Iterable[str]) -> list[str]:
    """The names in the order wanted; those nobody named stay behind."""
    known = [one.name for one in lines]
    first = [name for name in dict.fromkeys(wanted) if name in known]
    return [*first, *(name for name in known if name not in first)]
