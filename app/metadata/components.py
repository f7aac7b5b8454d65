"""The platform layer: the components of ``app/objects/*.yaml`` as one document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.metadata.checking import check_document
from app.metadata.document import read_folder, whole
from app.metadata.kinds.schema import COLORS
from app.metadata.layers import live
from app.metadata.problems import InvalidComponents, Problem
from app.metadata.vocabulary import Vocabulary

if TYPE_CHECKING:
    from app.metadata.leaves import Document, Leaves

__all__ = ["COLORS", "FOLDER", "check_platform", "platform_layer", "read_platform"]

FOLDER: Final = Path(__file__).resolve().parent.parent / "objects"


def platform_layer(folder: Path = FOLDER) -> Document:
    """The platform layer. Raises InvalidComponents for what can't be read; ``check_platform`` checks the rest."""
    patches = read_folder(folder)
    for patch in patches:
        name = patch.component.partition("/")[2]
        if patch.source.partition(".")[0] != name:
            message = f"is {name!r}; a file is called like its component, {name}.yaml"
            raise InvalidComponents([Problem(patch.component, "name", "name", message, patch.source)])
    return whole(patches)


def check_platform(document: Document) -> tuple[Problem, ...]:
    """What is wrong with a platform layer; tests ask, processes that start do not."""
    shown = live(document)
    return check_document(shown, Vocabulary(shown)).problems


def read_platform(folder: Path = FOLDER) -> dict[str, Leaves]:
    """Object name → leaves of the platform's objects."""
    return {
        component.partition("/")[2]: leaves
        for component, leaves in platform_layer(folder).items()
        if component.startswith("object/")
    }
