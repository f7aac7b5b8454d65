"""A member's sessions in one workspace, kept as hashes in its pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.core.errors import NotFound
from tenants.identity import members, repository, tickets

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import psycopg

    from app.core.ports import Runtime
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class WorkspaceSession:
    """One session."""

    id: UUID
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    #: The base host's session it came from.
    origin: UUID | None


def list_sessions(runtime: Runtime, scope: TenantScope, member: UUID) -> list[WorkspaceSession]:
    """The member's live sessions, the last used first. A tenant's role may not read them, so the login asks."""
    with runtime.databases.pod(scope.tenant.pod).begin() as connection:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
        rows = driver.execute(
            "select id, user_agent, address, created_at, seen_at, expires_at, origin from pod.list_credential(%s, %s)",
            (scope.tenant.id, member),
        ).fetchall()
    return [WorkspaceSession(*row) for row in rows]


def revoke(runtime: Runtime, scope: TenantScope, member: UUID, session: UUID) -> None:
    """End one of the member's own sessions; raises NotFound for anybody else's.

    The base host's session it came from ends too, with all else of it: that browser would be back with the next click.
    """
    found = next((row for row in list_sessions(runtime, scope, member) if row.id == session), None)
    if found is None:
        raise NotFound("There is no such session.")
    origins = [] if found.origin is None else [found.origin]
    person = members.get_member(scope, member).person
    if person is not None and origins:
        with runtime.databases.control.begin() as connection:
            repository.delete_session(connection, person, origins[0])
        tickets.end_origins(runtime, person, origins, but=scope.tenant.id)
    scope.at_commit(
        "select pod.drop_credential(%(tenant)s, %(session)s, null, %(origins)s)",
        {"tenant": scope.tenant.id, "session": session, "origins": origins},
    )
