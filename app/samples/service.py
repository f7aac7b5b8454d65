"""A small demo set: loaded into an empty workspace and removed in one click."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from app.access import catalogs
from app.core import clock
from app.records.dependants import children_first
from app.records.reach import whole
from app.records.rowform import trusted
from app.records.trash import destroy_many
from app.records.write import create_record
from app.samples import data

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from tenants.scope import TenantScope

SOURCE: Final = "sample"
_SETTING: Final = "samples"


def load_samples(scope: TenantScope) -> int:
    """Create the sample records (``source_system`` is ``sample``); returns how many. Twice does nothing."""
    scope.execute(
        "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (f"samples {scope.tenant.schema}", _SETTING)
    )
    if has_samples(scope):
        return 0
    made: dict[str, str] = {}
    count = 0
    for object_name, key, values in data.RECORDS:
        payload = _dated(scope, {name: _linked(scope, value, made) for name, value in values.items()})
        record = create_record(scope, object_name, {**payload, "source_system": SOURCE, "external_id": f"sample-{key}"})
        made[key] = str(record["id"])
        count += 1
    scope.execute(
        "INSERT INTO setting (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()",
        (_SETTING, Jsonb({"loaded": True})),
    )
    return count


def remove_samples(scope: TenantScope) -> int:
    """Destroy every sample record, changed ones included; returns how many."""
    catalog = catalogs.whole(scope)
    count = 0
    for name in children_first(catalog, catalog.objects):
        object_type = catalog.objects[name]
        text = f"SELECT id FROM {whole(object_type)} WHERE source_system = %s ORDER BY id"
        rows = scope.execute(trusted(text), (SOURCE,)).fetchall()
        found: list[UUID] = [row[0] for row in rows]
        if found:
            outcome = destroy_many(scope, name, found)
            count += sum(blocking == [] for blocking in outcome.values())
    scope.execute("DELETE FROM setting WHERE name = %s", (_SETTING,))
    return count


def has_samples(scope: TenantScope) -> bool:
    """Whether sample records are in the workspace."""
    return scope.execute("SELECT 1 FROM setting WHERE name = %s", (_SETTING,)).fetchone() is not None


def _linked(scope: TenantScope, value: Any, made: Mapping[str, str]) -> Any:
    """A ``Ref`` is the id of the sample made under its key, the ``Asker`` whoever acts, when that is a member."""
    if isinstance(value, data.Asker):
        return str(scope.actor.id) if scope.actor.kind == "member" else None
    if isinstance(value, data.Ref):
        return {"object": value.object, "id": made[value.key]} if value.object else made[value.key]
    return value


def _dated(scope: TenantScope, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Days and hours relative to now, so that the demo never looks old."""
    today, now = clock.today(scope.tenant.timezone), clock.now()
    dated: dict[str, Any] = {}
    for name, value in payload.items():
        if isinstance(value, data.Day):
            dated[name] = (today + timedelta(days=value.offset)).isoformat()
        elif isinstance(value, data.Hour):
            moment = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=value.offset)
            dated[name] = moment.isoformat()
        else:
            dated[name] = value
    return dated
