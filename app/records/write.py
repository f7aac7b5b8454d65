"""Write one record: create, update, upsert. Deleting lives in ``trash``.

The edge has checked the access right; here the payload is coerced by field types, rules are applied, and one
statement writes row, event and outbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from tenants.scope import TenantScope


def create_record(scope: TenantScope, object_name: str, payload: Mapping[str, object]) -> dict[str, object]:
    """Create a record from a JSON object and return its JSON form.

    Raises:
        UnknownObject: no such object.
        InvalidRecord: with every problem found, each with its JSON pointer.
        UniqueTaken: a unique value is held by another live record.
    """
    raise NotImplementedError


def update_record(
    scope: TenantScope, object_name: str, record_id: UUID, patch: Mapping[str, object], *, if_match: int | None = None
) -> dict[str, object]:
    """Apply a JSON merge patch (RFC 7396) and return the record; without a change no version and no event is made.

    Raises: as ``create_record``, and RecordNotFound, StaleVersion when ``if_match`` is not the present version.
    """
    raise NotImplementedError


def upsert_record(
    scope: TenantScope, object_name: str, unique_field: str, value: str, payload: Mapping[str, object]
) -> tuple[dict[str, object], bool]:
    """Update the live record whose ``unique_field`` is ``value`` or create it; second result: was it created."""
    raise NotImplementedError


def trash_record(scope: TenantScope, object_name: str, record_id: UUID, *, if_match: int | None = None) -> None:
    """Move a record to the trash; what links to it is refused, trashed with it or cleared as its link says.

    Raises: RecordNotFound, StaleVersion, DeleteRestricted.
    """
    raise NotImplementedError


def restore_record(scope: TenantScope, object_name: str, record_id: UUID) -> dict[str, object]:
    """Bring a trashed record back, with just those that went with it.

    Raises: RecordNotFound (not in the trash), UniqueTaken.
    """
    raise NotImplementedError


def destroy_record(scope: TenantScope, object_name: str, record_id: UUID) -> None:
    """Delete a record, live or trashed, for good; the event keeps the whole row."""
    raise NotImplementedError
