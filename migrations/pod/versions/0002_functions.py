"""The closed list of ways in: SECURITY DEFINER functions, each with its own search_path, for rapport_app only."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: One file a topic; functions are split at the marker because a statement at a time is sent.
FILES = ("entering", "credentials", "support", "tenants", "log", "jobs")


def upgrade() -> None:
    folder = Path(__file__).with_name("functions_0002")
    for name in FILES:
        for statement in (folder / f"{name}.sql").read_text().split("\n--;\n"):
            # exec_driver_sql: a colon or percent sign in a function body is no bind parameter.
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    op.execute("revoke execute on all functions in schema pod from public")
    op.execute("grant execute on all functions in schema pod to rapport_app")
    # Only the definer functions call them.
    op.execute("revoke execute on function pod.key_role, pod.support_until from rapport_app")
