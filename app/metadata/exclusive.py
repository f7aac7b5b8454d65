"""Shutting writers of one tenant out for the moment a change of its metadata takes (DESIGN §4)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg

from app.core.errors import Conflict

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection
    from psycopg.rows import TupleRow

_POLLS: Final = 40
_PAUSE: Final = 0.025
_QUEUED_TRIES: Final = 2
_TRY: Final = "select pg_try_advisory_xact_lock(1, %s)"
_QUEUE: Final = "select pg_advisory_xact_lock(1, %s)"


class MetadataBusy(Conflict):
    """Writers did not pause long enough for the change; trying again helps."""

    code = "metadata.busy"
    title = "The workspace is busy"


def lock_tenant(connection: Connection[TupleRow], tenant: UUID) -> None:
    """Hold the tenant's lock exclusively until the transaction ends.

    Polls first, which queues nobody behind us, for about a second; then waits in the queue twice for at most 200 ms,
    which makes new writers wait behind us. Raises MetadataBusy.
    """
    row = connection.execute("select lock from pod.tenant where id = %s", (tenant,)).fetchone()
    if row is None:
        raise MetadataBusy("The workspace is not on this pod any more.")
    for _ in range(_POLLS):
        got = connection.execute(_TRY, row).fetchone()
        if got is not None and got[0]:
            return
        time.sleep(_PAUSE)
    for _ in range(_QUEUED_TRIES):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', '200ms', true)")
                connection.execute(_QUEUE, row)
        except psycopg.errors.LockNotAvailable:
            continue
        return
    raise MetadataBusy("Others are writing in this workspace at the moment; please try again.")
