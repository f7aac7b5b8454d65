"""A record's page as its layout arranges it; what is left out stands under "All fields" and "All related"."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from flask import request

from app.records.layouts import Fitting, fitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.metadata.arrangement import Layout, RelatedList, Section, Tab
    from app.metadata.model import Field
    from app.records.pages.values import Record, Shown
    from app.records.permits import Leave

#: The tabs of what a layout leaves out: no tab of a layout can be called so.
ALL: Final = "all-fields"
ALL_RELATED: Final = "all-related"


@dataclass(frozen=True, slots=True)
class SectionShown:
    """A section with its values; ``True`` beside one that takes the whole width."""

    name: str
    label: str
    columns: int
    collapsed: bool
    fields: tuple[tuple[Shown, bool], ...]


@dataclass(frozen=True, slots=True)
class TabShown:
    """A tab with its sections; ``lists`` are the related lists it has."""

    name: str
    label: str
    sections: tuple[SectionShown, ...]
    lists: tuple[RelatedList, ...]


@dataclass(frozen=True, slots=True)
class Arranged:
    """What a page shows where. Without ``layout`` all of it is ``rest``, in the object's order.

    ``shape`` differs wherever another part shows: then the page is to be arranged anew.
    """

    layout: Layout | None
    tabs: tuple[TabShown, ...]
    rest: tuple[Shown, ...]
    highlights: tuple[Shown, ...]
    chosen: str = ""
    shape: str = field(default="")

    @property
    def details(self) -> tuple[Shown, ...]:
        """Every value the page shows."""
        return (*(one for tab in self.tabs for part in tab.sections for one, _ in part.fields), *self.rest)


def arranged(
    leave: Leave, record: Record, shown: Mapping[str, Shown], usual: Sequence[str], only: str = ""
) -> Arranged:
    """``shown`` values of a record where its layout has them; ``usual`` are those the automatic layout shows.

    ``only`` is a layout to follow whatever it asks of the record.
    """
    obj = leave.shown
    fits = fitting(leave.scope, leave, record, only=only or None)
    visible = {name: one for name, one in shown.items() if name not in fits.concealed}
    layout = fits.layout
    tabs = tuple(_tabs(layout, fits, visible)) if layout else ()
    placed = {one.name for tab in tabs for part in tab.sections for one, _ in part.fields}
    rest = tuple(visible[name] for name in usual if name in visible and name not in placed)
    heads = layout.highlights if layout and layout.highlights else obj.highlights
    found = Arranged(layout, tabs, rest, tuple(visible[name] for name in heads if name in visible))
    return replace(found, chosen=_chosen(tabs), shape=_shape(found))


def _tabs(layout: Layout, fits: Fitting, visible: Mapping[str, Shown]) -> Iterator[TabShown]:
    seen: set[str] = set()
    for tab in layout.tabs:
        if (tab.name,) in fits.hidden:
            continue
        sections = [_section(tab, one, fits, visible, seen) for one in tab.sections]
        full = tuple(one for one in sections if one is not None)
        if full or tab.related:
            yield TabShown(tab.name, tab.label, full, tab.related)


def _section(
    tab: Tab, section: Section, fits: Fitting, visible: Mapping[str, Shown], seen: set[str]
) -> SectionShown | None:
    """A section, None for one that shows nothing now. A field stands in one place: where it comes first."""
    if (tab.name, section.name) in fits.hidden:
        return None
    fields: list[tuple[Shown, bool]] = []
    for one in section.fields:
        if one.name in visible and one.name not in seen and (tab.name, section.name, one.name) not in fits.hidden:
            seen.add(one.name)
            value = visible[one.name]
            fields.append((replace(value, label=one.label) if one.label else value, one.wide or value.look == "rich"))
    return (
        SectionShown(section.name, section.label, section.columns, section.collapsed, tuple(fields)) if fields else None
    )


def _chosen(tabs: Sequence[TabShown]) -> str:
    """The tab the address names, else the first."""
    asked = request.args.get("tab", "")
    known = {ALL, ALL_RELATED, *(tab.name for tab in tabs)}
    return asked if asked in known else (tabs[0].name if tabs else ALL)


def lists_placed(leave: Leave, record: Record, layout: str) -> frozenset[str]:
    """The lists of linked records that a layout shows somewhere now, by their names."""
    fits = fitting(leave.scope, leave, record, only=layout)
    tabs = fits.layout.tabs if fits.layout else ()
    return frozenset(one.name for tab in tabs if (tab.name,) not in fits.hidden for one in tab.related)


def _shape(found: Arranged) -> str:
    parts = [(tab.name, [(one.name, [s.name for s, _ in one.fields]) for one in tab.sections]) for tab in found.tabs]
    facts = (found.layout.name if found.layout else "", parts, [one.name for one in found.rest])
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of a form under one heading."""

    label: str
    fields: tuple[Field, ...]


def grouped(fields: Sequence[Field], layout: Layout, missing: str = "") -> tuple[list[Group], list[Field]]:
    """The fields of a form in a layout's order, required ones it leaves out first; and what is left."""
    known = {one.name: one for one in fields}
    groups: list[Group] = []
    for tab in layout.tabs:
        for section in tab.sections:
            here = tuple(known.pop(one.name) for one in section.fields if one.name in known)
            groups += [Group(section.label, here)] if here else []
    needed = tuple(one for one in known.values() if one.required)
    left = [one for one in known.values() if not one.required]
    return ([Group(missing, needed)] if needed else []) + groups, left
