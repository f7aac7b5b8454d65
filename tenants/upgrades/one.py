"""One tenant brought to a release, in one transaction under its lock; what gets in the way is tried again later."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, LiteralString, cast

import psycopg

from app.core.errors import RapportError
from tenants.locking import TenantBusy, lock_exclusively
from tenants.provisioning.migrating import tenant_revisions, tenant_statements
from tenants.provisioning.spares import Spare, drop_place, owner_transaction, restrictions

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from app.core.db import Databases
    from app.core.ports import Layers, Laying
    from tenants.provisioning.release import Connection, Release
    from tenants.scope import Tenant

#: For each lock of a statement: whoever comes behind us waits no longer for it.
_LOCK_TIMEOUT: Final = "100ms"
#: From the tenant's lock to the commit.
_TRANSACTION_TIMEOUT: Final = "1s"
#: So many attempts ask for the lock and go; later ones stand in the queue of writers for a moment.
_POLITE: Final = 4
#: How often a state may change between planning and writing in one attempt.
_ROUNDS: Final = 4

Became = Literal["done", "current", "dropped", "gone"]


class NotNowError(Exception):
    """Others are at work in the tenant; nothing was changed."""


class NotOursError(RapportError):
    """The tenant is at a version this program does not know."""

    title = "The workspace is newer than this program"


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant that is behind."""

    tenant: Tenant
    lock: int
    spare: bool
    claimed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a tenant. ``held``: seconds in which its writers had to wait."""

    became: Became
    held: float = 0.0
    steps: Sequence[str] = ()
    notices: Sequence[str] = ()
    conflicts: Sequence[object] = field(default_factory=tuple[object, ...])


def upgrade_one(databases: Databases, place: Place, release: Release, layers: Layers, attempt: int = 0) -> Result:
    """Bring a tenant's system tables and platform layer to ``release``.

    Raises:
        NotNowError: others were at work in it; try again later.
        RapportError: it can't be done.
    """
    pod = place.tenant.pod
    try:
        for _ in range(_ROUNDS):
            with owner_transaction(databases, pod) as connection:
                found = _once(connection, place, release, layers, patient=attempt >= _POLITE)
            if isinstance(found, Result):
                return found
            if found is _UNPLANNED:
                with owner_transaction(databases, pod) as connection:
                    _look_there(connection, place)
                    layers.plan(connection, place.tenant, _version(connection, place))
    except TenantBusy as error:
        raise NotNowError from error
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.QueryCanceled) as error:
        raise NotNowError from error
    except (psycopg.OperationalError, psycopg.errors.TransactionTimeout) as error:
        # The transaction's time is over, or the server restarts.
        raise NotNowError(str(error)) from error
    raise NotNowError


def look_at_one(databases: Databases, place: Place, layers: Layers) -> Laying:
    """What upgrading it would do; nothing is changed."""
    with owner_transaction(databases, place.tenant.pod) as connection:
        connection.execute("set transaction read only")
        _look_there(connection, place)
        version = _version(connection, place)
        return layers.find(connection, place.tenant, version) or layers.plan(connection, place.tenant, version)


_UNPLANNED: Final = object()
_SYSTEM: Final = object()


def _once(connection: Connection, place: Place, release: Release, layers: Layers, *, patient: bool) -> object:
    """One transaction: a result, or what has to come first."""
    _lock(connection, place, patient=patient)
    began = time.monotonic()
    connection.execute(
        "select set_config('lock_timeout', %s, true), set_config('transaction_timeout', %s, true)",
        (_LOCK_TIMEOUT, _TRANSACTION_TIMEOUT),
    )
    _look_there(connection, place)
    row = connection.execute(
        "select version, system_version, platform, state from pod.tenant where id = %s", (place.tenant.id,)
    ).fetchone()
    if row is None or row[3] == "deleting" or (row[3] == "spare") != place.spare:
        return Result("gone")
    version, system, platform, _ = row
    if system not in tenant_revisions():
        raise NotOursError("Its system tables are newer than this program.")
    if system != release.system:
        _system_tables(connection, place, system, release)
        return _SYSTEM
    if platform == release.platform:
        return Result("current")
    laying = layers.find(connection, place.tenant, version)
    if laying is None:
        connection.rollback()
        return _UNPLANNED
    if place.spare and not place.claimed and not laying.plain:
        drop_place(connection, Spare(place.tenant.id, place.tenant.schema, place.tenant.role))
        return Result("dropped")
    with _together(connection):
        laying.write(connection, version + 1, told=not place.spare)
        _note(connection, place, release)
    connection.commit()
    return Result("done", time.monotonic() - began, laying.steps, laying.notices, laying.conflicts)


@contextmanager
def _together(connection: Connection) -> Generator[None]:
    """Statements in few trips. DDL in a pipeline has psycopg forget too late what it prepared: all of it goes."""
    with connection.pipeline():
        yield
    connection.execute("deallocate all")


def _lock(connection: Connection, place: Place, *, patient: bool) -> None:
    if place.spare:
        text = "select from pod.tenant where id = %s for update skip locked"
        if connection.execute(text, (place.tenant.id,)).fetchone() is None:
            raise NotNowError
    if patient:
        lock_exclusively(connection, place.tenant.id)
        return
    row = connection.execute("select pg_try_advisory_xact_lock(1, %s)", (place.lock,)).fetchone()
    if row is None or not row[0]:
        raise NotNowError


def _look_there(connection: Connection, place: Place) -> None:
    connection.execute("select set_config('search_path', %s, true)", (f"{place.tenant.schema}, ext, pg_temp",))


def _version(connection: Connection, place: Place) -> int:
    row = connection.execute("select version from pod.tenant where id = %s", (place.tenant.id,)).fetchone()
    if row is None:
        raise NotNowError
    return int(row[0])


def _system_tables(connection: Connection, place: Place, since: str, release: Release) -> None:
    """The tables every tenant has; programs of the version before go on with what they become (ADR 34)."""
    with _together(connection):
        for statement in tenant_statements(since):
            # Text of our own migrations, one statement an execute.
            connection.execute(cast("LiteralString", statement))
        for revoke in restrictions(place.tenant.role):
            connection.execute(revoke)
        connection.execute("update pod.tenant set system_version = %s where id = %s", (release.system, place.tenant.id))


def _note(connection: Connection, place: Place, release: Release) -> None:
    """The ledger. A spare is as good as one made anew."""
    connection.execute(
        "update pod.tenant set platform = %s, version = case when state = 'spare' then version else version + 1 end,"
        " blueprint = case when state = 'spare' then %s else blueprint end where id = %s",
        (release.platform, release.blueprint, place.tenant.id),
    )
