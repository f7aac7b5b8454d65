"""The file of an export as it lies in storage: one object a part, so that a killed job loses one part at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.storage import Storage
    from app.exports.repository import ExportRow

_PIECE: Final = 1 << 16
#: By format: how the name ends, and what the file is (RFC 4180, RFC 6838).
KINDS: Final = {"csv": ("csv", "text/csv; charset=utf-8"), "ndjson": ("ndjson", "application/x-ndjson")}


def folder_of(tenant: UUID, export_id: UUID) -> str:
    """Where an export's parts are."""
    return f"{tenant}/exports/{export_id}"


def part_key(tenant: UUID, export_id: UUID, number: int) -> str:
    """Where part ``number`` is, counted from 0."""
    return f"{folder_of(tenant, export_id)}/{number:06}"


def pieces(storage: Storage, tenant: UUID, row: ExportRow) -> Iterator[bytes]:
    """The whole file piece by piece."""
    for number in range(row.parts):
        with storage.open(part_key(tenant, row.id, number)) as stream:
            while piece := stream.read(_PIECE):
                yield piece


def is_there(storage: Storage, tenant: UUID, row: ExportRow) -> bool:
    """Whether storage has every part."""
    return all(storage.exists(part_key(tenant, row.id, number)) for number in range(row.parts))


def file_name(row: ExportRow) -> str:
    """What the file is called when it is saved."""
    return f"{row.object}-{row.created_at:%Y-%m-%d}.{KINDS[row.options.get('format', 'csv')][0]}"
