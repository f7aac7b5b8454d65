"""The workspaces of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import NotFound
from tenants.identity import repository

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.identity.repository import WorkspaceRow


def list_workspaces(runtime: Runtime, person: UUID) -> list[WorkspaceRow]:
    """The active ones, by name."""
    with runtime.databases.control.connect() as connection:
        return repository.workspaces_of(connection, person)


def find_workspace(runtime: Runtime, person: UUID, tenant: UUID) -> WorkspaceRow:
    """One of the person's workspaces; raises NotFound for any other, existing or not."""
    for row in list_workspaces(runtime, person):
        if row.tenant == tenant:
            return row
    raise NotFound("There is no such workspace among yours.")
