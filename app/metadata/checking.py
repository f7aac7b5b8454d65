"""Checks a live document: every component against its kind, what it names, formulas that go in circles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata import kinds
from app.metadata.leaves import SEPARATOR, nest
from app.metadata.problems import Problem, near
from app.metadata.tracing import Tracer
from app.metadata.written import dotted, join, missing

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from app.metadata.kinds.base import Reference
    from app.metadata.leaves import Document, Plain
    from app.metadata.vocabulary import Vocabulary

#: Leaves of a field that its value depends on.
_DEPENDING: Final = ("value", "field", "when")
Node = tuple[str, str]


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
        if not wrong and (only is None or component in only):
            wrong += _whole(component, leaves)
        if component.partition(SEPARATOR)[0] in kinds.ROOTS:
            traced = Tracer(component, leaves, names)
            references[component] = tuple(traced.references)
            wrong += [Problem(component, dotted(one.path), one.code, one.message) for one in traced.complaints]
        problems += wrong
    problems += _circles(references)
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


def _circles(references: Mapping[str, tuple[Reference, ...]]) -> Iterator[Problem]:
    """Fields whose value depends on itself."""
    edges: dict[Node, set[Node]] = {}
    for component, found in references.items():
        for one in found:
            steps = one.path.split(SEPARATOR)
            if len(steps) == 3 and steps[0] == "fields" and steps[2] in _DEPENDING:
                edges.setdefault((component, f"fields/{steps[1]}"), set()).add((one.component, one.node))
    done: set[Node] = set()
    for start in sorted(edges):
        circle = _circle(start, edges, done)
        if circle:
            shown = " → ".join(
                f"{node[0].partition(SEPARATOR)[2]}.{node[1].partition(SEPARATOR)[2]}" for node in circle
            )
            yield Problem(start[0], dotted(start[1]), "formula.circle", f"depends on itself: {shown}")


def _circle(start: Node, edges: Mapping[Node, set[Node]], done: set[Node]) -> list[Node]:
    """The first circle met from ``start``, depth first; nodes once walked are not walked again."""
    trail: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(start, False)]
    while waiting:
        node, leaving = waiting.pop()
        if leaving:
            done.add(trail.pop())
        elif node in trail:
            return [*trail[trail.index(node) :], node]
        elif node not in done:
            trail.append(node)
            waiting.append((node, True))
            waiting += [(one, False) for one in sorted(edges.get(node, ()))]
    return []
