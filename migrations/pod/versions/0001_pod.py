"""Schema ``pod``: tenants, hosts, credentials, outbox, jobs. Nobody but its owner may read them; see 0002."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "revoke all on schema pod from public",
    "alter default privileges in schema pod revoke execute on functions from public",
    "alter default privileges revoke execute on functions from public",
    """
    create table pod.tenant (
        id uuid primary key default uuidv7(),
        schema text not null unique,
        role text not null unique,
        lock integer not null unique default (('x' || left(replace(gen_random_uuid()::text, '-', ''), 8))::bit(32)::int),
        slug text,
        name text,
        currency text,
        timezone text,
        locale text,
        version bigint not null default 1,
        system_version text not null,
        platform text,
        blueprint text not null,
        state text not null check (state in ('spare', 'active', 'suspended', 'deleting')),
        claim uuid unique,
        created_at timestamptz not null default now(),
        state_at timestamptz not null default now(),
        check (state = 'spare' or state = 'deleting' or num_nulls(slug, name, currency, timezone, locale) = 0)
    )
    """,
    "comment on column pod.tenant.claim is 'the ledger entry that took this spare: a step run twice finds the same one'",
    "create index tenant_spare on pod.tenant (id) where state = 'spare' and claim is null",
    """
    create table pod.host (
        host text primary key check (host = lower(host)),
        tenant uuid not null references pod.tenant on delete cascade,
        kind text not null check (kind in ('primary', 'custom', 'redirect')),
        created_at timestamptz not null default now()
    )
    """,
    "create index host_tenant on pod.host (tenant)",
    "create unique index host_primary on pod.host (tenant) where kind = 'primary'",
    """
    create table pod.credential (
        id uuid primary key default uuidv7(),
        kind text not null check (kind in ('session', 'key', 'ticket', 'support', 'support_ticket')),
        hash bytea not null unique check (octet_length(hash) = 32),
        tenant uuid not null references pod.tenant on delete cascade,
        member uuid,
        support uuid,
        role text,
        name text not null default '',
        browser bytea,
        host text,
        user_agent text not null default '',
        address text not null default '',
        idle interval,
        origin uuid,
        created_at timestamptz not null default now(),
        seen_at timestamptz not null default now(),
        expires_at timestamptz,
        check (kind <> 'key' or role is not null),
        check (kind = 'key' or (num_nonnulls(member, support) = 1 and expires_at is not null)),
        check (starts_with(kind, 'support') = (support is not null))
    )
    """,
    "comment on column pod.credential.support is 'the tenant''s own grant, which says until when it opens and for what'",
    "comment on column pod.credential.origin is 'the session of the base host a ticket and its session came from'",
    "create index credential_tenant on pod.credential (tenant, member)",
    """
    create table pod.outbox (
        id uuid primary key default uuidv7(),
        tenant text not null default current_user,
        events uuid[] not null
    )
    """,
    "create index outbox_tenant on pod.outbox (tenant, id)",
    """
    create table pod.job (
        id uuid primary key default uuidv7(),
        tenant text not null default current_user,
        name text not null,
        args jsonb not null default '{}',
        run_at timestamptz not null default now(),
        state text not null default 'waiting' check (state in ('waiting', 'rung', 'running', 'failed')),
        attempt integer not null default 0,
        lease_until timestamptz,
        error text,
        created_at timestamptz not null default now(),
        cancelled boolean not null default false,
        done bigint,
        total bigint,
        yields integer not null default 0
    )
    """,
    "comment on column pod.tenant.platform is 'the hash of the platform layer it is laid over: metadata_layer, place 0'",
    # Documents of layers by their hash: stored once a pod, pinned by its tenants (metadata_layer).
    "create table pod.layer (hash text primary key, layer text not null, document jsonb not null, made_at timestamptz not null default now())",
    # What programs brought this pod to their version; the newest is in force. An older one leaves spares and tenants be.
    """
    create table pod.release (
        blueprint text primary key,
        platform text not null references pod.layer,
        system_version text not null,
        at timestamptz not null default clock_timestamp()
    )
    """,
    "create table pod.schedule (name text primary key, slot timestamptz not null)",
    "create index job_due on pod.job (run_at) where state = 'waiting'",
    "create index job_leased on pod.job (lease_until) where state in ('rung', 'running')",
    "create index job_tenant on pod.job (tenant)",
    "grant usage on schema pod to rapport_app, rapport_tenant",
    "grant insert (events) on pod.outbox to rapport_tenant",
    "grant insert (id, name, args, run_at) on pod.job to rapport_tenant",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
