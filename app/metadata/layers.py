"""Layers of the document: platform, packs, extensions below, the tenant's overrides on top; the highest wins.

A null takes a lower layer's leaf away. A node with ``hidden: true`` was removed by the tenant though a lower layer has
it; one with ``retired: true`` stays readable but is not offered any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.leaves import SEPARATOR
from app.metadata.merge import differ

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.leaves import Document, Leaves, Plain

#: The layer that is the tenant's own.
TENANT: Final = "tenant"


@dataclass(frozen=True, slots=True)
class Override:
    """A leaf the tenant states. ``base`` is the lower leaf it was stated over, None when there was none."""

    component: str
    path: str
    base: Plain
    value: Plain


@dataclass(frozen=True, slots=True)
class Conflict:
    """An override whose lower leaf is another now: the tenant's ``value`` stays in force until somebody chooses."""

    component: str
    path: str
    base: Plain
    value: Plain
    lower: Plain


def effective(base: Mapping[str, Plain], overrides: Iterable[tuple[str, Plain]]) -> Leaves:
    """The leaves of one component: ``base`` with ``overrides`` applied."""
    leaves = dict(base)
    for path, value in overrides:
        if value is None:
            leaves.pop(path, None)
        else:
            leaves[path] = value
    return leaves


def stack(layers: Sequence[Document]) -> Document:
    """One document of several layers, lowest first."""
    found: Document = {}
    for layer in layers:
        for component, leaves in layer.items():
            found[component] = effective(found.get(component, {}), leaves.items())
    return found


def overlaid(lower: Mapping[str, Leaves], overrides: Iterable[Override]) -> Document:
    """The effective document: ``lower`` with the tenant's overrides, hidden parts included."""
    stated: dict[str, list[tuple[str, Plain]]] = {}
    for one in overrides:
        stated.setdefault(one.component, []).append((one.path, one.value))
    found = {**lower, **{component: effective(lower.get(component, {}), own) for component, own in stated.items()}}
    return {component: leaves for component, leaves in found.items() if leaves}


def live(document: Mapping[str, Leaves]) -> Document:
    """``document`` without components and nodes that are hidden: what a catalog is compiled from."""
    return {component: _live(leaves) for component, leaves in document.items() if leaves.get("hidden") is not True}


def _live(leaves: Leaves) -> Leaves:
    hidden = tuple(
        path.removesuffix("hidden") for path, value in leaves.items() if value is True and path.endswith("/hidden")
    )
    return {path: value for path, value in leaves.items() if not path.startswith(hidden)} if hidden else leaves


def settled(lower: Mapping[str, Leaves], document: Mapping[str, Leaves], known: Iterable[Override]) -> list[Override]:
    """The overrides that make ``document`` of ``lower``; those of ``known`` that still say the same keep their base."""
    before = {(one.component, one.path): one for one in known}
    found: list[Override] = []
    for component in sorted({*lower, *document}):
        below, wanted = lower.get(component, {}), document.get(component, {})
        for path in sorted({*below, *wanted}):
            base, value = below.get(path), wanted.get(path)
            if differ(base, value):
                old = before.get((component, path))
                same = old is not None and not differ(old.value, value)
                found.append(old if old is not None and same else Override(component, path, base, value))
    return found


def conflicts(lower: Mapping[str, Leaves], overrides: Iterable[Override]) -> list[Conflict]:
    """The overrides whose base is not the lower leaf any more."""
    found: list[Conflict] = []
    for one in overrides:
        now = lower.get(one.component, {}).get(one.path)
        if differ(now, one.base) and differ(now, one.value):
            found.append(Conflict(one.component, one.path, one.base, one.value, now))
    return found


def provenance(layers: Sequence[tuple[str, Document]], overrides: Iterable[Override]) -> dict[str, dict[str, str]]:
    """Component → leaf path → the layer that states it (``platform``, ``pack:realty``, ``tenant``)."""
    found: dict[str, dict[str, str]] = {}
    stated = [(name, component, leaves.items()) for name, layer in layers for component, leaves in layer.items()]
    own = [(TENANT, one.component, [(one.path, one.value)]) for one in overrides]
    for name, component, leaves in [*stated, *own]:
        for path, value in leaves:
            if value is None:
                found.get(component, {}).pop(path, None)
            else:
                found.setdefault(component, {})[path] = name
    return {component: leaves for component, leaves in found.items() if leaves}


def component_name(kind: str, name: str) -> str:
    """How a component is called: ``object/company``."""
    return f"{kind}{SEPARATOR}{name}"
