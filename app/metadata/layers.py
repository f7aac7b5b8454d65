"""Layers of the document: platform, packs, extensions below, the tenant's overrides on top; the highest wins.

A null takes a lower layer's leaf away. A node with ``hidden: true`` was removed by the tenant though a lower layer has
it; one with ``retired: true`` stays readable but is not offered any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.metadata.leaves import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.leaves import Document, Leaves, Plain


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
    raise NotImplementedError


def overlaid(lower: Mapping[str, Leaves], overrides: Iterable[Override]) -> Document:
    """The effective document: ``lower`` with the tenant's overrides, hidden parts included."""
    raise NotImplementedError


def live(document: Mapping[str, Leaves]) -> Document:
    """``document`` without components and nodes that are hidden: what a catalog is compiled from."""
    raise NotImplementedError


def settled(lower: Mapping[str, Leaves], document: Mapping[str, Leaves], known: Iterable[Override]) -> list[Override]:
    """The overrides that make ``document`` of ``lower``; those of ``known`` that still say the same keep their base."""
    raise NotImplementedError


def conflicts(lower: Mapping[str, Leaves], overrides: Iterable[Override]) -> list[Conflict]:
    """The overrides whose base is not the lower leaf any more."""
    raise NotImplementedError


def provenance(layers: Sequence[tuple[str, Document]], overrides: Iterable[Override]) -> dict[str, dict[str, str]]:
    """Component → leaf path → the layer that states it (``platform``, ``pack:realty``, ``tenant``)."""
    raise NotImplementedError


def component_name(kind: str, name: str) -> str:
    """How a component is called: ``object/company``."""
    return f"{kind}{SEPARATOR}{name}"
