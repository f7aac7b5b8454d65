"""Write many records of one object, set-based: the same coercers, rules and events as a single write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.errors import FieldError
    from tenants.scope import TenantScope

RowStatus: TypeAlias = Literal["created", "updated", "deleted", "unchanged", "failed"]


@dataclass(slots=True)
class PreparedRow:
    """A row to write. ``values`` are coerced values by field name (what ``FieldType.coerce`` or ``parse`` gave).

    ``id`` names the record to update; without it a record is created. ``new_id`` gives the id a created one gets
    (a resumed import makes the same ids again). ``errors`` non-empty: the row is reported as failed, not written.
    """

    index: int
    values: dict[str, Any]
    id: UUID | None = None
    new_id: UUID | None = None
    errors: list[FieldError] = field(default_factory=list)


@dataclass(slots=True)
class RowResult:
    """What became of a row; ``version`` is the record's version after it."""

    index: int
    status: RowStatus
    id: UUID | None = None
    version: int | None = None
    errors: list[FieldError] = field(default_factory=list)


def write_batch(
    scope: TenantScope,
    object_name: str,
    rows: Sequence[PreparedRow],
    *,
    created_by: UUID | None = None,
    atomic: bool = False,
) -> list[RowResult]:
    """Create and update ``rows`` in a constant number of statements; results in the order of ``rows``.

    Failed rows are reported and left out; with ``atomic`` nothing is written when one fails. ``created_by`` defaults
    to the scope's member. Events carry the scope's actor and cause.
    """
    raise NotImplementedError
