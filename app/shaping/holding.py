"""Who holds what goes: records that have an option, stage, pipeline or currency a plan takes away or retires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.metadata import uses
from app.metadata.effects import lost
from app.metadata.labels import humanised
from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.changeset import Changes
    from app.metadata.model import ObjectType
    from app.metadata.store import Execute

Node = tuple[str, str]
#: Whose options are whose: ``fields/source/options/fair``.
_OF_FIELD = 2


@dataclass(frozen=True, slots=True)
class Holding:
    """``count`` records hold what ``component`` has at ``path``; ``message`` says it in words."""

    component: str
    path: str
    count: int
    message: str

    def public(self) -> dict[str, object]:
        """The API's form."""
        return {
            "component": self.component, "path": self.path.replace(SEPARATOR, "."), "count": self.count,
            "message": self.message,
        }  # fmt: skip


def going(changes: Changes) -> list[Node]:
    """Nodes that go or are retired and that records may hold; none of changes that are blocked."""
    if changes.blocked:
        return []
    retired = [(one.component, one.path.rpartition(SEPARATOR)[0]) for one in changes.leaves
               if one.path.endswith("/retired") and one.after is True]  # fmt: skip
    retyped = {(one.component, one.path.rpartition(SEPARATOR)[0]) for one in changes.leaves
               if one.path.endswith("/type")}  # fmt: skip
    nodes = [*lost(live(changes.before), live(changes.after)), *retired]
    return [
        (component, path)
        for component, path in nodes
        if (component, SEPARATOR.join(path.split(SEPARATOR)[:_OF_FIELD])) not in retyped
    ]


def holding(execute: Execute, objects: Mapping[str, ObjectType], changes: Changes, locale: str) -> list[Holding]:
    """How many records hold each of them; one statement, none where nothing goes."""
    asked = [(node, one) for node in going(changes) for one in uses.holders(objects, *node)]
    found = uses.held(execute, [(obj, field) for _, (obj, field, _) in asked])
    counts: dict[Node, int] = {}
    for node, (obj, field, value) in asked:
        counts[node] = counts.get(node, 0) + found.get((obj.name, field.name, value), 0)
    return [
        Holding(*node, count, _said(_label(changes, *node), count, locale)) for node, count in counts.items() if count
    ]


def _said(label: str, count: int, locale: str) -> str:
    who = f"{formats.number(count, locale)} {'record holds' if count == 1 else 'records hold'}"
    return f"{who} {label}: what they hold stays as it is until somebody changes it."


def _label(changes: Changes, component: str, node: str) -> str:
    leaves = changes.before.get(component, {})
    key = f"{node}/label" if node else "label"
    return str(leaves.get(key) or humanised((node or component).rpartition(SEPARATOR)[2]))
