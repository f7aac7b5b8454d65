"""Layouts and views of a tenant's document as the compiled model has them: conditions as written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

from app.metadata.labels import humanised
from app.metadata.leaves import SEPARATOR, nest, spec_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.model import ObjectType

T = TypeVar("T")
Shape = Literal["list", "board"]
_KINDS: Final = ("layout", "view")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A field in a section; ``label`` where it is called otherwise there."""

    name: str
    label: str = ""
    wide: bool = False
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields under one heading, in ``columns`` side by side."""

    name: str
    label: str
    columns: int = 1
    collapsed: bool = False
    when: str = ""
    fields: tuple[Placed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedList:
    """A list of linked records: ``name`` is the link's inverse, ``columns`` are paths of fields of those records."""

    name: str
    label: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A tab of a record's page."""

    name: str
    label: str
    when: str = ""
    sections: tuple[Section, ...] = ()
    related: tuple[RelatedList, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the page of a record is arranged, for ``roles`` (none is everyone) and records that meet ``when``."""

    name: str
    label: str
    roles: tuple[str, ...] = ()
    when: str = ""
    highlights: tuple[str, ...] = ()
    tabs: tuple[Tab, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list or board of some of an object's records, offered to ``roles`` (none is everyone)."""

    name: str
    label: str
    help: str = ""
    shape: Shape = "list"
    filter: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    group_by: str = ""
    metrics: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def with_arrangements(objects: Mapping[str, ObjectType], document: Document) -> Mapping[str, ObjectType]:
    """``objects`` with the layouts and views the document has for them; those without stay the same."""
    found: dict[str, dict[str, dict[str, Leaves]]] = {}
    for component, leaves in document.items():
        kind, _, name = component.partition(SEPARATOR)
        owner, _, own = name.partition(".")
        if kind in _KINDS and owner in objects and leaves.get("retired") is not True:
            found.setdefault(owner, {}).setdefault(kind, {})[own] = leaves
    if not found:
        return objects
    arranged = {name: _arranged(objects[name], by_kind) for name, by_kind in found.items()}
    return MappingProxyType({name: arranged.get(name, obj) for name, obj in objects.items()})


def _arranged(obj: ObjectType, by_kind: Mapping[str, Mapping[str, Leaves]]) -> ObjectType:
    layouts = by_kind.get("layout", {})
    named: dict[str, Plain] = {
        SEPARATOR.join((name, path)): value for name, leaves in layouts.items() for path, value in leaves.items()
    }
    return replace(
        obj,
        layouts=tuple(layout_of(name, leaves) for name, leaves in _in_order(layouts)),
        layouts_hash=spec_hash(named) if named else "",
        views=tuple(view_of(name, leaves) for name, leaves in _in_order(by_kind.get("view", {}))),
    )


def _in_order(specs: Mapping[str, Leaves]) -> list[tuple[str, Leaves]]:
    return sorted(specs.items(), key=lambda item: (str(item[1].get("rank") or ""), item[0]))


def layout_of(name: str, leaves: Leaves) -> Layout:
    """One layout from its leaves."""
    spec = cast("dict[str, object]", nest(leaves))
    return Layout(
        name=name, label=_label(name, spec), roles=_names(spec, "roles"), when=_text(spec, "when"),
        highlights=_names(spec, "highlights"), tabs=_items(spec, "tabs", _tab),
    )  # fmt: skip


def view_of(name: str, leaves: Leaves) -> View:
    """One view from its leaves."""
    spec = cast("dict[str, object]", nest(leaves))
    return View(
        name=name, label=_label(name, spec), help=_text(spec, "help"),
        shape="board" if spec.get("shape") == "board" else "list", filter=_text(spec, "filter"),
        sort=_names(spec, "sort"), columns=_items(spec, "columns", lambda path, _: path),
        group_by=_text(spec, "group_by"), metrics=_names(spec, "metrics"), roles=_names(spec, "roles"),
    )  # fmt: skip


def _tab(name: str, spec: Mapping[str, object]) -> Tab:
    return Tab(
        name=name, label=_label(name, spec), when=_text(spec, "when"), sections=_items(spec, "sections", _section),
        related=_items(spec, "related", _related),
    )  # fmt: skip


def _section(name: str, spec: Mapping[str, object]) -> Section:
    columns = spec.get("columns")
    return Section(
        name=name, label=_label(name, spec), columns=columns if isinstance(columns, int) else 1,
        collapsed=spec.get("collapsed") is True, when=_text(spec, "when"), fields=_items(spec, "fields", _placed),
    )  # fmt: skip


def _placed(name: str, spec: Mapping[str, object]) -> Placed:
    return Placed(name=name, label=_text(spec, "label"), wide=spec.get("wide") is True, when=_text(spec, "when"))


def _related(name: str, spec: Mapping[str, object]) -> RelatedList:
    return RelatedList(name=name, label=_text(spec, "label"), columns=_names(spec, "columns"))


def _items(spec: Mapping[str, object], place: str, make: Callable[[str, Mapping[str, object]], T]) -> tuple[T, ...]:
    """The items of a collection in their order, without retired ones."""
    items = {name: _map(one) for name, one in _map(spec.get(place)).items()}
    names = sorted(items, key=lambda name: (str(items[name].get("rank") or ""), name))
    return tuple(make(name, items[name]) for name in names if items[name].get("retired") is not True)


def _label(name: str, spec: Mapping[str, object]) -> str:
    return _text(spec, "label") or humanised(name)


def _text(spec: Mapping[str, object], key: str) -> str:
    return str(spec.get(key) or "")


def _map(raw: object) -> Mapping[str, object]:
    return cast("dict[str, object]", raw) if isinstance(raw, dict) else {}


def _names(spec: Mapping[str, object], key: str) -> tuple[str, ...]:
    raw = spec.get(key)
    return tuple(str(name) for name in cast("list[object]", raw)) if isinstance(raw, list) else ()
