"""`rapport doctor`: looks at everything an installation needs and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import EXIT_FAILED, emit
from app.core.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from app.cli.checks import Check
    from app.core.ports import Runtime
    from app.events.audit import Audit

_SIGNS = {"ok": "ok  ", "warning": "warn", "failed": "FAIL"}


@click.command()
@click.option("--names", is_flag=True, help="Print which tenant is behind each opaque schema name instead.")
@click.option("--audit", is_flag=True, help="Check the log against its seals and anchors instead.")
@click.option("--rollups", is_flag=True, help="Compare the figures indexed roll-ups keep with the records instead.")
@click.option("--repair", is_flag=True, help="With --rollups: build those anew that are wrong.")
@click.option("--tenant", "tenant_name", help="With --audit or --rollups: only this workspace (slug or id).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(
    context: click.Context,
    names: bool,
    audit: bool,
    rollups: bool,
    repair: bool,
    tenant_name: str | None,
    as_json: bool,
) -> None:
    """Check versions, logins, hardening, servers, storage and mail. Exit 1 when something must be done."""
    from app.cli.checks import examine, tenant_names
    from app.cli.context import open_runtime
    from app.core.config import Config

    if tenant_name is not None and not (audit or rollups):
        raise click.UsageError("--tenant goes with --audit or --rollups.")
    if repair and not rollups:
        raise click.UsageError("--repair goes with --rollups.")
    config = Config.from_env()
    with open_runtime(config, prepare=False) as runtime:
        if names:
            rows = tenant_names(runtime)
            emit({"data": rows}, as_json=as_json, human=lambda: _print_names(rows))
            return
        if rollups:
            found = _rollups(runtime, tenant_name, repair=repair)
            wrong = [one for one in found if one["wrong"] and not one["repaired"]]
            emit({"ok": not wrong, "data": found}, as_json=as_json, human=lambda: _print_rollups(found))
            context.exit(EXIT_FAILED if wrong else 0)
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
    from app.events.audit import audit_tenant

    return [audit_tenant(runtime, one) for one in _tenants(runtime, tenant_name)]


def _tenants(runtime: Runtime, tenant_name: str | None) -> list[UUID]:
    """The workspace named, or all."""
    from app.events.audit import tenants_of
    from tenants.registry.directory import find_tenant

    if tenant_name is None:
        return [one for pod in runtime.ports.pods(runtime) for one in tenants_of(runtime, pod)]
    row = find_tenant(runtime.databases, tenant_name)
    if row is None:
        raise NotFound(f"There is no workspace {tenant_name}")
    return [row.id]


def _rollups(runtime: Runtime, tenant_name: str | None, *, repair: bool) -> list[dict[str, object]]:
    """The indexed roll-ups of the workspace named, or of all, whose figures are not those of the records."""
    from app.records.folding import examine

    return [
        {"tenant": str(tenant), "field": f"{one.object}.{one.field}", "wrong": one.wrong, "repaired": repair}
        for tenant in _tenants(runtime, tenant_name)
        for one in examine(runtime, tenant, repair=repair)
    ]


def _print_rollups(found: list[dict[str, object]]) -> None:
    for one in found:
        sign = _SIGNS["ok" if one["repaired"] else "failed"]
        ending = "built anew" if one["repaired"] else "run with --repair to build it anew"
        click.echo(f"{sign}  {one['tenant']}: {one['field']} is wrong for {one['wrong']} records; {ending}")
    if not found:
        click.echo("Every roll-up that is kept is what its records say.")


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
