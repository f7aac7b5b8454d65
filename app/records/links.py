"""What links point to: targets must be live records of this workspace, members or teams."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.core.errors import FieldError
from app.records.plan import plan_of
from app.records.reach import permitted, whole
from app.records.rowform import quote, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope

#: Link targets that are system tables: no trash, their rows are never locked by a record's writer.
SYSTEM_TARGETS: Final = frozenset({"member", "team"})


@dataclass(frozen=True, slots=True)
class Target:
    """One record a link field points to."""

    field: str
    object: str
    table: str
    id: UUID


def targets_of(catalog: Catalog, object_type: ObjectType, values: Mapping[str, Any]) -> list[Target]:
    """The targets of every non-empty link among ``values``, in a steady order."""
    found: list[Target] = []
    for field in plan_of(object_type).links:
        value = values.get(field.name)
        if value is not None:
            target = target_of(field, value)
            if target is not None:
                object_name, target_id = target
                found.append(Target(field.name, object_name, table_of(catalog, object_name), target_id))
    return found


def target_of(field: Field, value: Any) -> tuple[str, UUID] | None:
    """Object and id a link's value points to; a polymorphic value names its object."""
    if isinstance(value, UUID):
        return (field.to[0], value)
    object_name, target_id = getattr(value, "object", None), getattr(value, "id", None)
    if isinstance(object_name, str) and isinstance(target_id, UUID):
        return (object_name, target_id)
    return None


def table_of(catalog: Catalog, object_name: str) -> str:
    """The table of an object or of a system target."""
    return object_name if object_name in SYSTEM_TARGETS else catalog.objects[object_name].table


def with_trash(targets: Iterable[Target]) -> list[Target]:
    """Those that can be in the trash; of members and teams the foreign key says all there is to know."""
    return [target for target in targets if target.object not in SYSTEM_TARGETS]


def live_target_sql(target: Target, parameter: str) -> str:
    """SQL that holds when the target is live.

    The key-share lock makes a trash of the target at the same moment either see the new link or be seen here.
    """
    return (
        f"EXISTS (SELECT FROM {quote(target.table)} x WHERE x.id = %({parameter})s::uuid"
        " AND x.deleted_at IS NULL FOR KEY SHARE)"
    )


def live_ids(scope: TenantScope, catalog: Catalog, wanted: Mapping[str, Iterable[UUID]]) -> dict[str, set[UUID]]:
    """Which of the wanted ids are live, by object; they stay live for the rest of the transaction."""
    live: dict[str, set[UUID]] = {}
    for object_name in sorted(wanted):
        ids = sorted(set(wanted[object_name]), key=attrgetter("int"))
        if not ids:
            continue
        text = f"SELECT id FROM {quote(table_of(catalog, object_name))} WHERE id = ANY(%s::uuid[])"
        if object_name not in SYSTEM_TARGETS:
            text += " AND deleted_at IS NULL ORDER BY id FOR KEY SHARE"
        live[object_name] = {row[0] for row in scope.execute(trusted(text), (ids,)).fetchall()}
    return live


def dead_link(target: Target, label: str) -> FieldError:
    """The problem of a link whose target is missing, in the trash or another workspace's."""
    return FieldError(f"/{target.field}", "link.not_found", f"{label}: there is no {target.object} with this id.")


def unseen(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, targets: Sequence[Target]
) -> list[FieldError]:
    """One problem for each target out of reach in ``catalog``: said as of one that is not there."""
    seen = seen_targets(scope, catalog, targets)
    return [dead_link(target, object_type.fields[target.field].label) for target in targets if target not in seen]


def seen_targets(scope: TenantScope, catalog: Catalog, targets: Sequence[Target]) -> set[Target]:
    """Those in reach in ``catalog``; one statement an object that is narrowed there."""
    wanted: dict[str, set[UUID]] = {}
    for target in targets:
        wanted.setdefault(target.object, set()).add(target.id)
    seen: dict[str, set[UUID]] = {}
    for name in sorted(wanted):
        found = catalog.objects.get(name)
        if name in SYSTEM_TARGETS:
            seen[name] = wanted[name]
        elif found is not None:
            seen[name] = permitted(scope, catalog, found, wanted[name], "read")
    return {target for target in targets if target.id in seen.get(target.object, set())}


def dead_links(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, targets: Sequence[Target]
) -> list[FieldError]:
    """One problem for each target that is not live."""
    wanted: dict[str, list[UUID]] = {}
    for target in targets:
        wanted.setdefault(target.object, []).append(target.id)
    live = live_ids(scope, catalog, wanted)
    return [
        dead_link(target, object_type.fields[target.field].label)
        for target in targets
        if target.id not in live.get(target.object, set())
    ]


def find_cycles(
    scope: TenantScope, object_type: ObjectType, record_id: UUID, values: Mapping[str, Any]
) -> list[FieldError]:
    """A problem for each acyclic link among ``values`` that would make the record its own ancestor.

    Writers of such a link wait for each other within one workspace: two moves could close a cycle between them.
    """
    problems: list[FieldError] = []
    for field in plan_of(object_type).acyclic:
        target = values.get(field.name)
        if target is None:
            continue
        link, table = quote(field.columns[0].name), whole(object_type)
        _take_turns(scope, object_type, field)
        text = (
            f"WITH RECURSIVE up AS (SELECT id, {link} AS above FROM {table} WHERE id = %s::uuid"
            f" UNION SELECT t.id, t.{link} FROM {table} t JOIN up ON t.id = up.above)"
            " SELECT 1 FROM up WHERE id = %s::uuid LIMIT 1"
        )
        found = scope.execute(trusted(text), (target, record_id)).fetchone()
        if found:
            problems.append(_cycle(field))
    return problems


def find_cycles_together(
    scope: TenantScope, object_type: ObjectType, moves: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> dict[UUID, list[FieldError]]:
    """Like ``find_cycles`` for records written in one statement: each sees the moves of those before it."""
    problems: dict[UUID, list[FieldError]] = {}
    for field in plan_of(object_type).acyclic:
        moved = [(record_id, values[field.name]) for record_id, values in moves if field.name in values]
        targets = [target for _, target in moved if target is not None]
        if not targets:
            continue
        _take_turns(scope, object_type, field)
        link, table = quote(field.columns[0].name), whole(object_type)
        text = (
            f"WITH RECURSIVE up AS (SELECT id, {link} AS above FROM {table} WHERE id = ANY(%s::uuid[])"
            f" UNION SELECT t.id, t.{link} FROM {table} t JOIN up ON t.id = up.above) SELECT id, above FROM up"
        )
        above: dict[UUID, UUID | None] = dict(scope.execute(trusted(text), (targets,)).fetchall())
        for record_id, target in moved:
            if _leads_to(above, target, record_id):
                problems.setdefault(record_id, []).append(_cycle(field))
            else:
                above[record_id] = target
    return problems


def _leads_to(above: Mapping[UUID, UUID | None], start: UUID | None, wanted: UUID) -> bool:
    passed: set[UUID] = set()
    while start is not None and start != wanted and start not in passed:
        passed.add(start)
        start = above.get(start)
    return start == wanted


def _take_turns(scope: TenantScope, object_type: ObjectType, field: Field) -> None:
    scope.execute(
        "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))",
        (f"acyclic {scope.tenant.schema}", f"{object_type.name}.{field.name}"),
    )


def _cycle(field: Field) -> FieldError:
    return FieldError(f"/{field.name}", "link.cycle", f"{field.label}: the record would be above itself.")
