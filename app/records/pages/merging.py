"""Saving what was read some time ago: changes of other fields are not in the way, changes of the same one are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.records.errors import StaleVersion
from app.records.write import update_record

if TYPE_CHECKING:
    from uuid import UUID

    from app.records.pages.values import Record
    from tenants.scope import TenantScope


def save_merged(scope: TenantScope, object_name: str, record_id: UUID, patch: Record, version: str) -> Record:
    """Apply ``patch`` to the record read at ``version`` (as a form sends it; anything else is any version).

    Raises: StaleVersion when somebody else changed a field of the patch meanwhile, to another value.
    """
    read = int(version) if version.isdecimal() else None
    try:
        return update_record(scope, object_name, record_id, patch, if_match=read)
    except StaleVersion as stale:
        if stale.extra["conflicts"]:
            raise
        return update_record(scope, object_name, record_id, patch, if_match=cast("int", stale.extra["version"]))
