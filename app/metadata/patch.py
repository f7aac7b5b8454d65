"""A patch: what one written component wants of the document. What it does not state is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Leaves, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One written component in terms of its root component (a ``field`` states leaves of its object).

    Paths of nodes are leaf paths without the last step: ``fields/serial``; "" is the component itself.
    """

    component: str
    #: Leaves stated. A null takes the leaf away. Ranks only where they were written.
    leaves: Leaves = field(default_factory=dict[str, "Plain"])
    #: Collection (``fields``) → names of its items as written.
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    #: Collections written as a list: their order is wanted, not only the items.
    listed: frozenset[str] = frozenset()
    #: Nodes to take away; a lower layer's are hidden.
    removes: frozenset[str] = frozenset()
    #: Nodes or leaves whose overrides are to be taken back.
    resets: frozenset[str] = frozenset()
    #: Node → the name it had before; "" says that it is new, whatever went away.
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Where it was written, for messages: ``machine.yaml``, ``machine.yaml (2)``; ``pointer`` into a body sent.
    source: str = ""
    pointer: str = ""
