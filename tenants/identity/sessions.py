"""Base-host sessions: hashed tokens in the control database, idle and absolute expiry, list, revoke (ADR 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.core import clock, crypto, ids
from app.http.gate import PersonSession
from tenants.identity import repository, tickets

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.identity.repository import SessionRow

#: Ends after this long without a request …
IDLE: Final = timedelta(days=7)
#: … and in any case after this long (ASVS 5.0 §7.3).
ABSOLUTE: Final = timedelta(days=30)
#: How stale ``seen_at`` may get before it is written again: reading must not write each time.
TOUCH_EVERY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from, for the person's own list of sessions."""

    user_agent: str = ""
    address: str = ""


def start(databases: Databases, person: UUID, visitor: Visitor) -> str:
    """A new session; the returned token goes into the cookie and is stored only as hash."""
    token = crypto.token()
    now = clock.now()
    with databases.control.begin() as connection:
        repository.drop_stale(connection, person, now)
        repository.insert_session(
            connection,
            ids.uuid7(),
            person,
            crypto.sha256(token),
            visitor.user_agent[:300],
            visitor.address[:64],
            now,
            now + ABSOLUTE,
        )
    return token


def find(databases: Databases, token_hash: bytes) -> PersonSession | None:
    """The live session with that token."""
    now = clock.now()
    with databases.control.begin() as connection:
        row = repository.live_session(connection, token_hash, now, now - IDLE)
        if row is None:
            return None
        seen_at: datetime = row[5]
        if now - seen_at > TOUCH_EVERY:
            repository.touch_session(connection, row[0], now)
        return PersonSession(id=row[0], person=row[1], name=row[2], email=row[3], created_at=row[4])


def list_sessions(databases: Databases, person: UUID) -> list[SessionRow]:
    """A person's live sessions, the last used first."""
    now = clock.now()
    with databases.control.connect() as connection:
        return repository.sessions_of(connection, person, now, now - IDLE)


def revoke(runtime: Runtime, person: UUID, session: UUID) -> bool:
    """End one of the person's sessions at once, with the sessions in workspaces that came from it."""
    with runtime.databases.control.begin() as connection:
        found = repository.delete_session(connection, person, session)
    if found:
        tickets.end_origins(runtime, person, [session])
    return found


def revoke_others(runtime: Runtime, person: UUID, keep: UUID | None) -> None:
    """End all of the person's sessions but the one in use, in workspaces too."""
    with runtime.databases.control.begin() as connection:
        ended = repository.delete_sessions(connection, person, keep)
    tickets.end_origins(runtime, person, ended)


def end(runtime: Runtime, token: str) -> None:
    """Sign out: the token is worthless from now on, and so is what the browser holds of workspaces by it."""
    with runtime.databases.control.begin() as connection:
        ended = repository.delete_session_by_token(connection, crypto.sha256(token))
    if ended is not None:
        session, person = ended
        tickets.end_origins(runtime, person, [session])
