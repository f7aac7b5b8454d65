"""The tenant's lock: writers share it (pod.enter takes it), whoever changes version or state holds it alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

from app.core.errors import Conflict

if TYPE_CHECKING:
    from uuid import UUID

    Connection = psycopg.Connection[tuple[Any, ...]]

_POLLS: Final = 20
_PAUSE: Final = 0.025
_QUEUED_TRIES: Final = 2


class TenantBusy(Conflict):
    """Writers kept the lock; nothing was changed."""

    code = "metadata.busy"
    title = "The workspace is busy"


def lock_exclusively(connection: Connection, tenant: UUID) -> bool:
    """Hold the tenant's lock alone until the transaction ends; False when the pod has no such tenant.

    Polls first, which queues nobody; then at most two tries of 200 ms stand in the queue, where writers that come later
    wait behind them.

    Raises:
        TenantBusy: writers did not let go.
    """
    row = connection.execute("select lock from pod.tenant where id = %s", (tenant,)).fetchone()
    if row is None:
        return False
    for attempt in range(_POLLS):
        if attempt:
            time.sleep(_PAUSE)
        got = connection.execute("select pg_try_advisory_xact_lock(1, %s)", row).fetchone()
        if got is not None and got[0]:
            return True
    for _ in range(_QUEUED_TRIES):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', '200ms', true)")
                connection.execute("select pg_advisory_xact_lock(1, %s)", row)
        except psycopg.errors.LockNotAvailable:
            continue
        return True
    raise TenantBusy("Others are writing in this workspace at the moment; try again")
