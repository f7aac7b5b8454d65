"""Another type for a field that is there: what it may become, and what a change to it states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata import catalog, uses
from app.metadata.kinds.field import COMPUTED, LINKS, SELECTS, TYPES
from app.shaping.pages import typed
from app.shaping.pages.cards import card_of

if TYPE_CHECKING:
    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

#: Types whose values are made of parts, or are worked out: nothing is converted to or from them.
_APART: Final = frozenset({*LINKS, *COMPUTED, "address", "emails", "phones", "file", "image"})
#: The most values that become choices by themselves.
_MOST: Final = 100
#: Attributes that go when the new type does not know them, and the switch of a form that stands for each.
_ATTRIBUTES: Final = {
    "required": "required", "unique": "unique", "searchable": "searchable", "indexed": "indexed",
    "default": "default", "default_formula": "default", "max": "max",
}  # fmt: skip


def choices(field: Line) -> list[tuple[str, str]]:
    """(type, label) of what an own field may become."""
    if not field.own or field.type in _APART:
        return []
    return [(one, card_of(one).label) for one in TYPES if one not in _APART and one != field.type]


def said(scope: TenantScope, object_name: str, field: Line, type_: str) -> dict[str, Any]:
    """The change to ``type_``, without what does not fit it. Raises Wrong."""
    typed.needs(type_ if type_ in dict(choices(field)) else "", "Becomes: choose one of the list.")
    allowed, spec = card_of(type_).attributes, field.spec
    found: dict[str, Any] = {"type": type_}
    found |= {leaf: None for leaf, switch in _ATTRIBUTES.items() if leaf in spec and switch not in allowed}
    if "default" in spec:
        found["default"] = None
    if field.type in SELECTS and type_ not in SELECTS:
        found |= {leaf: None for leaf in ("option_set", "open") if leaf in spec}
        if spec.get("options"):
            found["options"] = [{"name": one, "remove": True} for one in spec["options"]]
    elif type_ in SELECTS and field.type not in SELECTS:
        found["options"] = _options(scope, object_name, field)
    return found


def _options(scope: TenantScope, object_name: str, field: Line) -> list[dict[str, str]]:
    """A choice for every value there is. Raises Wrong when there are too many."""
    obj = catalog.whole(scope).objects[object_name]
    values = [value for _, _, value in uses.held(scope.execute, [(obj, obj.fields[field.name])])]
    message = f"Becomes: there are {len(values)} different values; at most {_MOST} can become choices."
    typed.needs("few" if len(values) <= _MOST else "", message)
    found: list[dict[str, str]] = []
    for value in sorted(map(str, values), key=str.casefold):
        base = typed.name_of(value) or "option"
        taken = {one["name"] for one in found}
        name = next(one for one in (base, *(f"{base[:46]}_{n}" for n in range(2, _MOST + 2))) if one not in taken)
        found.append({"name": name, "label": value[:100]})
    return found or [{"name": "first", "label": "First"}]
