"""The trips to the server that begin and end a transaction: several messages, one wait for their answers.

A transaction's statement is framed by BEGIN, what enters the tenant, the check that nobody left it, and COMMIT. Each on
its own is a round trip, and being woken costs both sides more than the work; libpq's pipeline sends them in pairs. What
fails in a pair makes the server skip the rest of it: a check that fails is never followed by a commit.
"""

from __future__ import annotations

import logging
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.pq.abc import PGconn, PGresult
    from sqlalchemy.pool import PoolProxiedConnection

log = logging.getLogger(__name__)

#: Seconds before a tenant is entered again whose role the server's process does not know yet.
_PAUSES: Final = (0.002, 0.02, 0.2)
#: A value as the server sends or takes it; None is NULL.
Value = bytes | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement the server keeps under a name: numbered parameters with the OIDs of their types.

    Without a name it is not kept. The driver has all that is kept dropped after a rollback, to a savepoint too: what
    must not fail for that, in the middle of a transaction, has no name.
    ``formats``: 0 = text, 1 = binary; text may hold no NUL, so what comes from outside goes as binary.
    """

    name: bytes
    text: bytes
    types: tuple[int, ...]
    formats: tuple[int, ...]


@dataclass(slots=True)
class Kept:
    """What one connection keeps: all of the statements or, until its first trip, none."""

    statements: tuple[Prepared, ...]
    there: bool = False


@dataclass(slots=True)
class Life:
    """Whether a transaction is over; one for all scopes that stand for it."""

    over: bool = False


class CheckFailedError(Exception):
    """The check before a commit failed, in the server's words; nothing was committed."""


def begin(
    connection: psycopg.Connection[Any], statement: Prepared, values: Sequence[Value], kept: Kept
) -> tuple[Value, ...] | None:
    """Begin a transaction unless one has begun, and answer the first row of ``statement``, one of the ``kept``.

    A server process hears of a role's grants a moment after the rows of the transaction that made them can be seen:
    whoever enters a tenant that is being made in that moment begins again.
    """
    fresh = connection.pgconn.transaction_status == TransactionStatus.IDLE
    for pause in _PAUSES if fresh else ():
        try:
            return _row(connection, statement, values, kept, fresh=True)
        except errors.InsufficientPrivilege:
            log.info("a role was not known yet; tried again in %s s", pause)
            rollback(connection)
            time.sleep(pause)
    return _row(connection, statement, values, kept, fresh=fresh)


def _row(
    connection: psycopg.Connection[Any], statement: Prepared, values: Sequence[Value], kept: Kept, *, fresh: bool
) -> tuple[Value, ...] | None:
    pgconn = connection.pgconn
    try:
        answer = _begin(pgconn, statement, values, kept, fresh=fresh)
    except errors.InvalidSqlStatementName:
        kept.there = False  # somebody deallocated all there was
        if not fresh:
            raise
        rollback(connection)
        answer = _begin(pgconn, statement, values, kept, fresh=True)
    if not answer.ntuples:
        return None
    return tuple([answer.get_value(0, column) for column in range(answer.nfields)])


def commit(connection: psycopg.Connection[Any], check: Prepared, values: Sequence[Value]) -> None:
    """Commit, unless ``check`` fails in the server: then it skips the commit.

    Raises CheckFailedError, and what COMMIT itself raises.
    """
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    if check.name:
        pgconn.send_query_prepared(check.name, values, check.formats)
    else:
        pgconn.send_query_params(check.text, values, check.types, check.formats)
    pgconn.send_query_params(b"COMMIT", None)
    pgconn.pipeline_sync()
    checked, committed, _ = _answers(pgconn, 3)
    pgconn.exit_pipeline_mode()
    if checked.status == ExecStatus.FATAL_ERROR:
        error = errors.error_from_result(checked)
        if isinstance(error, errors.InvalidTextRepresentation):
            raise CheckFailedError(str(error))
        raise error
    _demand(committed)


def rollback(connection: psycopg.Connection[Any]) -> bool:
    """Roll back what was begun; whether the connection may be used again.

    The driver's own way would have the server forget all prepared statements, which a rollback leaves as they are.
    """
    pgconn = connection.pgconn
    if pgconn.pipeline_status:
        return False  # broken off in the middle of a trip: what is still to come belongs to nobody
    if pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        pgconn.exec_(b"ROLLBACK")
    return pgconn.transaction_status == TransactionStatus.IDLE


def abandon(proxied: PoolProxiedConnection, connection: psycopg.Connection[Any]) -> None:
    """Roll back and return the connection; one that can't be rolled back is thrown away."""
    try:
        if rollback(connection):
            proxied.close()
            return
    except psycopg.Error:
        log.info("a connection could not be rolled back and is dropped")
    proxied.invalidate()


def _begin(pgconn: PGconn, statement: Prepared, values: Sequence[Value], kept: Kept, *, fresh: bool) -> PGresult:
    wanted = 2 + fresh
    pgconn.enter_pipeline_mode()
    if fresh:
        pgconn.send_query_params(b"BEGIN", None)
    if not kept.there:
        wanted += len(kept.statements)
        for each in kept.statements:
            pgconn.send_prepare(each.name, each.text, each.types)
    pgconn.send_query_prepared(statement.name, values, statement.formats)
    pgconn.pipeline_sync()
    answers = _answers(pgconn, wanted)
    pgconn.exit_pipeline_mode()
    # What was prepared before the last of them failed stays, as it is of no transaction.
    kept.there = kept.there or all(answer.status == ExecStatus.COMMAND_OK for answer in answers[fresh:-2])
    for answer in answers:
        _demand(answer)
    return answers[-2]


def _demand(answer: PGresult) -> None:
    if answer.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(answer)


_BAD_END: Final = "the server ended the connection"


def _answers(pgconn: PGconn, count: int) -> list[PGresult]:
    """The next ``count`` answers; each but that to a sync is followed by a None. Another thread may run meanwhile."""
    answers: list[PGresult] = []
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN)
    nothing = 0
    while len(answers) < count:
        if pgconn.is_busy():
            ready.poll()
            pgconn.consume_input()
            continue
        answer = pgconn.get_result()
        if answer is not None:
            answers.append(answer)
            nothing = 0
        elif nothing:
            raise psycopg.OperationalError(_BAD_END)
        else:
            nothing = 1
    return answers
