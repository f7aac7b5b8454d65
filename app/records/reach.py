"""Which records somebody reaches, as SQL: the second choke point of rights (the first is the catalog).

An object's ``reach`` (``app.metadata.reach``) becomes a condition over its table. Reading statements take the table
narrowed by it (``source``, ``visible``), writing ones the condition itself or ``permitted``, one statement for all ids
of a call. An object everybody reaches whole stays the plain table: nothing is added. Who asks is a parameter
(``me``, ``roles``), so that statements are shared. What the engine does on its own (unique values, cascades, sums)
says ``whole``; an architecture test keeps every other module from naming a table.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.sql import visitors

from app.expressions import ConditionError, check
from app.metadata.reach import READING
from app.metadata.sortkeys import quoted
from app.metadata.system import SYSTEM_OBJECTS
from app.records.environment import RecordEnvironment, condition_sql
from app.records.paths import Row, column_of, plain
from app.records.rowform import trusted
from app.records.sources import Source
from app.records.statements import GIVEN, ShapeCache, compile_statement, personal_binds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.model import Catalog, Field, ObjectType
    from app.metadata.reach import Action, Reach, Widening
    from tenants.scope import TenantScope

Sql = sa.ColumnElement[bool]

_TEXTS: Final = ShapeCache()
_UUID: Final = pg.UUID(as_uuid=True)
_LITERAL: Final = re.compile(r"c\d+$")
_ONE: Final = sa.literal_column("1", sa.Integer())
_SHARE: Final = sa.table(
    "share", sa.column("object", sa.Text()), sa.column("record_id", _UUID), sa.column("grantee_kind", sa.Text()),
    sa.column("grantee", sa.Text()), sa.column("level", sa.Text()), sa.column("expires_at", sa.DateTime(timezone=True)),
).alias("sh")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition or a table as text for statements written by hand, with the constants in it."""

    text: str
    constants: Mapping[str, object]
    personal: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.text)

    def binds(self, scope: TenantScope) -> dict[str, object]:
        """Its parameters for whoever asks; none for the plain table."""
        return {**self.constants, **personal_binds(scope, self.personal)} if self.text else {}


NO_GUARD: Final = Guard("", {})


def source(catalog: Catalog, obj: ObjectType, action: Action = "read") -> Source:
    """The FROM clause of a statement over the records of ``obj`` one reaches, every link and inner list included."""

    def tables(wanted: ObjectType, name: str) -> sa.FromClause:
        # Only the object itself may be asked for more than reading.
        return narrowed(catalog, wanted, name, action if wanted is obj and name == "r" else "read")

    return Source(catalog, obj, tables=tables)


def narrowed(catalog: Catalog, obj: ObjectType, name: str, action: Action = "read") -> sa.FromClause:
    """The table of ``obj`` under the alias ``name``, narrowed to what one reaches; the plain table when that is all."""
    condition = predicate(catalog, obj, Row("g"), action)
    if condition is None:
        return plain(obj, name)
    inner = sa.table(obj.table).alias("g")
    return sa.select(sa.literal_column("g.*", sa.Text())).select_from(inner).where(condition).subquery(name)


def visible(catalog: Catalog, obj: ObjectType, action: Action = "read") -> tuple[str, Guard]:
    """What stands behind FROM in a statement written by hand, without an alias, and its guard for parameters."""
    guard = guard_of(catalog, obj, "g", action)
    if not guard:
        return whole(obj), guard
    return f"(SELECT g.* FROM {quoted(obj.table)} g WHERE {guard.text})", guard


def whole(obj: ObjectType) -> str:
    """The whole table, quoted: for what the engine does whoever asks."""
    return quoted(obj.table)


def guard_of(catalog: Catalog, obj: ObjectType, alias: str, action: Action) -> Guard:
    """The condition over the alias of a statement written by hand; empty when every record is reached."""
    if not obj.reach:
        return NO_GUARD
    return _TEXTS.get((obj.spec_hash, alias, action), lambda: _written(predicate(catalog, obj, Row(alias), action)))


def permitted(
    scope: TenantScope, catalog: Catalog, obj: ObjectType, record_ids: Iterable[UUID], action: Action
) -> set[UUID]:
    """Which of the records, live or in the trash, are in reach for ``action``; one statement for all, or none."""
    wanted = set(record_ids)
    guard = guard_of(catalog, obj, "g", action)
    if not guard or not wanted:
        return wanted
    text = f"SELECT g.id FROM {quoted(obj.table)} g WHERE g.id = ANY(%(ids)s::uuid[]) AND {guard.text}"
    rows = scope.execute(trusted(text), {**guard.binds(scope), "ids": sorted(wanted)}).fetchall()
    return {row[0] for row in rows}


def predicate(catalog: Catalog, obj: ObjectType, alias: Row, action: Action) -> Sql | None:
    """The condition a record of ``obj`` must meet for ``action``; None when every one does."""
    parts = [part for way in obj.reach if (part := _way(catalog, obj, way, alias, action)) is not None]
    return sa.and_(*parts) if parts else None


def branches_of(catalog: Catalog, obj: ObjectType, way: Reach, alias: Row, action: Action) -> list[tuple[str, Sql]]:
    """The ways sharing opens a record, each with its name: what ``_way`` joins by OR, and what explains a decision."""
    found: list[tuple[str, Sql]] = [("owner", _mine(alias))]
    found += [
        (f"condition:{one.condition}", _widened(catalog, obj, one, alias))
        for one in way.widenings
        if one.edit or action in READING
    ]
    openness = way.openness(action)
    team, owner = column_of(alias, "team", _UUID), column_of(alias, "owner", _UUID)
    if openness in ("team", "hierarchy"):
        found.append(("team", sa.and_(_flag("in_teams"), team == sa.any_(_ids("teams")))))
    found.append(("queue", sa.and_(_flag("in_queues"), owner.is_(None), team == sa.any_(_ids("queues")))))
    if openness == "hierarchy":
        found.append(("manager", sa.and_(_flag("has_people"), owner == sa.any_(_ids("people")))))
    if way.inherit:
        found.append((f"inherit:{way.inherit}", _linked(catalog, obj, way.inherit, alias, action)))
    found.append(("share", _shared(obj, alias, action)))
    return found


def _way(catalog: Catalog, obj: ObjectType, way: Reach, alias: Row, action: Action) -> Sql | None:
    level = way.level(action)
    if level == "none":
        return sa.false()
    if way.is_whole(action):
        return None
    if level == "own":
        return _mine(alias)
    if way.follows:
        first, *others = way.follows
        parts = [_linked(catalog, obj, first, alias, action)]
        return sa.and_(*parts, *(_linked(catalog, obj, link, alias, "read") for link in others))
    return sa.or_(*(part for _, part in branches_of(catalog, obj, way, alias, action)))


def _me() -> sa.BindParameter[Any]:
    return sa.bindparam("me", type_=_UUID)


def _mine(alias: Row) -> Sql:
    return column_of(alias, "owner", _UUID) == _me()


def _flag(name: str) -> Sql:
    """A constant of the plan: false takes its branch out before it costs anything."""
    return sa.bindparam(name, type_=sa.Boolean())


def _ids(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=pg.ARRAY(_UUID))


def _shared(obj: ObjectType, alias: Row, action: Action) -> Sql:
    """Given by hand, not over yet: to me, to a role of mine, to a team I reach.

    A few are found by index. Of many the planner would weigh each: behind coalesce it sees nothing to weigh, and they
    are looked up in a hashed set. The most are looked for in the table of shares.
    """
    level = "read" if action in READING else "edit"
    record = column_of(alias, "id", _UUID)
    listed = record == sa.any_(_ids(f"{GIVEN}{level}__{obj.name}"))
    few = sa.and_(_flag("given_few"), listed)
    many = sa.and_(_flag("given_many"), sa.func.coalesce(listed, sa.false()))
    member = sa.and_(_SHARE.c.grantee_kind == _text("member"), _SHARE.c.grantee == sa.cast(_me(), sa.Text()))
    roles = sa.bindparam("roles", type_=pg.ARRAY(sa.Text()))
    role = sa.and_(_SHARE.c.grantee_kind == _text("role"), _SHARE.c.grantee == sa.any_(roles))
    teams = sa.cast(_ids("teams"), pg.ARRAY(sa.Text()))
    team = sa.and_(_SHARE.c.grantee_kind == _text("team"), _SHARE.c.grantee == sa.any_(teams))
    conditions = [
        _SHARE.c.record_id == record,
        _SHARE.c.object == _text(obj.name),
        sa.or_(_SHARE.c.expires_at.is_(None), _SHARE.c.expires_at > sa.func.now()),
        sa.or_(member, role, team),
    ]
    if level == "edit":
        conditions.append(_SHARE.c.level == _text("edit"))
    looked_for = sa.exists(sa.select(_ONE).select_from(_SHARE).where(*conditions).correlate_except(_SHARE))
    return sa.or_(few, many, sa.and_(_flag("given_most"), looked_for))


def _linked(catalog: Catalog, obj: ObjectType, link: str, alias: Row, action: Action) -> Sql:
    """Whether the record a link points to is in reach; of a link to several objects, whichever it points to."""
    complete = catalog.whole or catalog
    field = complete.objects[obj.name].fields[link]
    parts = [_target(catalog, field, name, alias, action) for name in field.to]
    return sa.or_(*(part for part in parts if part is not None)) if any(p is not None for p in parts) else sa.false()


def _target(catalog: Catalog, field: Field, name: str, alias: Row, action: Action) -> Sql | None:
    target = catalog.objects.get(name) or SYSTEM_OBJECTS.get(name)
    if target is None:
        return None
    column = next((one.name for one in field.columns if one.part in ("", name)), None)
    if column is None:
        return None
    mine = column_of(alias, column, _UUID)
    above = Row(f"{alias.name}_{len(alias.name)}")
    condition = predicate(catalog, target, above, action)
    if condition is None:
        return mine.is_not(None)
    table = sa.table(target.table).alias(above.name)
    same = column_of(above, "id", _UUID) == mine
    return sa.exists(sa.select(_ONE).select_from(table).where(same, condition).correlate_except(table))


def _widened(catalog: Catalog, obj: ObjectType, one: Widening, alias: Row) -> Sql:
    """A condition of a role or of a sharing rule, for its grantee; one that no longer makes sense opens nothing."""
    met = _condition(catalog, obj, one.condition, alias)
    if one.grantee_kind == "member":
        return sa.and_(_me() == sa.cast(_text(_uuid_text(one.grantee)), _UUID), met)
    if one.grantee_kind == "team":
        return sa.and_(sa.cast(_text(_uuid_text(one.grantee)), _UUID) == sa.any_(_ids("teams")), met)
    return met


def _condition(catalog: Catalog, obj: ObjectType, condition: str, alias: Row) -> Sql:
    complete, tenant = catalog.whole or catalog, catalog.tenant
    if tenant is None:
        return sa.false()
    plain_object = complete.objects[obj.name]
    try:
        checked = check(condition, RecordEnvironment(complete, plain_object, tenant))
    except ConditionError:
        return sa.false()
    inner = Source(complete, plain_object, alias)
    met = condition_sql(inner, checked)
    tables = inner.tables()
    if tables:
        chosen = sa.select(_ONE).select_from(inner.from_clause()).where(met)
        met = sa.exists(chosen)
    prefix = "w" + hashlib.sha256(f"{obj.spec_hash} {condition}".encode()).hexdigest()[:10]
    return _with_literals(met, prefix, checked.binds())


def _with_literals(condition: Sql, prefix: str, literals: Mapping[str, object]) -> Sql:
    """The condition with its literals as parameters of its own, so that those of a filter are others."""

    def named(element: Any, **_: Any) -> Any:
        literal = cast("sa.BindParameter[Any] | None", element if isinstance(element, sa.BindParameter) else None)
        if literal is None or not _LITERAL.match(literal.key):
            return None
        return sa.bindparam(f"{prefix}_{literal.key}", literals[literal.key], type_=literal.type)

    return visitors.replacement_traverse(condition, {}, named)


def _written(condition: Sql | None) -> Guard:
    if condition is None:
        return NO_GUARD
    written = compile_statement(condition)
    return Guard(f"({written.text.decode()})", written.constants, written.personal)


def _text(value: str) -> sa.ColumnElement[str]:
    """A name of the catalog or of a column's check as a literal."""
    return sa.literal_column("'" + value.replace("'", "''").replace("%", "%%") + "'", sa.Text())


def _uuid_text(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return str(UUID(int=0))
