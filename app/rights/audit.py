"""The audit log: who did what, when, from the workspace's own event log; newest first.

What the reader may not see of records is left out here, too: values of hidden fields, and what happened to records of
objects they may not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.access import catalogs
from app.access.policy import policy_of
from app.core.errors import FieldError, InvalidInput
from app.records.reach import permitted
from app.records.titles import titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

MAX_LIMIT: Final = 200
#: So many lines one file holds; narrower dates give the rest.
MAX_EXPORT: Final = 10_000
#: What can be asked for, by the kinds of events it is.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "records": ("created", "updated", "trashed", "restored", "destroyed", "merged", "bulk", "imported",
                "import_undone"),
    "members": ("member_invited", "member_joined", "member_changed", "team_created", "team_changed", "team_removed"),
    "sign_ins": ("signed_in",),
    "keys": ("key_created", "key_revoked"),
    "rights": ("role_created", "role_changed", "role_removed", "sharing_changed", "rule_created", "rule_changed",
               "rule_removed", "member_changed"),
    "shares": ("shared", "unshared"),
    "metadata": ("metadata_changed",),
    "exports": ("exported",),
    "support": ("support_granted", "support_revoked", "support_expired", "support_entered", "support_left"),
}  # fmt: skip
ACTOR_KINDS: Final = ("member", "key", "import", "support", "system")
#: What is about records of the workspace; anything else is about its people and settings.
_OF_RECORDS: Final = frozenset({*GROUPS["records"], *GROUPS["shares"]})
_READ: Final = (
    "select e.id, e.at, e.actor_kind, e.actor_id, coalesce(m.name, k.name, i.file_name, v.name), e.kind, e.object,"
    " e.record_id, e.diff, e.request_id from event e"
    " left join member m on e.actor_kind = 'member' and m.id = e.actor_id"
    " left join api_key k on e.actor_kind = 'key' and k.id = e.actor_id"
    " left join import i on e.actor_kind = 'import' and i.id = e.actor_id"
    " left join support_visit v on e.actor_kind = 'support' and v.id = e.actor_id"
    " where (%(before)s::uuid is null or e.id < %(before)s::uuid)"
    " and (%(since)s::uuid is null or e.id >= %(since)s::uuid)"
    " and (%(until)s::uuid is null or e.id < %(until)s::uuid)"
    " and (%(kinds)s::text[] is null or e.kind = any (%(kinds)s))"
    " and (%(actor)s::uuid is null or e.actor_id = %(actor)s::uuid)"
    " and (%(actor_kind)s = '' or e.actor_kind = %(actor_kind)s)"
    " and (%(object)s = '' or e.object = %(object)s) and (%(record)s::uuid is null or e.record_id = %(record)s::uuid)"
    " order by e.id desc limit %(limit)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """What to look for; days are the workspace's as UTC days, both included."""

    group: str = ""
    actor: UUID | None = None
    actor_kind: str = ""
    object: str = ""
    record: UUID | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log. ``what`` names the record or thing, as far as the reader may know it."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor: str
    kind: str
    object: str
    record_id: UUID | None
    what: str
    changes: tuple[tuple[str, Any, Any], ...]
    request_id: str

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "at": self.at,
            "actor": {"kind": self.actor_kind, "id": str(self.actor_id) if self.actor_id else None, "name": self.actor},
            "kind": self.kind,
            "object": self.object,
            "record_id": str(self.record_id) if self.record_id else None,
            "title": self.what,
            "changes": {name: [old, new] for name, old, new in self.changes},
            "request_id": self.request_id or None,
        }


def entries(
    scope: TenantScope, query: AuditQuery, *, limit: int = 50, before: UUID | None = None
) -> tuple[list[Entry], UUID | None]:
    """A page of the log, newest first, and where the next one starts.

    Raises:
        InvalidInput: an unknown group or kind of actor.
    """
    rows = scope.execute(_READ, _params(query) | {"limit": limit + 1, "before": before}).fetchall()
    page = rows[:limit]
    return _entries(scope, page), page[-1][0] if len(rows) > limit else None


def _params(query: AuditQuery) -> dict[str, Any]:
    if query.group and query.group not in GROUPS:
        message = f"Choose one of {', '.join(GROUPS)}."
        raise InvalidInput(message, [FieldError("?group", "option", message)])
    if query.actor_kind and query.actor_kind not in ACTOR_KINDS:
        message = f"Choose one of {', '.join(ACTOR_KINDS)}."
        raise InvalidInput(message, [FieldError("?actor_kind", "option", message)])
    return {
        "kinds": list(GROUPS[query.group]) if query.group else None,
        "actor": query.actor,
        "actor_kind": query.actor_kind,
        "object": query.object,
        "record": query.record,
        "since": _first_of(query.since) if query.since else None,
        "until": _first_of(query.until + timedelta(days=1)) if query.until else None,
    }


def _first_of(day: date) -> UUID:
    """The smallest id an event of that day can have: ids begin with their milliseconds (RFC 9562, version 7)."""
    moment = datetime.combine(day, time.min, UTC)
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _entries(scope: TenantScope, rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
    listed = list(rows)
    catalog = catalogs.for_scope(scope)
    shown = _shown_records(scope, catalog, listed)
    names = _names(scope, listed, shown)
    return [_entry(catalog, row, shown, names) for row in listed]


def _shown_records(scope: TenantScope, catalog: Catalog, rows: Iterable[tuple[Any, ...]]) -> set[tuple[str, UUID]]:
    """(object, id) of the records among the rows that the reader reaches; those gone for good count as unseen."""
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        if row[5] in _OF_RECORDS and row[7] is not None and row[6] in catalog.objects:
            wanted.setdefault(row[6], set()).add(row[7])
    return {
        (name, record)
        for name, ids in wanted.items()
        for record in permitted(scope, catalog, catalog.objects[name], ids, "read")
    }


def _names(
    scope: TenantScope, rows: Iterable[tuple[Any, ...]], shown: set[tuple[str, UUID]]
) -> Mapping[tuple[str, str], str]:
    wanted: dict[str, set[str]] = {}
    for row in rows:
        if row[7] is not None and (row[6] in {"member", "team"} or (row[6], row[7]) in shown):
            wanted.setdefault(row[6], set()).add(str(row[7]))
    found = titles(scope, wanted, tied=True) if wanted else {}
    found |= {(name, one): f"#{one[-8:]}" for (name, one), title in found.items() if not title}
    keys = [row[7] for row in rows if row[6] == "key"]
    for key, name in scope.execute("select id, name from api_key where id = any (%s)", (keys,)) if keys else ():
        found["key", str(key)] = name
    found |= {("role", role.name): role.label for role in policy_of(scope).roles.values()}
    return found


def _entry(
    catalog: Catalog, row: tuple[Any, ...], shown: set[tuple[str, UUID]], names: Mapping[tuple[str, str], str]
) -> Entry:
    event_id, at, actor_kind, actor_id, actor, kind, object_name, record, diff, request = row
    hidden = kind in _OF_RECORDS and record is not None and (object_name, record) not in shown
    hidden = hidden or (kind == "exported" and _is_less(catalog, object_name))
    return Entry(
        event_id,
        at,
        actor_kind,
        actor_id,
        actor or ("Rapport" if actor_id is None else ""),
        kind,
        object_name,
        record,
        _what(object_name, record, diff, names),
        () if hidden else _changes(catalog.objects.get(object_name), kind, diff),
        request or "",
    )


def _is_less(catalog: Catalog, object_name: str) -> bool:
    """Whether the reader sees less than all of an object: what was exported of it may name what they don't."""
    complete = catalog.whole or catalog
    return complete.objects.get(object_name) is not catalog.objects.get(object_name)


def _what(object_name: str, record: UUID | None, diff: Any, names: Mapping[tuple[str, str], str]) -> str:
    """The record's title, a team's name; a role or a rule is named by its own event."""
    found = names.get((object_name, str(record)), "") if record else ""
    if found or not isinstance(diff, dict):
        return found
    told = diff.get("name") or diff.get("object")
    if isinstance(told, list) and object_name in {"role", "sharing", "team"}:
        name = str(told[1] or told[0] or "")
        return names.get((object_name, name), name)
    return ""


def _changes(obj: ObjectType | None, kind: str, diff: Any) -> tuple[tuple[str, Any, Any], ...]:
    """Pairs of what changed; of records only fields the reader may see."""
    if not isinstance(diff, dict):
        return ()
    pairs = {name: pair for name, pair in diff.items() if isinstance(pair, list) and len(pair) == 2}
    if kind in GROUPS["records"]:
        pairs = {name: pair for name, pair in pairs.items() if obj is not None and name in obj.fields}
    return tuple((name, pair[0], pair[1]) for name, pair in pairs.items())
