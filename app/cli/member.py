"""``rapport member``: invite colleagues, list members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.context import open_runtime
from app.cli.outcome import emit
from app.core.errors import NotFound
from tenants.identity import invitations, members
from tenants.registry.directory import TenantRow, find_tenant
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.identity.members import MemberRow


@click.group()
def member() -> None:
    """People of a workspace."""


@member.command()
@click.option("--tenant", "tenant_name", required=True, metavar="SLUG|ID", help="The workspace.")
@click.option("--email", required=True, help="Whom to invite.")
@click.option("--role", default="member", show_default=True, help="A standard role or one of the workspace's own.")
@click.option("--name", default="", help="Claims the imported member of that name, or names a new one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def invite(tenant_name: str, email: str, role: str, name: str, as_json: bool) -> None:
    """Invite somebody by mail and print the link."""
    with open_runtime() as runtime:
        tenant = _tenant(runtime, tenant_name)
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
            made = invitations.invite(runtime, scope, email=email, role=role, name=name)
    document = {"invitation": made.public()}
    emit(document, as_json=as_json, human=lambda: click.echo(f"Invited {made.email} as {made.role}\n{made.url}"))


@member.command(name="list")
@click.option("--tenant", "tenant_name", required=True, metavar="SLUG|ID", help="The workspace.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def list_(tenant_name: str, as_json: bool) -> None:
    """Everybody in a workspace."""
    with open_runtime() as runtime:
        tenant = _tenant(runtime, tenant_name)
        rows: list[MemberRow] = []
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
            after = None
            while True:
                page, after = members.list_members(scope, limit=200, after=after)
                rows += page
                if after is None:
                    break

    def human() -> None:
        for row in rows:
            click.echo(f"{row.name:30} {row.email:40} {row.role:10} {row.status}")

    emit({"data": [row.public() for row in rows]}, as_json=as_json, human=human)


def _tenant(runtime: Runtime, slug_or_id: str) -> TenantRow:
    found = find_tenant(runtime.databases, slug_or_id)
    if found is None:
        raise NotFound(f"There is no workspace {slug_or_id}.")
    return found
