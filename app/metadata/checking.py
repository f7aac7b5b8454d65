"""Checks a live document: every component against its kind, what it names, formulas that go in circles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata import kinds
from app.metadata.compiler import compile_object, with_targets
from app.metadata.computing import problems_of
from app.metadata.kinds.field import COMPUTED, TYPES
from app.metadata.kinds.stage import STATUSES
from app.metadata.leaves import SEPARATOR, nest
from app.metadata.problems import Problem, near
from app.metadata.tracing import Tracer, said
from app.metadata.written import dotted, join, missing

#: Steps of a stage's node.
_STAGE: Final = ("pipelines", "sales", "stages", "won")

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from app.metadata.kinds.base import Reference
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Checked:
    """What a document's components name and what is wrong with them."""

    problems: tuple[Problem, ...]
    references: Mapping[str, tuple[Reference, ...]]


def check_document(document: Document, names: Vocabulary, only: Container[str] | None = None) -> Checked:
    """Check a live document; ``only`` these components' own form, but what every component names."""
    problems: list[Problem] = []
    references: dict[str, tuple[Reference, ...]] = {}
    for component, leaves in document.items():
        wrong = list(_named(component, document))
        if not wrong:
            if only is None or component in only:
                wrong += _whole(component, leaves)
            traced = Tracer(component, leaves, names)
            references[component] = tuple(traced.references)
            wrong += [Problem(component, dotted(one.path), one.code, one.message) for one in traced.complaints]
        problems += wrong
    problems += _computed(document)
    return Checked(tuple(problems), references)


def where_used(checked: Checked, component: str, node: str = "") -> list[tuple[str, Reference]]:
    """Which components name a component, or a node of it."""
    return [
        (user, reference)
        for user, references in checked.references.items()
        for reference in references
        if reference.component == component and (not node or _within(reference.node, node))
    ]


def _within(path: str, node: str) -> bool:
    return path == node or path.startswith(node + SEPARATOR)


def _named(component: str, document: Mapping[str, Mapping[str, Plain]]) -> Iterator[Problem]:
    """Whether the kind exists, takes the name, and the object of it is there."""
    kind_name, _, name = component.partition(SEPARATOR)
    kind = kinds.ROOTS.get(kind_name)
    if kind is None:
        yield Problem(component, "kind", "kind", f"is {kind_name!r}, which is no kind{near(kind_name, kinds.ROOTS)}")
    elif not kind.takes(name):
        yield Problem(component, "name", "name", f"is {name!r}; must be {kind.named}")
    elif (owner := kind.object_of(name)) and f"object/{owner}" not in document:
        known = [one.partition(SEPARATOR)[2] for one in document if one.startswith("object/")]
        yield Problem(component, "name", "object.unknown", f"names {owner!r}, which is no object{near(owner, known)}")


def _whole(component: str, leaves: Mapping[str, Plain]) -> Iterator[Problem]:
    """What a component must have."""
    for path, key in missing(kinds.kind_of(component).schema, nest(leaves)):
        yield Problem(
            component, dotted(join(path, key)), "required", f"is missing: {dotted(path) or component} needs {key!r}"
        )


def _computed(document: Document) -> Iterator[Problem]:
    """What is wrong with formulas and roll-ups, circles included."""
    specs = {
        component.partition(SEPARATOR)[2]: leaves
        for component, leaves in document.items()
        if component.startswith("object/")
    }
    if not any(value in COMPUTED for leaves in specs.values() for value in leaves.values()):
        return
    compiled = with_targets({name: _compilable(leaves) for name, leaves in specs.items()}, document)
    for one in problems_of({name: compile_object(name, leaves) for name, leaves in compiled.items()}):
        component, path = f"object/{one.object}", f"fields/{one.field}/{one.leaf}"
        source = document[component].get(path)
        position = one.position if one.leaf in ("value", "when") else None
        yield Problem(component, dotted(path), "computed", said(one.message, position, str(source)))


def _compilable(leaves: Leaves) -> Leaves:
    """A spec without what can't be compiled (yet), which is complained about elsewhere."""
    nodes = {SEPARATOR.join(path.split(SEPARATOR)[:2]) for path in leaves if path.startswith("fields/")}
    bad = [f"{node}/" for node in nodes if leaves.get(f"{node}/type") not in TYPES]
    steps = [path.split(SEPARATOR)[:4] for path in leaves if path.startswith("pipelines/")]
    stages = {SEPARATOR.join(one) for one in steps if len(one) == len(_STAGE)}
    bad += [f"{node}/" for node in stages if leaves.get(f"{node}/status") not in STATUSES]
    return {path: value for path, value in leaves.items() if not path.startswith(tuple(bad))} if bad else leaves
