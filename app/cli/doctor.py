"""`rapport doctor`: looks at everything an installation needs and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import EXIT_FAILED, emit
from app.core.errors import NotFound

if TYPE_CHECKING:
    from app.cli.checks import Check
    from app.core.ports import Runtime
    from app.events.audit import Audit

_SIGNS = {"ok": "ok  ", "warning": "warn", "failed": "FAIL"}


@click.command()
@click.option("--names", is_flag=True, help="Print which tenant is behind each opaque schema name instead.")
@click.option("--audit", is_flag=True, help="Check the log against its seals and anchors instead.")
@click.option("--tenant", "tenant_name", help="With --audit: only this workspace (slug or id).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(context: click.Context, names: bool, audit: bool, tenant_name: str | None, as_json: bool) -> None:
    """Check versions, logins, hardening, servers, storage and mail. Exit 1 when something must be done."""
    from app.cli.checks import examine, tenant_names
    from app.cli.context import open_runtime
    from app.core.config import Config

    if tenant_name is not None and not audit:
        raise click.UsageError("--tenant goes with --audit.")
    config = Config.from_env()
    with open_runtime(config, prepare=False) as runtime:
        if names:
            rows = tenant_names(runtime)
            emit({"data": rows}, as_json=as_json, human=lambda: _print_names(rows))
            return
        if audit:
            audits = _audit(runtime, tenant_name)
            bad = [one for one in audits if one.finding is not None]
            document = {"ok": not bad, "data": [one.document() for one in audits]}
            emit(document, as_json=as_json, human=lambda: _print_audits(audits))
            context.exit(EXIT_FAILED if bad else 0)
        checks = examine(runtime)
    failed = [check for check in checks if check.state == "failed"]
    document = {"ok": not failed, "checks": [check.document() for check in checks]}
    emit(document, as_json=as_json, human=lambda: _print(checks))
    if failed:
        context.exit(EXIT_FAILED)


def _audit(runtime: Runtime, tenant_name: str | None) -> list[Audit]:
    """The audits of the workspace named, or of all, one after the other."""
    from app.events.audit import audit_tenant, tenants_of
    from tenants.registry.directory import find_tenant

    if tenant_name is not None:
        row = find_tenant(runtime.databases, tenant_name)
        if row is None:
            raise NotFound(f"There is no workspace {tenant_name}")
        return [audit_tenant(runtime, row.id)]
    return [audit_tenant(runtime, one) for pod in runtime.ports.pods(runtime) for one in tenants_of(runtime, pod)]


def _print_audits(audits: list[Audit]) -> None:
    for one in audits:
        sign = _SIGNS["failed" if one.finding else "ok"]
        found = one.finding.text if one.finding else f"{one.events:,} events in {one.batches:,} batches fit"
        if one.erased and not one.finding:
            found += f", {one.erased:,} of them erased"
        anchored = f"anchored up to {one.anchored_seq:,}" if one.anchored_seq else "not anchored yet"
        click.echo(f"{sign}  {one.tenant}: {found}; {anchored}")


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
