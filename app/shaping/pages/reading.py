"""The workspace's metadata as the settings pages show it: what is in effect, whose it is, what is gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from app.core.errors import NotFound
from app.metadata import layered
from app.metadata.checking import check_document, where_used
from app.metadata.labels import humanised
from app.metadata.layers import TENANT, live, overlaid
from app.metadata.leaves import SEPARATOR, nest
from app.metadata.nodes import within
from app.metadata.vocabulary import Vocabulary
from app.shaping import exporting
from app.shaping.pages.cards import card_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.store import Stored
    from app.shaping.pages.cards import Card
    from tenants.scope import TenantScope

#: Leaves of a node that say nothing people would call a change of their own.
_QUIET: Final = frozenset({"rank"})
#: How deep a leaf of an item is: ``fields/amount/hidden``.
_OF_ITEM: Final = 2
#: Kinds whose components have a page each.
_PAGES: Final[Mapping[str, str]] = {
    "option_set": "option-sets", "currency": "currencies", "calendar": "calendars", "translation": "translations",
    "role": "roles",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A field, pipeline or stage. ``layer`` made it; ``changed`` are the leaves the workspace says otherwise."""

    name: str
    label: str
    spec: Mapping[str, Any]
    layer: str
    changed: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the workspace made it."""
        return self.layer == TENANT

    @property
    def type(self) -> str:
        """Of a field its type."""
        return str(self.spec.get("type", ""))

    @property
    def card(self) -> Card:
        """Of a field how its type is shown."""
        return card_of(self.type)


class Places:
    """What the parts of a document are called, and which page shows each."""

    def __init__(self, whole: Document) -> None:
        self.whole: Document = whole
        self.live: Document = live(whole)

    def place(self, component: str, path: str) -> tuple[str, str]:
        """What a leaf is called, and the page that shows it."""
        kind, _, name = component.partition(SEPARATOR)
        steps = path.replace(".", SEPARATOR).split(SEPARATOR)
        if kind != "object" or component not in self.whole:
            return self._beside(component)
        obj = self.label(component, "")
        if steps[0] == "fields" and len(steps) > 1:
            text = f"Field {self.label(component, f'fields/{steps[1]}')} of {obj}"
            there = f"fields/{steps[1]}/type" in self.live.get(component, {})
            return text, f"/settings/objects/{name}/fields/{steps[1]}" if there else ""
        if steps[0] == "pipelines" and len(steps) > 1:
            return f"Pipeline {self.label(component, f'pipelines/{steps[1]}')} of {obj}", self._page(name, "/pipelines")
        what = {"title": "Title", "highlights": "Highlights", "list_columns": "Columns of lists"}.get(steps[0], "")
        return (f"{what or humanised(steps[0])} of {obj}" if steps[0] else f"Object {obj}"), self._page(name, "")

    def _beside(self, component: str) -> tuple[str, str]:
        """A component that is no object, and its page when it has one."""
        kind, _, name = component.partition(SEPARATOR)
        label = self.whole.get(component, {}).get("label")
        page = f"/settings/{_PAGES[kind]}/{name}" if kind in _PAGES and component in self.live else ""
        return f"{humanised(kind)} {label or name}", page

    def _page(self, name: str, below: str) -> str:
        return f"/settings/objects/{name}{below}" if f"object/{name}" in self.live else ""

    def label(self, component: str, node: str) -> str:
        """What people call a node."""
        leaves: Leaves = self.whole.get(component, {})
        key = f"{node}/label" if node else "label/one"
        return str(leaves.get(key) or humanised((node or component).rpartition(SEPARATOR)[2]))

    def plural(self, name: str) -> str:
        """What several records of an object are called."""
        return str(self.live.get(f"object/{name}", {}).get("label/other") or humanised(name))


class Reading(Places):
    """One look at a workspace's metadata."""

    def __init__(self, scope: TenantScope, stored: Stored | None = None) -> None:
        self.scope = scope
        self.stored = stored or exporting.read(scope)
        self.lower = layered.document(layered.key_of(self.stored.pins))
        super().__init__(overlaid(self.lower, self.stored.overrides))
        self._own: dict[str, dict[str, Plain]] = {}
        for one in self.stored.overrides:
            self._own.setdefault(one.component, {})[one.path] = one.base

    @cached_property
    def names(self) -> Vocabulary:
        """The names there are."""
        return Vocabulary(self.live, currency=self.scope.tenant.currency, timezone=self.scope.tenant.timezone)

    def objects(self) -> list[Line]:
        """All objects, in order."""
        found = [component.partition(SEPARATOR)[2] for component in self.live if component.startswith("object/")]
        lines = [self.object(name) for name in found]
        return sorted(lines, key=lambda one: (one.own, str(one.spec.get("rank", "")), one.label))

    def object(self, name: str) -> Line:
        """One object. Raises NotFound."""
        leaves = self.live.get(f"object/{name}")
        if leaves is None:
            raise NotFound("There is no such object.")
        spec = cast("dict[str, Any]", nest(leaves))
        label = spec.get("label", {}).get("one") or humanised(name)
        return Line(name, str(label), spec, *self._whose(f"object/{name}", ""))

    def all_of(self, kind: str) -> list[Line]:
        """The components of a kind, in their order."""
        names = [one.partition(SEPARATOR)[2] for one in self.live if one.startswith(kind + SEPARATOR)]
        lines = [self.one_of(kind, name) for name in names]
        return sorted(lines, key=lambda one: (str(one.spec.get("rank", "")), one.label))

    def one_of(self, kind: str, name: str) -> Line:
        """One component. Raises NotFound."""
        leaves = self.live.get(f"{kind}/{name}")
        if leaves is None:
            raise NotFound(f"There is no such {kind.replace('_', ' ')}.")
        spec = cast("dict[str, Any]", nest(leaves))
        return Line(name, str(spec.get("label") or name), spec, *self._whose(f"{kind}/{name}", ""))

    def items(self, name: str, place: str) -> list[Line]:
        """The items of a collection of an object in their order: ``fields``, ``pipelines/sales/stages``."""
        spec: Any = nest(self.live[f"object/{name}"])
        for step in place.split(SEPARATOR):
            spec = spec.get(step, {})
        found = [self._line(f"object/{name}", place, item, own) for item, own in spec.items()]
        return sorted(found, key=lambda one: (str(one.spec.get("rank", "")), one.name))

    def field(self, name: str, field: str) -> Line:
        """One field. Raises NotFound."""
        self.object(name)
        found = next((one for one in self.items(name, "fields") if one.name == field), None)
        if found is None:
            raise NotFound("There is no such field.")
        return found

    def _line(self, component: str, place: str, item: str, spec: Mapping[str, Any]) -> Line:
        label = str(spec.get("label") or humanised(item))
        return Line(item, label, spec, *self._whose(component, f"{place}/{item}"))

    def _whose(self, component: str, node: str) -> tuple[str, tuple[str, ...]]:
        """The layer that made a node, and what the workspace says otherwise of it."""
        below = self.lower.get(component, {})
        if not any(within(path, node) for path in below):
            return TENANT, ()
        skip = len(node) + 1 if node else 0
        said = [path[skip:] for path in self._own.get(component, {}) if within(path, node)]
        if not node:
            said = [path for path in said if path.split(SEPARATOR)[0] not in ("fields", "pipelines")]
        changed = tuple(sorted(path for path in said if path.rpartition(SEPARATOR)[2] not in _QUIET))
        return self._layer(component, node), changed

    def whose(self, component: str) -> tuple[str, tuple[str, ...]]:
        """The layer that made a component, and what the workspace says otherwise of it."""
        return self._whose(component, "")

    def _layer(self, component: str, node: str) -> str:
        for layer, document in layered.layers(self.stored.pins):
            if any(within(path, node) for path in document.get(component, ())):
                return layer
        return TENANT

    def standard(self, component: str, path: str) -> Plain:
        """What the layers below say."""
        return self.lower.get(component, {}).get(path)

    def told(self, name: str, node: str, changed: tuple[str, ...]) -> list[tuple[str, str, Plain]]:
        """What the workspace says otherwise of a node of an object: the leaf, in words, the standard."""
        return [
            (path, path.replace("/", " · ").replace("_", " "), self.standard(f"object/{name}", f"{node}/{path}"))
            for path in changed
        ]

    def hidden(self, name: str, place: str = "fields") -> list[Line]:
        """Fields (or pipelines) of lower layers that the workspace took away."""
        component = f"object/{name}"
        leaves = self.whole.get(component, {})
        gone = [path.split(SEPARATOR)[1] for path, value in leaves.items()
                if value is True and path.startswith(f"{place}/") and path.endswith("/hidden")
                and path.count(SEPARATOR) == _OF_ITEM]  # fmt: skip
        spec: Any = nest(leaves).get(place, {})
        return [self._line(component, place, one, spec[one]) for one in sorted(gone)]

    def hidden_objects(self) -> list[Line]:
        """Objects of lower layers that the workspace took away."""
        found: list[Line] = []
        for component, leaves in self.whole.items():
            if component.startswith("object/") and leaves.get("hidden") is True:
                spec = cast("dict[str, Any]", nest(leaves))
                name = component.partition(SEPARATOR)[2]
                found.append(Line(name, str(spec.get("label", {}).get("one") or name), spec, "platform"))
        return found

    def used(self, name: str, node: str) -> list[tuple[str, str]]:
        """Where a node is named by something else: words and an address, "" for what has no page."""
        checked = check_document(self.live, self.names)
        found: dict[tuple[str, str], None] = {}
        for component, reference in where_used(checked, f"object/{name}", node):
            if not (component == f"object/{name}" and node and within(reference.path, node)):
                found[self.place(component, reference.path)] = None
        return list(found)

    def inverses(self, name: str) -> list[tuple[str, str, str]]:
        """What links here, for roll-ups: the inverse, in words, the object that links."""
        found: list[tuple[str, str, str]] = []
        for link in self.names.inverses(name):
            hop = self.names.inverse(name, link)
            if hop is not None:
                told = f"{self.plural(hop.object)} by {self.label(f'object/{hop.object}', f'fields/{hop.field}')}"
                found.append((link, told, hop.object))
        return found

    def targets(self) -> list[tuple[str, str]]:
        """What links may lead to."""
        return [*((one.name, one.label) for one in self.objects()), ("member", "Member"), ("team", "Team")]
