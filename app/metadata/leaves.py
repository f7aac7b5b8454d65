"""A component in its canonical form: a flat map *leaf path → value* (DESIGN §5).

``fields/name/label`` → ``"Name"``. What has identity is a map by name with a ``rank`` leaf; a list of plain values is
one leaf. Two components are equal when their maps are, and so is their hash.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plain: TypeAlias = "str | int | float | bool | list[str] | None"
Leaves: TypeAlias = "dict[str, Plain]"
#: Component ("kind/name") → its leaves.
Document: TypeAlias = "dict[str, Leaves]"
Tree: TypeAlias = "dict[str, Plain | Tree]"

SEPARATOR = "/"


def flatten(tree: Mapping[str, object], prefix: str = "") -> Leaves:
    """The leaves of a nested component."""
    found: Leaves = {}
    for key, value in tree.items():
        path = f"{prefix}{SEPARATOR}{key}" if prefix else key
        if isinstance(value, dict):
            found |= flatten(cast("dict[str, object]", value), path)
        else:
            found[path] = cast("Plain", value)
    return found


def nest(leaves: Mapping[str, Plain]) -> Tree:
    """The nested form of ``leaves``; the inverse of ``flatten`` for trees without empty maps."""
    root: Tree = {}
    for path, value in leaves.items():
        *parents, last = path.split(SEPARATOR)
        node = root
        for name in parents:
            node = cast("Tree", node.setdefault(name, {}))
        node[last] = value
    return root


def spec_hash(leaves: Mapping[str, Plain]) -> str:
    """SHA-256 of the canonical JSON (keys sorted, no white space)."""
    return hashlib.sha256(msgspec.json.encode(dict(leaves), order="sorted")).hexdigest()


def ranked(count: int) -> list[str]:
    """``count`` ranks in order, with room between them."""
    found: list[str] = []
    for _ in range(count):
        found.append(rank_after(found[-1:]))
    return found


def rank_after(ranks: Iterable[str]) -> str:
    """A rank behind all of ``ranks``: 010, 020 … 990, 99010, 99020 ….

    Adding at the end gives what writing all of them anew would give.
    """
    last = max(ranks, default="")
    full = len(last) - len(last.lstrip("9"))
    head = last[: full - full % 2]
    step = int(last[len(head) :][:3].ljust(3, "0")) // 10 + 1
    return f"{head}{step:02d}0"


def rank_between(low: str, high: str) -> str:
    """A rank behind ``low`` and before ``high``, both read as digits of a fraction; "" is an open end."""
    width = max(len(low), len(high)) + 1
    below = int(low.ljust(width, "0") or 0)
    above = int(high.ljust(width, "0")) if high else 10**width
    return f"{(below + above) // 2:0{width}d}".rstrip("0")
