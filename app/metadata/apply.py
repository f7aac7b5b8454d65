"""The one way a tenant's metadata changes: plan under the tenant's lock, DDL, document and history in one transaction.

Whatever asks (settings, REST, the command, an import, a pack, an upgrade) hands in a function from state to changes.
Either all of it is there afterwards or nothing; what takes long is left to a job (``app.metadata.work``).
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

import psycopg
from psycopg.types.json import Jsonb

from app.core import clock, ids
from app.core.errors import Conflict, FieldError, NotFound
from app.metadata import conversion, history, layered, rates, roles, store
from app.metadata.ddl.shape import column_stem
from app.metadata.physical import Physical, followed
from app.metadata.plan import Plan, Situation, plan, situation
from app.metadata.problems import InvalidComponents
from app.metadata.rollups import kept
from tenants.locking import TenantBusy, lock_exclusively

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from datetime import datetime
    from uuid import UUID

    from app.core.db import Databases
    from app.metadata.changeset import Changes, State
    from tenants.scope import Actor, Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]
    #: What is wanted, worked out anew whenever the state turns out to be another.
    Wanted = Callable[[State], Changes]

WORK_JOB: Final = "metadata.work"
#: Builds what indexed roll-ups keep (``app.records.folding``); until then they are calculated by asking.
ROLLUP_JOB: Final = "records.fold_rollups"
#: Each statement waits so long for readers; then everything is taken back, writers go on, and it is tried again.
_LOCK_TIMEOUT: Final = "100ms"
_TRIES: Final = 12
_PAUSE: Final = (0.05, 0.25)


class MetadataConflict(Conflict):
    """Somebody else changed the same meanwhile; ``extra["changed"]`` tells what."""

    code = "metadata.conflict"
    title = "Somebody else changed the same"


class NeedsConfirmation(Conflict):
    """Something would be lost and nobody said that it may be; ``extra["steps"]`` tells what."""

    code = "metadata.confirm"
    title = "This takes data away"


class MetadataBlocked(Conflict):
    """Something else would stop working, or a question is open; ``extra`` tells what."""

    code = "metadata.blocked"
    title = "This can't be applied as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who applies what, from where. ``base``: the version the plan that was agreed to was made at."""

    source: str
    by: Actor
    member: UUID | None = None
    note: str = ""
    confirm: bool = False
    base: int | None = None
    reverts: UUID | None = None
    request_id: str = ""
    #: Whether what the source states becomes its last-applied set.
    keeps: bool = True
    #: (table, column) of columns that a job has filled → since when written rows are still to be converted.
    filled: Mapping[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], "datetime"])

    @property
    def whose(self) -> UUID | None:
        """The member behind it: of a key the one who made it."""
        return self.by.id if self.by.kind == "member" else self.member


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of it; ``change`` is None when there was nothing to do."""

    plan: Plan
    version: int
    change: UUID | None = None
    work: tuple[UUID, ...] = field(default_factory=tuple)
    #: A job fills columns first; then everything is applied at once.
    deferred: bool = False


def apply(databases: Databases, tenant: Tenant, wanted: Wanted, request: Request) -> Applied:
    """Make ``wanted`` true. Never call it inside a write scope of the same tenant: it waits for writers.

    Raises:
        InvalidComponents: something wanted is wrong.
        MetadataBlocked: a dependant would break, or a question is open.
        MetadataConflict: what the agreed plan was made of has changed since.
        NeedsConfirmation: values would be lost and ``confirm`` was not said.
        TenantBusy: readers or writers did not make way; nothing was changed.
    """
    for _ in range(_TRIES):
        try:
            with owner_of(databases, tenant) as connection:
                return _once(connection, tenant, wanted, request)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(random.uniform(*_PAUSE))  # noqa: S311 (spreads load, guards nothing)
    raise TenantBusy("Others are working in this workspace at the moment; try again")


@contextmanager
def owner_of(databases: Databases, tenant: Tenant) -> Generator[Connection]:
    """One transaction as the schema's owner with the tenant's search_path."""
    proxied = databases.pod_owner(tenant.pod).raw_connection()
    connection = cast("Connection", proxied.driver_connection)
    try:
        with connection.transaction():
            connection.execute("select set_config('search_path', %s, true)", (f"{tenant.schema}, ext, pg_temp",))
            yield connection
    finally:
        proxied.close()


def look(connection: Connection, tenant: Tenant) -> Situation:
    """The tenant's situation as an owner's connection reads it."""
    row = connection.execute("select version from pod.tenant where id = %s", (tenant.id,)).fetchone()
    if row is None:
        raise NotFound("There is no such workspace any more.")
    stored = store.read(connection.execute, int(row[0]))
    layered.learn_as_owner(connection, stored.pins)
    return situation(connection.execute, connection, tenant, stored)


def _once(connection: Connection, tenant: Tenant, wanted: Wanted, request: Request) -> Applied:
    # Thought through before anybody has to wait; under the lock it is only looked at whether it still holds.
    thought = look(connection, tenant)
    made = plan(thought, wanted(thought.state), clock.now())
    _refuse(connection, made, request)
    if made.changes.empty:
        _keep(connection, made, request, thought.stored.version)
        return Applied(made, thought.stored.version)
    if not lock_exclusively(connection, tenant.id):
        raise NotFound("There is no such workspace any more.")
    connection.execute("select set_config('lock_timeout', %s, true)", (_LOCK_TIMEOUT,))
    row = connection.execute("select version from pod.tenant where id = %s", (tenant.id,)).fetchone()
    if row is None or row[0] != thought.stored.version:
        thought = look(connection, tenant)
        made = plan(thought, wanted(thought.state), clock.now())
        _refuse(connection, made, request)
        if made.changes.empty:
            return Applied(made, thought.stored.version)
    elif roles.gone(made.changes):
        # Nobody's version tells that a member was given a role meanwhile.
        _refuse(connection, replace(made, changes=roles.guarded(connection.execute, made.changes)), request)
    if any((one.table, column_stem(one.after)) not in request.filled for one in made.prepared):
        if made.settled.replaced:
            raise MetadataBlocked("Take these changes back one by one: a large table is converted on the way.")
        return _prepare(connection, tenant, thought, made, request)
    return _write(connection, tenant, thought, made, request)


def _refuse(connection: Connection, made: Plan, request: Request) -> None:
    """Raise for what keeps a plan from being applied."""
    changes = made.changes
    if changes.problems:
        raise InvalidComponents(changes.problems)
    if request.base is not None:
        since = history.since(connection.execute, request.base)
        mine = {(leaf.component, leaf.path) for leaf in changes.leaves}
        clashing = [one for one in since if (one["component"], one["path"]) in mine]
        if clashing:
            raise MetadataConflict("Somebody else changed the same meanwhile.", extra={"changed": clashing})
    blocking = [*changes.questions, *changes.broken]
    if blocking:
        errors = [FieldError(f"/{one.component}/{one.path}".rstrip("/"), one.code, one.message) for one in blocking]
        raise MetadataBlocked(blocking[0].message, errors)
    if made.destructive and not request.confirm:
        steps = [step.public() for step in made.destructive]
        raise NeedsConfirmation("This takes values away; say that it may.", extra={"steps": steps})
    if made.waiting and not request.confirm:
        steps = [step.public() for step in made.waiting]
        message = "A large table is written anew, and saving waits for it; say that it may."
        raise NeedsConfirmation(message, extra={"steps": steps})


def _write(connection: Connection, tenant: Tenant, given: Situation, made: Plan, request: Request) -> Applied:
    for step in made.statements:
        # Text of the DDL compiler, one statement an execute.
        connection.execute(cast("LiteralString", step.ddl))
    for one in made.conversions:
        since = request.filled.get((one.table, column_stem(one.after)))
        conversion.fill(connection, one, conversion.context(tenant), since=since)
    store.write_overrides(connection, given.stored.overrides, made.changes.overrides, request.whose)
    store.write_physical(connection, given.stored.physical, made.settled.rows)
    rates.write(connection, made.changes)
    roles.forget(connection, roles.gone(made.changes))
    bumped = connection.execute(
        "update pod.tenant set version = version + 1 where id = %s returning version", (tenant.id,)
    ).fetchone()
    version = int(bumped[0]) if bumped else given.stored.version
    change = history.write(connection, tenant, made, request, version)
    _keep(connection, made, request, version)
    work = leave_work(connection, tenant, made, change)
    if any(kept(feed.rollup) for obj in made.after.objects.values() for feed in obj.feeds):
        ask(connection, tenant, ROLLUP_JOB)
    return Applied(made, version, change, work)


def _keep(connection: Connection, made: Plan, request: Request, version: int) -> None:
    if request.keeps and made.changes.stated:
        store.write_source(connection, request.source, made.changes.stated, version)


def leave_work(connection: Connection, tenant: Tenant, made: Plan, change: UUID) -> tuple[UUID, ...]:
    """Note what the change leaves to a job, and ask for it."""
    work = [
        (ids.uuid7(), {"table": step.table, "name": step.name, "op": step.op, "ddl": step.ddl}) for step in made.online
    ]
    if not work:
        return ()
    connection.execute(
        "insert into metadata_work (id, change, what, spec) select id, %s, 'statement', spec"
        " from jsonb_to_recordset(%s) w (id uuid, spec jsonb)",
        (change, Jsonb([{"id": str(id_), "spec": spec} for id_, spec in work])),
    )
    ask(connection, tenant)
    return tuple(id_ for id_, _ in work)


def ask(connection: Connection, tenant: Tenant, job: str = WORK_JOB) -> None:
    """Ask for the job that does what is left to do."""
    connection.execute(
        "insert into pod.job (id, tenant, name, args) values (%s, %s, %s, %s)",
        (ids.uuid7(), tenant.role, job, Jsonb({})),
    )


def _prepare(connection: Connection, tenant: Tenant, given: Situation, made: Plan, request: Request) -> Applied:
    """Make the columns that conversions of large tables need and leave the rest to a job.

    Until it is done everything is called as before: the new columns are noted under the names of before, too.
    """
    undone = [one.back for one in reversed(made.changes.renames)]
    targets = {(one.table, column_stem(one.after)): one for one in made.prepared}
    for step in made.statements:
        if step.op == "add_column" and any(step.table == t and step.name.startswith(c) for t, c in targets):
            connection.execute(cast("LiteralString", step.ddl))
    now = clock.now()
    rows: list[Physical] = []
    for row in made.settled.rows:
        if row.key in targets:
            component, path = followed(undone, row.component, row.path)
            rows.append(replace(row, component=component, path=path, hidden_at=now))
    store.write_physical(connection, given.stored.physical, [
        *(row for row in given.stored.physical if row.key not in targets), *rows,
    ])  # fmt: skip
    id_, spec = ids.uuid7(), history.deferred(made, request)
    total = sum(given.tables[one.table].rows for one in made.prepared)
    connection.execute(
        "insert into metadata_work (id, what, spec, total) values (%s, 'convert', %s, %s)",
        (id_, Jsonb(spec | {"since": now.isoformat()}), total),
    )
    ask(connection, tenant)
    return Applied(made, given.stored.version, None, (id_,), deferred=True)
