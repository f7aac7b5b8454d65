"""A layout as the editor sends it: its parts in the order of the page, and what differs from what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from flask import request

from app.shaping.pages import typed
from app.shaping.pages.conditions import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope

#: Each part of a layout sends all of these, once.
_BOXES: Final[tuple[str, ...]] = ("kind", "name", "label", "when", "when.rows", "columns", "collapsed", "wide")
_MOST: Final = 1_000
#: What an arrangement by itself shows of each record anyway, or never.
_NOT_PLACED: Final = frozenset({
    "id", "version", "deleted_at", "emails", "phones", "pipeline", "stage", "stage_status", "stage_since", "closed_at",
    "amount_from_lines", "external_id", "source_system", "created_at", "created_by", "updated_at", "updated_by", "team",
})  # fmt: skip
#: Collections of each part, by the kinds of parts they hold.
_COLLECTIONS: Final = {"layout": {"tabs": "tab"}, "tab": {"sections": "section", "related": "related"},
                       "section": {"fields": "field"}, "field": {}, "related": {}}  # fmt: skip


@dataclass
class Part:
    """A tab, section, field or related list; ``said`` are its own leaves, None for one that says nothing."""

    kind: str
    name: str
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    parts: list[Part] = field(default_factory=list["Part"])

    def of(self, kind: str) -> list[Part]:
        """Its parts of one kind, in order."""
        return [one for one in self.parts if one.kind == kind]

    def spec(self) -> dict[str, Any]:
        """The part as people write it."""
        found = {key: value for key, value in self.said.items() if value is not None}
        for place, kind in _COLLECTIONS[self.kind].items():
            if inner := self.of(kind):
                found[place] = {one.name: one.spec() | {"rank": f"{at:03d}"} for at, one in enumerate(inner, 1)}
        return found

    def patch(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be stated over what there is: leaves that differ, all items in order, those that are gone."""
        found = {key: value for key, value in self.said.items() if typed.differs(known.get(key), value)}
        for place, kind in _COLLECTIONS[self.kind].items():
            before = cast("Mapping[str, Any]", known.get(place) or {})
            items = [{"name": one.name} | one.patch(before.get(one.name) or {}) for one in self.of(kind)]
            kept = {one["name"] for one in items}
            items += [{"name": name, "remove": True} for name in before if name not in kept]
            if items:
                found[place] = items
        return found


def sent(scope: TenantScope, object_name: str) -> Part:
    """The layout the form says. Raises typed.Wrong."""
    label = typed.text("label")
    typed.needs(label, "Label: say what people call the layout.")
    when = chosen(scope, object_name, typed.text("when"), request.form.get("when.rows", ""))
    root = Part("layout", "", {
        "label": label, "roles": _several("roles"), "when": when or None, "highlights": _several("highlights"),
    })  # fmt: skip
    _build(root, _lines(scope, object_name))
    if not root.parts:
        raise typed.Wrong("Tabs: a layout needs at least one.")
    return root


def _several(name: str) -> list[str] | None:
    return list(dict.fromkeys(one for one in request.form.getlist(name) if one)) or None


def _lines(scope: TenantScope, object_name: str) -> Iterator[Part]:
    """The parts as they follow each other; what stands behind ``unused`` is in no section."""
    columns = [request.form.getlist(f"n.{box}")[:_MOST] for box in _BOXES]
    for values in zip(*columns, strict=False):
        one: dict[str, str] = {box: value.strip() for box, value in zip(_BOXES, values, strict=True)}
        if one["kind"] == "unused":
            return
        if one["kind"] in _COLLECTIONS and one["kind"] != "layout":
            when = chosen(scope, object_name, one["when"], one["when.rows"])
            yield Part(one["kind"], one["name"], _said(one, when))


def _said(one: dict[str, str], when: str) -> dict[str, Any]:
    found: dict[str, Any] = {"label": one["label"] or None}
    if one["kind"] != "related":
        found["when"] = when or None
    if one["kind"] == "section":
        found["columns"] = int(one["columns"]) if one["columns"] in ("1", "2", "3") else 1
        found["collapsed"] = True if one["collapsed"] else None
    if one["kind"] == "field":
        found["wide"] = True if one["wide"] else None
    if one["kind"] == "related":
        found["columns"] = [path for text in one["columns"].split(",") if (path := text.strip())] or None
    return found


def _build(root: Part, lines: Iterable[Part]) -> None:
    """Put each part where it belongs: into the tab, or the section, before it. Raises typed.Wrong."""
    tab = section = None
    for one in lines:
        if one.kind == "tab":
            tab, section = one, None
            _add(root, one, "tab")
        elif one.kind == "section" and tab is not None:
            section = one
            _add(tab, one, "section")
        elif one.kind == "related" and tab is not None:
            _add(tab, one, "")
        elif one.kind == "field" and section is not None:
            _add(section, one, "")


def _add(place: Part, one: Part, called: str) -> None:
    """One more part; a new one gets its name of its label."""
    taken = {other.name for other in place.of(one.kind)}
    if called:
        if not one.said["label"]:
            raise typed.Wrong(f"{called.capitalize()}: say what each is called.")
        one.name = one.name or _free(typed.name_of(one.said["label"]) or called, taken)
    if one.name and one.name not in taken:
        place.parts.append(one)


def _free(name: str, taken: set[str]) -> str:
    found, at = name, 1
    while found in taken:
        at += 1
        found = f"{name[:46]}_{at}"
    return found


def automatic(catalog: Catalog, obj: ObjectType) -> dict[str, Any]:
    """The spec of a layout that shows what the automatic one does."""
    names = [name for name, one in obj.fields.items() if one.shown and name not in _NOT_PLACED]
    columns = 2 if len(names) > 6 else 1  # a short list reads better in one
    details = {"label": "Details", "columns": columns, "fields": _ranked(names)}
    related = [one for one, _, _ in inverses(catalog, obj)]
    return {
        "label": "", "highlights": list(obj.highlights),
        "tabs": {"overview": {"label": "Overview", "sections": {"details": details}, "related": _ranked(related)}},
    }  # fmt: skip


def inverses(catalog: Catalog, obj: ObjectType) -> list[tuple[str, str, ObjectType]]:
    """What links to the object by a link of its own: the inverse, in words, the object that links."""
    found: dict[str, tuple[str, str, ObjectType]] = {}
    for other in catalog.objects.values():
        for link in other.fields.values():
            if link.inverse and link.type.name == "link" and link.to == (obj.name,) and not _is_trace(link):
                told = other.plural if link.label == obj.label else f"{other.plural} by {link.label.lower()}"
                found.setdefault(link.inverse, (link.inverse, told, other))
    return list(found.values())


def _is_trace(link: Field) -> bool:
    """Whether it only tells what a record was made of."""
    return link.name.startswith("converted_")


def _ranked(names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: {"rank": f"{at:03d}"} for at, name in enumerate(names, 1)}


def in_order(items: Mapping[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """The items of a collection in their order."""
    known = {name: cast("dict[str, Any]", one) for name, one in (items or {}).items()}
    return sorted(known.items(), key=lambda item: (str(item[1].get("rank") or ""), item[0]))
