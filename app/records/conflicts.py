"""Two people changed one record: what a refused ``If-Match`` says so that the second can decide.

The log since the version the caller read tells who changed which field, when, and what the value was before. A field
that only one of them changed is no conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app.core.errors import FieldError
from app.records.attachments import attach
from app.records.errors import StaleVersion
from app.records.intake import coercion_of, take_in
from app.records.rules import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

Record = dict[str, Any]

#: Versions looked back at most; who read an older one learns the present values and who wrote last.
_FAR: Final = 200
_SINCE: Final = (
    "SELECT e.record_version, e.diff, e.at, e.actor_kind, e.actor_id, coalesce(m.name, k.name, i.file_name, v.name)"
    " FROM event e LEFT JOIN member m ON e.actor_kind = 'member' AND m.id = e.actor_id"
    " LEFT JOIN api_key k ON e.actor_kind = 'key' AND k.id = e.actor_id"
    " LEFT JOIN import i ON e.actor_kind = 'import' AND i.id = e.actor_id"
    " LEFT JOIN support_visit v ON e.actor_kind = 'support' AND v.id = e.actor_id"
    " WHERE e.record_id = %s::uuid AND e.object = %s AND e.record_version > %s::integer"
    " AND e.record_version <= %s::integer ORDER BY e.record_version DESC LIMIT %s"
)


@dataclass(slots=True)
class _Since:
    """What happened since a version: per field its value then, who changed it last and when."""

    base: dict[str, Any] = field(default_factory=dict[str, Any])
    last: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    latest: dict[str, Any] = field(default_factory=dict[str, Any])
    whole: bool = False


def check_version(
    scope: TenantScope,
    object_type: ObjectType,
    record: Mapping[str, Any],
    if_match: int | None,
    sent: Mapping[str, Any] | None = None,
) -> None:
    """Raise StaleVersion unless ``record`` (its present JSON form) is at the version ``if_match``; None is any.

    ``object_type`` is the object as the caller may see it: of other fields nothing is said.

    ``sent`` is the merge patch the caller wants to apply: what of it others have changed meanwhile is in
    ``extra["conflicts"]`` as ``{"field", "base", "theirs", "yours", "by", "at"}``, without ``base`` where the log does
    not reach back.
    """
    if if_match is None or record["version"] == if_match:
        return
    since = _changes(scope, object_type, record, if_match)
    conflicts = _conflicts(record, since, _as_stored(scope, object_type, record, sent or {}))
    errors = [_problem(object_type, conflict) for conflict in conflicts]
    detail = f"The record is at version {record['version']}, not {if_match}; read it again before changing it."
    extra: dict[str, object] = {
        "version": record["version"],
        "changed": sorted(name for name in since.base if name in object_type.fields),
        "conflicts": conflicts,
        **({"by": since.latest["by"], "at": since.latest["at"]} if since.latest else {}),
    }
    raise StaleVersion(detail, errors, extra)


def _changes(scope: TenantScope, object_type: ObjectType, record: Mapping[str, Any], version: int) -> _Since:
    since = _Since()
    cursor = scope.cursor_text()
    # Up to the record as it was read: others go on changing it.
    seen = (min(version, 2**31 - 1), record["version"])
    cursor.execute(_SINCE, (record["id"], object_type.name, *seen, _FAR))
    rows = cursor.fetchall()
    for _, diff, at, kind, actor_id, name in rows:
        by = {"kind": kind, "id": actor_id, "name": name or ("Rapport" if actor_id is None else "")}
        since_then: dict[str, Any] = {"by": by, "at": at}
        since.latest = since.latest or since_then
        changes: dict[str, list[Any]] = diff or {}
        for changed, (old, _) in changes.items():
            since.base[changed] = old
            since.last.setdefault(changed, since_then)
    since.whole = len(rows) == max(record["version"] - version, 0)
    return since


def _as_stored(
    scope: TenantScope, object_type: ObjectType, record: Mapping[str, Any], sent: Mapping[str, Any]
) -> dict[str, Any]:
    """The values sent as the record would show them; one that is not acceptable stays as it was sent."""
    ctx = coercion_of(scope)
    draft = Draft(object_type, take_in(object_type, sent, ctx, record), ctx, frozenset(sent), record)
    attach(scope, object_type, [draft])
    values = draft.values
    return {
        name: object_type.fields[name].type.to_json(values[name]) if name in values else raw
        for name, raw in sent.items()
        if name in object_type.fields
    }


def _conflicts(record: Mapping[str, Any], since: _Since, yours: Mapping[str, Any]) -> list[Record]:
    found: list[Record] = []
    for name, mine in yours.items():
        touched = name in since.base or not since.whole
        if not touched or mine == record.get(name):
            continue
        conflict: Record = {"field": name}
        if name in since.base and since.whole:
            conflict["base"] = since.base[name]
        last = since.last.get(name) or since.latest
        found.append(conflict | {"theirs": record.get(name), "yours": mine, **last})
    return found


def _problem(object_type: ObjectType, conflict: Record) -> FieldError:
    name: str = conflict["field"]
    by: str = conflict["by"]["name"] if "by" in conflict else ""
    by = by or "Somebody"
    return FieldError(f"/{name}", StaleVersion.code, f"{by} changed {object_type.fields[name].label} meanwhile.")
