"""Rows in parts, each small enough for one statement of a write's time budget."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_PART: Final = 1_000


def batched(rows: Iterable[T]) -> Iterator[list[T]]:
    """Yield ``rows`` in lists of at most a thousand."""
    left = iter(rows)
    while part := list(islice(left, _PART)):
        yield part
