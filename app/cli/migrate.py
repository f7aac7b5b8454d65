"""`rapport migrate`: brings the databases to this version."""

from __future__ import annotations

import click


@click.command()
@click.option("--spares", type=click.IntRange(0), default=0, help="Make spare workspaces until there are so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def migrate(spares: int, as_json: bool) -> None:
    """Create or upgrade the control database, the pods and their tenants."""
    from app.cli.context import open_runtime
    from app.cli.outcome import emit
    from app.core.config import Config

    config = Config.from_env()
    with open_runtime(config) as runtime:
        runtime.ports.prepare(runtime, config.superuser_url if config.embedded else None)
        made = runtime.ports.keep_spares(runtime, spares) if spares else 0
    emit(
        {"migrated": True, "spares_made": made},
        as_json=as_json,
        human=lambda: click.echo("The databases are up to date."),
    )
