"""Every statement of identity on the control database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may be meant by an e-mail address. Unverified addresses may belong to several people."""

    person: UUID
    name: str
    password_hash: str | None
    verified: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A base-host session as its owner sees it."""

    id: UUID
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """A workspace a person belongs to."""

    tenant: UUID
    member: UUID
    role: str
    slug: str
    name: str
    host: str
    pod: int


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as control knows it."""

    id: UUID
    tenant: UUID
    member: UUID
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None


def insert_person(c: sa.Connection, person: UUID, name: str, email: str, password_hash: str | None) -> None:
    """A new person with one address, not verified yet."""
    c.execute(
        sa.text("insert into person (id, name, password_hash) values (:id, :name, :hash)"),
        {"id": person, "name": name, "hash": password_hash},
    )
    c.execute(
        sa.text("insert into person_email (person, email) values (:person, :email)"),
        {"person": person, "email": email},
    )


def delete_person(c: sa.Connection, person: UUID) -> None:
    """Take back a sign-up that failed; only a person without any workspace."""
    c.execute(
        sa.text("delete from person where id = :person and not exists (select from membership where person = :person)"),
        {"person": person},
    )


def candidates(c: sa.Connection, email: str, limit: int = 5) -> list[Candidate]:
    """Who may be meant: the one who verified the address first, then those who only claim it, oldest first."""
    rows = c.execute(
        sa.text(
            "select p.id, p.name, p.password_hash, e.verified_at is not null from person_email e "
            "join person p on p.id = e.person where e.email = :email "
            "order by e.verified_at nulls last, e.created_at limit :limit"
        ),
        {"email": email, "limit": limit},
    )
    return [Candidate(*row) for row in rows]


def person_of(c: sa.Connection, person: UUID) -> tuple[str, str, bool] | None:
    """Name, main address, whether it is verified."""
    row = c.execute(
        sa.text(
            "select p.name, e.email, e.verified_at is not null from person p join person_email e on e.person = p.id "
            "where p.id = :person order by e.verified_at nulls last, e.created_at limit 1"
        ),
        {"person": person},
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def password_of(c: sa.Connection, person: UUID) -> str | None:
    """The stored hash."""
    return c.execute(sa.text("select password_hash from person where id = :person"), {"person": person}).scalar()


def set_password(c: sa.Connection, person: UUID, password_hash: str) -> None:
    """Replace the hash."""
    c.execute(
        sa.text("update person set password_hash = :hash, updated_at = now() where id = :person"),
        {"person": person, "hash": password_hash},
    )


def verify_email(c: sa.Connection, person: UUID, email: str, now: datetime) -> bool:
    """Mark the address as this person's; False when somebody else verified it before."""
    changed = c.execute(
        sa.text(
            "update person_email set verified_at = coalesce(verified_at, :now) where person = :person "
            "and email = :email and not exists (select from person_email o where o.email = :email "
            "and o.person <> :person and o.verified_at is not null) returning 1"
        ),
        {"person": person, "email": email, "now": now},
    ).scalar()
    return changed is not None


def insert_session(
    c: sa.Connection,
    session: UUID,
    person: UUID,
    token_hash: bytes,
    user_agent: str,
    address: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A new base-host session."""
    c.execute(
        sa.text(
            "insert into person_session (id, person, token_hash, user_agent, address, created_at, seen_at, expires_at) "
            "values (:id, :person, :hash, :agent, :address, :now, :now, :expires)"
        ),
        {
            "id": session,
            "person": person,
            "hash": token_hash,
            "agent": user_agent,
            "address": address,
            "now": now,
            "expires": expires_at,
        },
    )


def live_session(c: sa.Connection, token_hash: bytes, now: datetime, idle_since: datetime) -> Any:
    """Session id, person, name, email, created_at, seen_at; None when unknown, idle too long or expired."""
    return c.execute(
        sa.text(
            "select s.id, s.person, p.name, e.email, s.created_at, s.seen_at from person_session s "
            "join person p on p.id = s.person cross join lateral (select email from person_email where person = p.id "
            "order by verified_at nulls last, created_at limit 1) e "
            "where s.token_hash = :hash and s.expires_at > :now and s.seen_at > :idle"
        ),
        {"hash": token_hash, "now": now, "idle": idle_since},
    ).one_or_none()


def touch_session(c: sa.Connection, session: UUID, now: datetime) -> None:
    """Push the idle time on."""
    c.execute(sa.text("update person_session set seen_at = :now where id = :id"), {"id": session, "now": now})


def sessions_of(c: sa.Connection, person: UUID, now: datetime, idle_since: datetime) -> list[SessionRow]:
    """A person's live sessions, the last used first."""
    rows = c.execute(
        sa.text(
            "select id, user_agent, address, created_at, seen_at, expires_at from person_session "
            "where person = :person and expires_at > :now and seen_at > :idle order by seen_at desc"
        ),
        {"person": person, "now": now, "idle": idle_since},
    )
    return [SessionRow(*row) for row in rows]


def delete_session(c: sa.Connection, person: UUID, session: UUID) -> bool:
    """End one session of this person."""
    return (
        c.execute(
            sa.text("delete from person_session where id = :id and person = :person returning 1"),
            {"id": session, "person": person},
        ).scalar()
        is not None
    )


def delete_session_by_token(c: sa.Connection, token_hash: bytes) -> tuple[UUID, UUID] | None:
    """End the session with that token; (id, person) of it."""
    row = c.execute(
        sa.text("delete from person_session where token_hash = :hash returning id, person"), {"hash": token_hash}
    ).first()
    return None if row is None else (row[0], row[1])


def delete_sessions(c: sa.Connection, person: UUID, but: UUID | None = None) -> list[UUID]:
    """End all sessions of a person, except one; which they were."""
    return list(
        c.execute(
            sa.text("delete from person_session where person = :person and id is distinct from :but returning id"),
            {"person": person, "but": but},
        ).scalars()
    )


def insert_token(
    c: sa.Connection, token_hash: bytes, person: UUID, purpose: str, email: str, expires_at: datetime
) -> None:
    """A single-use token (``verify`` or ``reset``); older ones of the purpose are void."""
    c.execute(
        sa.text("delete from person_token where person = :person and purpose = :purpose"),
        {"person": person, "purpose": purpose},
    )
    c.execute(
        sa.text(
            "insert into person_token (token_hash, person, purpose, email, expires_at) "
            "values (:hash, :person, :purpose, :email, :expires)"
        ),
        {"hash": token_hash, "person": person, "purpose": purpose, "email": email, "expires": expires_at},
    )


def peek_token(c: sa.Connection, token_hash: bytes, purpose: str, now: datetime) -> tuple[UUID, str] | None:
    """Person and address of a live token, left in place."""
    row = c.execute(
        sa.text(
            "select person, email from person_token where token_hash = :hash and purpose = :purpose "
            "and expires_at > :now"
        ),
        {"hash": token_hash, "purpose": purpose, "now": now},
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def take_token(c: sa.Connection, token_hash: bytes, purpose: str, now: datetime) -> tuple[UUID, str] | None:
    """Person and address of a live token, which is gone then: two takers, one winner."""
    row = c.execute(
        sa.text(
            "delete from person_token where token_hash = :hash and purpose = :purpose and expires_at > :now "
            "returning person, email"
        ),
        {"hash": token_hash, "purpose": purpose, "now": now},
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def workspaces_of(c: sa.Connection, person: UUID) -> list[WorkspaceRow]:
    """The active workspaces of a person, by name."""
    rows = c.execute(
        sa.text(
            "select m.tenant, m.member, m.role, t.slug, t.name, d.host, t.pod from membership m "
            "join tenant t on t.id = m.tenant join domain d on d.tenant = t.id and d.kind = 'primary' "
            "where m.person = :person and t.status = 'active' order by lower(t.name), t.id"
        ),
        {"person": person},
    )
    return [WorkspaceRow(*row) for row in rows]


def put_membership(c: sa.Connection, person: UUID, tenant: UUID, member: UUID, role: str) -> None:
    """Note that a person belongs to a tenant; the tenant's member row stays the truth."""
    c.execute(
        sa.text(
            "insert into membership (person, tenant, member, role) values (:person, :tenant, :member, :role) "
            "on conflict (person, tenant) do update set member = excluded.member, role = excluded.role"
        ),
        {"person": person, "tenant": tenant, "member": member, "role": role},
    )


def drop_membership(c: sa.Connection, tenant: UUID, member: UUID) -> None:
    """Take the note back."""
    c.execute(
        sa.text("delete from membership where tenant = :tenant and member = :member"),
        {"tenant": tenant, "member": member},
    )


def insert_invitation(c: sa.Connection, row: InvitationRow) -> None:
    """A new invitation; earlier ones for the same member are revoked, those taken up too: they can't be repeated."""
    c.execute(
        sa.text(
            "update invitation set revoked_at = now() where tenant = :tenant and member = :member "
            "and revoked_at is null"
        ),
        {"tenant": row.tenant, "member": row.member},
    )
    c.execute(
        sa.text(
            "insert into invitation (id, tenant, member, email, role, invited_by, expires_at) "
            "values (:id, :tenant, :member, :email, :role, :by, :expires)"
        ),
        {
            "id": row.id,
            "tenant": row.tenant,
            "member": row.member,
            "email": row.email,
            "role": row.role,
            "by": row.invited_by,
            "expires": row.expires_at,
        },
    )


def invitation(c: sa.Connection, invitation_id: UUID) -> InvitationRow | None:
    """One invitation, whatever its state."""
    row = c.execute(
        sa.text(
            "select id, tenant, member, email, role, invited_by, created_at, expires_at, accepted_at, revoked_at "
            "from invitation where id = :id"
        ),
        {"id": invitation_id},
    ).one_or_none()
    return None if row is None else InvitationRow(*row)


def accept_invitation(c: sa.Connection, invitation_id: UUID, person: UUID, now: datetime) -> bool:
    """Spend the invitation; False when it was spent before."""
    return (
        c.execute(
            sa.text(
                "update invitation set accepted_at = :now, accepted_by = :person where id = :id "
                "and accepted_at is null and revoked_at is null and expires_at > :now returning 1"
            ),
            {"id": invitation_id, "person": person, "now": now},
        ).scalar()
        is not None
    )


def revoke_invitations(c: sa.Connection, tenant: UUID, members: Sequence[UUID]) -> None:
    """Void the invitations of members, those taken up too: they can't be repeated."""
    c.execute(
        sa.text(
            "update invitation set revoked_at = now() where tenant = :tenant and member = any(:members) "
            "and revoked_at is null"
        ),
        {"tenant": tenant, "members": list(members)},
    )


def accepted_by(c: sa.Connection, invitation_id: UUID) -> UUID | None:
    """Who took the invitation up; None when it was revoked since."""
    return c.execute(
        sa.text("select accepted_by from invitation where id = :id and revoked_at is null"), {"id": invitation_id}
    ).scalar()


def pending_invitations(c: sa.Connection, tenant: UUID) -> list[InvitationRow]:
    """What was neither taken up nor revoked, expired or not, the newest first."""
    rows = c.execute(
        sa.text(
            "select id, tenant, member, email, role, invited_by, created_at, expires_at, accepted_at, revoked_at "
            "from invitation where tenant = :tenant and accepted_at is null and revoked_at is null "
            "order by id desc limit 1000"
        ),
        {"tenant": tenant},
    )
    return [InvitationRow(*row) for row in rows]


def invitation_mail(c: sa.Connection, invitation_id: UUID, tenant: UUID, now: datetime) -> tuple[str, str, str] | None:
    """Address, inviter, workspace name of an open invitation of this tenant."""
    row = c.execute(
        sa.text(
            "select i.email, i.invited_by, t.name from invitation i join tenant t on t.id = i.tenant "
            "where i.id = :id and i.tenant = :tenant and i.accepted_at is null and i.revoked_at is null "
            "and i.expires_at > :now and t.status = 'active'"
        ),
        {"id": invitation_id, "tenant": tenant, "now": now},
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def slug_taken(c: sa.Connection, slug: str) -> bool:
    """Whether a workspace has, or ever had, this address."""
    return bool(c.execute(sa.text("select exists (select from slug where slug = :slug)"), {"slug": slug}).scalar())


def primary_host(c: sa.Connection, tenant: UUID) -> str | None:
    """The host people open the workspace at."""
    return c.execute(
        sa.text("select host from domain where tenant = :tenant and kind = 'primary'"), {"tenant": tenant}
    ).scalar()


def tenant_of_host(c: sa.Connection, host: str) -> UUID | None:
    """The active tenant that answers at a host."""
    return c.execute(
        sa.text(
            "select t.id from domain d join tenant t on t.id = d.tenant where d.host = :host and t.status = 'active'"
        ),
        {"host": host},
    ).scalar()


def tenant_name(c: sa.Connection, tenant: UUID) -> str | None:
    """A workspace's name."""
    return c.execute(sa.text("select name from tenant where id = :tenant"), {"tenant": tenant}).scalar()


def memberships_of(c: sa.Connection, person: UUID) -> list[tuple[int, UUID, UUID]]:
    """(pod, tenant, member) of every workspace of a person, closed ones too."""
    rows = c.execute(
        sa.text(
            "select t.pod, m.tenant, m.member from membership m join tenant t on t.id = m.tenant where person = :person"
        ),
        {"person": person},
    )
    return [(row[0], row[1], row[2]) for row in rows]


def drop_stale(c: sa.Connection, person: UUID, now: datetime) -> None:
    """Forget a person's sessions and links that ended by time."""
    for statement in (
        "delete from person_session where person = :person and expires_at <= :now",
        "delete from person_token where person = :person and expires_at <= :now",
    ):
        c.execute(sa.text(statement), {"person": person, "now": now})
