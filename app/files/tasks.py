"""The job of files: a thin shell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.core import clock
from app.core.jobs import JobArgs, register
from app.core.jobs.schedules import schedules
from app.files.sweeping import sweep_files, sweep_strays

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime

SWEEP_JOB: Final = "files.sweep"


@register(SWEEP_JOB, timeout=900)
def sweep(runtime: Runtime, tenant: UUID, _args: JobArgs) -> None:
    """Throw away files that nothing has pointed to for a day."""
    sweep_files(runtime, tenant, clock.now())
    sweep_strays(runtime, tenant, clock.now())


schedules.add(SWEEP_JOB, timedelta(hours=6), timedelta(hours=1))
