"""`rapport key`: API keys of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import emit
from app.core.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime


@click.group()
def key() -> None:
    """API keys of a workspace."""


@key.command()
@click.option("--tenant", required=True, help="Slug or id.")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--role", default="member", show_default=True, help="A standard role or one of the workspace's own.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]), help="When it ends (UTC day).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def create(tenant: str, name: str, role: str, expires: datetime | None, as_json: bool) -> None:
    """Make a key and show it, which happens only once."""
    from datetime import UTC

    from app.cli.context import open_runtime
    from tenants.identity.keys import create_key
    from tenants.registry.directory import find_tenant
    from tenants.scope import SYSTEM, enter_job

    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    with open_runtime() as runtime:
        row = find_tenant(runtime.databases, tenant)
        if row is None:
            raise NotFound(f"There is no workspace {tenant}")
        with enter_job(runtime.databases, row.id, actor=SYSTEM, write=True) as scope:
            made, text = create_key(scope, name, role, expires)
    document = {
        "id": str(made.id),
        "name": made.name,
        "role": made.role,
        "expires_at": None if made.expires_at is None else made.expires_at.isoformat(),
        "key": text,
    }
    emit(document, as_json=as_json, human=lambda: click.echo(text))
