"""`rapport upgrade`: brings every workspace to this version, one a transaction, while people work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from app.cli.outcome import EXIT_CONFLICT, EXIT_FAILED, emit, note

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenants.upgrades import Report

#: Seconds between two lines of progress.
_EVERY = 2.0


class _Share(click.ParamType):
    """``1%`` or ``0.01``."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a share of all."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{text} is no share: say 1% or 0.01.", param, ctx)
        if not 0 <= share <= 1:
            self.fail(f"{text} is not between 0% and 100%.", param, ctx)
        return share


@click.command()
@click.option("--pod", type=click.IntRange(1), default=None, help="Only this pod.")
@click.option("--canary", type=_Share(), default="1%", show_default=True, help="So many go first; if one fails, stop.")
@click.option("--budget", type=_Share(), default="1%", show_default=True, help="Stop when more than so many failed.")
@click.option("--workers", type=click.IntRange(1, 4), default=2, show_default=True, help="Connections to work on.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def upgrade(
    context: click.Context, pod: int | None, canary: float, budget: float, workers: int, dry_run: bool, as_json: bool
) -> None:
    """Bring system tables and standard objects of all workspaces to this version.

    Stopped or killed it goes on where it was when it is run again. Exit 1 when some failed, 4 when some were busy.
    """
    from app.cli.context import open_runtime
    from tenants.upgrades import Options
    from tenants.upgrades import upgrade as run

    with open_runtime() as runtime:
        options = Options(pod=pod, canary=canary, budget=budget, workers=workers, dry=dry_run)
        report = run(runtime, options, _progress())
    emit(report.document(), as_json=as_json, human=lambda: tell(report))
    if report.failed or report.stopped:
        context.exit(EXIT_FAILED)
    if report.skipped:
        context.exit(EXIT_CONFLICT)


def _progress() -> Callable[[Report], None]:
    """A line now and then."""
    last = time.monotonic()

    def tell_progress(report: Report) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            note(f"{report.found - report.left:,} of {report.found:,}, {len(report.failed):,} failed")

    return tell_progress


def tell(report: Report) -> None:
    """Print a report for people."""
    for step, count in sorted(report.steps.items()):
        click.echo(f"  {step} in {count:,}")
    for name, conflicts in sorted(report.conflicts.items()):
        count = f"{len(conflicts):,} {'conflict' if len(conflicts) == 1 else 'conflicts'}"
        click.echo(f"workspace {name}: {count}, for its admins (rapport metadata conflicts)")
    for one in (*report.failed, *report.skipped):
        click.echo(f"workspace {one.tenant} in pod {one.pod}: {one.reason}")
    verb = "would be brought" if report.dry else "brought"
    click.echo(
        f"{report.done:,} of {report.found:,} {verb} to this version in {report.seconds:.1f} s;"
        f" {len(report.skipped):,} skipped, {len(report.failed):,} failed, {report.left:,} not tried;"
        f" longest wait {report.longest_wait * 1000:.0f} ms"
    )
    if report.stopped:
        click.echo(f"Stopped: {report.stopped}.")
