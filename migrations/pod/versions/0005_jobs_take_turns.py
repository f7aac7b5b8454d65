"""One tenant's many jobs don't fill the queue; a tenant cancels its own job."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CANCEL = "cancel_job_of(uuid, uuid)"


def upgrade() -> None:
    folder = Path(__file__).with_name("functions_0005")
    for statement in (folder / "jobs.sql").read_text().split("\n--;\n"):
        # exec_driver_sql: a colon or percent sign in a function body is no bind parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    op.execute(f"revoke execute on function pod.{CANCEL} from public")
    op.execute(f"grant execute on function pod.{CANCEL} to rapport_app")
