"""``rapport support``: which workspaces have let support in, and the way into one. Grants are made by members only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from app.cli.context import open_runtime
from app.cli.outcome import emit, note
from app.core.errors import NotFound
from tenants.identity import support as verbs
from tenants.registry.directory import TenantRow, find_tenant, list_tenants
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.identity.support import Grant


@click.group()
def support() -> None:
    """Workspaces that have let support in. Only their own members can."""


@support.command(name="list")
@click.option("--tenant", "tenant_name", metavar="SLUG|ID", help="Only this workspace, ended grants too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def list_(tenant_name: str | None, as_json: bool) -> None:
    """Open grants of all workspaces; of one workspace all grants and who came in."""
    with open_runtime() as runtime:
        if tenant_name is not None:
            rows = _grants(runtime, _tenant(runtime, tenant_name), ended=True)
        else:
            rows = []
            for one in list_tenants(runtime.databases):
                with suppress(NotFound):  # suspended or deleted, perhaps since it was listed
                    rows += _grants(runtime, one, ended=False) if one.status == "active" else []

    def human() -> None:
        for tenant, grant in rows:
            until = f"{grant.expires_at:%Y-%m-%d %H:%M} UTC"
            click.echo(f"{tenant.slug:24} {grant.status:8} {grant.role:12} until {until}  {grant.reason}  {grant.id}")
            for visit in grant.visits:
                came = f"{visit.entered_at:%Y-%m-%d %H:%M}" if visit.entered_at else "link not used"
                click.echo(f"    {visit.name} <{visit.email}>  {came}  {visit.reason}")
        if not rows:
            click.echo("Nobody has let support in.")

    emit({"data": [_document(tenant, grant) for tenant, grant in rows]}, as_json=as_json, human=human)


@support.command()
@click.option("--tenant", "tenant_name", required=True, metavar="SLUG|ID", help="The workspace.")
@click.option("--email", required=True, help="Of the person who enters; the workspace sees it.")
@click.option("--name", required=True, help="Of the person who enters; the workspace sees it.")
@click.option("--reason", required=True, help="Why; the workspace sees it.")
@click.option("--grant", "grant_id", type=click.UUID, help="By this grant, else by the open one that lasts longest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def enter(tenant_name: str, email: str, name: str, reason: str, grant_id: UUID | None, as_json: bool) -> None:
    """Print a link into a workspace that works once, for two minutes. Exit 3 without an open grant."""
    with open_runtime() as runtime:
        way = verbs.ask(runtime, _tenant(runtime, tenant_name), name=name, email=email, reason=reason, grant=grant_id)
    document: dict[str, Any] = {
        "visit": str(way.visit),
        "grant": str(way.grant.id),
        "role": way.grant.role,
        "until": way.grant.expires_at.isoformat(),
        "url": way.link,
        "url_expires_at": way.expires_at.isoformat(),
    }

    def human() -> None:
        click.echo(way.link)
        note(f"Works once, until {way.expires_at:%H:%M:%S} UTC. Access ends {way.grant.expires_at:%Y-%m-%d %H:%M} UTC.")

    emit(document, as_json=as_json, human=human)


def _grants(runtime: Runtime, tenant: TenantRow, *, ended: bool) -> list[tuple[TenantRow, Grant]]:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        found = verbs.list_grants(scope) if ended else verbs.open_grants(scope)
    return [(tenant, grant) for grant in found]


def _document(tenant: TenantRow, grant: Grant) -> dict[str, Any]:
    return {"tenant": {"id": str(tenant.id), "slug": tenant.slug, "name": tenant.name}, **grant.public()}


def _tenant(runtime: Runtime, slug_or_id: str) -> TenantRow:
    found = find_tenant(runtime.databases, slug_or_id)
    if found is None:
        raise NotFound(f"There is no workspace {slug_or_id}.")
    return found
