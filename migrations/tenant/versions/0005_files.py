"""Files people and programs uploaded. What is in them lies in storage; fields of type file and image point here."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # ``type`` was found out by looking into the file where that can be told. ``unused_since``: nothing points to it, as
    # far as the sweep that looks for that knows; it is thrown away a day later. Whose it is: a member, a key.
    """
    create table file (
        id uuid primary key,
        name text not null check (name <> ''),
        type text not null check (type <> ''),
        size bigint not null check (size >= 0),
        sha256 bytea not null,
        storage_key text not null,
        by_kind text not null,
        by_id uuid,
        at timestamptz not null default now(),
        unused_since timestamptz default now()
    )
    """,
    "create index file_unused on file (unused_since) where unused_since is not null",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Take it away."""
    op.execute("drop table file")
