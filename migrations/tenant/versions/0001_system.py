"""System tables of a tenant. Run with search_path = the tenant's schema; what its role may do is granted there."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table team (
        id uuid primary key default uuidv7(),
        name text not null,
        parent uuid references team,
        manager uuid,
        created_at timestamptz not null default now()
    )
    """,
    "create unique index team_name on team (normalize(casefold(name collate pg_unicode_fast), nfc))",
    "create index team_parent on team (parent)",
    """
    create table member (
        id uuid primary key default uuidv7(),
        person uuid,
        name text not null,
        email text not null,
        role text not null,
        status text not null check (status in ('active', 'invited', 'inactive')),
        team uuid references team,
        preferences jsonb not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    )
    """,
    "create unique index member_email on member (lower(email)) where email <> ''",
    "create unique index member_person on member (person) where person is not null",
    "create index member_team on member (team)",
    "alter table team add constraint team_manager_fkey foreign key (manager) references member",
    "create index team_manager on team (manager)",
    """
    create table event (
        id uuid primary key default uuidv7(),
        at timestamptz not null default clock_timestamp(),
        actor_kind text not null,
        actor_id uuid,
        cause jsonb,
        kind text not null,
        object text not null,
        record_id uuid,
        record_version integer,
        diff jsonb,
        request_id text
    )
    """,
    "create index event_record on event (record_id, id)",
    """
    create table event_seal (
        batch bigint primary key,
        first_seq bigint not null unique,
        event_ids uuid[] not null,
        leaves bytea[] not null,
        root bytea not null,
        previous_root bytea,
        at timestamptz not null default clock_timestamp()
    )
    """,
    "create index event_seal_at on event_seal (at)",
    "create table consumer (name text primary key, seq bigint not null default 0, updated_at timestamptz not null default now())",
    """
    create table rate (
        currency text not null,
        day date not null,
        rate numeric not null check (rate > 0),
        primary key (currency, day)
    )
    """,
    """
    create table api_key (
        id uuid primary key,
        name text not null,
        role text not null,
        prefix text not null,
        created_by uuid references member,
        created_at timestamptz not null default now(),
        expires_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "create index api_key_created_by on api_key (created_by)",
    """
    create table import (
        id uuid primary key default uuidv7(),
        object text not null,
        file_name text not null,
        file_key text not null,
        options jsonb not null default '{}',
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'undone')),
        rows integer not null default 0,
        created integer not null default 0,
        updated integer not null default 0,
        skipped integer not null default 0,
        failed integer not null default 0,
        warnings integer not null default 0,
        next_row integer not null default 0,
        unmapped jsonb not null default '[]',
        error text,
        created_by uuid references member,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        undone_at timestamptz
    )
    """,
    "create index import_created_by on import (created_by)",
    """
    -- No foreign key: checking it row by row cost more than writing the row, and rows are only written under a lock on
    -- their import, which stays as long as there are any.
    create table import_row (
        import_id uuid not null,
        row integer not null,
        status text not null,
        record_id uuid,
        record_version integer,
        errors jsonb,
        primary key (import_id, row)
    )
    """,
    """
    -- A file being made or kept: its parts lie in storage, so that a killed job goes on behind the last one. ``place``
    -- is the cursor of the next page, ``seen`` what its maker's view of the records was. Whose it is: a member, a key.
    create table export (
        id uuid primary key,
        object text not null,
        options jsonb not null default '{}',
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
        total integer not null default 0,
        rows integer not null default 0,
        parts integer not null default 0,
        bytes bigint not null default 0,
        place text,
        seen text not null,
        error text,
        by_kind text not null,
        by_id uuid,
        created_at timestamptz not null default now(),
        finished_at timestamptz
    )
    """,
    "create index export_by on export (by_id, id)",
    """
    create table idempotency (
        key text primary key check (length(key) <= 255),
        request_hash bytea not null,
        status integer,
        body text,
        created_at timestamptz not null default now()
    )
    """,
    "create index idempotency_created_at on idempotency (created_at)",
    "create table setting (name text primary key, value jsonb not null, updated_at timestamptz not null default now())",
)

#: Tables a tenant's role may add to and read, never change.
APPEND_ONLY = ("event", "event_seal")


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
