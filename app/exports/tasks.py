"""Jobs of exports: thin shells."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.core import clock
from app.core.jobs import JobArgs, register
from app.core.jobs.schedules import schedules
from app.exports import files, repository
from app.exports.run import end_export, run_export
from app.exports.service import KEPT, RUN_JOB
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from app.core.ports import Runtime

SWEEP_JOB: Final = "exports.sweep"
_SWEPT_AT_ONCE: Final = 20


def cancel(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """The export's job was cancelled."""
    end_export(runtime, tenant, UUID(args["export"]), "cancelled")


#: A killed attempt costs at most one part, so many are allowed.
@register(RUN_JOB, timeout=6 * 3600, max_attempts=100, on_cancel=cancel)
def run(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an export to its end."""
    run_export(runtime, tenant, UUID(args["export"]))


@register(SWEEP_JOB, timeout=600)
def sweep(runtime: Runtime, tenant: UUID, _args: JobArgs) -> None:
    """Throw away exports of more than a week ago, with their files."""
    before = clock.now() - KEPT
    while True:
        with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
            old = repository.old_exports(scope, before, _SWEPT_AT_ONCE)
            for export_id in old:
                runtime.storage.delete_prefix(files.folder_of(tenant, export_id))
                repository.delete_export(scope, export_id)
        if len(old) < _SWEPT_AT_ONCE:
            return


schedules.add(SWEEP_JOB, timedelta(hours=6), timedelta(hours=1))
