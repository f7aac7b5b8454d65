"""Three-way merge on leaves: what one side changed wins over what the other left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Document, Leaves, Plain


@dataclass(frozen=True, slots=True)
class Clash:
    """A leaf both sides changed to different values; the merged document has ``theirs``."""

    component: str
    path: str
    base: Plain
    ours: Plain
    theirs: Plain


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged document and where the sides clash."""

    document: Document
    clashes: tuple[Clash, ...]


def merge(base: Mapping[str, Leaves], ours: Mapping[str, Leaves], theirs: Mapping[str, Leaves]) -> Merged:
    """Merge ``ours`` into ``theirs``, both made from ``base``. An absent leaf is a value like any other."""
    document: Document = {}
    clashes: list[Clash] = []
    for component in _all(base, ours, theirs):
        sides = tuple(side.get(component, {}) for side in (base, ours, theirs))
        leaves: Leaves = {}
        for path in _all(*sides):
            was, mine, other = (side.get(path) for side in sides)
            value = merged_leaf(was, mine, other)
            if differ(was, mine) and differ(was, other) and differ(mine, other):
                clashes.append(Clash(component, path, was, mine, other))
            if value is not None:
                leaves[path] = value
        if leaves:
            document[component] = leaves
    return Merged(document, tuple(clashes))


def merged_leaf(base: Plain, ours: Plain, theirs: Plain) -> Plain:
    """One leaf; None where it is absent."""
    return theirs if differ(base, theirs) else ours


def differ(one: Plain, other: Plain) -> bool:
    """Whether two values of a leaf are not the same; true is not 1."""
    return one != other or type(one) is not type(other)


def _all(*sides: Mapping[str, object]) -> Iterator[str]:
    """Keys of all sides, each once, in the order met."""
    yield from dict.fromkeys(key for side in sides for key in side)
