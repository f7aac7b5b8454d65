"""Nodes of a component: the items of its collections, and the leaves within them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata import kinds
from app.metadata.kinds import schema as form
from app.metadata.leaves import SEPARATOR
from app.metadata.merge import differ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Leaves, Plain


def within(path: str, node: str) -> bool:
    """Whether a leaf is at or below a node; everything is below ""."""
    return not node or path == node or path.startswith(node + SEPARATOR)


def items_of(component: str, leaves: Mapping[str, object]) -> dict[str, str]:
    """Every item of a component's collections (``fields/serial``), with the schema's collection it is in."""
    kind = kinds.ROOTS.get(component.partition(SEPARATOR)[0])
    found: dict[str, str] = {}
    for path in leaves:
        schema: form.Schema | None = kind.schema if kind else None
        at = ""
        for step in path.split(SEPARATOR):
            if schema is None:
                break
            inside = form.is_collection(schema)
            place, at = at, f"{at}{SEPARATOR}{step}".lstrip(SEPARATOR)
            schema = form.below(schema, step)
            if inside:
                found[at] = place
    return found


def differences(before: Mapping[str, Leaves], after: Mapping[str, Leaves]) -> Iterator[tuple[str, str, Plain, Plain]]:
    """Component, path, value before and after of every leaf that differs, in order."""
    for component in sorted({*before, *after}):
        old, new = before.get(component, {}), after.get(component, {})
        if old is not new:
            for path in sorted({*old, *new}):
                if differ(old.get(path), new.get(path)):
                    yield component, path, old.get(path), new.get(path)
