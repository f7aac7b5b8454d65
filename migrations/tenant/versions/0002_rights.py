"""Roles, teams one belongs to, sharing, grants to support. What a fresh workspace leaves empty costs nothing to read."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table member add column roles text[] not null default '{}', add column manager uuid references member",
    "create index member_manager on member (manager)",
    "alter table team add column queue boolean not null default false",
    """
    create table team_member (
        team uuid not null references team on delete cascade,
        member uuid not null references member on delete cascade,
        primary key (team, member)
    )
    """,
    "create index team_member_member on team_member (member)",
    # Closures: who reaches which team, and whom. Written by one function, never by hand.
    """
    create table team_reach (
        member uuid not null references member on delete cascade,
        team uuid not null references team on delete cascade,
        primary key (member, team)
    )
    """,
    "create index team_reach_team on team_reach (team)",
    """
    create table manager_reach (
        manager uuid not null references member on delete cascade,
        member uuid not null references member on delete cascade,
        primary key (manager, member)
    )
    """,
    "create index manager_reach_member on manager_reach (member)",
    # What members reach of an object who have no further right; an object without a row is open to everyone.
    """
    create table sharing (
        object text primary key,
        read text not null default 'everyone' check (read in ('private', 'team', 'hierarchy', 'everyone')),
        edit text not null default 'everyone' check (edit in ('private', 'team', 'hierarchy', 'everyone')),
        inherit text,
        updated_at timestamptz not null default now()
    )
    """,
    """
    create table sharing_rule (
        id uuid primary key default uuidv7(),
        object text not null,
        name text not null,
        condition text not null,
        grantee_kind text not null check (grantee_kind in ('team', 'role', 'member')),
        grantee text not null,
        level text not null check (level in ('read', 'edit')),
        updated_at timestamptz not null default now()
    )
    """,
    "create index sharing_rule_object on sharing_rule (object)",
    """
    create table share (
        id uuid primary key default uuidv7(),
        object text not null,
        record_id uuid not null,
        grantee_kind text not null check (grantee_kind in ('team', 'role', 'member')),
        grantee text not null,
        level text not null check (level in ('read', 'edit')),
        collaborator boolean not null default false,
        expires_at timestamptz,
        by uuid references member on delete set null,
        at timestamptz not null default now(),
        unique (record_id, object, grantee_kind, grantee)
    )
    """,
    "create index share_grantee on share (grantee, grantee_kind, object)",
    "create index share_by on share (by)",
    "create index share_expires_at on share (expires_at) where expires_at is not null",
    # A leaving member's records on their way to a colleague or a team; the id is the job's.
    """
    create table handover (
        id uuid primary key,
        member uuid not null references member on delete cascade,
        heir_kind text not null check (heir_kind in ('member', 'team')),
        heir uuid not null,
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
        done integer not null default 0,
        total integer not null default 0,
        asked_by jsonb not null,
        asked_at timestamptz not null default now(),
        finished_at timestamptz
    )
    """,
    "create index handover_member on handover (member)",
    # Support comes in by a grant of the workspace only; pod.enter reads it at each request of theirs.
    """
    create table support_grant (
        id uuid primary key default uuidv7(),
        role text not null,
        reason text not null,
        by uuid not null references member,
        at timestamptz not null default now(),
        expires_at timestamptz not null,
        revoked_at timestamptz,
        revoked_by uuid references member,
        end_noted_at timestamptz,
        check (expires_at > at and expires_at <= at + interval '7 days')
    )
    """,
    "create index support_grant_by on support_grant (by)",
    "create index support_grant_revoked_by on support_grant (revoked_by)",
    # Who came in by it, why and how long; the id is also that of the session and of the actor in events.
    """
    create table support_visit (
        id uuid primary key,
        support_grant uuid not null references support_grant,
        name text not null,
        email text not null,
        reason text not null,
        asked_at timestamptz not null default now(),
        entered_at timestamptz,
        ended_at timestamptz
    )
    """,
    "create index support_visit_grant on support_visit (support_grant)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
