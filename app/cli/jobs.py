"""`rapport jobs`: what waits, runs or has been given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.outcome import emit
from app.core.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.jobs.admin import JobRow


@click.group()
def jobs() -> None:
    """Background jobs."""


@jobs.command("list")
@click.option("--state", type=click.Choice(["waiting", "rung", "running", "failed"]), help="Only jobs in this state.")
@click.option("--tenant", default="", help="Only this workspace's jobs; its slug or id.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_jobs(state: str | None, tenant: str, limit: int, as_json: bool) -> None:
    """List jobs that have not ended well yet, oldest first, the newest ones when there are more."""
    from app.cli.context import open_runtime
    from app.core.jobs import admin
    from tenants.registry.directory import find_tenant

    with open_runtime() as runtime:
        rows: list[JobRow] = []
        one = find_tenant(runtime.databases, tenant) if tenant else None
        if tenant and one is None:
            raise NotFound(f"There is no workspace {tenant}")
        for pod in runtime.ports.pods(runtime):
            rows += admin.list_jobs(runtime.databases.pod(pod), state=state, tenant=one and one.id, limit=limit)
    rows = sorted(rows, key=lambda row: row.id)[-limit:]

    def table() -> None:
        for row in rows:
            more = f"  {row.progress:.0%}" if row.progress is not None else ""
            more += "  cancelled" if row.cancelled else ""
            more += f"  {row.error}" if row.error else ""
            click.echo(
                f"{row.id}  {row.state:8} {row.name:24} attempts {row.attempts}  {row.run_at:%Y-%m-%d %H:%M}{more}"
            )
        if not rows:
            click.echo("No jobs.")

    emit({"data": [row.document() for row in rows]}, as_json=as_json, human=table)


@jobs.command()
@click.argument("job_ids", type=click.UUID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every job that was given up.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def replay(job_ids: tuple[UUID, ...], everything: bool, as_json: bool) -> None:
    """Give failed jobs another series of attempts."""
    from app.cli.context import open_runtime
    from app.core.jobs import admin, wake

    if bool(job_ids) == everything:
        raise click.UsageError("Name the jobs, or say --all.")
    with open_runtime() as runtime:
        replayed: list[UUID] = []
        for pod in runtime.ports.pods(runtime):
            engine = runtime.databases.pod(pod)
            wanted = [row.id for row in admin.list_jobs(engine, state="failed")] if everything else job_ids
            replayed += admin.replay(engine, wanted)
        wake(runtime.redis)
    missing = set(job_ids) - set(replayed)
    if missing:
        raise NotFound(f"No failed job {', '.join(sorted(map(str, missing)))}")
    document = {"data": [{"id": str(job)} for job in replayed]}
    emit(document, as_json=as_json, human=lambda: click.echo(f"{_count(replayed)} will run again."))


@jobs.command()
@click.argument("job_ids", type=click.UUID, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def cancel(job_ids: tuple[UUID, ...], as_json: bool) -> None:
    """Cancel jobs: waiting ones do not begin, an import that runs ends after its present batch."""
    from app.cli.context import open_runtime
    from app.core.jobs import admin, wake

    with open_runtime() as runtime:
        cancelled: list[UUID] = []
        for pod in runtime.ports.pods(runtime):
            cancelled += admin.cancel(runtime.databases.pod(pod), job_ids)
        wake(runtime.redis)
    missing = set(job_ids) - set(cancelled)
    if missing:
        raise NotFound(f"No job {', '.join(sorted(map(str, missing)))}")
    document = {"data": [{"id": str(job)} for job in cancelled]}
    emit(document, as_json=as_json, human=lambda: click.echo(f"{_count(cancelled)} cancelled."))


def _count(found: list[UUID]) -> str:
    return "1 job" if len(found) == 1 else f"{len(found)} jobs"
