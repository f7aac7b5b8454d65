"""Other layers below a tenant's: what becomes of its overrides, and of what is not there any more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.metadata.checking import check_document
from app.metadata.effects import Notice, lost
from app.metadata.layers import Override, live, overlaid
from app.metadata.leaves import SEPARATOR
from app.metadata.nodes import within
from app.metadata.working import Rename, Working
from app.metadata.written import dotted, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.checking import Checked
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.vocabulary import Vocabulary

Node = tuple[str, str]


def moved_along(overrides: Iterable[Override], renames: Iterable[Rename]) -> list[Override]:
    """Overrides under the names lower layers have now."""
    found = list(overrides)
    for step in renames:
        for at, one in enumerate(found):
            if one.component == step.before_component and within(one.path, step.before_path):
                rest = one.path[len(step.before_path) :]
                found[at] = replace(one, component=step.component, path=(step.path + rest).lstrip(SEPARATOR))
    return found


def mended(overrides: Iterable[Override], mends: Iterable[tuple[str, str, Plain]]) -> list[Override]:
    """Overrides that name what lower layers call otherwise now, by its new name (``mends``: of ``mending.mend``)."""
    own = {(one.component, one.path): one for one in overrides}
    moved: set[str] = set()
    for component, path, value in mends:
        known = own.get((component, path))
        if value is None and own.pop((component, path), None):
            moved.add(component)
        elif known is not None:
            own[component, path] = replace(known, value=value)
        elif component in moved:
            own[component, path] = Override(component, path, None, value)
    return list(own.values())


def declared(before: Mapping[str, Leaves], after: Mapping[str, Leaves]) -> list[Rename]:
    """The renames that layers tell of (``renamed_from``) and that ``before`` has not made yet, components first."""
    was, now = Working(before, ()), Working(after, ())
    found: list[Rename] = []
    for component, leaves in after.items():
        for path, old in leaves.items():
            node, _, last = f"/{path}".rpartition(SEPARATOR)
            if last == "renamed_from":
                node = node.lstrip(SEPARATOR)
                kind = component.partition(SEPARATOR)[0]
                place = (component, join(node.rpartition(SEPARATOR)[0], str(old))) if node else (f"{kind}/{old}", "")
                if was.has(*place) and not was.has(component, node) and not now.has(*place):
                    found.append(Rename(component, node, *place))
    return sorted(found, key=lambda one: (one.path != "", one.component, one.path))


def renamed(document: Mapping[str, Leaves], renames: Iterable[Rename]) -> Document:
    """``document`` with nothing but its nodes renamed."""
    steps = list(renames)
    working = Working(document, ())
    for one in steps:
        if working.has(one.before_component, one.before_path):
            working.move((one.before_component, one.before_path), (one.component, one.path))
    return working.document if steps else dict(document)


def adopted(
    before: Document, after: Document, overrides: list[Override], names: Vocabulary, in_use: frozenset[Node]
) -> tuple[list[Override], list[Notice]]:
    """The overrides as they are to be over other layers, and what the tenant keeps of what these do not have.

    ``before`` and ``after`` are the layers below; ``names`` is of what the tenant saw.
    """
    whole = overlaid(before, overrides)
    gone = [node for node in lost(before, after) if not _hidden(whole, node)]
    kept = _used(gone, overrides, check_document(live(whole), names, only=()), in_use)
    stays = [one for one in overrides if not any(_holds(node, one) for node in lost(before, after))]
    notices: list[Notice] = []
    for component, node in kept:
        leaves = {path: value for path, value in whole[component].items() if within(path, node)}
        leaves[join(node, "retired")] = True
        stays += [Override(component, path, None, value) for path, value in sorted(leaves.items())]
        message = "is not part of the layers below any more; it is in use, so it stays as the workspace's own, retired"
        notices.append(Notice("adopted", component, dotted(node), message))
    return stays, notices


def _hidden(document: Mapping[str, Mapping[str, Plain]], node: Node) -> bool:
    """Whether the tenant had taken the node, or what it is in, away itself."""
    leaves = document.get(node[0], {})
    steps = node[1].split(SEPARATOR) if node[1] else []
    nodes = [SEPARATOR.join(steps[:count]) for count in range(len(steps) + 1)]
    return any(leaves.get(join(one, "hidden")) is True for one in nodes)


def _used(gone: list[Node], overrides: list[Override], checked: Checked, in_use: frozenset[Node]) -> list[Node]:
    """The nodes with data, with overrides, or named by something the tenant states or keeps."""
    kept = [node for node in gone if _has_data(node, in_use) or any(_holds(node, one) for one in overrides)]
    while True:
        more = [node for node in gone if node not in kept and named(node, overrides, kept, checked)]
        if not more:
            return sorted(kept)
        kept += more


def _has_data(node: Node, in_use: frozenset[Node]) -> bool:
    return any(component == node[0] and within(path, node[1]) for component, path in in_use)


def named(node: Node, overrides: Iterable[Override], kept: list[Node], checked: Checked) -> bool:
    """Whether something the tenant states, or keeps, names the node."""
    for user, references in checked.references.items():
        for one in references:
            if one.component == node[0] and within(one.node, node[1]):
                own = any(stated.component == user and within(stated.path, one.path) for stated in overrides)
                if own or any(user == component and within(one.path, inside) for component, inside in kept):
                    return True
    return False


def _holds(node: Node, override: Override) -> bool:
    return override.component == node[0] and within(override.path, node[1])
