"""Jobs of imports: thin shells."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.core.jobs import JobArgs, register
from app.core.relay import is_away
from app.imports.run import cancel_import, run_import
from app.imports.service import RUN_JOB, UNDO_JOB
from app.imports.undo import run_undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime

_LOG: Final = logging.getLogger("rapport.imports")
#: Seconds a restarting database is waited for without giving the job back.
_PATIENCE: Final = 300.0
_PAUSE: Final = 0.5


def cancel(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """The import's job was cancelled."""
    patiently(lambda: cancel_import(runtime, tenant, UUID(args["import"])))


#: A killed attempt costs at most one batch, so many are allowed.
@register(RUN_JOB, timeout=6 * 3600, max_attempts=100, on_cancel=cancel)
def run(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import to its end."""
    patiently(lambda: run_import(runtime, tenant, UUID(args["import"])))


@register(UNDO_JOB, timeout=3600, max_attempts=100)
def undo(runtime: Runtime, tenant: UUID, args: JobArgs) -> None:
    """Take an import back."""
    patiently(lambda: run_undo(runtime, tenant, UUID(args["import"])))


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
