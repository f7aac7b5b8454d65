"""What indexed roll-ups keep: figures of records, and what came since they were added up."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # ``field`` is the key of a roll-up (it differs wherever the figure would); money is kept by currency and, where it
    # converts by its own day, by that. The row of no record says that the field's figures have been built.
    """
    create table rollup (
        field text not null,
        record_id uuid not null,
        currency text not null default '',
        day date,
        n bigint not null,
        sum numeric not null,
        unique nulls not distinct (field, record_id, currency, day)
    ) with (fillfactor = 80)
    """,
    """
    create table rollup_delta (
        field text not null,
        record_id uuid not null,
        currency text not null default '',
        day date,
        n bigint not null,
        sum numeric not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
    """,
    "create index rollup_delta_field on rollup_delta (field, record_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    op.execute("drop table rollup_delta")
    op.execute("drop table rollup")
