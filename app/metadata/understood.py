"""As much of a document as this program understands: a newer one may have made it (ADR 34).

A field of a type that is not known here is left out, with its name in lists of the same object; its column and values
stay. Nothing is compiled that can't be, so a process of the release before serves a tenant of the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from app.metadata import fieldtypes
from app.metadata.leaves import SEPARATOR
from app.metadata.physical import COMPUTED, FIELDS, OBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Document, Leaves, Plain

_LISTS: Final = frozenset({"title", "title_else", "highlights", "list_columns"})


def understood(document: Mapping[str, Leaves]) -> Document:
    """``document`` without the fields this program can't read; what it reads whole stays the very same."""
    return {
        component: _known(leaves) if component.startswith(OBJECT + SEPARATOR) else leaves
        for component, leaves in document.items()
    }


def _known(leaves: Leaves) -> Leaves:
    named = {path.split(SEPARATOR)[1] for path in leaves if path.startswith(FIELDS + SEPARATOR)}
    strange = {name for name in named if not _reads(leaves, name)}
    if not strange:
        return leaves
    nodes = tuple(f"{FIELDS}{SEPARATOR}{name}{SEPARATOR}" for name in strange)
    return {path: _without(path, value, strange) for path, value in leaves.items() if not path.startswith(nodes)}


def _reads(leaves: Leaves, name: str) -> bool:
    kind = leaves.get(f"{FIELDS}{SEPARATOR}{name}{SEPARATOR}type")
    return kind in COMPUTED or kind in fieldtypes.REGISTRY


def _without(path: str, value: Plain, strange: set[str]) -> Plain:
    if path == "default_sort" and str(value).lstrip("-") in strange:
        return "title"
    if path not in _LISTS or not isinstance(value, list):
        return value
    known = [one for one in value if one not in strange]
    return cast("Plain", known or (["external_id"] if path == "title" else []))
