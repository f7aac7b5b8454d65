"""`rapport doctor`: looks at everything an installation needs and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import EXIT_FAILED, emit

if TYPE_CHECKING:
    from app.cli.checks import Check

_SIGNS = {"ok": "ok  ", "warning": "warn", "failed": "FAIL"}


@click.command()
@click.option("--names", is_flag=True, help="Print which tenant is behind each opaque schema name instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(context: click.Context, names: bool, as_json: bool) -> None:
    """Check versions, logins, hardening, servers, storage and mail. Exit 1 when something must be done."""
    from app.cli.checks import examine, tenant_names
    from app.cli.context import open_runtime
    from app.core.config import Config

    config = Config.from_env()
    with open_runtime(config, prepare=False) as runtime:
        if names:
            rows = tenant_names(runtime)
            emit({"data": rows}, as_json=as_json, human=lambda: _print_names(rows))
            return
        checks = examine(runtime)
    failed = [check for check in checks if check.state == "failed"]
    document = {"ok": not failed, "checks": [check.document() for check in checks]}
    emit(document, as_json=as_json, human=lambda: _print(checks))
    if failed:
        context.exit(EXIT_FAILED)


def _print(checks: list[Check]) -> None:
    for check in checks:
        click.echo(f"{_SIGNS[check.state]}  {check.name}: {check.found}")
        if check.remedy:
            click.echo(f"      → {check.remedy}")
    failed = sum(check.state == "failed" for check in checks)
    click.echo("Everything is as it should be." if not failed else f"{failed} things must be done.")


def _print_names(rows: list[dict[str, str]]) -> None:
    for row in rows:
        click.echo(f"{row['schema']}  {row['tenant']}  {row['slug']}")
