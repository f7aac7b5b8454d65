"""A key is worth no more than the member who made it: gone with them, never above their role."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    folder = Path(__file__).with_name("functions_0003")
    for statement in (folder / "entering.sql").read_text().split("\n--;\n"):
        # exec_driver_sql: a colon or percent sign in a function body is no bind parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    # Replacing keeps who may execute; the new function is for the others only.
    op.execute("revoke execute on function pod.weaker_role from public")
