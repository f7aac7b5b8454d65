"""What a caller may ask of records: the questions, and the shape of a page of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from app.metadata.reach import Action

JSONRecord = dict[str, object]
Total = Literal["exact", "estimate", "none"]
Trash = Literal["", "only", "with"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
#: Records of a page that becomes part of a file.
EXPORT_LIMIT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A page of records: ``sort`` as ``-amount,name``, no ``fields`` means all, ``cursor`` is an earlier ``next``.

    ``action`` is what the records are for: to be read, or ``export``, which may not go as far.
    """

    filter: str = ""
    sort: str = ""
    fields: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    cursor: str = ""
    total: Total = "none"
    trash: Trash = ""
    action: Action = "read"


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
