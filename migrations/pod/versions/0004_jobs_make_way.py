"""Jobs can be cancelled, say how far they are, make way for others, and recur."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table pod.job
        add column cancelled boolean not null default false,
        add column done bigint,
        add column total bigint,
        add column yields integer not null default 0
    """,
    "create table pod.schedule (name text primary key, slot timestamptz not null)",
    "drop function pod.start_job(uuid)",
    "drop function pod.list_jobs(text, integer)",
)
FUNCTIONS = (
    "start_job(uuid)",
    "list_jobs(text, integer)",
    "progress_job(uuid, integer, bigint, bigint)",
    "yield_job(uuid, integer)",
    "cancel_job(uuid)",
    "tick(text, timestamptz, interval)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    folder = Path(__file__).with_name("functions_0004")
    for statement in (folder / "jobs.sql").read_text().split("\n--;\n"):
        # exec_driver_sql: a colon or percent sign in a function body is no bind parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    for function in FUNCTIONS:
        op.execute(f"revoke execute on function pod.{function} from public")
        op.execute(f"grant execute on function pod.{function} to rapport_app")
