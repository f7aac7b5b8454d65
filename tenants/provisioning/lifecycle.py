"""The verbs on a whole tenant: create, suspend, resume, delete; each a ledger of steps that may run twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import sqlalchemy as sa
from psycopg import sql
from psycopg.errors import LockNotAvailable
from sqlalchemy.dialects.postgresql import insert

from app.core import ids
from app.core.errors import Conflict, FieldError, NotFound, Unavailable
from tenants.locking import lock_exclusively
from tenants.provisioning import ledger
from tenants.provisioning.spares import Spare, blueprint, drop_place, make_spare, owner_transaction
from tenants.registry import directory, tables
from tenants.registry.directory import TenantRow, find_tenant
from tenants.registry.naming import Settings, check_settings, check_slug
from tenants.registry.pods import open_pods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from app.core.ports import Runtime

log = logging.getLogger(__name__)

_CREATE: Final = "create"
_DELETE: Final = "delete"
_SUSPEND: Final = "suspend"
_RESUME: Final = "resume"

#: Each waits for two seconds: together longer than a read may take.
_DROP_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class PersonRef:
    """The person who becomes the first member; must exist in the control database.

    A ``new`` one was made for this sign-up and goes with it when it is taken back.
    """

    id: UUID
    name: str
    email: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """A workspace that is ready: its registry row and the owner's member id."""

    tenant: TenantRow
    member: UUID


class SlugTaken(Conflict):
    """The address is somebody's, or was."""

    code = "slug.taken"
    title = "This address is taken"


def create_tenant(
    runtime: Runtime,
    *,
    slug: str,
    name: str,
    owner: PersonRef,
    currency: str = "EUR",
    timezone: str = "UTC",
    locale: str = "en",
) -> Created:
    """Make a workspace and its first member, from a spare when there is one.

    When any step fails everything is taken back before the error goes on; if this process dies, ``reconcile`` does it.

    Raises:
        SlugTaken: the slug is in use or was used by a deleted tenant.
        InvalidInput: slug, currency, time zone or locale are not acceptable.
    """
    settings = check_settings(name, currency, timezone, locale)
    check_slug(slug)
    pod = _choose_pod(runtime)
    entry = _reserve(runtime, pod, slug, owner)
    try:
        spare, member = _furnish(runtime, pod, entry, slug, settings, owner)
        _publish(runtime, pod, entry, spare, slug, settings, owner, member)
    except BaseException:
        _undo_quietly(runtime, entry)
        raise
    host = _host(runtime, slug)
    directory.forget(runtime.databases, host, spare.tenant)
    return Created(_found(runtime, spare.tenant), member)


def suspend_tenant(runtime: Runtime, tenant: UUID) -> TenantRow:
    """Close a workspace for everybody; its data stays. Suspending twice is fine."""
    return _switch(runtime, tenant, _SUSPEND)


def resume_tenant(runtime: Runtime, tenant: UUID) -> TenantRow:
    """Open a suspended workspace again."""
    return _switch(runtime, tenant, _RESUME)


def delete_tenant(runtime: Runtime, tenant: UUID) -> None:
    """Remove a workspace for good: schema, role, files, jobs, credentials, cache, control rows.

    Its slug stays taken for ever. When a step fails the workspace is closed and ``reconcile`` finishes.
    """
    row = _found(runtime, tenant)
    entry = ledger.open_entry(runtime.databases, _DELETE, tenant=tenant, pod=row.pod)
    _delete(runtime, entry, tenant, row.pod)


def reconcile(runtime: Runtime, *, older_than: float = 60.0) -> int:
    """Finish or take back what was left in the middle for ``older_than`` seconds; returns how many entries.

    A creation is taken back (whoever asked saw an error), everything else goes forward. Safe when two run.
    """
    steps: dict[str, Callable[[ledger.Entry], None]] = {
        _CREATE: lambda entry: _undo(runtime, entry),
        _DELETE: lambda entry: _delete(runtime, entry.id, entry.tenant, entry.pod),
        _SUSPEND: lambda entry: _apply_switch(runtime, entry.id, entry.tenant, entry.pod, _SUSPEND),
        _RESUME: lambda entry: _apply_switch(runtime, entry.id, entry.tenant, entry.pod, _RESUME),
    }
    done = 0
    for entry in ledger.take_stale(runtime.databases, older_than):
        try:
            steps[entry.kind](entry)
            done += 1
        except Exception:
            log.exception("ledger entry %s (%s) could not be finished; it is tried again", entry.id, entry.kind)
    return done


def _reserve(runtime: Runtime, pod: int, slug: str, owner: PersonRef) -> UUID:
    """Write the ledger entry and take the slug, in one transaction."""
    entry = ids.uuid7()
    with runtime.databases.control.begin() as connection:
        taken = connection.execute(
            insert(tables.slug).values(slug=slug, ledger=entry).on_conflict_do_nothing().returning(tables.slug.c.slug)
        ).scalar()
        if taken is None:
            message = f"The address {slug} is taken."
            raise SlugTaken(message, [FieldError("/slug", "taken", message)])
        ledger.write(connection, entry, _CREATE, args={"pod": pod, "person": str(owner.id) if owner.new else None})
    return entry


def _choose_pod(runtime: Runtime) -> int:
    pods = open_pods(runtime.databases)
    if not pods:
        raise Unavailable("No pod takes new workspaces at the moment")
    return pods[0]


def _furnish(
    runtime: Runtime, pod: int, entry: UUID, slug: str, settings: Settings, owner: PersonRef
) -> tuple[Spare, UUID]:
    """In the pod, one transaction: take or build the place, name it, put the owner in, open it."""
    member = ids.uuid7()
    with owner_transaction(runtime.databases, pod) as connection:
        row = connection.execute(
            "select tenant, schema, role from pod.take_spare(%s, %s)", (entry, blueprint(runtime.ports))
        ).fetchone()
        spare = Spare(*row) if row is not None else make_spare(connection, runtime.ports, claim=entry)
        connection.execute(
            "update pod.tenant set slug = %s, name = %s, currency = %s, timezone = %s, locale = %s, state = 'active', "
            "state_at = now() where id = %s",
            (slug, settings.name, settings.currency, settings.timezone, settings.locale, spare.tenant),
        )
        connection.execute("select pod.set_host(%s, %s, 'primary')", (spare.tenant, _host(runtime, slug)))
        connection.execute(
            sql.SQL(
                "insert into {}.member (id, person, name, email, role, status) "
                "values (%s, %s, %s, %s, 'owner', 'active')"
            ).format(sql.Identifier(spare.schema)),
            (member, owner.id, owner.name, owner.email),
        )
    return spare, member


def _publish(
    runtime: Runtime, pod: int, entry: UUID, spare: Spare, slug: str, settings: Settings, owner: PersonRef, member: UUID
) -> None:
    """In control, one transaction: the tenant is known from here on."""
    with runtime.databases.control.begin() as connection:
        if not ledger.close(connection, entry, "done"):
            # So slow that the reconciler took us for dead.
            raise Unavailable("The workspace could not be made in time; try again")
        connection.execute(
            insert(tables.tenant).values(
                id=spare.tenant,
                pod=pod,
                slug=slug,
                name=settings.name,
                currency=settings.currency,
                timezone=settings.timezone,
                locale=settings.locale,
                status="active",
            )
        )
        connection.execute(
            insert(tables.domain).values(
                host=_host(runtime, slug), tenant=spare.tenant, kind="primary", verified_at=sa.func.now()
            )
        )
        connection.execute(
            insert(tables.membership).values(person=owner.id, tenant=spare.tenant, member=member, role="owner")
        )
        connection.execute(
            sa.update(tables.slug).where(tables.slug.c.slug == slug).values(tenant=spare.tenant, ledger=None)
        )


def _undo_quietly(runtime: Runtime, entry: UUID) -> None:
    found = ledger.read(runtime.databases, entry)
    if found is None:
        return
    try:
        _undo(runtime, found)
    except Exception:
        # The first error is the one to show; the reconciler tries again.
        log.exception("a workspace that could not be made could not be taken back yet")


def _undo(runtime: Runtime, entry: ledger.Entry) -> None:
    """Take a creation back: the claimed place is dropped, the slug is free again, a person made for it goes."""
    if not ledger.begin_undoing(runtime.databases, entry.id):
        return
    if entry.pod is not None:
        with owner_transaction(runtime.databases, entry.pod) as connection:
            row = connection.execute(
                "select id, schema, role from pod.tenant where claim = %s for update", (entry.id,)
            ).fetchone()
            if row is not None:
                drop_place(connection, Spare(*row))
    with runtime.databases.control.begin() as connection:
        connection.execute(sa.delete(tables.slug).where(tables.slug.c.ledger == entry.id))
        if entry.person is not None:
            elsewhere = sa.exists().where(tables.membership.c.person == entry.person)
            connection.execute(sa.delete(tables.person).where(tables.person.c.id == entry.person, ~elsewhere))
        ledger.close(connection, entry.id, "undone")


def _delete(runtime: Runtime, entry: UUID, tenant: UUID | None, pod: int | None) -> None:
    if tenant is None or pod is None:
        raise RuntimeError("a deletion names its tenant and pod")
    with runtime.databases.control.begin() as connection:
        connection.execute(_status(tenant, "deleting"))
    with owner_transaction(runtime.databases, pod) as connection:
        if lock_exclusively(connection, tenant):
            connection.execute("update pod.tenant set state = 'deleting', state_at = now() where id = %s", (tenant,))
            connection.execute("delete from pod.credential where tenant = %s", (tenant,))
    _drop_when_free(runtime, tenant, pod)
    runtime.storage.delete_prefix(str(tenant))
    _clear_cache(runtime, tenant)
    with runtime.databases.control.begin() as connection:
        hosts = list(connection.scalars(sa.select(tables.domain.c.host).where(tables.domain.c.tenant == tenant)))
        connection.execute(sa.delete(tables.tenant).where(tables.tenant.c.id == tenant))
        ledger.close(connection, entry, "done")
    directory.forget(runtime.databases, tenant, *hosts)


def _drop_when_free(runtime: Runtime, tenant: UUID, pod: int) -> None:
    """Drop the schema; who still reads in it, for some seconds at most, is waited for."""
    for last in (*[False] * (_DROP_TRIES - 1), True):
        try:
            with owner_transaction(runtime.databases, pod) as connection:
                row = connection.execute(
                    "select id, schema, role from pod.tenant where id = %s for update", (tenant,)
                ).fetchone()
                if row is not None:
                    drop_place(connection, Spare(*row))
        except LockNotAvailable as error:
            if last:
                raise Unavailable("The workspace is closed but still being read; its deletion goes on later") from error
        else:
            return


def _clear_cache(runtime: Runtime, tenant: UUID) -> None:
    """Every key that names the tenant; counters and doorbells, nothing that is not found again."""
    for form in (str(tenant), tenant.hex):
        found = runtime.redis.scan_iter(match=f"*{form}*", count=1000)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        keys = list(cast("Iterator[bytes]", found))
        if keys:
            runtime.redis.unlink(*keys)


def _switch(runtime: Runtime, tenant: UUID, kind: str) -> TenantRow:
    row = _found(runtime, tenant)
    if row.status not in ("active", "suspended"):
        raise Conflict("The workspace is being deleted")
    entry = ledger.open_entry(runtime.databases, kind, tenant=tenant, pod=row.pod)
    _apply_switch(runtime, entry, tenant, row.pod, kind)
    return _found(runtime, tenant)


def _apply_switch(runtime: Runtime, entry: UUID, tenant: UUID | None, pod: int | None, kind: str) -> None:
    if tenant is None or pod is None:
        raise RuntimeError("a switch names its tenant and pod")
    state, before = ("suspended", "active") if kind == _SUSPEND else ("active", "suspended")
    with owner_transaction(runtime.databases, pod) as connection:
        if lock_exclusively(connection, tenant):
            connection.execute(
                "update pod.tenant set state = %s, state_at = now() where id = %s and state = %s",
                (state, tenant, before),
            )
    with runtime.databases.control.begin() as connection:
        connection.execute(_status(tenant, state).where(tables.tenant.c.status == before))
        ledger.close(connection, entry, "done")


def _status(tenant: UUID, status: str) -> sa.Update:
    return sa.update(tables.tenant).where(tables.tenant.c.id == tenant).values(status=status, status_at=sa.func.now())


def _host(runtime: Runtime, slug: str) -> str:
    return f"{slug}.{runtime.config.base_domain}"


def _found(runtime: Runtime, tenant: UUID) -> TenantRow:
    row = find_tenant(runtime.databases, str(tenant))
    if row is None:
        raise NotFound("There is no such workspace")
    return row
