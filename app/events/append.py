"""SQL fragments that put an event and its outbox row beside the row they tell of, in one statement.

``created`` carries no diff (the first state is the present row walked back), ``updated`` ``{"field": [old, new]}``,
``destroyed`` the whole row. The outbox row only rings the doorbell; the sealer gives events their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from tenants.scope import TenantScope

#: Named parameters each fragment below binds; ``event_params`` gives their values.
EVENT_PARAMS: Final = ("event_actor_kind", "event_actor", "event_cause", "event_request")
_INSERT: Final = (
    "INSERT INTO event (id, at, actor_kind, actor_id, cause, kind, object, record_id, record_version, diff, request_id)"
)


def event_params(scope: TenantScope, cause: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Values of the parameters that say who did it and why; ``cause`` adds to the scope's own."""
    why = {**(scope.cause or {}), **(cause or {})}
    return {
        "event_actor_kind": scope.actor.kind,
        "event_actor": scope.actor.id,
        "event_cause": Jsonb(why) if why else None,
        "event_request": scope.request_id or None,
    }


def event_ctes(
    source: str, kind: str, object_name: str, diff: str = "NULL", cause: str = "%(event_cause)s::jsonb"
) -> str:
    """CTEs ``logged`` and ``rung`` that log every row of the CTE ``source``, which has ``id`` and ``version``.

    ``kind`` and ``object_name`` come from code and the catalog (never from a request); ``diff`` and ``cause`` are SQL
    over ``source``.
    """
    return (
        f"logged AS ({_INSERT} {_selected(source, kind, object_name, diff, cause)} RETURNING id),"
        " rung AS (INSERT INTO pod.outbox (events) SELECT array_agg(id) FROM logged HAVING count(*) > 0)"
    )


def one_event_ctes(source: str, kind: str, object_name: str, diff: str = "NULL") -> str:
    """As ``event_ctes`` for a ``source`` of one row at most.

    The server makes the event's id, after it waited for the record: a record's events sort as they happened.
    """
    selected = _selected(source, kind, object_name, diff, "%(event_cause)s::jsonb")
    return (
        f"logged AS ({_INSERT} {selected} RETURNING id),"
        " rung AS (INSERT INTO pod.outbox (events) SELECT ARRAY[id] FROM logged)"
    )


def _selected(source: str, kind: str, object_name: str, diff: str, cause: str) -> str:
    name = object_name.replace("'", "''")
    return (
        f"SELECT uuidv7(), clock_timestamp(), %(event_actor_kind)s::text, %(event_actor)s::uuid, {cause}, '{kind}',"
        f" '{name}', id, version, {diff}, %(event_request)s::text FROM {source}"
    )


def append_summary(
    scope: TenantScope, kind: str, object_name: str, diff: Mapping[str, object], *, record_id: UUID | None = None
) -> None:
    """Log one event that sums up a bulk act or an import; ``record_id`` names the act or the import."""
    params = event_params(scope) | {"kind": kind, "object": object_name, "diff": Jsonb(dict(diff)), "record": record_id}
    scope.execute(
        "WITH logged AS (INSERT INTO event (id, at, actor_kind, actor_id, cause, kind, object, record_id, diff,"
        " request_id) VALUES (uuidv7(), clock_timestamp(), %(event_actor_kind)s::text, %(event_actor)s::uuid,"
        " %(event_cause)s::jsonb, %(kind)s::text, %(object)s::text, %(record)s::uuid, %(diff)s::jsonb,"
        " %(event_request)s::text) RETURNING id)"
        " INSERT INTO pod.outbox (events) SELECT array_agg(id) FROM logged",
        params,
    )
