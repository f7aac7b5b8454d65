"""Every change of a tenant's document: who, from where, why, each leaf before and after; also an event of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.errors import InvalidInput, NotFound
from app.metadata import roles
from app.metadata.changeset import LeafChange, Rename, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    import psycopg

    from app.metadata.apply import Request
    from app.metadata.changeset import Stage
    from app.metadata.plan import Plan
    from app.metadata.store import Execute
    from tenants.scope import Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]

#: How many leaves an event tells of; the change itself has all of them.
_TOLD: Final = 200
#: How many changes are taken back in one.
MOST_BACK: Final = 200
_LIST: Final = """
select c.id, c.version, c.source, c.note, c.leaves, c.renames, c.steps, c.reverts, c.at, c.by, m.name,
       (select r.id from metadata_change r where r.reverts = c.id order by r.version desc limit 1),
       (select jsonb_agg(jsonb_build_object('what', w.what, 'state', w.state, 'done', w.done, 'total', w.total,
                                            'error', w.error, 'spec', w.spec) order by w.id)
          from metadata_work w where w.change = c.id)
  from metadata_change c left join member m on m.id = c.by
"""


def write(connection: Connection, tenant: Tenant, made: Plan, request: Request, version: int) -> UUID:
    """Note a change and its event; the caller commits."""
    change = ids.uuid7()
    leaves = [_leaf(one) for one in made.changes.leaves]
    renames = _renames(made.changes.renames)
    stages = [{"leaves": [_leaf(leaf) for leaf in one.leaves], "renames": _renames(one.renames)} for one in _way(made)]
    known = {row.key: row for row in made.settled.rows}
    physical = [
        {"what": what, "table": row.table, "column": row.column, "component": row.component, "path": row.path}
        for what, rows in (
            ("made", made.settled.made),
            ("restored", made.settled.restored),
            ("hidden", made.settled.hidden),
        )
        for row in rows
        if row.key in known
    ]
    connection.execute(
        "insert into metadata_change (id, version, source, note, leaves, renames, stages, physical, steps, reverts,"
        " by) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (change, version, request.source, request.note, Jsonb(leaves), Jsonb(renames), Jsonb(stages), Jsonb(physical),
         Jsonb([step.public() for step in made.steps]), request.reverts, request.whose),
    )  # fmt: skip
    diff = {f"{one['component']}/{one['path']}": [one["before"], one["after"]] for one in leaves[:_TOLD]}
    told = {"kind": "metadata_changed", "object": "metadata", "record_id": str(change), "diff": diff}
    connection.execute(
        "with logged as (insert into event (id, at, actor_kind, actor_id, cause, kind, object, record_id, diff,"
        " request_id) select uuidv7(), clock_timestamp(), %s, %s, %s, kind, object, record_id, diff, %s"
        " from jsonb_to_recordset(%s) e (kind text, object text, record_id uuid, diff jsonb) returning id)"
        " insert into pod.outbox (tenant, events) select %s, array_agg(id order by id) from logged",
        (request.by.kind, request.by.id, Jsonb({"source": request.source, "note": request.note}),
         request.request_id or None, Jsonb([told, *roles.events(made.changes)]), tenant.role),
    )  # fmt: skip
    return change


def _way(made: Plan) -> Sequence[Stage]:
    """The stages, where before and after alone don't tell it all: a name passed from one to another."""
    stages = made.changes.stages
    passed = bool(made.settled.replaced) or any(one.renames for one in stages)
    return stages if passed and len(stages) > 1 else ()


def _renames(renames: Iterable[Rename]) -> list[dict[str, str]]:
    return [
        {
            "component": one.component,
            "path": one.path,
            "before_component": one.before_component,
            "before_path": one.before_path,
        }
        for one in renames
    ]


def deferred(made: Plan, request: Request) -> dict[str, Any]:
    """A change that is to be made later, as ``metadata_work`` keeps it."""
    by = request.by
    return {
        "leaves": [_leaf(one) for one in made.changes.leaves],
        "renames": _renames(made.changes.renames),
        "stated": made.changes.stated if request.keeps else None,
        "source": request.source,
        "note": request.note,
        "by": {"kind": by.kind, "id": str(by.id) if by.id else None, "name": by.name},
        "member": str(request.member) if request.member else None,
        "reverts": str(request.reverts) if request.reverts else None,
    }


def since(execute: Execute, version: int) -> list[dict[str, Any]]:
    """Leaves changed after ``version``, with who changed them."""
    rows = execute(
        "select c.leaves, c.version, c.at, c.source, m.name from metadata_change c left join member m on m.id = c.by"
        " where c.version > %s order by c.version",
        (version,),
    ).fetchall()
    return [
        {**leaf, "version": at_version, "at": at.isoformat(), "source": source, "by": name}
        for leaves, at_version, at, source, name in rows
        for leaf in leaves
    ]


def changes(execute: Execute, *, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Changes, newest first, older than version ``before``."""
    rows = execute(
        _LIST + " where %(before)s::bigint is null or c.version < %(before)s order by c.version desc limit %(limit)s",
        {"before": before, "limit": limit},
    ).fetchall()
    return [_public(row) for row in rows]


def change(execute: Execute, id_: UUID) -> dict[str, Any]:
    """One change. Raises NotFound."""
    row = execute(_LIST + " where c.id = %s", (id_,)).fetchone()
    if row is None:
        raise NotFound("There is no such change.")
    return _public(row)


def back_to(execute: Execute, version: int) -> list[dict[str, Any]]:
    """The change that made ``version`` and all that people made after it, newest first; updates of Rapport stay.

    Raises InvalidInput when they are too many for one change.
    """
    rows = execute(
        _LIST + " where c.version >= %s and c.source <> 'platform' order by c.version desc limit %s",
        (version, MOST_BACK + 1),
    ).fetchall()
    if len(rows) > MOST_BACK:
        raise InvalidInput(f"These are more than {MOST_BACK:,} changes: take the newer ones back first.")
    return [_public(row) for row in rows]


def told(execute: Execute, changes: Sequence[dict[str, Any]]) -> list[list[Told]]:
    """Each change as the pure functions take it: what it was made of, oldest first."""
    rows = execute(
        "select id, stages from metadata_change where id = any(%s::uuid[]) and stages <> '[]'",
        ([one["id"] for one in changes],),
    ).fetchall()
    stages = {str(id_): found for id_, found in rows}
    return [
        [(leaves_of(part), renames_of(part)) for part in (*stages.get(one["id"], ()), _decided(one))]
        if one["id"] in stages
        else [(leaves_of(one), renames_of(one))]
        for one in changes
    ]


def _decided(found: dict[str, Any]) -> dict[str, Any]:
    """The conflicts a change of several stages decided: of them the whole tells."""
    return {"leaves": [one for one in found["leaves"] if "base" in one], "renames": []}


def since_renaming(execute: Execute, version: int) -> list[Told]:
    """The changes after ``version``, oldest first, up to the last that renamed something."""
    rows = execute(
        "select leaves, renames from metadata_change where version > %(version)s and version <="
        " (select max(version) from metadata_change where version > %(version)s and renames <> '[]') order by version",
        {"version": version},
    ).fetchall()
    return [(leaves_of({"leaves": leaves}), renames_of({"renames": renames})) for leaves, renames in rows]


def leaves_of(found: dict[str, Any]) -> list[LeafChange]:
    """The leaves of a change as the pure functions take them."""
    return [
        LeafChange(
            one["component"], one["path"], one["before"], one["after"], tuple(one["base"]) if "base" in one else None
        )
        for one in found["leaves"]
    ]


def renames_of(found: dict[str, Any]) -> list[Rename]:
    """The renames of a change."""
    return [Rename(**one) for one in found["renames"]]


def _leaf(one: LeafChange) -> dict[str, Any]:
    told: dict[str, Any] = {"component": one.component, "path": one.path, "before": one.before, "after": one.after}
    return told | ({"base": one.base} if one.base is not None else {})


def _public(row: tuple[Any, ...]) -> dict[str, Any]:
    id_, version, source, note, leaves, renames, steps, reverts, at, by, name, reverted_by, work = row
    return {
        "id": str(id_),
        "version": version,
        "source": source,
        "note": note,
        "leaves": leaves,
        "renames": renames,
        "steps": steps,
        "reverts": str(reverts) if reverts else None,
        "reverted_by": str(reverted_by) if reverted_by else None,
        "at": at.isoformat().replace("+00:00", "Z"),
        "by": {"id": str(by), "name": name} if by else None,
        "work": work or [],
    }
