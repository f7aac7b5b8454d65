"""Desired components → change set, as pure functions over documents; nothing is read or written here.

The engine reads a ``State``, asks ``desired`` (or ``relayered`` for other lower layers, ``reverted`` for a revert),
plans DDL from ``Changes.before`` and ``Changes.after`` and writes ``Changes.overrides``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from app.metadata import effects, relayer
from app.metadata.document import rooted
from app.metadata.effects import Notice
from app.metadata.layers import conflicts, live, overlaid, settled
from app.metadata.leaves import SEPARATOR
from app.metadata.mending import mend
from app.metadata.merge import differ, merged_leaf
from app.metadata.nodes import differences, items_of, within
from app.metadata.patch import Patch
from app.metadata.physical import followed
from app.metadata.vocabulary import Vocabulary
from app.metadata.working import Rename, Working
from app.metadata.written import dotted, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.layers import Conflict, Override
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.problems import Problem

Node = tuple[str, str]

__all__ = [
    "Changes",
    "LeafChange",
    "Notice",
    "Rename",
    "State",
    "chosen",
    "desired",
    "drift",
    "relayered",
    "renamed",
    "reverted",
    "wound_back",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A tenant's metadata as it is. ``lower`` is all layers below the tenant's, stacked."""

    lower: Document
    overrides: tuple[Override, ...] = ()
    #: Source → what it stated last (``Changes.stated``).
    last: Mapping[str, Document] = field(default_factory=dict[str, "Document"])
    #: What conditions are checked with.
    currency: str = "EUR"
    timezone: str = "UTC"
    #: Roles that are no components: the standard ones are known.
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeafChange:
    """One effective leaf before and after; None where it is absent.

    What a rename only moved is not among them: a moved node's leaves stand under its new name.
    """

    component: str
    path: str
    before: Plain
    after: Plain
    #: Of a conflict that was decided for the tenant's own value: the lower leaf it was stated over, and the one since.
    base: tuple[Plain, Plain] | None = None


#: A change as history tells it.
Told: TypeAlias = "tuple[Sequence[LeafChange], Sequence[Rename]]"


@dataclass(frozen=True, slots=True)
class Stage:
    """One of several changes made in one: first its renames, then the effective document it comes to."""

    after: Document
    renames: tuple[Rename, ...] = ()
    leaves: tuple[LeafChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a wanted difference comes to."""

    #: Effective documents, hidden parts included (``app.metadata.layers.live`` leaves them out).
    before: Document
    after: Document
    leaves: tuple[LeafChange, ...]
    renames: tuple[Rename, ...] = ()
    #: The way there, where a name may pass from one field to another on it; () is one stage.
    stages: tuple[Stage, ...] = ()
    #: The tenant layer as it is to be.
    overrides: tuple[Override, ...] = ()
    #: The source's new last-applied set.
    stated: Document = field(default_factory=dict[str, "Leaves"])
    #: ``drift`` (changed by hand since this source's last apply), ``prune.kept``.
    warnings: tuple[Notice, ...] = ()
    #: Must be answered before applying: ``rename.or_new`` (a field went and one of its type came: say
    #: ``renamed_from: old``, or ``renamed_from: null`` for a new one).
    questions: tuple[Notice, ...] = ()
    #: What would stop working (a view, rule, formula, role, layout, another object's link): blocks.
    broken: tuple[Notice, ...] = ()
    #: What is wrong with the components wanted: blocks.
    problems: tuple[Problem, ...] = ()
    #: Overrides whose lower leaf differs from what they were made over.
    conflicts: tuple[Conflict, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.leaves or self.renames)

    @property
    def blocked(self) -> bool:
        """Whether it can't be applied as it is."""
        return bool(self.questions or self.broken or self.problems)


def desired(state: State, patches: Iterable[Patch], *, source: str = "settings", prune: bool = False) -> Changes:
    """What applying ``patches`` would change. Never raises for what the patches say: see ``Changes.problems``."""
    working = Working(state.lower, state.overrides)
    before = overlaid(state.lower, state.overrides)
    found = rooted(list(patches), working.document)
    wanted = [one for one in found if isinstance(one, Patch)]
    wrong = [one for one in found if not isinstance(one, Patch)]
    for patch in sorted(wanted, key=_renaming):
        working.rename(patch)
    if working.renames:
        shown = live(before)
        for component, path, value in mend(shown, working.renames, _vocabulary(shown, state)):
            working.put(component, path, value)
    for patch in wanted:
        working.apply(patch)
    warnings = _drifted(state.last.get(source, {}), before, working.stated)
    last = relayer.renamed(state.last.get(source, {}), working.renames)
    if prune:
        warnings += _prune(working, last, state.last, source)
        stated = working.stated
    else:
        stated = _joined(last, working.stated)
    asked = effects.questions(live(before), live(working.document), wanted, working.renames)
    return _changes(state, before, working, warnings=warnings, questions=asked, stated=stated, wrong=wrong)


def relayered(
    state: State,
    lower: Document,
    *,
    in_use: frozenset[tuple[str, str]] = frozenset(),
    renames: Sequence[Rename] = (),
) -> Changes:
    """What other lower layers would change (an upgrade, a pack, an extension).

    ``in_use`` holds (component, node path) of fields, options and stages with data: what goes away below is kept by the
    tenant and marked retired when it is in there, or overridden, or named by a leaf of the tenant. ``renames`` are
    renames of the lower layers beside those they tell of themselves: overrides move along.
    """
    before = overlaid(state.lower, state.overrides)
    steps = [*renames, *relayer.declared(relayer.renamed(state.lower, renames), lower)]
    under = relayer.renamed(state.lower, steps)
    overrides = relayer.moved_along(state.overrides, steps)
    if steps:
        overrides = relayer.mended(overrides, mend(live(before), steps, _vocabulary(live(before), state)))
    names = _vocabulary(live(overlaid(under, overrides)), state)
    kept, notices = relayer.adopted(under, lower, overrides, names, in_use)
    working = Working(lower, kept)
    working.renames = steps
    found = _changes(state, before, working, known=kept, warnings=notices)
    return replace(found, warnings=(*found.warnings, *found.broken), broken=())


def reverted(state: State, leaves: Iterable[LeafChange], renames: Iterable[Rename] = ()) -> Changes:
    """What taking a change back would change: a three-way merge (app.metadata.merge).

    Leaves changed since, and what newer components depend on, are named in ``broken``.
    """
    return wound_back(state, [(tuple(leaves), tuple(renames))])


def replayed(state: State, leaves: Iterable[LeafChange], renames: Sequence[Rename]) -> Changes:
    """What making a change that was noted would change now: a merge like that of a revert, the other way round.

    Leaves changed since, and names that are taken by now, are named in ``broken``.
    """
    undone = [one.back for one in reversed(renames)]
    earlier: list[LeafChange] = []
    for one in leaves:
        component, path = followed(undone, one.component, one.path)
        earlier.append(LeafChange(component, path, one.after, one.before))
    found = reverted(state, earlier, undone)
    working, taken = Working(state.lower, state.overrides), list[Notice]()
    for step in renames:
        there = working.has(step.before_component, step.before_path)
        if there and working.has(step.component, step.path):
            message = "is the name of something else by now"
            taken.append(Notice("rename.taken", step.component, dotted(step.path), message))
        elif there:
            working.move((step.before_component, step.before_path), (step.component, step.path))
    return replace(found, broken=(*found.broken, *taken)) if taken else found


def renamed(leaves: Sequence[LeafChange], renames: Sequence[Rename], later: Sequence[Told]) -> Told:
    """A change told by the names its parts have after ``later`` changes, oldest first.

    What is not there while another is renamed that is called so keeps its name.
    """

    def now(one: LeafChange | Rename) -> dict[str, str]:
        component, path = one.component, one.path
        gone: set[str] = set()
        for others, steps in [(leaves, ()), *later]:
            component, path = followed([step for step in steps if step.before_path not in gone], component, path)
            for leaf in others:
                if leaf.component == component and (node := _identifying(leaf)) is not None and within(path, node):
                    (gone.add if leaf.after is None else gone.discard)(node)
        return {"component": component, "path": path}

    return [replace(one, **now(one)) for one in leaves], [replace(one, **now(one)) for one in renames]


def _identifying(leaf: LeafChange) -> str | None:
    """The node that a leaf says came or went: a field by its type, all else by its label; "" is the component."""
    if (leaf.before is None) == (leaf.after is None):
        return None
    if leaf.path in ("label", "label/one"):
        return ""
    node, _, last = leaf.path.rpartition(SEPARATOR)
    return node if last == ("type" if node.startswith("fields/") else "label") else None


def wound_back(state: State, changes: Iterable[Told]) -> Changes:
    """What taking back several changes, newest first, would change in one."""
    taken = list(changes)
    known, again = _asked_again(state, [leaf for leaves, _ in taken for leaf in leaves])
    working = Working(state.lower, state.overrides)
    before = overlaid(state.lower, state.overrides)
    made = {(one.component, one.path): one for one in state.overrides}
    clashes: dict[tuple[str, str], Notice] = {}
    stages: list[Stage] = []
    for leaves, renames in taken:
        for clash in _take_back(working, made, leaves, renames, stages):
            clashes.setdefault((clash.component, clash.path), clash)
    found = _changes(state, before, working, known=known, broken=list(clashes.values()))
    way = _told([*stages[:-1], replace(stages[-1], after=found.after)] if stages else [], before)
    return replace(found, leaves=(*found.leaves, *again), stages=way)


def _told(stages: Iterable[Stage], before: Document) -> tuple[Stage, ...]:
    """The stages that change something, each with what it changes."""
    found: list[Stage] = []
    for stage in stages:
        moved = relayer.renamed(before, stage.renames)
        leaves = tuple(LeafChange(*one) for one in differences(moved, stage.after))
        if leaves or stage.renames:
            found.append(replace(stage, leaves=leaves))
        before = stage.after
    return tuple(found)


def _take_back(
    working: Working,
    made: dict[tuple[str, str], Override],
    leaves: Sequence[LeafChange],
    renames: Sequence[Rename],
    stages: list[Stage],
) -> list[Notice]:
    """Take one change out of ``working``; ``made`` are the overrides as they become. What stands in the way.

    What it wrote goes under the names it gave, then the names: two of the ``stages``.
    """
    clashes: list[Notice] = []
    for one in (leaf for leaf in leaves if leaf.base is None):
        now, at = working.document.get(one.component, {}).get(one.path), (one.component, one.path)
        override = made.get(at)
        if differ(now, one.after) and differ(now, one.before):
            message = f"was {one.after!r} after this change and is {now!r} now"
            clashes.append(Notice("revert.changed", one.component, dotted(one.path), message))
        elif override and not differ(override.value, one.after) and not differ(override.base, one.before):
            working.reset(*at)
        else:
            value = merged_leaf(one.after, one.before, now)
            working.put(*at, value)
            made |= {at: replace(override, value=value)} if override else {}
    stages.append(Stage(working.copied()))
    known = len(working.renames)
    for step in reversed(renames):
        if working.has(step.component, step.path) and not working.has(step.before_component, step.before_path):
            working.move((step.component, step.path), (step.before_component, step.before_path))
        elif not working.has(step.before_component, step.before_path):
            message = "was renamed by this change and is not there any more"
            clashes.append(Notice("revert.changed", step.component, dotted(step.path), message))
    if len(working.renames) > known:
        stages.append(Stage(working.copied(), tuple(working.renames[known:])))
    return clashes


def _asked_again(state: State, leaves: Iterable[LeafChange]) -> tuple[list[Override], list[LeafChange]]:
    """Conflicts that were decided for the tenant's value and are open again: the overrides with their old base."""
    decided = {(one.component, one.path): one for one in leaves if one.base is not None}
    known: list[Override] = []
    again: list[LeafChange] = []
    for override in state.overrides:
        one = decided.get((override.component, override.path))
        if one is None or one.base is None or differ(override.base, one.base[1]):
            known.append(override)
        else:
            known.append(replace(override, base=one.base[0]))
            again.append(replace(one, base=(one.base[1], one.base[0])))
    return known, again


def chosen(state: State, kept: Iterable[Node], taken: Iterable[Node]) -> Changes:
    """What deciding conflicts comes to: ``kept`` stay the tenant's, ``taken`` become what the layers below say.

    What is no conflict (any more) is left alone.
    """
    open_ = {(one.component, one.path): one for one in conflicts(state.lower, state.overrides)}
    mine, theirs = ([open_[node] for node in nodes if node in open_] for nodes in (kept, taken))
    bases = {(one.component, one.path): one.lower for one in mine}
    known = tuple(
        replace(one, base=bases[one.component, one.path]) if (one.component, one.path) in bases else one
        for one in state.overrides
    )
    working = Working(state.lower, known)
    for one in theirs:
        working.reset(one.component, one.path)
    found = _changes(state, overlaid(state.lower, state.overrides), working, known=known)
    said = [LeafChange(one.component, one.path, one.value, one.value, (one.base, one.lower)) for one in mine]
    return replace(found, leaves=(*found.leaves, *said))


def drift(last: Mapping[str, Mapping[str, Plain]], now: Mapping[str, Mapping[str, Plain]]) -> list[LeafChange]:
    """What differs now from what a source stated last: ``before`` is its value, ``after`` the one now."""
    return [
        LeafChange(component, path, value, now.get(component, {}).get(path))
        for component, leaves in sorted(last.items())
        for path, value in sorted(leaves.items())
        if differ(value, now.get(component, {}).get(path))
    ]


def _changes(
    state: State,
    before: Document,
    working: Working,
    *,
    known: Iterable[Override] | None = None,
    warnings: Iterable[Notice] = (),
    questions: Iterable[Notice] = (),
    broken: Iterable[Notice] = (),
    stated: Document | None = None,
    wrong: Iterable[Problem] = (),
) -> Changes:
    """The change set of a document worked out."""
    after = working.document
    names = [_vocabulary(live(one), state) for one in (before, after)]
    seen = effects.effects((live(before), names[0]), (live(after), names[1]), working.stated)
    overrides = tuple(settled(working.lower, after, state.overrides if known is None else known))
    moved = relayer.renamed(before, working.renames)
    return Changes(
        before=before,
        after=after,
        leaves=tuple(LeafChange(*one) for one in differences(moved, after)),
        renames=tuple(working.renames),
        overrides=overrides,
        stated=stated if stated is not None else {},
        warnings=tuple(warnings),
        questions=tuple(questions),
        broken=(*broken, *seen.broken),
        problems=(*wrong, *working.problems, *seen.problems),
        conflicts=tuple(conflicts(working.lower, overrides)),
    )


def _vocabulary(document: Document, state: State) -> Vocabulary:
    return Vocabulary(document, currency=state.currency, timezone=state.timezone, roles=state.roles)


def _renaming(patch: Patch) -> tuple[bool, str]:
    """Renames of whole components come first: what is inside is written under the new name."""
    return "" not in patch.renamed, patch.component


def _joined(last: Mapping[str, Leaves], news: Mapping[str, Leaves]) -> Document:
    return {component: {**last.get(component, {}), **news.get(component, {})} for component in sorted({*last, *news})}


def _drifted(last: Document, now: Document, stated: Document) -> list[Notice]:
    """What was changed by hand since the source's last apply, unless the source wants it so now."""
    found: list[Notice] = []
    for one in drift(last, now):
        wanted = stated.get(one.component, {})
        if one.path in wanted and not differ(wanted[one.path], one.after):
            continue
        message = f"was {one.before!r} when this source last applied, and is {one.after!r} now"
        found.append(Notice("drift", one.component, dotted(one.path), message))
    return found


def _prune(working: Working, last: Document, all_last: Mapping[str, Document], source: str) -> list[Notice]:
    """Take away what the source put there before and does not state any more."""
    others = [document for name, document in all_last.items() if name != source]
    found: list[Notice] = []
    for component, leaves in sorted(last.items()):
        stated = working.stated.get(component, {})
        shared = [document[component] for document in others if component in document]
        kept: list[str] = []
        for node in _unstated(component, leaves, stated):
            if working.below(component, node):
                continue
            if any(_made(component, node, other) for other in shared):
                kept.append(node)
                message = "is not stated any more, but another source states it too: it stays"
                found.append(Notice("prune.kept", component, dotted(node), message))
            else:
                working.remove(component, node)
        for path, value in leaves.items():
            marker = path.endswith("/rank") and any(within(one, path.removesuffix("/rank")) for one in stated)
            there = path not in stated and not marker and working.has(component, path)
            if not there or any(within(path, node) for node in kept):
                continue
            if differ(working.document[component].get(path), value) or any(path in other for other in shared):
                message = "is not stated any more, but was said by somebody else since: it stays"
                found.append(Notice("prune.kept", component, dotted(path), message))
            else:
                working.reset(component, path)
    return found


def _unstated(component: str, last: Leaves, stated: Mapping[str, Plain]) -> list[str]:
    """Nodes the source put there whole and says nothing of any more, topmost only."""
    items = [node for node in items_of(component, last) if _made(component, node, last)]
    nodes = [*([""] if not stated and _made(component, "", last) else []), *sorted(items)]
    gone = [node for node in nodes if not any(within(path, node) for path in stated)]
    return [node for node in gone if not any(one != node and within(node, one) for one in gone)]


def _made(component: str, node: str, last: Mapping[str, Plain]) -> bool:
    """Whether the source made a node rather than said something about one: it stated what such a node must have."""
    if node:
        return any(join(node, key) in last for key in ("type", "status", "label"))
    return any(path.partition(SEPARATOR)[0] == "label" for path in last) or component.startswith("currency/")
