"""Erases what events quote of a record, so that the chain still proves the rest.

The diff goes, the leaf in the seal stays: it can't be computed from the event any more. So the event is marked with
the erasure, itself an event that names who did it and holds, under the tenant's audit key, a new leaf of each event
as it is now. ``app.events.audit`` accepts a missing diff only where both agree.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg import sql
from psycopg.types.json import Jsonb

from app.core import ids
from app.core.crypto import hmac_sign
from app.core.errors import NotFound, RapportError
from app.core.jobs import wake
from app.events.causes import ERASED
from app.events.seal import CANONICAL, leaf_of
from tenants.registry.directory import locate_tenant

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from uuid import UUID

    import psycopg

    from app.core.ports import Runtime
    from tenants.scope import Actor

#: Events erased in one transaction, by one event of the log.
_BATCH: Final = 500
#: Key of an erasure's cause: the new leaves by event.
LEAVES: Final = "leaves"
_CANONICAL: Final = sql.SQL(cast("Any", CANONICAL))


class AlteredEventError(RapportError):
    """An event is not what was sealed: erasing it would hide that. `rapport doctor --audit` tells more."""

    status = 500
    code = "audit.altered"
    title = "The log was altered"


def erase_record(runtime: Runtime, tenant_id: UUID, object_name: str, record_id: UUID, *, by: Actor) -> int:
    """Blank what the events of one record quote, for good; how many events. Done twice, nothing more happens.

    Works as the pod's owner: a tenant's role may only add to the log.

    Raises: NotFound: there is no such workspace. AlteredEventError: an event does not fit its seal.
    """
    erased = 0
    while count := _erase_batch(runtime, tenant_id, object_name, record_id, by):
        erased += count
    if erased:
        wake(runtime.redis)
    return erased


def erased_leaf(secret_key: str, tenant_id: UUID, erasure: UUID, canonical: str) -> str:
    """HMAC of an event as the erasure left it, in hex."""
    return hmac_sign(secret_key, f"audit erased {tenant_id}", erasure.bytes + canonical.encode()).hex()


def _erase_batch(runtime: Runtime, tenant_id: UUID, object_name: str, record_id: UUID, by: Actor) -> int:
    with _log(runtime, tenant_id) as log:
        found = log.quoting(object_name, record_id)
        if not found:
            return 0
        log.check(runtime.config.secret_key, found)
        erasure = ids.uuid7()
        blanked = log.blank(list(found), erasure)
        leaves = {
            str(event): erased_leaf(runtime.config.secret_key, tenant_id, erasure, text)
            for event, text in blanked.items()
        }
        log.note(erasure, object_name, record_id, by, leaves)
        return len(blanked)


class _Log:
    """The tenant's log in a transaction of the owner."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], tenant_id: UUID) -> None:
        self._connection, self._tenant = connection, tenant_id
        row = connection.execute("SELECT schema, role FROM pod.tenant WHERE id = %s", (tenant_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such workspace")
        self._role: str = row[1]
        self._event, self._seal = sql.Identifier(row[0], "event"), sql.Identifier(row[0], "event_seal")

    def quoting(self, object_name: str, record_id: UUID) -> dict[UUID, str]:
        """Some events of the record that quote something, locked, with their signed text."""
        query = sql.SQL(
            "SELECT id, {canonical} FROM {event} WHERE record_id = %s AND object = %s AND diff IS NOT NULL"
            " AND kind <> 'erased' ORDER BY id LIMIT %s FOR UPDATE"
        ).format(canonical=_CANONICAL, event=self._event)
        return dict(self._rows(query, (record_id, object_name, _BATCH)))

    def check(self, secret_key: str, found: Mapping[UUID, str]) -> None:
        """Refuse what does not fit its seal; what waits for one has none yet."""
        query = sql.SQL(
            "SELECT u.id, u.leaf FROM {seal} s, unnest(s.event_ids, s.leaves) AS u(id, leaf)"
            " WHERE s.at >= (SELECT min(at) FROM {event} WHERE id = ANY(%s)) AND s.event_ids && %s AND u.id = ANY(%s)"
        ).format(seal=self._seal, event=self._event)
        wanted = list(found)
        for event, leaf in self._rows(query, (wanted, wanted, wanted)):
            if leaf_of(secret_key, self._tenant, found[event]) != leaf:
                raise AlteredEventError(f"Event {event} is not what was sealed.")

    def blank(self, events: Sequence[UUID], erasure: UUID) -> dict[UUID, str]:
        """Take the diffs away and mark the events; their text as it is then."""
        query = sql.SQL(
            "UPDATE {event} SET diff = NULL, cause = coalesce(cause, '{{}}') || %s WHERE id = ANY(%s)"
            " RETURNING id, {canonical}"
        ).format(event=self._event, canonical=_CANONICAL)
        return dict(self._rows(query, (Jsonb({ERASED: str(erasure)}), list(events))))

    def note(self, erasure: UUID, object_name: str, record_id: UUID, by: Actor, leaves: Mapping[str, str]) -> None:
        """The erasure's own event, to be sealed like any other."""
        query = sql.SQL(
            "WITH logged AS (INSERT INTO {} (id, at, actor_kind, actor_id, cause, kind, object, record_id, diff)"
            " VALUES (%s, clock_timestamp(), %s, %s, %s, 'erased', %s, %s, %s) RETURNING id)"
            " INSERT INTO pod.outbox (tenant, events) SELECT %s, array_agg(id) FROM logged"
        ).format(self._event)
        cause, diff = Jsonb({LEAVES: dict(leaves)}), Jsonb({"events": len(leaves)})
        params = (erasure, by.kind, by.id, cause, object_name, record_id, diff, self._role)
        self._connection.execute(query, params)

    def _rows(self, query: sql.Composed, params: tuple[object, ...]) -> list[tuple[Any, Any]]:
        return cast("list[tuple[Any, Any]]", self._connection.execute(query, params).fetchall())


@contextmanager
def _log(runtime: Runtime, tenant_id: UUID) -> Generator[_Log]:
    pod = locate_tenant(runtime.databases, tenant_id)
    if pod is None:
        raise NotFound("There is no such workspace")
    with runtime.databases.pod_owner(pod).begin() as connection:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
        yield _Log(driver, tenant_id)
