"""The tenant's own layer of its document, what it is laid over, what the tables are called, and every change of it.

Only the engine writes these, as the schema's owner; the tenant's role reads.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The layers below the tenant's own, lowest first, by the hash of their document (pod.layer).
    "create table metadata_layer (layer text primary key, place integer not null unique, hash text not null)",
    # A leaf the tenant states; the value null takes a lower one away. base is the lower leaf it was stated over.
    """
    create table metadata_override (
        component text not null,
        path text not null,
        base jsonb,
        value jsonb,
        by uuid,
        at timestamptz not null default now(),
        primary key (component, path)
    )
    """,
    # What is called otherwise in the database than the standard says, or is hidden: tables ("column" is '') and columns
    # (by what all columns of a field begin with). Hidden ones keep their values until they are purged.
    """
    create table metadata_physical (
        "table" text not null,
        "column" text not null default '',
        component text not null,
        path text not null default '',
        type text not null,
        made_at timestamptz not null default now(),
        hidden_at timestamptz,
        sensitive boolean not null default false,
        -- The first column the field had: fields that were called alike one after the other are told apart by it.
        born text not null default '',
        primary key ("table", "column")
    )
    """,
    "create unique index metadata_physical_path on metadata_physical (component, path) where hidden_at is null",
    """
    create table metadata_change (
        id uuid primary key default uuidv7(),
        version bigint not null,
        source text not null,
        note text not null default '',
        leaves jsonb not null,
        renames jsonb not null default '[]',
        -- Of several changes made in one: what each of them was, oldest first, where names passed on the way.
        stages jsonb not null default '[]',
        physical jsonb not null default '[]',
        steps jsonb not null default '[]',
        reverts uuid references metadata_change,
        by uuid,
        at timestamptz not null default clock_timestamp()
    )
    """,
    "create index metadata_change_reverts on metadata_change (reverts) where reverts is not null",
    # What each source (settings, a key, a folder in git, a pack, an extension) stated last.
    """
    create table metadata_source (
        source text primary key,
        document jsonb not null,
        version bigint not null,
        at timestamptz not null default now()
    )
    """,
    # What a change leaves to a job: one row a piece, in order. A conversion's change is made when its work is done.
    """
    create table metadata_work (
        id uuid primary key default uuidv7(),
        change uuid references metadata_change,
        what text not null check (what in ('statement', 'convert', 'purge')),
        spec jsonb not null,
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'dropped')),
        done bigint not null default 0,
        total bigint,
        error text,
        at timestamptz not null default now()
    )
    """,
    "create index metadata_work_change on metadata_work (change)",
    "create index metadata_work_open on metadata_work (id) where state in ('queued', 'running')",
    # What names of tables and columns are made from, so that a plan shows those that applying it gives.
    "insert into setting (name, value) values ('metadata_names', to_jsonb(gen_random_uuid()))",
)

#: Tables a tenant's role may only read; rates are part of the document.
READ_ONLY = (
    "metadata_layer", "metadata_override", "metadata_physical", "metadata_change", "metadata_source", "metadata_work",
    "rate",
)  # fmt: skip


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
