"""`rapport tenant`: workspaces made, looked at, closed, opened, deleted by an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import confirm, emit, note
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime
    from tenants.registry.directory import TenantRow

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_TENANT = click.argument("tenant", metavar="TENANT")


@click.group()
def tenant() -> None:
    """Workspaces. TENANT is a slug or an id."""


@tenant.command()
@click.option("--slug", required=True, help="The first part of the host name.")
@click.option("--name", required=True, help="The company's name.")
@click.option("--email", required=True, help="The owner's e-mail address.")
@click.option("--password", required=True, envvar="RAPPORT_PASSWORD", help="The owner's password, for a new address.")
@click.option("--owner-name", default="", help="The owner's name.")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217 code totals are shown in.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name, like Europe/Berlin.")
@click.option("--locale", default="en", show_default=True)
@_JSON
def create(
    slug: str,
    name: str,
    email: str,
    password: str,
    owner_name: str,
    currency: str,
    timezone: str,
    locale: str,
    as_json: bool,
) -> None:
    """Make a workspace with its first owner and an API key, which is shown only now."""
    from app.cli.context import open_runtime
    from tenants.identity import addresses, keys, people
    from tenants.provisioning.lifecycle import PersonRef, create_tenant
    from tenants.scope import Actor, enter_job

    with open_runtime() as runtime:
        address = addresses.normalise_email(email)
        people.check_password(password, address, owner_name, name, slug)
        person = people.register(runtime, name=owner_name, email=address, password=password)
        try:
            created = create_tenant(
                runtime,
                slug=slug,
                name=name,
                currency=currency,
                timezone=timezone,
                locale=locale,
                owner=PersonRef(person.id, person.name, address, new=person.new),
            )
        except BaseException:
            if person.new:
                people.forget(runtime, person.id)
            raise
        owner = Actor("member", created.member, person.name)
        with enter_job(runtime.databases, created.tenant.id, actor=owner, write=True) as scope:
            _, key = keys.create_key(scope, "First key", "owner")
        document = {
            "tenant": _brief(runtime, created.tenant),
            "member": {"id": str(created.member), "email": address},
            "api_key": key,
        }
        url = _url(runtime, created.tenant)

    def human() -> None:
        click.echo(f"{name} is ready at {url}")
        click.echo(f"API key (shown only now): {key}")

    emit(document, as_json=as_json, human=human)


@tenant.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """List all workspaces, oldest first."""
    from app.cli.context import open_runtime
    from tenants.registry.directory import list_tenants

    with open_runtime() as runtime:
        rows = list_tenants(runtime.databases)
        data = [_full(runtime, row) for row in rows]

    def human() -> None:
        for row in rows:
            click.echo(f"{row.id}  {row.status:10} {row.slug:24} {row.name}")
        if not rows:
            click.echo("No workspaces.")

    emit({"data": data}, as_json=as_json, human=human)


@tenant.command()
@_TENANT
@_JSON
def show(tenant: str, as_json: bool) -> None:
    """Show one workspace."""
    from app.cli.context import open_runtime

    with open_runtime() as runtime:
        document = _full(runtime, _find(runtime, tenant))

    def human() -> None:
        for key, value in document.items():
            click.echo(f"{key:12} {value}")

    emit({"tenant": document}, as_json=as_json, human=human)


@tenant.command()
@_TENANT
@_JSON
def suspend(tenant: str, as_json: bool) -> None:
    """Close a workspace for everybody; its data stays."""
    from tenants.provisioning.lifecycle import suspend_tenant

    _switch(tenant, suspend_tenant, as_json=as_json, done="is closed")


@tenant.command()
@_TENANT
@_JSON
def resume(tenant: str, as_json: bool) -> None:
    """Open a suspended workspace again."""
    from tenants.provisioning.lifecycle import resume_tenant

    _switch(tenant, resume_tenant, as_json=as_json, done="is open")


@tenant.command()
@_TENANT
@click.option("--yes", is_flag=True, help="Don't ask.")
@_JSON
def delete(tenant: str, yes: bool, as_json: bool) -> None:
    """Delete a workspace for good: data, files, keys, sessions. Its slug is never given out again."""
    from app.cli.context import open_runtime
    from tenants.provisioning.lifecycle import delete_tenant

    with open_runtime() as runtime:
        row = _find(runtime, tenant)
        confirm(f"Delete {row.name} ({row.slug}) with everything in it?", yes=yes)
        delete_tenant(runtime, row.id)
        document = _brief(runtime, row) | {"status": "deleted"}
    emit({"tenant": document}, as_json=as_json, human=lambda: note(f"{row.name} is deleted."))


def _switch(tenant: str, verb: Callable[..., TenantRow], *, as_json: bool, done: str) -> None:
    from app.cli.context import open_runtime

    with open_runtime() as runtime:
        row = verb(runtime, _find(runtime, tenant).id)
        document = _brief(runtime, row)
    emit({"tenant": document}, as_json=as_json, human=lambda: note(f"{row.name} {done}."))


def _find(runtime: Runtime, slug_or_id: str) -> TenantRow:
    from tenants.registry.directory import find_tenant

    row = find_tenant(runtime.databases, slug_or_id)
    if row is None:
        raise NotFound(f"There is no workspace {slug_or_id}")
    return row


def _url(runtime: Runtime, row: TenantRow) -> str:
    from tenants.registry.naming import workspace_url

    return workspace_url(runtime.config, row.host)


def _brief(runtime: Runtime, row: TenantRow) -> dict[str, object]:
    return {"id": str(row.id), "slug": row.slug, "name": row.name, "url": _url(runtime, row), "status": row.status}


def _full(runtime: Runtime, row: TenantRow) -> dict[str, object]:
    return _brief(runtime, row) | {
        "currency": row.currency,
        "timezone": row.timezone,
        "locale": row.locale,
        "pod": row.pod,
        "created_at": row.created_at.isoformat(),
    }
