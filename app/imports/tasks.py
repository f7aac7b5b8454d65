"""Jobs of imports: thin shells."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.core import clock
from app.core.jobs import JobArgs, register
from app.core.jobs.schedules import schedules
from app.core.relay import is_away
from app.imports import repository
from app.imports.run import cancel_import, run_import
from app.imports.service import RUN_JOB, UNDO_JOB
from app.imports.stored import Starter
from app.imports.undo import run_undo, stop_undo
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime

_LOG: Final = logging.getLogger("rapport.imports")
#: Seconds a restarting database is waited for without giving the job back.
_PATIENCE: Final = 300.0
_PAUSE: Final = 0.5
SWEEP_JOB: Final = "imports.sweep"
#: A draft that nobody started for so long is thrown away.
DRAFTS_KEPT: Final = timedelta(days=7)
_SWEPT_AT_ONCE: Final = 20


def cancel(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """The import's job was cancelled."""
    patiently(lambda: cancel_import(runtime, tenant, UUID(args["import"])))


#: A killed attempt costs at most one batch, so many are allowed.
@register(RUN_JOB, timeout=6 * 3600, max_attempts=100, on_cancel=cancel)
def run(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import to its end."""
    patiently(lambda: run_import(runtime, tenant, UUID(args["import"])))


def cancel_undo(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """The undo's job was cancelled."""
    patiently(lambda: stop_undo(runtime, tenant, UUID(args["import"])))


@register(UNDO_JOB, timeout=3600, max_attempts=100, on_cancel=cancel_undo)
def undo(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import back. ``by`` names who asked when the import was still running then."""
    asked = args.get("by")
    by = Starter(asked["kind"], UUID(asked["id"]) if asked["id"] else None, "") if asked else None
    patiently(lambda: run_undo(runtime, tenant, UUID(args["import"]), by))


@register(SWEEP_JOB, timeout=600)
def sweep(runtime: Runtime, tenant: UUID, _args: JobArgs) -> None:
    """Throw away drafts that nobody started within a week, with their files."""
    before = clock.now() - DRAFTS_KEPT
    while True:
        with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
            drafts = repository.old_drafts(scope, before, _SWEPT_AT_ONCE)
            for import_id, key in drafts:
                runtime.storage.delete(key)
                repository.delete_import(scope, import_id)
        if len(drafts) < _SWEPT_AT_ONCE:
            return


schedules.add(SWEEP_JOB, timedelta(days=1), timedelta(hours=2))


def patiently(act: Callable[[], None]) -> None:
    """Run ``act`` again while the database is away: it goes on where the last committed batch ended."""
    away_since: float | None = None
    while True:
        try:
            return act()
        except Exception as error:
            now = time.monotonic()
            away_since = away_since or now
            if not is_away(error) or now - away_since > _PATIENCE:
                raise
            _LOG.warning("the database is away; the import waits")
            time.sleep(_PAUSE)
