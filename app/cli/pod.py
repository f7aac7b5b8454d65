"""`rapport pod`: PostgreSQL clusters that hold workspaces."""

from __future__ import annotations

import click

from app.cli.outcome import emit


@click.group()
def pod() -> None:
    """PostgreSQL clusters that hold workspaces."""


@pod.command()
@click.option("--superuser-url", required=True, help="postgresql://… of a superuser of the cluster; it is not kept.")
@click.option(
    "--app-url", help="How rapport_app reaches it, with password; default: as the control database, at that host."
)
@click.option("--owner-url", help="How rapport_owner reaches it, with password; default likewise.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def init(superuser_url: str, app_url: str | None, owner_url: str | None, as_json: bool) -> None:
    """Set up a cluster as the next pod: logins, database, extensions, walls, schema.

    For the first pod of an installation the control database is made on the same cluster when it isn't there yet.
    """
    from app.cli.context import open_runtime
    from tenants.provisioning.bootstrap import init_pod

    with open_runtime() as runtime:
        number, gaps = init_pod(runtime, superuser_url, app_url=app_url, owner_url=owner_url)

    def human() -> None:
        click.echo(f"Pod {number} is ready.")
        for gap in gaps:
            click.echo(f"Stays open: {gap.what}; {gap.remedy}", err=True)

    open_ends = [{"what": gap.what, "remedy": gap.remedy} for gap in gaps]
    emit({"pod": {"number": number, "gaps": open_ends}}, as_json=as_json, human=human)


@pod.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """List the pods with how many workspaces and spares they hold."""
    from app.cli.context import open_runtime
    from tenants.registry.pods import list_pods

    with open_runtime() as runtime:
        rows = list_pods(runtime.databases)

    def human() -> None:
        for row in rows:
            click.echo(f"{row.number}  {row.state:7} {row.hardening:8} {row.tenants} workspaces, {row.spares} spares")

    data: list[dict[str, object]] = [
        {
            "number": row.number,
            "state": row.state,
            "hardening": row.hardening,
            "tenants": row.tenants,
            "spares": row.spares,
        }
        for row in rows
    ]
    emit({"data": data}, as_json=as_json, human=human)
