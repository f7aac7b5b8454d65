"""Lists of records and single ones, in their JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.records.query import JSONRecord, ListQuery, Page

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


def list_records(scope: TenantScope, object_name: str, query: ListQuery) -> Page:
    """Answer one page of the records of an object that meet the query's condition."""
    raise NotImplementedError


def get_record(
    scope: TenantScope, object_name: str, record_id: UUID | str, *, fields: tuple[str, ...] = (), trash: bool = False
) -> JSONRecord:
    """Answer one record; ``trash`` finds trashed ones too. Raises RecordNotFound."""
    raise NotImplementedError
