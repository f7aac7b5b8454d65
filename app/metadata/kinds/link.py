"""Link: a field that leads to a record, or with ``many`` an object of its own between two objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Nested
from app.metadata.kinds.field import FIELD, FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

_MANY = {
    "many": form.flag("Each record links to many and is linked from many: an object of its own holds the pairs."),
    "fields": FIELDS,
}
_SINGLE = ("label", "help", "required", "to", "on_delete", "inverse", "acyclic", "indexed", "type", "retired", "hidden")


def expand(raw: Mapping[str, object]) -> dict[str, object]:
    """The object that holds the pairs of a link to many: ``deal.partners`` → ``deal_partners``."""
    holder, _, link = str(raw.get("name", "")).partition(".")
    to = raw.get("to")
    targets = cast("list[object]", to) if isinstance(to, list) else [to or ""]
    target = str(targets[0]) if targets else ""
    label = str(raw.get("label", link))
    given = raw.get("fields")
    own = dict(cast("dict[str, object]", given)) if isinstance(given, dict) else {}
    own = own or {"role": {"type": "text", "label": "Role"}}
    side = target if target != holder else f"other_{target}"
    ends: dict[str, object] = {
        holder: _end(holder, link),
        side: _end(target, str(raw.get("inverse") or f"{link}_of")),
    }
    return {
        "kind": "object",
        "name": f"{holder}_{link}",
        "label": {"one": label, "other": label},
        "icon": "link",
        "navigation": False,
        "timeline": False,
        "title": [next(iter(own))],
        "list_columns": [*ends, *own],
        "default_sort": "-created_at",
        "fields": ends | own,
    } | ({"help": raw["help"]} if raw.get("help") else {})


def _end(target: str, inverse: str) -> dict[str, object]:
    label = target.replace("_", " ").capitalize()
    return {"type": "link", "label": label, "to": target, "required": True, "on_delete": "cascade", "inverse": inverse}


KIND = Nested(
    name="link",
    help="A link from records of one object to another; with `many` it holds pairs, with fields of their own.",
    root="object",
    collections=("fields",),
    schema=form.record(
        "A link.",
        {name: one for name, one in form.properties_of(FIELD).items() if name in _SINGLE} | _MANY | form.standing(),
        ["to"],
    ),
    implied={"type": "link"},
    example="""
kind: link
name: contact.assistant
label: Assistant
to: contact
inverse: assists
on_delete: clear
""",
)
