"""Jobs of imports: thin shells."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.core.jobs import JobArgs, register
from app.imports.run import run_import
from app.imports.service import RUN_JOB, UNDO_JOB
from app.imports.undo import run_undo

if TYPE_CHECKING:
    from app.core.ports import Runtime


#: A killed attempt costs at most one batch, so many are allowed.
@register(RUN_JOB, timeout=6 * 3600, max_attempts=100)
def run(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import to its end."""
    run_import(runtime, tenant, UUID(args["import"]))


@register(UNDO_JOB, timeout=3600, max_attempts=100)
def undo(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import back."""
    run_undo(runtime, tenant, UUID(args["import"]))
