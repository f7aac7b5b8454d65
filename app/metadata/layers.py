"""Layers of a component: the platform's leaves below, the tenant's overrides on top; the highest layer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.leaves import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.leaves import Leaves, Plain


def effective(base: Mapping[str, Plain], overrides: Iterable[tuple[str, Plain]]) -> Leaves:
    """``base`` with ``overrides`` applied; a null takes the leaf away."""
    leaves = dict(base)
    for path, value in overrides:
        if value is None:
            leaves.pop(path, None)
        else:
            leaves[path] = value
    return leaves


def component_name(kind: str, name: str) -> str:
    """How a component is called in ``metadata_override``: ``object/company``."""
    return f"{kind}{SEPARATOR}{name}"
