"""Roles, teams one belongs to, sharing. What a fresh workspace leaves empty costs nothing to read."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A role of the workspace's own; the standard ones are app/access/roles/*.yaml.
    """
    create table role (
        name text primary key,
        label text not null,
        help text not null default '',
        spec jsonb not null,
        updated_at timestamptz not null default now()
    )
    """,
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
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
