"""A change in words for people: "Field Serial added to Machine", "Stage Won of Sales: probability 1 → 0.9"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from app.metadata.labels import humanised, type_label
from app.metadata.leaves import SEPARATOR
from app.metadata.nodes import items_of, within
from app.metadata.written import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.leaves import Leaves, Plain

#: What the items of a collection are called.
_NOUNS: Final[Mapping[str, str]] = {
    "fields": "Field", "options": "Option", "pipelines": "Pipeline", "stages": "Stage", "columns": "Column",
    "tabs": "Tab", "sections": "Section", "related": "Related list",
}  # fmt: skip
#: How leaves are called where their own name would not do.
_LEAVES: Final[Mapping[str, str]] = {
    "title": "title fields", "to": "links to", "label/one": "label", "label/other": "label of several",
    "enter_if/when": "enter if", "enter_if/message": "message on entering", "leave_if/when": "leave if",
    "leave_if/message": "message on leaving", "default_formula": "default", "refuse_if": "refuse if",
}  # fmt: skip
#: How leaves of a map are called by what their key is.
_MAPS: Final[Mapping[str, str]] = {"rates": "rate from", "holidays": "holiday on", "hours": "hours on"}
#: The longest text shown whole.
_LONGEST: Final = 60
_SHOWN: Final = 8


class LeafChanged(Protocol):
    """One leaf before and after."""

    @property
    def component(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def before(self) -> Plain: ...  # noqa: D102
    @property
    def after(self) -> Plain: ...  # noqa: D102


class Renamed(Protocol):
    """A node under another name."""

    @property
    def component(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def before_component(self) -> str: ...  # noqa: D102
    @property
    def before_path(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _Side:
    """A document on one side of the change, for labels; what is not in it is told by the change's own leaves."""

    leaves: Mapping[str, Leaves]

    def label(self, component: str, node: str) -> str:
        """What people call a node."""
        own = self.leaves.get(component, {})
        for key in ("label", "label/one"):
            found = own.get(join(node, key))
            if isinstance(found, str) and found:
                return found
        name = node.rpartition(SEPARATOR)[2] if node else component.partition(SEPARATOR)[2].rpartition(".")[2]
        return humanised(name)


def words(
    leaves: Iterable[LeafChanged],
    renames: Iterable[Renamed] = (),
    before: Mapping[str, Leaves] | None = None,
    after: Mapping[str, Leaves] | None = None,
) -> list[str]:
    """Sentences for a change, one a node that was added, taken away, renamed or changed.

    ``before`` and ``after`` are the effective documents; one of them, or a later one, will do for labels.
    """
    changed, steps = list(leaves), list(renames)
    old, new = before if before is not None else after or {}, after if after is not None else before or {}
    moved = frozenset((one.component, one.path) for one in steps)
    told = _Told(_Side(_filled(old, changed, "before")), _Side(_filled(new, changed, "after")), moved)
    found = [told.renamed(one) for one in steps]
    by_node: dict[tuple[str, str], list[LeafChanged]] = {}
    for one in changed:
        by_node.setdefault((one.component, told.node(one)), []).append(one)
    come_and_gone: list[tuple[str, str]] = []
    for (component, node), own in sorted(by_node.items()):
        if any(component == other and node != inside and within(node, inside) for other, inside in come_and_gone):
            continue
        sentence, whole = told.sentence(component, node, own)
        if whole:
            come_and_gone.append((component, node))
        if sentence:
            found.append(sentence)
    return found


def _filled(document: Mapping[str, Leaves], changed: list[LeafChanged], side: str) -> dict[str, Leaves]:
    """A side's document with the change's own values in it."""
    found = {component: dict(leaves) for component, leaves in document.items()}
    for one in changed:
        value = one.before if side == "before" else one.after
        own = found.setdefault(one.component, {})
        if value is None:
            own.pop(one.path, None)
        else:
            own[one.path] = value
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    before: _Side
    after: _Side
    #: Nodes that were there under another name.
    moved: frozenset[tuple[str, str]]

    def node(self, one: LeafChanged) -> str:
        """The innermost item a leaf belongs to; "" when it is the component's own."""
        return max(items_of(one.component, {one.path: None}), key=len, default="")

    def sentence(self, component: str, node: str, own: list[LeafChanged]) -> tuple[str, bool]:
        """What happened to a node, and whether it came or went as a whole."""
        was, now = self._there(self.before, component, node, own), self._there(self.after, component, node, own)
        if was != now:
            return self._come_or_gone(component, node, came=now), True
        if not now:
            return "", False
        what = [text for text in (self._leaf(node, one) for one in own) if text]
        return (f"{self._name(self.after, component, node)}: {'; '.join(what)}", False) if what else ("", False)

    def renamed(self, one: Renamed) -> str:
        """A node under another name."""
        old = one.before_path.rpartition(SEPARATOR)[2] or one.before_component.partition(SEPARATOR)[2]
        new = one.path.rpartition(SEPARATOR)[2] or one.component.partition(SEPARATOR)[2]
        return f"{self._name(self.after, one.component, one.path)}: name {old} → {new}"

    def _there(self, side: _Side, component: str, node: str, own: list[LeafChanged]) -> bool:
        """Whether a side has the node. Its rank comes and goes with it; a later document may know more of it."""
        leaves = side.leaves.get(component, {})
        if leaves.get(join(node, "hidden")) is True:
            return False
        if any(within(node, outer) for other, outer in self.moved if other == component):
            return True
        rank = join(node, "rank")
        if any(one.path == rank and None in (one.before, one.after) for one in own):
            return rank in leaves
        return any(within(path, node) for path in leaves)

    def _come_or_gone(self, component: str, node: str, *, came: bool) -> str:
        side = self.after if came else self.before
        name = self._noun(component, node)
        label = side.label(component, node)
        place = self._place(side, component, node)
        detail = self._detail(side, component, node) if came else ""
        verb = (
            (f"added to {place}" if place else "added") if came else (f"removed from {place}" if place else "removed")
        )
        return f"{name} {label} {verb}{detail}"

    def _detail(self, side: _Side, component: str, node: str) -> str:
        """Of a new object its fields, of a new field its type."""
        leaves = side.leaves.get(component, {})
        kind = leaves.get(join(node, "type"))
        if isinstance(kind, str):
            return f" ({type_label(kind).lower()})"
        inside = [one for one in items_of(component, leaves) if not node and one.startswith("fields/")]
        fields = [one for one in inside if one.count(SEPARATOR) == 1]
        labels = [side.label(component, one) for one in fields]
        if not labels:
            return ""
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        return f" with {', '.join(labels[:_SHOWN])}{more}"

    def _name(self, side: _Side, component: str, node: str) -> str:
        place = self._place(side, component, node)
        label = side.label(component, node)
        return (
            f"{self._noun(component, node)} {label} of {place}" if place else f"{self._noun(component, node)} {label}"
        )

    def _noun(self, component: str, node: str) -> str:
        if node:
            return _NOUNS.get(node.split(SEPARATOR)[-2], "Part")
        return humanised(component.partition(SEPARATOR)[0])

    def _place(self, side: _Side, component: str, node: str) -> str:
        """What a node is in, from the inside out: "Sales of Deal"."""
        if node:
            outer = SEPARATOR.join(node.split(SEPARATOR)[:-2])
            label = side.label(component, outer)
            further = self._place(side, component, outer)
            return f"{label} of {further}" if further else label
        owner = component.partition(SEPARATOR)[2].rpartition(".")[0]
        return side.label(f"object/{owner}", "") if owner else ""

    def _leaf(self, node: str, one: LeafChanged) -> str:
        name = one.path[len(node) + 1 :] if node else one.path
        if name == "rank":
            return "moved"
        if name in ("retired", "hidden"):
            return name if one.after is True else f"not {name} any more"
        called = self._of_role(name) if one.component.startswith("role/") else _LEAVES.get(name) or _in_map(name)
        called = called or name.replace(SEPARATOR, " ").replace("_", " ")
        if one.before is None:
            return f"{called} {said(one.after)}"
        if one.after is None:
            return f"{called} {said(one.before)} taken away"
        return f"{called} {said(one.before)} → {said(one.after)}"

    def _of_role(self, name: str) -> str:
        """A leaf of a role: what it says of an object, of one of its fields, of some of its records."""
        part, *rest = name.split(SEPARATOR)
        if part not in ("objects", "fields", "rows") or len(rest) != 2:
            return "further rights" if part == "special" else ""
        component = f"object/{rest[0]}"
        owner = "every other object" if rest[0] == "*" else self.after.label(component, "")
        if part == "fields":
            return f"field {self.after.label(component, f'fields/{rest[1]}')} of {owner}"
        return f"{rest[1]} {owner}{' also when' if part == 'rows' else ''}"


def _in_map(name: str) -> str:
    """``rates/2026-01-01`` as people say it; "" for what is in no such map."""
    place, _, key = name.partition(SEPARATOR)
    return f"{_MAPS[place]} {humanised(key)}:" if place in _MAPS and key else ""


def said(value: Plain) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = (", ".join(value) or "none") if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
