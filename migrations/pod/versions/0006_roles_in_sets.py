"""Entering tells every role of a member, and of a key also its maker's: rights are their union, and what both hold."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: What an entry gives grew, so the functions are made anew.
REPLACED = ("enter(text, bytea, boolean)", "enter_job(uuid, text, uuid, boolean)", "weaker_role(text, text)")
FOR_THE_LOGIN = ("enter(text, bytea, boolean)", "enter_job(uuid, text, uuid, boolean)", "bump_version(uuid)")


def upgrade() -> None:
    for function in REPLACED:
        op.execute(f"drop function pod.{function}")
    folder = Path(__file__).with_name("functions_0006")
    for statement in (folder / "entering.sql").read_text().split("\n--;\n"):
        # exec_driver_sql: a colon or percent sign in a function body is no bind parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    op.execute("revoke execute on function pod.key_role from public")
    for function in FOR_THE_LOGIN:
        op.execute(f"revoke execute on function pod.{function} from public")
        op.execute(f"grant execute on function pod.{function} to rapport_app")
