"""A tenant's document while patches are laid over it: what each says becomes leaves, what it may not say a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata import kinds
from app.metadata.document import RANKED, ranks_of
from app.metadata.kinds import schema as form
from app.metadata.kinds.object_checks import EVERYWHERE
from app.metadata.layers import overlaid
from app.metadata.leaves import SEPARATOR, rank_after
from app.metadata.merge import differ
from app.metadata.nodes import within
from app.metadata.problems import Problem, near
from app.metadata.written import dotted, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.metadata.layers import Override
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.patch import Patch

#: Stands between an extension's name and the rest of a name it gives: ``acme__size``.
_OWNER: Final = "__"


@dataclass(frozen=True, slots=True)
class Rename:
    """A node that keeps its data under another name; paths "" are the component itself."""

    component: str
    path: str
    before_component: str
    before_path: str

    @property
    def back(self) -> Rename:
        """The rename that undoes it."""
        return Rename(self.before_component, self.before_path, self.component, self.path)


class Working:
    """The effective document as it becomes; hidden parts are in it."""

    def __init__(self, lower: Mapping[str, Leaves], overrides: Iterable[Override]) -> None:
        self.lower = lower
        self.document: Document = {component: dict(leaves) for component, leaves in overlaid(lower, overrides).items()}
        self.renames: list[Rename] = []
        self.problems: list[Problem] = []
        #: What the patches state, for the source's last-applied set.
        self.stated: Document = {}
        self._patch: Patch | None = None

    def apply(self, patch: Patch) -> None:
        """Lay one patch over the document; its renames were made before."""
        self._patch = patch
        for node in sorted(patch.resets):
            self.reset(patch.component, node)
        for node in sorted(patch.removes):
            self.note(patch.component, join(node, "hidden"), value=True)
            self.remove(patch.component, node)
        if "" in patch.removes:
            return
        self._refuse_owned(patch)
        leaves = self.document.setdefault(patch.component, {})
        self._show(patch, leaves)
        ranks = ranks_of(patch, leaves) | self._own_rank(patch, leaves)
        for path, value in patch.leaves.items():
            self._state(patch, path, value)
        leaves |= ranks
        self._note_items(patch, leaves)
        if not leaves:
            del self.document[patch.component]

    def rename(self, patch: Patch) -> None:
        """Give a component and its items the names a patch says they have now."""
        self._patch = patch
        for node, old in sorted(patch.renamed.items()):
            if old:
                self._rename(patch.component, node, old)

    def _rename(self, component: str, node: str, old: str) -> None:
        place = join(node, "renamed_from")
        if node:
            before = (component, join(node.rpartition(SEPARATOR)[0], old))
        else:
            before = (f"{component.partition(SEPARATOR)[0]}/{old}", "")
        if not self.has(*before):
            if not self.has(component, node):
                known = near(old, self._siblings(component, node))
                self.refuse(component, place, "rename.unknown", f"names {old!r}, which is not there{known}")
            return
        if self.has(component, node):
            self.refuse(component, place, "rename.taken", f"names {old!r}, but the new name is taken too")
        elif self.below(*before):
            message = f"names {old!r}, which a lower layer has: change its label instead"
            self.refuse(component, place, "rename.lower", message)
        else:
            self.move(before, (component, node))

    def move(self, before: tuple[str, str], after: tuple[str, str]) -> None:
        """Move a node's leaves; a renamed object takes what is called after it along."""
        (source, old), (target, new) = before, after
        leaves = self.document[source]
        moved = {path: leaves.pop(path) for path in list(leaves) if within(path, old)}
        if not leaves:
            del self.document[source]
        into = self.document.setdefault(target, {})
        into |= {new + path[len(old) :] if old else path: value for path, value in moved.items()}
        self.renames.append(Rename(target, new, source, old))
        if not old and source.startswith("object/"):
            self._move_named(source.partition(SEPARATOR)[2], target.partition(SEPARATOR)[2])

    def _move_named(self, old: str, new: str) -> None:
        for component in list(self.document):
            kind, _, name = component.partition(SEPARATOR)
            if kind in kinds.ROOTS and kinds.ROOTS[kind].object_of(name) == old:
                self.move((component, ""), (f"{kind}/{new}.{name.partition('.')[2]}", ""))

    def remove(self, component: str, node: str) -> None:
        """Take a node away; one a lower layer has is hidden."""
        leaves = self.document.get(component, {})
        if self._needed(component, node):
            self.refuse(component, node, "essential", "can't be taken away: Rapport needs it")
            return
        if not self.has(component, node):
            return
        if self.below(component, node):
            leaves[join(node, "hidden")] = True
            return
        for path in [path for path in leaves if within(path, node)]:
            del leaves[path]
        if not leaves:
            self.document.pop(component, None)

    def _needed(self, component: str, node: str) -> bool:
        """Whether Rapport's own code counts on a node: one marked so, or a field that every record has."""
        if self.lower.get(component, {}).get(join(node, "essential")) is True:
            return True
        place, _, name = node.rpartition(SEPARATOR)
        return component.startswith("object/") and place == "fields" and name in EVERYWHERE

    def reset(self, component: str, node: str) -> None:
        """Take back what the tenant says at or below a node."""
        leaves = self.document.get(component, {})
        below = self.lower.get(component, {})
        for path in [path for path in leaves if within(path, node)]:
            del leaves[path]
        leaves |= {path: value for path, value in below.items() if within(path, node)}
        if leaves:
            self.document[component] = leaves
        else:
            self.document.pop(component, None)

    def _refuse_owned(self, patch: Patch) -> None:
        """A tenant makes nothing under an extension's name; what is there may be said more about."""
        items = [(join(place, name), name) for place, names in patch.order.items() for name in names]
        for node, name in [("", patch.component.rpartition(".")[2].rpartition(SEPARATOR)[2]), *items]:
            made = node in patch.renamed or not self.has(patch.component, node)
            if _OWNER in name and made and not self.below(patch.component, node) and node not in patch.removes:
                message = f"{name!r} has two underscores in a row: such names are given by extensions"
                self.refuse(patch.component, node, "name.owned", message)

    def _show(self, patch: Patch, leaves: Leaves) -> None:
        """What is written again is not hidden any more."""
        nodes = {join(place, name) for place, names in patch.order.items() for name in names} | {""}
        for node in nodes - patch.removes:
            if not self.below(patch.component, join(node, "hidden")):
                leaves.pop(join(node, "hidden"), None)

    def _note_items(self, patch: Patch, leaves: Mapping[str, Plain]) -> None:
        """That an item is there, and where a list wants it, is stated by its rank."""
        for place, names in patch.order.items():
            for name in names:
                node = join(place, name)
                said = any(within(path, node) for path in patch.leaves)
                rank = leaves.get(join(node, "rank"))
                if rank is not None and (place in patch.listed or not said) and node not in patch.removes:
                    self.note(patch.component, join(node, "rank"), value=rank)

    def _own_rank(self, patch: Patch, leaves: Mapping[str, Plain]) -> Leaves:
        """A new component goes behind those of its kind."""
        kind, _, name = patch.component.partition(SEPARATOR)
        if leaves or kind not in RANKED or "rank" in patch.leaves or not patch.leaves:
            return {}
        prefix = f"{kind}/{name.partition('.')[0]}." if "." in name else f"{kind}/"
        ranks = [str(one["rank"]) for other, one in self.document.items() if other.startswith(prefix) and "rank" in one]
        return {"rank": rank_after(ranks)}

    def _state(self, patch: Patch, path: str, value: Plain) -> None:
        leaves, component = self.document[patch.component], patch.component
        self.note(component, path, value=value)
        if self._locked(component, path, value):
            message = "can't be changed: it belongs to the layer that made it"
            self.refuse(component, path, "locked", message)
        elif value is True and path.endswith("hidden") and self._needed(component, path[: -len("/hidden")]):
            self.refuse(component, path, "essential", "can't be taken away: Rapport needs it")
        elif value is None:
            leaves.pop(path, None)
        else:
            leaves[path] = value

    def _locked(self, component: str, path: str, value: Plain) -> bool:
        """Whether only a lower layer may say what ``path`` would change."""
        below = self.lower.get(component, {})
        if not below or not differ(below.get(path), value):
            return False
        kind = kinds.ROOTS.get(component.partition(SEPARATOR)[0])
        schema = form.at(kind.schema, path) if kind else None
        node = path.rpartition(SEPARATOR)[0]
        return schema is not None and schema.get("x-locked") is True and self.below(component, node)

    def put(self, component: str, path: str, value: Plain) -> None:
        """Set a leaf, or take it away."""
        if value is not None:
            self.document.setdefault(component, {})[path] = value
            return
        leaves = self.document.get(component, {})
        leaves.pop(path, None)
        if not leaves:
            self.document.pop(component, None)

    def has(self, component: str, node: str) -> bool:
        """Whether a node is there."""
        return any(within(path, node) for path in self.document.get(component, ()))

    def below(self, component: str, node: str) -> bool:
        """Whether a lower layer has it."""
        return any(within(path, node) for path in self.lower.get(component, ()))

    def copied(self) -> Document:
        """The document as it is now, which what comes next does not change."""
        return {component: dict(leaves) for component, leaves in self.document.items()}

    def note(self, component: str, path: str, *, value: Plain) -> None:
        """Remember what the source states."""
        self.stated.setdefault(component, {})[path] = value

    def refuse(self, component: str, path: str, code: str, message: str) -> None:
        """Note a problem of the patch at hand."""
        patch = self._patch
        pointer = f"{patch.pointer}/{path}".rstrip("/") if patch and patch.pointer else ""
        source = patch.source if patch else ""
        self.problems.append(Problem(component, dotted(path), code, message, source, pointer))

    def _siblings(self, component: str, node: str) -> Iterator[str]:
        place = node.rpartition(SEPARATOR)[0]
        for path in self.document.get(component, ()):
            if place and within(path, place):
                yield path[len(place) + 1 :].partition(SEPARATOR)[0]
