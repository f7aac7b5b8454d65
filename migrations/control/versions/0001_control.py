"""The control database: pods, tenants, people, the index of memberships, ledgers."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table pod (
        number integer primary key check (number > 0),
        app_url text not null,
        owner_url text not null,
        hardening text not null check (hardening in ('strict', 'managed')),
        state text not null default 'open' check (state in ('open', 'full', 'closed')),
        created_at timestamptz not null default now()
    )
    """,
    "comment on column pod.app_url is 'encrypted with the installation''s secret key'",
    """
    create table tenant (
        id uuid primary key,
        pod integer not null references pod,
        slug text not null,
        name text not null,
        currency text not null,
        timezone text not null,
        locale text not null,
        status text not null check (status in ('active', 'suspended', 'deleting', 'deleted')),
        created_at timestamptz not null default now(),
        status_at timestamptz not null default now()
    )
    """,
    "create unique index tenant_slug on tenant (slug)",
    "create index tenant_pod on tenant (pod)",
    """
    create table slug (
        slug text primary key,
        tenant uuid,
        ledger uuid,
        created_at timestamptz not null default now()
    )
    """,
    "comment on table slug is 'every slug ever given out: one of a deleted or renamed tenant is not given out again'",
    """
    create table domain (
        host text primary key check (host = lower(host)),
        tenant uuid not null references tenant on delete cascade,
        kind text not null check (kind in ('primary', 'custom', 'redirect')),
        verified_at timestamptz,
        created_at timestamptz not null default now()
    )
    """,
    "create index domain_tenant on domain (tenant)",
    """
    create table person (
        id uuid primary key default uuidv7(),
        name text not null,
        password_hash text,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    )
    """,
    """
    create table person_email (
        person uuid not null references person on delete cascade,
        email text not null,
        verified_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (person, email)
    )
    """,
    "create index person_email_email on person_email (email)",
    "create unique index person_email_verified on person_email (email) where verified_at is not null",
    """
    create table person_session (
        id uuid primary key,
        person uuid not null references person on delete cascade,
        token_hash bytea not null unique check (octet_length(token_hash) = 32),
        user_agent text not null default '',
        address text not null default '',
        created_at timestamptz not null default now(),
        seen_at timestamptz not null default now(),
        expires_at timestamptz not null
    )
    """,
    "create index person_session_person on person_session (person)",
    """
    create table person_token (
        token_hash bytea primary key check (octet_length(token_hash) = 32),
        person uuid not null references person on delete cascade,
        purpose text not null check (purpose in ('verify', 'reset')),
        email text not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null
    )
    """,
    "create index person_token_person on person_token (person, purpose)",
    """
    create table membership (
        person uuid not null references person on delete cascade,
        tenant uuid not null references tenant on delete cascade,
        member uuid not null,
        role text not null,
        created_at timestamptz not null default now(),
        primary key (person, tenant)
    )
    """,
    "comment on table membership is 'an index that can be rebuilt; the truth is the tenant''s member row'",
    "create index membership_tenant on membership (tenant, member)",
    """
    create table invitation (
        id uuid primary key,
        tenant uuid not null references tenant on delete cascade,
        member uuid not null,
        email text not null,
        role text not null,
        invited_by text not null default '',
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        accepted_at timestamptz,
        accepted_by uuid references person on delete set null,
        revoked_at timestamptz
    )
    """,
    "create index invitation_tenant on invitation (tenant, member)",
    "create index invitation_accepted_by on invitation (accepted_by)",
    """
    create table ledger (
        id uuid primary key,
        kind text not null,
        tenant uuid,
        args jsonb not null default '{}',
        state text not null default 'running' check (state in ('running', 'undoing', 'done', 'undone')),
        error text,
        attempts integer not null default 0,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    )
    """,
    "create index ledger_running on ledger (updated_at) where state in ('running', 'undoing')",
    "grant usage on schema public to rapport_app",
    "grant select, insert, update, delete on all tables in schema public to rapport_app",
    "alter default privileges in schema public grant select, insert, update, delete on tables to rapport_app",
    "revoke insert, update, delete on migration from rapport_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
