"""What a difference between two documents does: what breaks, what is wrong, what has to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.metadata.checking import check_document
from app.metadata.leaves import SEPARATOR
from app.metadata.nodes import differences, items_of, within
from app.metadata.written import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.metadata.checking import Checked
    from app.metadata.leaves import Document, Leaves
    from app.metadata.patch import Patch
    from app.metadata.problems import Problem
    from app.metadata.vocabulary import Vocabulary
    from app.metadata.working import Rename


@dataclass(frozen=True, slots=True)
class Notice:
    """Something whoever applies should know; ``code`` is stable."""

    code: str
    component: str
    path: str
    message: str
    #: What it is about beside: the field removed, the component that breaks.
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effects:
    """Problems of what was wanted, and what else would stop working."""

    problems: tuple[Problem, ...]
    broken: tuple[Notice, ...]


def effects(
    before: tuple[Document, Vocabulary],
    after: tuple[Document, Vocabulary],
    stated: Mapping[str, Mapping[str, object]],
) -> Effects:
    """Compare what is wrong in two live documents; what was wrong before and is still so is nobody's doing."""
    touched = {component for component, _, _, _ in differences(before[0], after[0])}
    now = check_document(*after, only=touched)
    if not now.problems:
        return Effects((), ())
    was = check_document(*before, only=touched)
    old = {(one.component, one.path, one.code) for one in was.problems}
    problems: list[Problem] = []
    broken: list[Notice] = []
    for problem in now.problems:
        if _own(problem, stated.get(problem.component, {})):
            problems.append(problem)
        elif (problem.component, problem.path, problem.code) not in old:
            broken.append(_broken(problem, was, now, after[0]))
    return Effects(tuple(problems), tuple(broken))


def _own(problem: Problem, stated: Mapping[str, object]) -> bool:
    """Whether what was wanted says just the thing that is wrong, or should have said it."""
    if problem.path in ("", "kind", "name"):
        return bool(stated)
    parent = problem.path.rpartition(".")[0]
    for one in map(dotted, stated):
        if _inside(one, problem.path) or _inside(problem.path, one):
            return True
        if problem.code == "required" and _inside(one, parent):
            return True
    return False


def _inside(path: str, node: str) -> bool:
    return path == node or not node or path.startswith(f"{node}.")


def _broken(problem: Problem, was: Checked, now: Checked, after: Mapping[str, Leaves]) -> Notice:
    """A dependant that stops working, with what it misses."""
    found = {(one.component, one.node) for one in now.references.get(problem.component, ())}
    missing = {
        f"{one.component}{SEPARATOR}{one.node}".rstrip(SEPARATOR)
        for one in was.references.get(problem.component, ())
        if dotted(one.path) == problem.path
        and (one.component, one.node) not in found
        and not any(within(path, one.node) for path in after.get(one.component, ()))
    }
    return Notice("dependant.broken", problem.component, problem.path, str(problem), tuple(sorted(missing)))


def questions(before: Document, after: Document, patches: Iterable[Patch], renames: Iterable[Rename]) -> list[Notice]:
    """Fields that went while one of their type came: renamed, or others."""
    new = {(patch.component, node) for patch in patches for node, old in patch.renamed.items() if not old} | {
        (one.component, one.path) for one in renames
    }
    moved = {(one.before_component, one.before_path) for one in renames}
    found: list[Notice] = []
    for component in sorted(before.keys() & after.keys()):
        gone = {node: kind for node, kind in _fields(component, before[component]) if (component, node) not in moved}
        came = dict(_fields(component, after[component]))
        for node, kind in came.items():
            candidates = sorted(one for one, type_ in gone.items() if type_ == kind and one not in came)
            if candidates and f"{node}/type" not in before[component] and (component, node) not in new:
                found.append(_question(component, node, kind, candidates))
    return found


def _question(component: str, node: str, kind: object, candidates: list[str]) -> Notice:
    old = candidates[0].rpartition(SEPARATOR)[2]
    message = (
        f"{node.rpartition(SEPARATOR)[2]} is new and {old} goes, both of type {kind}. Is it the same under another "
        f"name? Say renamed_from: {old}; or renamed_from: null if it is another."
    )
    return Notice("rename.or_new", component, dotted(node), message, tuple(candidates))


def _fields(component: str, leaves: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for path, value in leaves.items():
        steps = path.split(SEPARATOR)
        if component.startswith("object/") and len(steps) == 3 and steps[0] == "fields" and steps[2] == "type":
            yield f"fields/{steps[1]}", value


def lost(before: Document, after: Document) -> list[tuple[str, str]]:
    """Nodes that are not there any more, topmost only."""
    found: list[tuple[str, str]] = []
    for component, leaves in before.items():
        if component not in after:
            found.append((component, ""))
            continue
        gone = sorted(items_of(component, leaves).keys() - items_of(component, after[component]).keys())
        found += [(component, node) for node in gone if not any(node != one and within(node, one) for one in gone)]
    return found
