"""What a caller may ask of records: the questions, and the shape of a page of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

JSONRecord = dict[str, object]
Total = Literal["exact", "estimate", "none"]
Trash = Literal["", "only", "with"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A page of records: ``sort`` as ``-amount,name``, no ``fields`` means all, ``cursor`` is an earlier ``next``."""

    filter: str = ""
    sort: str = ""
    fields: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    cursor: str = ""
    total: Total = "none"
    trash: Trash = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records in their JSON form; ``next`` is the cursor of the following page or None."""

    rows: list[JSONRecord]
    next: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateQuery:
    """Groups and figures: ``group_by`` as ``close_on:quarter``, ``metrics`` as ``count`` or ``sum:amount``."""

    group_by: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("count",)
    filter: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQuery:
    """Columns of cards: ``limit`` counts the cards of each column, figures are over all its records."""

    group_by: str = ""
    metrics: tuple[str, ...] = ("count",)
    limit: int = 20
    fields: tuple[str, ...] = ()
    filter: str = ""
    sort: str = ""
