"""The merge beside a naive model written the other way round: by what each side did, not by leaves."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from app.metadata.merge import Clash, merge

if TYPE_CHECKING:
    from app.metadata.leaves import Document, Plain

_ABSENT = object()
_VALUES: list[Plain] = ["a", "b", True, 1, 0, False, ["a"], ["a", "b"], []]


def random_document(source: random.Random) -> Document:
    found: Document = {}
    for component in source.sample(["object/a", "object/b", "view/a.x"], source.randint(0, 3)):
        paths = source.sample(["label", "fields/x/type", "fields/x/rank", "fields/y/type"], source.randint(1, 4))
        found[component] = {path: source.choice(_VALUES) for path in paths}
    return found


def varied(source: random.Random, document: Document) -> Document:
    """The document after somebody worked on it."""
    found = {component: dict(leaves) for component, leaves in document.items()}
    for _ in range(source.randint(0, 4)):
        other = random_document(source)
        for component, leaves in other.items():
            path = source.choice(list(leaves))
            if source.random() < 0.4:
                found.get(component, {}).pop(path, None)
            else:
                found.setdefault(component, {})[path] = leaves[path]
    return {component: leaves for component, leaves in found.items() if leaves}


def naive(base: Document, ours: Document, theirs: Document) -> tuple[dict, set]:
    """Replay on theirs what ours did to base; where both did something else to one leaf, theirs stands."""

    def flat(document: Document) -> dict:
        return {
            (component, path, repr(value)) for component, leaves in document.items() for path, value in leaves.items()
        }

    def keyed(entries: set) -> dict:
        return {(component, path): value for component, path, value in entries}

    was, mine, other = flat(base), flat(ours), flat(theirs)
    did, they = (mine - was) | (was - mine), (other - was) | (was - other)
    touched_here = {(component, path) for component, path, _ in did}
    touched_there = {(component, path) for component, path, _ in they}
    result = keyed(other)
    for place in touched_here - touched_there:
        result.pop(place, None)
        if place in keyed(mine):
            result[place] = keyed(mine)[place]
    both = touched_here & touched_there
    clashes = {place for place in both if keyed(mine).get(place, _ABSENT) != keyed(other).get(place, _ABSENT)}
    return result, clashes


def compare(cases: int, seed: int) -> int:
    source = random.Random(seed)  # noqa: S311 - cases, no secrets
    clashes = 0
    for _ in range(cases):
        base = random_document(source)
        ours, theirs = varied(source, base), varied(source, base)
        merged = merge(base, ours, theirs)
        flat = {(c, p): repr(v) for c, leaves in merged.document.items() for p, v in leaves.items()}
        assert (flat, {(one.component, one.path) for one in merged.clashes}) == naive(base, ours, theirs)
        assert all(merged.document.values()), "no component without leaves"
        clashes += len(merged.clashes)
    return clashes


def test_the_merge_is_what_a_naive_model_says() -> None:
    assert compare(2_000, 1) > 100


@pytest.mark.scale
def test_the_merge_is_what_a_naive_model_says_in_many_cases() -> None:
    assert compare(100_000, 2) > 5_000


def test_what_one_side_changed_wins_over_what_the_other_left_alone() -> None:
    base: Document = {"object/a": {"label": "A", "icon": "x", "help": "h"}}
    ours: Document = {"object/a": {"label": "B", "icon": "x"}}
    theirs: Document = {"object/a": {"label": "A", "icon": "y", "help": "h"}}
    assert merge(base, ours, theirs).document == {"object/a": {"label": "B", "icon": "y"}}


def test_a_leaf_both_sides_changed_is_theirs_and_named() -> None:
    merged = merge({"object/a": {"label": "A"}}, {"object/a": {"label": "B"}}, {"object/a": {"label": "C"}})
    assert merged.document == {"object/a": {"label": "C"}}
    assert merged.clashes == (Clash("object/a", "label", "A", "B", "C"),)


def test_true_is_not_one() -> None:
    merged = merge({"object/a": {"x": 1}}, {"object/a": {"x": True}}, {"object/a": {"x": 1}})
    assert merged.document["object/a"]["x"] is True


def test_both_sides_may_do_the_same() -> None:
    merged = merge({}, {"object/a": {"x": "1"}}, {"object/a": {"x": "1"}})
    assert merged.document == {"object/a": {"x": "1"}}
    assert merged.clashes == ()


def test_nothing_is_left_of_a_component_both_took_away() -> None:
    assert merge({"object/a": {"x": "1"}}, {}, {}).document == {}
    assert merge({"object/a": {"x": "1"}}, {}, {"object/a": {"x": "1"}}).document == {}
