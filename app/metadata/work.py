"""What a change leaves to jobs: indexes built beside writers, guards checked, types converted, hidden values purged.

A row of ``metadata_work`` is one piece. A killed worker's piece is begun again where it stood: an index that is not
valid is dropped and built anew, a conversion goes on behind the last row that was committed.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import clock
from app.core.errors import Conflict, RapportError
from app.core.jobs import JobArgs, checkpoint, register
from app.core.jobs.schedules import schedules
from app.metadata import catalog as catalogs
from app.metadata import conversion
from app.metadata.apply import WORK_JOB, Request, apply, look, owner_of
from app.metadata.changeset import LeafChange, replayed
from app.metadata.ddl import online, purge
from app.metadata.ddl.shape import column_stem, shapes
from app.metadata.plan import plan
from app.metadata.working import Rename
from tenants.scope import SYSTEM, Actor, enter_job

if TYPE_CHECKING:
    from collections.abc import Generator

    import psycopg

    from app.core.ports import Runtime
    from app.metadata.apply import Wanted
    from app.metadata.conversion import Conversion
    from app.metadata.leaves import Document
    from tenants.scope import Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]

_LOG: Final = logging.getLogger("rapport.metadata")
PURGE_JOB: Final = "metadata.purge"
_NEXT: Final = "select id, what, spec from metadata_work where state in ('queued', 'running') order by id limit 1"


@register(WORK_JOB, timeout=6 * 3600, max_attempts=100)
def work(runtime: Runtime, tenant_id: UUID, _args: JobArgs) -> None:
    """Do what changes of this workspace left to do, piece by piece."""
    tenant = _tenant(runtime, tenant_id)
    while True:
        with owner_of(runtime.databases, tenant) as connection:
            row = connection.execute(_NEXT).fetchone()
            if row is None:
                return
            connection.execute("update metadata_work set state = 'running', at = now() where id = %s", (row[0],))
        id_, what, spec = row
        try:
            if what == "statement":
                state, error = _statement(runtime, tenant, spec)
            else:
                state, error = _convert(runtime, tenant, id_, spec)
        except RapportError as refused:
            if isinstance(refused, Conflict) and refused.code == "metadata.busy":
                raise
            state, error = "failed", refused.code
        _end(runtime, tenant, id_, state, error)
        checkpoint()


@register(PURGE_JOB, timeout=3600)
def purge_hidden(runtime: Runtime, tenant_id: UUID, _args: JobArgs) -> None:
    """Take away what has been hidden for thirty days; try guards again that rows stood in the way of."""
    tenant = _tenant(runtime, tenant_id)
    purge.purge(runtime.databases, tenant, clock.now())
    with owner_of(runtime.databases, tenant) as connection:
        connection.execute(
            "update metadata_work set state = 'queued', error = null where state = 'failed' and what = 'statement'"
        )
    work(runtime, tenant_id, {})


schedules.add(PURGE_JOB, timedelta(days=1), timedelta(hours=2))


def _tenant(runtime: Runtime, tenant_id: UUID) -> Tenant:
    with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=False) as scope:
        return scope.tenant


def _end(runtime: Runtime, tenant: Tenant, id_: UUID, state: str, error: str | None) -> None:
    with owner_of(runtime.databases, tenant) as connection:
        connection.execute(
            "update metadata_work set state = %s, error = %s, at = now() where id = %s", (state, error, id_)
        )


@contextmanager
def _alone(runtime: Runtime, tenant: Tenant) -> Generator[Connection]:
    """An owner's connection without a transaction around, as building beside writers wants; thrown away then."""
    proxied = runtime.databases.pod_owner(tenant.pod).raw_connection()
    connection = cast("Connection", proxied.driver_connection)
    try:
        connection.autocommit = True
        connection.execute("select set_config('search_path', %s, false)", (f"{tenant.schema}, ext, pg_temp",))
        yield connection
    finally:
        proxied.invalidate()


def _statement(runtime: Runtime, tenant: Tenant, spec: dict[str, str]) -> tuple[str, str | None]:
    def wanted() -> bool:
        with owner_of(runtime.databases, tenant) as connection:
            tables = shapes(catalogs.compose(look(connection, tenant).stored))
        return online.asked_for(tables.get(spec["table"]), spec)

    with _alone(runtime, tenant) as connection:
        return online.run(connection, spec, wanted)


def _convert(runtime: Runtime, tenant: Tenant, id_: UUID, spec: dict[str, Any]) -> tuple[str, str | None]:
    """Fill the new columns while people work, then apply the change with what was written meanwhile."""
    wanted = _wanted_later(spec)
    with owner_of(runtime.databases, tenant) as connection:
        given = look(connection, tenant)
        made = plan(given, wanted(given.state), clock.now(), quick=True)
    since = datetime.fromisoformat(spec["since"])
    for one in made.prepared:
        _fill(runtime, tenant, id_, one, spec)
    # Again for what was written in the meantime, so that the last pass, for which writers wait, finds next to nothing.
    again = clock.now()
    for one in made.prepared:
        with owner_of(runtime.databases, tenant) as connection:
            conversion.fill(connection, one, conversion.context(tenant), since=since)
    filled = {(one.table, column_stem(one.after)): again for one in made.prepared}
    by = spec["by"]
    request = Request(
        source=spec["source"],
        by=Actor(by["kind"], UUID(by["id"]) if by["id"] else None, by["name"]),
        member=UUID(spec["member"]) if spec["member"] else None,
        note=spec["note"],
        confirm=True,
        reverts=UUID(spec["reverts"]) if spec["reverts"] else None,
        keeps=spec["stated"] is not None,
        filled=filled,
    )
    applied = apply(runtime.databases, tenant, wanted, request)
    with owner_of(runtime.databases, tenant) as connection:
        connection.execute("update metadata_work set change = %s where id = %s", (applied.change, id_))
    return ("failed", "changed") if applied.deferred else ("done", None)


def _wanted_later(spec: dict[str, Any]) -> Wanted:
    """The change noted, as far as nobody changed the same since."""
    leaves = [LeafChange(one["component"], one["path"], one["before"], one["after"]) for one in spec["leaves"]]
    renames = [Rename(**one) for one in spec["renames"]]
    stated: Document = spec["stated"] or {}
    return lambda state: replace(replayed(state, leaves, renames), stated=stated)


def _fill(runtime: Runtime, tenant: Tenant, id_: UUID, one: Conversion, spec: dict[str, Any]) -> None:
    """In batches, each with where it ends in one transaction."""
    places: dict[str, str] = spec.setdefault("places", {})
    key = f"{one.table}.{one.after.name}"
    while True:
        with owner_of(runtime.databases, tenant) as connection:
            ctx = conversion.context(tenant)
            places[key], count = conversion.fill_batch(connection, one, ctx, places.get(key, conversion.UUID_MIN))
            connection.execute(
                "update metadata_work set done = done + %s, spec = %s where id = %s", (count, Jsonb(spec), id_)
            )
        checkpoint()
        if not count:
            return
