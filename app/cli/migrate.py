"""`rapport migrate`: brings the databases to this version."""

from __future__ import annotations

import click


@click.command()
@click.option("--spares", type=click.IntRange(0), default=0, help="Make spare workspaces until there are so many.")
@click.option(
    "--upgrade/--no-upgrade",
    "tenants",
    default=None,
    help="Bring workspaces to this version too (default: on one machine; a fleet runs `rapport upgrade`).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def migrate(spares: int, tenants: bool | None, as_json: bool) -> None:
    """Create or upgrade the control database and the pods; on one machine the workspaces too."""
    from app.cli.context import open_runtime
    from app.cli.outcome import emit, note
    from app.core.config import Config
    from tenants.upgrades import Options, behind
    from tenants.upgrades import upgrade as run

    config = Config.from_env()
    with open_runtime(config) as runtime:
        runtime.ports.prepare(runtime, config.superuser_url if config.embedded else None)
        report = run(runtime, Options()) if (config.embedded if tenants is None else tenants) else None
        made = runtime.ports.keep_spares(runtime, spares) if spares else 0
        waiting = sum(behind(runtime, pod) for pod in runtime.ports.pods(runtime))
    document = {
        "migrated": True, "spares_made": made, "behind": waiting, "upgrade": report.document() if report else None,
    }  # fmt: skip

    def human() -> None:
        click.echo("The databases are up to date.")

    if waiting:
        note(f"{waiting:,} workspaces are at another version and served as they are; see `rapport upgrade`.")
    emit(document, as_json=as_json, human=human)
