"""Read the log: the whole tenant's feed by ``seq``, one record's timeline.

A feed sees sealed events only, in the order sealing gave them: nothing can appear before an event already read. A
record's own timeline also shows events not yet sealed, with ``seq`` None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.core.errors import FieldError, InvalidInput
from app.events import causes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenants.scope import TenantScope

Event = dict[str, Any]

MAX_LIMIT: Final = 200
#: Events that ``latest_events`` looks at.
_RECENT: Final = 400
_INNER: Final = frozenset({"record_version", "file", "erased"})
_SHOWN: Final = (
    "e.id, e.at, e.actor_kind, e.actor_id, coalesce(m.name, k.name, i.file_name, v.name), e.kind, e.object,"
    " e.record_id, e.record_version, e.diff, e.cause"
)
_ACTORS: Final = (
    " LEFT JOIN member m ON e.actor_kind = 'member' AND m.id = e.actor_id"
    " LEFT JOIN api_key k ON e.actor_kind = 'key' AND k.id = e.actor_id"
    " LEFT JOIN import i ON e.actor_kind = 'import' AND i.id = e.actor_id"
    " LEFT JOIN support_visit v ON e.actor_kind = 'support' AND v.id = e.actor_id"
)
#: Events of a batch read before; subscripts are int4, so that a far ``after`` skips more than any batch holds.
_SKIPPED: Final = "least(greatest(%(after)s::bigint + 1 - s.first_seq, 0), 1000000000)"
_FEED: Final = (
    "WITH s AS (SELECT first_seq, event_ids FROM event_seal WHERE first_seq >= coalesce((SELECT max(first_seq)"
    " FROM event_seal WHERE first_seq <= %(after)s::bigint + 1), 0) ORDER BY first_seq LIMIT %(limit)s),"
    f" u AS (SELECT s.first_seq + {_SKIPPED} + x.at - 1 AS seq, x.id FROM s,"
    f" unnest(s.event_ids[{_SKIPPED} + 1 : {_SKIPPED} + %(limit)s]) WITH ORDINALITY AS x(id, at)"
    " ORDER BY 1 LIMIT %(limit)s)"
    f" SELECT u.seq, {_SHOWN} FROM u JOIN event e ON e.id = u.id{_ACTORS} ORDER BY u.seq"
)
_OF_FIELD: Final = " AND e.kind = 'updated' AND e.diff ? %(field)s"
_SEQ: Final = (
    "(SELECT s.first_seq + array_position(s.event_ids, e.id) - 1 FROM event_seal s"
    " WHERE s.at >= e.at AND s.event_ids @> ARRAY[e.id] ORDER BY s.at LIMIT 1)"
)


def tenant_events(scope: TenantScope, *, after: int = 0, limit: int = 50) -> dict[str, Any]:
    """Sealed events with ``seq`` above ``after``, as the API body ``{"data": [...], "next": seq | None}``."""
    _check_limit(limit)
    events = sealed_after(scope, after, limit)
    causes.explain(scope, events)
    return {"data": [_shown(event) for event in events], "next": events[-1]["seq"] if len(events) == limit else None}


def sealed_after(scope: TenantScope, after: int, limit: int) -> list[Event]:
    """The next sealed events for a consumer that has read up to ``after``, in order, with their cause."""
    cursor = scope.cursor_text()
    cursor.execute(_FEED, {"after": after, "limit": limit})
    return [_event(row) for row in cursor.fetchall()]


def record_events(
    scope: TenantScope,
    object_name: str,
    record_id: UUID | str,
    *,
    after: str = "",
    limit: int = 50,
    newest_first: bool = False,
    field: str = "",
) -> dict[str, Any]:
    """One record's events in the order they happened, unsealed ones with ``seq`` None; ``after`` is an event id.

    With ``field`` only those that changed it.
    """
    events, following = record_history(
        scope, object_name, record_id, after=after, limit=limit, newest_first=newest_first, field=field
    )
    return {"data": [_shown(event) for event in events], "next": following}


def record_history(
    scope: TenantScope,
    object_name: str,
    record_id: UUID | str,
    *,
    after: str = "",
    limit: int = 50,
    newest_first: bool = False,
    field: str = "",
) -> tuple[list[Event], str | None]:
    """The same for pages, with what the API does not show: ``record_version``, ``file``, ``erased``; then ``next``."""
    _check_limit(limit)
    beyond_id = _event_id(after)
    order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
    cursor = scope.cursor_text()
    cursor.execute(
        f"SELECT {_SEQ}, {_SHOWN} FROM event e{_ACTORS} WHERE e.record_id = %(record)s::uuid AND e.object = %(object)s"
        f"{f' AND e.id {beyond} %(after)s::uuid' if beyond_id else ''}"
        f"{_OF_FIELD if field else ''} ORDER BY e.id {order} LIMIT %(limit)s",
        {"record": record_id, "object": object_name, "after": beyond_id, "limit": limit + 1, "field": field},
    )
    events = [_event(row) for row in cursor.fetchall()]
    following = events[limit - 1]["id"] if len(events) > limit else None
    del events[limit:]
    causes.explain(scope, events)
    return events, following


def latest_events(scope: TenantScope, objects: Sequence[str], limit: int) -> list[Event]:
    """The newest events of ``objects``, newest first, of acts on many records only the summary; with ``file``.

    Looks at the last few hundred events only, so that no large import makes it slow.
    """
    cursor = scope.cursor_text()
    cursor.execute(
        f"SELECT NULL, {_SHOWN} FROM (SELECT * FROM event ORDER BY id DESC LIMIT %(recent)s) e{_ACTORS}"
        " WHERE e.object = ANY(%(objects)s::text[]) AND e.kind <> 'exported'"
        " AND (e.record_version IS NULL OR e.cause IS NULL OR NOT e.cause ?| %(mass)s::text[])"
        " ORDER BY e.id DESC LIMIT %(limit)s",
        {"objects": list(objects), "mass": causes.MASS_KEYS, "recent": _RECENT, "limit": limit},
    )
    events = [_event(row) for row in cursor.fetchall()]
    causes.explain(scope, events)
    return events


def _shown(event: Event) -> Event:
    """The event as the API shows it: what only consumers and pages need stays inside."""
    return {name: value for name, value in event.items() if name not in _INNER}


def _event_id(after: str) -> UUID | None:
    try:
        return UUID(after) if after else None
    except ValueError as error:
        message = "after is the id of an event, as next gave it."
        raise InvalidInput(message, [FieldError("?after", "after.invalid", message)]) from error


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        message = f"limit is from 1 to {MAX_LIMIT}."
        raise InvalidInput(message, [FieldError("?limit", "limit.range", message)])


def _event(row: Sequence[Any]) -> Event:
    seq, event_id, at, actor_kind, actor_id, actor_name, kind, object_name, record_id, version, diff, cause = row
    return {
        "seq": seq,
        "id": event_id,
        "at": at,
        "actor": {"kind": actor_kind, "id": actor_id, "name": actor_name or ("Rapport" if actor_id is None else "")},
        "kind": kind,
        "object": object_name,
        "record_id": record_id,
        "record_version": version,
        "diff": diff,
        "cause": cause,
    }
