"""Exporting records in tests as the worker would."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from app.exports.options import ExportOptions
from app.exports.run import run_export
from app.exports.service import get_export, start_export, take_file
from app.records.query import ListQuery
from app.records.read import list_records
from tenants.scope import Actor, enter_job
from tests.support.tenants import PATIENT, owner_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from app.exports.repository import ExportRow
    from tenants.scope import Tenant


def as_member(member: UUID | str) -> Actor:
    """A member as who acts."""
    return Actor("member", member, "Somebody")  # type: ignore[arg-type]


def begin(runtime: Runtime, tenant: Tenant, actor: Actor | None = None, **options: Any) -> UUID:
    """Ask for an export, as the owner unless somebody else is named; its job is not run."""
    who = actor or owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=who, write=True, budget=PATIENT) as scope:
        return start_export(scope, msgspec.convert(options, ExportOptions)).id


def look(runtime: Runtime, tenant: Tenant, export_id: UUID, actor: Actor | None = None) -> ExportRow:
    """The export as it stands."""
    who = actor or owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=who, write=False) as scope:
        return get_export(scope, export_id)


def take(runtime: Runtime, tenant: Tenant, export_id: UUID, actor: Actor | None = None) -> bytes:
    """The file."""
    who = actor or owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=who, write=False) as scope:
        return b"".join(take_file(scope, runtime.storage, export_id)[1])


def export(runtime: Runtime, tenant: Tenant, actor: Actor | None = None, **options: Any) -> bytes:
    """Export to the end; the file."""
    export_id = begin(runtime, tenant, actor, **options)
    run_export(runtime, tenant.id, export_id)
    return take(runtime, tenant, export_id, actor)


def records(runtime: Runtime, tenant: Tenant, object_name: str, *fields: str, sort: str = "id") -> list[dict[str, Any]]:
    """All records as the API shows them."""
    found: list[dict[str, Any]] = []
    with enter_job(
        runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False, budget=PATIENT
    ) as scope:
        query = ListQuery(fields=fields, sort=sort, limit=200)
        while True:
            page = list_records(scope, object_name, query)
            found += page.rows
            if page.next is None:
                return found
            query = replace(query, cursor=page.next)
