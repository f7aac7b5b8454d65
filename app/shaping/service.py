"""The verbs of shaping, for REST, pages and the command: plan, apply, history, revert, drift, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.access.changing import guarded
from app.core import clock
from app.metadata import catalog as catalogs
from app.metadata import document, history, layered, store
from app.metadata.apply import Applied, MetadataConflict, Request, apply, owner_of
from app.metadata.apply import look as look_as_owner
from app.metadata.changeset import chosen, desired, drift, renamed, wound_back
from app.metadata.layers import conflicts, live, overlaid
from app.metadata.plan import Plan, plan, situation
from app.shaping.holding import going, holding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from app.core.db import Databases
    from app.metadata.changeset import Changes, Notice, State
    from app.metadata.layers import Conflict
    from app.metadata.leaves import Document
    from app.metadata.plan import Situation
    from app.metadata.problems import Problem
    from app.metadata.store import Execute
    from app.shaping.holding import Holding
    from tenants.scope import Tenant, TenantScope

    Wanted = Callable[[State], Changes]


def wanted_of(components: Sequence[object], *, source: str, prune: bool = False) -> Wanted:
    """What written components want. Raises InvalidComponents for those that can't be read."""
    patches = document.parse(components)
    return lambda state: desired(state, patches, source=source, prune=prune)


def wanted_back(execute: Execute, change: UUID, *, newer: bool = False) -> Wanted:
    """What taking a change back wants; ``newer``: and all that people changed after it. Raises NotFound."""
    found = history.change(execute, change)
    changes = history.back_to(execute, found["version"]) if newer else [found]
    taken = [part for parts in history.told(execute, changes) for part in reversed(parts)]
    if not newer:
        later = history.since_renaming(execute, found["version"])
        taken = [renamed(leaves, renames, later) for leaves, renames in taken]
    return lambda state: wound_back(state, taken)


def look(scope: TenantScope) -> Situation:
    """The workspace's metadata and tables as they are."""
    stored = store.read(scope.execute, scope.version)
    layered.learn(scope, stored.pins)
    return situation(scope.execute, scope.connection, scope.tenant, stored)


def plan_in(scope: TenantScope, wanted: Wanted) -> Plan:
    """What ``wanted`` would take; nothing is changed."""
    given = look(scope)
    return plan(given, guarded(scope, wanted)(given.state), clock.now())


def holding_in(scope: TenantScope, made: Plan) -> list[Holding]:
    """How many records hold what a plan takes away or retires."""
    if not going(made.changes):
        return []
    return holding(scope.execute, catalogs.whole(scope).objects, made.changes, scope.tenant.locale)


def plan_told(scope: TenantScope, wanted: Wanted) -> dict[str, Any]:
    """The document of a plan; nothing is changed."""
    made = plan_in(scope, wanted)
    return plan_document(made, scope.version, holding_in(scope, made))


def plan_beside(databases: Databases, scope: TenantScope, wanted: Wanted) -> dict[str, Any]:
    """The document of a plan, for who asked in ``scope``, which has ended."""
    with owner_of(databases, scope.tenant) as connection:
        given = look_as_owner(connection, scope.tenant)
        made = plan(given, guarded(scope, wanted)(given.state), clock.now())
        objects = catalogs.compose(given.stored).objects
        held = holding(connection.execute, objects, made.changes, scope.tenant.locale)
    return plan_document(made, given.stored.version, held)


def planned_beside(databases: Databases, scope: TenantScope, wanted: Wanted) -> tuple[Plan, int]:
    """A plan for who asked in ``scope``, which has ended, and the version it was made at."""
    with owner_of(databases, scope.tenant) as connection:
        given = look_as_owner(connection, scope.tenant)
        return plan(given, guarded(scope, wanted)(given.state), clock.now()), given.stored.version


def wanted_back_beside(databases: Databases, tenant: Tenant, change: UUID, *, newer: bool = False) -> Wanted:
    """The same outside of any scope."""
    with owner_of(databases, tenant) as connection:
        return wanted_back(connection.execute, change, newer=newer)


def apply_in(
    scope: TenantScope,
    databases: Databases,
    wanted: Wanted,
    *,
    source: str,
    note: str = "",
    confirm: bool = False,
    base: int | None = None,
    reverts: UUID | None = None,
    keeps: bool = True,
) -> Applied:
    """Make ``wanted`` true, for who asked in ``scope``, which has ended. Raises as ``apply`` does."""
    request = Request(
        source=source,
        by=scope.actor,
        member=scope.member.id if scope.member else None,
        note=note,
        confirm=confirm,
        base=base,
        reverts=reverts,
        request_id=scope.request_id,
        keeps=keeps and reverts is None,
    )
    return apply(databases, scope.tenant, guarded(scope, wanted), request)


def conflicts_of(scope: TenantScope) -> list[dict[str, Any]]:
    """What both the workspace and an update changed: the workspace's value is in force until somebody decides."""
    stored = store.read(scope.execute, scope.version)
    layered.learn(scope, stored.pins)
    lower = layered.document(layered.key_of(stored.pins))
    return conflicts_document(conflicts(lower, stored.overrides))


def wanted_choices(kept: Sequence[tuple[str, str]], taken: Sequence[tuple[str, str]]) -> Wanted:
    """What deciding conflicts wants. Raises MetadataConflict for one that is none (any more)."""

    def wanted(state: State) -> Changes:
        known = {(one.component, one.path) for one in conflicts(state.lower, state.overrides)}
        for component, path in (*kept, *taken):
            if (component, path) not in known:
                raise MetadataConflict(f"{component}/{path} is not in conflict (any more).")
        return chosen(state, kept, taken)

    return wanted


def current(scope: TenantScope) -> Document:
    """What is in effect, without hidden parts."""
    state = look(scope).state
    return live(overlaid(state.lower, state.overrides))


def drift_of(scope: TenantScope, source: str) -> list[dict[str, Any]]:
    """What was changed by hand since ``source`` last stated it."""
    state = look(scope).state
    now = overlaid(state.lower, state.overrides)
    return [_leaf(one) for one in drift(state.last.get(source, {}), now)]


def plan_document(made: Plan, version: int, held: Iterable[Holding] = ()) -> dict[str, Any]:
    """A plan as the API shows it."""
    changes = made.changes
    return {
        "base_version": version,
        "empty": changes.empty,
        "steps": [step.public() for step in made.steps],
        "leaves": [_leaf(one) for one in changes.leaves],
        "renames": [_rename(one) for one in changes.renames],
        "warnings": [_notice(one) for one in changes.warnings],
        "questions": [_notice(one) for one in changes.questions],
        "broken": [_notice(one) for one in changes.broken],
        "problems": [_problem(one) for one in changes.problems],
        "conflicts": conflicts_document(changes.conflicts),
        "repairs": [one.public() for one in made.repairs],
        "holding": [one.public() for one in held],
        "needs_confirm": bool(made.destructive),
    }


def conflicts_document(found: Iterable[Conflict]) -> list[dict[str, Any]]:
    """Overrides whose lower leaf is another now, both sides told."""
    return [
        {"component": one.component, "path": one.path, "base": one.base, "value": one.value, "lower": one.lower}
        for one in found
    ]


def applied_told(databases: Databases, tenant: Tenant, applied: Applied) -> dict[str, Any]:
    """What became of an apply as the API shows it, with who holds what went."""
    made = applied.plan
    if not going(made.changes):
        return applied_document(applied)
    with owner_of(databases, tenant) as connection:
        held = holding(connection.execute, made.after.objects, made.changes, tenant.locale)
    return applied_document(applied, held)


def applied_document(applied: Applied, held: Iterable[Holding] = ()) -> dict[str, Any]:
    """The same without looking."""
    return {
        "version": applied.version,
        "change": str(applied.change) if applied.change else None,
        "steps": [step.public() for step in applied.plan.steps],
        "leaves": [_leaf(one) for one in applied.plan.changes.leaves],
        "warnings": [_notice(one) for one in applied.plan.changes.warnings],
        "repairs": [one.public() for one in applied.plan.repairs],
        "holding": [one.public() for one in held],
        "work": [str(id_) for id_ in applied.work],
        "deferred": applied.deferred,
    }


def _leaf(one: Any) -> dict[str, Any]:
    return {"component": one.component, "path": one.path, "before": one.before, "after": one.after}


def _rename(one: Any) -> dict[str, Any]:
    return {
        "component": one.component,
        "path": one.path,
        "before_component": one.before_component,
        "before_path": one.before_path,
    }


def _notice(one: Notice) -> dict[str, Any]:
    return {
        "code": one.code, "component": one.component, "path": one.path, "message": one.message,
        "about": list(one.about),
    }  # fmt: skip


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "component": one.component, "path": one.path, "code": one.code, "message": str(one), "pointer": one.pointer,
    }  # fmt: skip
