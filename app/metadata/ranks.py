"""Ranks of what was written without them: new items go to the end, a list moves as few as it can."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from app.metadata.leaves import rank_after, rank_between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def placed(
    current: Mapping[str, str], written: Sequence[str], stated: Mapping[str, str], *, listed: bool
) -> dict[str, str]:
    """Name → rank of the items that need another one.

    ``current`` are the ranks of the items there are, ``stated`` ranks written with the items; both stay as they are
    unless the order is wanted (``listed``).
    """
    found: dict[str, str] = {}
    if not listed:
        seen = set(current.values())
        for name in written:
            if name not in current and name not in stated:
                found[name] = rank_after(seen)
            seen.add(found.get(name) or stated.get(name) or current[name])
        return found
    ranks = {**current, **stated}
    standing = [name for name in written if name in ranks]
    kept = _longest_rise([ranks[name] for name in standing])
    keep = {standing[at] for at in kept}
    taken = {name: rank for name, rank in ranks.items() if name in keep or name not in written}
    before = ""
    for name in written:
        if name not in keep:
            behind = min((rank for rank in taken.values() if rank > before), default="")
            found[name] = rank_between(before, behind) if behind else rank_after([before] if before else [])
            taken[name] = found[name]
        before = taken[name]
    return {name: rank for name, rank in found.items() if current.get(name) != rank}


def _longest_rise(values: Sequence[str]) -> list[int]:
    """Places of a longest strictly rising subsequence."""
    tails: list[str] = []
    places: list[int] = []
    before: list[int] = []
    for at, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(places[length - 1] if length else -1)
        if length == len(tails):
            tails.append(value)
            places.append(at)
        else:
            tails[length] = value
            places[length] = at
    found: list[int] = []
    at = places[-1] if places else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]
