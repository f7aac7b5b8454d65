"""What a kind is: how its components are called, what they hold, what they name, what must hold beyond the schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from app.metadata.kinds import schema as form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from app.metadata.kinds.schema import Schema
    from app.metadata.leaves import Leaves, Plain
    from app.metadata.vocabulary import Vocabulary

#: What a component may say of itself when it is written, beside its spec.
WRITTEN: Final = ("kind", "name", "remove", "reset", "renamed_from")
#: ``<object>.<name>``: what belongs to an object says so in its name.
OF_OBJECT: Final = rf"^{form.WORD}(__{form.WORD})?\.{form.WORD}(__{form.WORD})?$"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a check found: the leaf or node it is about, a stable code, a sentence."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Something a component names: ``path`` is the leaf that names it."""

    path: str
    #: The component named, "object/deal"; "" when nothing of that name can be told.
    component: str
    #: The node within: ``fields/amount``, ``pipelines/sales``; "" is the component itself.
    node: str = ""
    #: What was written, and which step of it (``company.name``) names this.
    written: str = ""
    step: int = 0
    #: Whether the last step of ``path`` names it, not its value.
    key: bool = False


class Check(Protocol):
    """A check beyond the schema, over the live leaves of one component."""

    def __call__(self, name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterable[Complaint]:
        """What is wrong."""
        ...


def _nothing(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterable[Complaint]:  # noqa: ARG001
    return ()


def _no_more(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterable[Reference]:  # noqa: ARG001
    return ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind with leaves of its own. Component: ``name/…``."""

    name: str
    #: One sentence for the reference.
    help: str
    schema: Schema
    #: A component as people write it, for the reference; the kit reads and exports it.
    example: str
    #: What its components are called: a pattern and how to say it.
    naming: str = form.NAME
    named: str = "snake_case of at most 50 characters"
    #: Whether a name is ``<object>.<name>``: conditions and fields are that object's.
    of_object: bool = False
    check: Check = _nothing
    #: References beyond those the schema's notes give away.
    further: Callable[[str, Mapping[str, Plain], Vocabulary], Iterable[Reference]] = _no_more

    def object_of(self, name: str) -> str:
        """The object whose fields the component's names and conditions mean; "" when of none."""
        return name.partition(".")[0] if self.of_object else ""

    def takes(self, name: str) -> bool:
        """Whether a component may be called ``name``."""
        return re.fullmatch(self.naming, name) is not None and max(map(len, name.split("."))) <= form.NAME_LIMIT


@dataclass(frozen=True, kw_only=True)
class Nested:
    """A way to write a part of a root component by itself: ``kind: field, name: deal.vat_id``."""

    name: str
    help: str
    root: str
    #: The collections its names step through: ``("fields",)`` for ``deal.vat_id``.
    collections: tuple[str, ...]
    schema: Schema
    example: str
    #: Leaves that are stated of themselves.
    implied: Leaves = field(default_factory=dict[str, "Plain"])
    #: Whether the object may be left out of the name where only one has such a part.
    short: bool = False

    @property
    def named(self) -> str:
        """How to say what its names look like."""
        steps = ".".join(["object", *(one.rstrip("s") for one in self.collections)])
        return f"like {steps}, each snake_case of at most {form.NAME_LIMIT} characters"

    def parts(self, name: str) -> tuple[str, str] | None:
        """Component and node path of ``deal.sales.won``; None when the object was left out, or it is no such name."""
        steps = name.split(".")
        fits = all(re.fullmatch(form.NAME, step) and len(step) <= form.NAME_LIMIT for step in steps)
        if len(steps) != len(self.collections) + 1 or not fits:
            return None
        pairs = zip(self.collections, steps[1:], strict=True)
        return f"{self.root}/{steps[0]}", "/".join(part for pair in pairs for part in pair)


def marked(schema: Schema, leaves: Mapping[str, Plain], note: str) -> Iterator[tuple[str, Plain, object]]:
    """Path, value and note of every leaf whose schema carries ``note``."""
    for path, value in leaves.items():
        found = form.at(schema, path)
        if found is not None and note in found:
            yield path, value, found[note]
