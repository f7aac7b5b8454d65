"""The document: YAML or JSON components to leaves and back.

``Document = dict[component, Leaves]``; a component is "kind/name" (``object/deal``, ``rule/deal.amount_first``). Leaves
hold neither ``kind`` nor ``name``. What is written are *patches* (``app.metadata.patch``): a document of a layer is
what ``whole`` makes of patches that stand alone; ``app.metadata.changeset.desired`` lays patches over what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from app.metadata.leaves import Document
    from app.metadata.patch import Patch


def read(text: str, source: str = "") -> list[Patch]:
    """The components written in one YAML (or JSON) text, separated by ``---``. Raises InvalidComponents."""
    raise NotImplementedError


def read_folder(folder: Path) -> list[Patch]:
    """Every ``*.yaml``, ``*.yml`` and ``*.json`` below ``folder``, in order of names. Raises InvalidComponents."""
    raise NotImplementedError


def parse(components: Iterable[object], source: str = "") -> list[Patch]:
    """JSON values, as the API takes them; pointers ``/components/<n>/…``. Raises InvalidComponents."""
    raise NotImplementedError


def whole(patches: Iterable[Patch]) -> Document:
    """A document of its own (a layer): ranks follow the order written. Raises InvalidComponents.

    Patches that remove, reset or rename make no sense there and are refused.
    """
    raise NotImplementedError


def export(document: Mapping[str, Mapping[str, object]]) -> list[dict[str, object]]:
    """Components as people write them, by kind and name: fields nested in their object, in order.

    Ranks are left out where reading gives the same: ``whole(parse(export(document))) == document``.
    """
    raise NotImplementedError


def to_yaml(document: Mapping[str, Mapping[str, object]]) -> str:
    """``export`` as one YAML text. ``whole(read(to_yaml(document))) == document``."""
    raise NotImplementedError


def to_files(document: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """``export`` as a folder: relative path (``object/deal.yaml``) → text."""
    raise NotImplementedError
