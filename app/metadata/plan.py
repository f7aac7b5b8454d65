"""From wanted changes to steps: exact DDL, rows touched, how safe each is; nothing is written here.

A step is about one thing people know (a field, an object, a stage) and holds its statements. What takes long is a step
of its own, done by a job while people work.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, LiteralString, cast

from app.metadata import catalog as catalogs
from app.metadata import conversion, layered, roles, store
from app.metadata.changeset import Stage, State
from app.metadata.computing import refuse_problems
from app.metadata.ddl import rebuild
from app.metadata.ddl.diff import Standing, difference
from app.metadata.ddl.inspect import held, stored_columns
from app.metadata.ddl.names import foreign_key_name, index_name, unique_name
from app.metadata.ddl.rebuild import Worn
from app.metadata.ddl.shape import column_stem, shapes
from app.metadata.effects import Notice
from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR
from app.metadata.physical import OBJECT, Settled, settle
from app.metadata.problems import InvalidComponents, Problem
from app.metadata.repairs import Repair, repairs
from app.metadata.sortkeys import quoted
from app.metadata.written import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from app.metadata.changeset import Changes
    from app.metadata.conversion import Conversion, Preview
    from app.metadata.ddl.diff import Safety, Step
    from app.metadata.ddl.inspect import Held
    from app.metadata.ddl.shape import Table
    from app.metadata.leaves import Document
    from app.metadata.model import Catalog
    from app.metadata.physical import Physical
    from app.metadata.store import Connection, Execute, Stored
    from tenants.scope import Tenant

#: So many records are written anew while nobody notices.
_SOON: Final = 10_000
_WORST: Final[tuple[Safety, ...]] = ("instant", "online", "rewrite", "destructive")


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What is done to one thing. ``op``: add, change, remove, rename, restore, convert, build, rewrite."""

    op: str
    kind: str
    name: str
    safety: Safety = "instant"
    ddl: tuple[str, ...] = ()
    rows: int = 0
    preview: Preview | None = None

    def public(self) -> dict[str, object]:
        """The API's form."""
        told: dict[str, object] = {
            "op": self.op, "kind": self.kind, "name": self.name, "safety": self.safety, "ddl": list(self.ddl),
            "rows": self.rows,
        }  # fmt: skip
        return told | ({"preview": self.preview.public()} if self.preview else {})


@dataclass(frozen=True, slots=True)
class Situation:
    """A tenant's metadata and tables as a plan read them."""

    stored: Stored
    state: State
    seed: str
    tables: Mapping[str, Held]
    execute: Execute
    connection: Connection
    tenant: Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A change set ready to be applied to the ``Situation`` it was made for."""

    changes: Changes
    settled: Settled
    steps: tuple[PlanStep, ...]
    #: Statements of the transaction, in order, then those of the job.
    statements: tuple[Step, ...]
    online: tuple[Step, ...]
    after: Catalog
    repairs: tuple[Repair, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    #: Those of them whose tables are large: a job fills their columns first, then everything is applied.
    prepared: tuple[Conversion, ...] = ()

    @property
    def waiting(self) -> list[PlanStep]:
        """Steps for which writers wait longer than other changes make them: a large table is written anew."""
        return [step for step in self.steps if step.op == "rewrite" and step.rows > _SOON]

    @property
    def destructive(self) -> list[PlanStep]:
        """Steps that lose something for good, sooner or later."""
        return [step for step in self.steps if step.safety == "destructive"]


def situation(execute: Execute, connection: Connection, tenant: Tenant, stored: Stored) -> Situation:
    """Read everything else a plan needs; ``execute`` runs on ``connection`` with the tenant's search_path."""
    lower = layered.document(layered.key_of(stored.pins))
    state = State(
        lower=lower,
        overrides=stored.overrides,
        last=store.sources(execute),
        currency=tenant.currency,
        timezone=tenant.timezone,
    )
    return Situation(stored, state, store.seed(execute), held(execute), execute, connection, tenant)


def plan(
    given: Situation, changes: Changes, now: datetime, *, quick: bool = False, standard: Document | None = None
) -> Plan:
    """What applying ``changes`` takes. Those that are blocked have no DDL: nothing of them is applied.

    ``quick``: without what is only told to people (repairs, previews), while writers wait. ``standard``: what tables
    and columns are called without a row that says otherwise, where the layers below are not the tenant's any more.
    """
    old = catalogs.compose(given.stored)
    # What an update takes away and somebody holds, the workspace keeps.
    changes = roles.guarded(given.execute, changes) if standard is None else changes
    if changes.blocked or changes.empty:
        return _nothing(given, old, changes)
    after = live(changes.after)
    stages = [replace(one, after=live(one.after)) for one in changes.stages] or [Stage(after, changes.renames)]
    settled = settle(
        given.stored.physical,
        live(changes.before),
        stages,
        live(given.state.lower) if standard is None else standard,
        seed=given.seed,
        now=now,
    )
    if settled.twice:
        return _refused(given, old, changes, settled.twice)
    new = catalogs.of_document(given.stored.version + 1, after, settled.rows)
    refuse_problems(old.objects, new.objects)
    flagged = () if quick else tuple(repairs(given.execute, old, new, settled, given.tables))
    found = tuple(conversion.conversions(old, new, settled))
    before, after_ = _differing(old, new)
    worn = _worn(given, before, after_, old, new, found) if standard is None else {}
    ddl = [
        *(step for one in worn.values() for step in rebuild.rewritten(one)),
        *difference(_without(before, worn), _without(after_, worn), _standing(given, settled, new, flagged, found)),
        *(step for one in worn.values() for step in rebuild.keyed(one)),
    ]
    statements = tuple(step for step in ddl if step.safety != "online")
    online = tuple(step for step in ddl if step.safety == "online")
    return Plan(
        changes=changes,
        settled=settled,
        steps=_Told(given, old, new, changes).steps(statements, online, settled, () if quick else found),
        statements=statements,
        online=online,
        after=new,
        repairs=flagged,
        conversions=found,
        prepared=tuple(one for one in found if one.table in given.tables and given.tables[one.table].large),
    )


def _refused(given: Situation, old: Catalog, changes: Changes, twice: Iterable[Physical]) -> Plan:
    """What a value was between two types is known to each of them only: taken back in one it would be lost."""
    message = "its type changed more than once: take these changes back one by one"
    notices = [Notice("revert.one_by_one", row.component, dotted(row.path), message) for row in twice]
    return _nothing(given, old, replace(changes, broken=(*changes.broken, *notices)))


def _nothing(given: Situation, old: Catalog, changes: Changes) -> Plan:
    """The plan of what changes nothing, or is blocked."""
    settled = Settled(given.stored.physical)
    return Plan(changes=changes, settled=settled, steps=(), statements=(), online=(), after=old)


def _differing(old: Catalog, new: Catalog) -> tuple[dict[str, Table], dict[str, Table]]:
    """The tables of objects that are not the very same on both sides."""
    same = {one.table for name, one in old.objects.items() if new.objects.get(name) is one}
    return shapes(old, leaving_out=same), shapes(new, leaving_out=same)


def _without(tables: Mapping[str, Table], worn: Mapping[str, Worn]) -> dict[str, Table]:
    return {name: table for name, table in tables.items() if name not in worn}


def _worn(
    given: Situation,
    before: Mapping[str, Table],
    after: Mapping[str, Table],
    old: Catalog,
    new: Catalog,
    converted: Iterable[Conversion],
) -> dict[str, Worn]:
    """Tables that have used up their columns; one a job fills columns of first is left for the next change.

    Raises:
        InvalidComponents: an object would need more columns than a table can have.
    """
    prepared = {one.table for one in converted if one.table in given.tables and given.tables[one.table].large}
    found: dict[str, Worn] = {}
    for name, table in after.items():
        held = given.tables.get(name)
        needed = len({*table.columns, *(held.columns if held else ())})
        if needed > rebuild.MOST_COLUMNS:
            named = next(obj.name for obj in new.objects.values() if obj.table == name)
            message = f"needs {needed} columns of the database, those removed in the last 30 days included;"
            message += f" at most {rebuild.MOST_COLUMNS} fit: make another object for some of the fields and link it"
            raise InvalidComponents([Problem(f"{OBJECT}/{named}", "fields", "object.too_many_columns", message)])
        made = rebuild.used_up(before.get(name), table, held.columns) if held else 0
        if held and made and held.attributes + made > rebuild.MOST_ATTRIBUTES and name not in prepared:
            leading, staying = _leading(old, name), _leading(new, name)
            found[name] = Worn(
                table,
                stored_columns(given.execute, name),
                tuple(leading),
                tuple(key for key in staying if key in leading),
            )
    return found


def _leading(catalog: Catalog, table: str) -> list[rebuild.Key]:
    """The foreign keys that lead to a table from others."""
    return [
        (name, key)
        for name, one in shapes(catalog).items()
        for key in one.foreign_keys.values()
        if key.target == table != name
    ]


def _standing(
    given: Situation, settled: Settled, new: Catalog, flagged: Iterable[Repair], converted: Iterable[Conversion]
) -> Standing:
    """Guards of what comes back, is converted, or is at odds with them are left to the job: there they may fail."""
    back = {row.table for row in settled.restored} | {one.table for one in converted if one.after.unique}
    back |= {new.objects[one.object].table for one in flagged if one.code != "required"}
    return Standing(
        tables=frozenset(given.tables),
        columns=frozenset((table, column) for table, one in given.tables.items() for column in one.columns),
        guards=frozenset(name for one in given.tables.values() for name in one.guards),
        large=frozenset(table for table, one in given.tables.items() if one.large or table in back),
    )


Node = tuple[str, str]


class _Told:
    """Groups leaves and statements by what they are about."""

    def __init__(self, given: Situation, old: Catalog, new: Catalog, changes: Changes) -> None:
        self._given, self._old, self._new, self._changes = given, old, new, changes
        self._parts = _parts(old) | _parts(new)
        self._objects = {one.table: one.name for catalog in (old, new) for one in catalog.objects.values()}

    def steps(
        self, statements: Iterable[Step], online: Iterable[Step], settled: Settled, converting: Iterable[Conversion]
    ) -> tuple[PlanStep, ...]:
        nodes: dict[Node, str] = {}
        for rename in self._changes.renames:
            nodes[node_of(rename.component, rename.path)] = "rename"
        for leaf in self._changes.leaves:
            node = node_of(leaf.component, leaf.path)
            nodes.setdefault(node, self._op(leaf.component, leaf.path))
        for row in settled.restored:
            nodes[node_of(row.component, row.path)] = "restore"
        for _, row in settled.converted:
            nodes[node_of(row.component, row.path)] = "convert"
        for row in settled.replaced:
            nodes[node_of(row.component, row.path)] = "replace"
        ddl: defaultdict[Node, list[Step]] = defaultdict(list)
        anew: defaultdict[str, list[Step]] = defaultdict(list)
        for step in statements:
            if step.safety == "rewrite":
                anew[step.table].append(step)
                continue
            node = self._about(step)
            node = (OBJECT, node[1].partition(".")[0]) if self._within_new(node, nodes) else node
            ddl[node].append(step)
            nodes.setdefault(node, "change")
        previews = {("field", f"{one.object}.{one.after.name}"): self._preview(one) for one in converting}
        found = [
            self._step(node, op, ddl[node], previews.get(node))
            for node, op in nodes.items()
            if not self._within_new(node, nodes)
        ]
        return (*found, *(self._rewriting(table, ddl) for table, ddl in anew.items()), *map(self._building, online))

    def _within_new(self, node: Node, nodes: Mapping[Node, str]) -> bool:
        """A new object's fields are told with it."""
        kind, name = node
        owner = name.partition(".")[0]
        return kind != OBJECT and nodes.get((OBJECT, owner)) in ("add", "remove") and "." in name

    def _preview(self, one: Conversion) -> Preview:
        table = self._given.tables.get(one.table)
        ctx = conversion.context(self._given.tenant)
        return conversion.preview(self._given.connection, one, ctx, large=table is not None and table.large)

    def _step(self, node: Node, op: str, ddl: list[Step], preview: Preview | None) -> PlanStep:
        kind, name = node
        if preview is not None:
            # Values that nobody looked at may not convert either: who asks for it agrees to that.
            worst: Safety = "destructive" if preview.failing or preview.looked_at < preview.rows else "instant"
            return PlanStep(op, kind, name, worst, tuple(step.ddl for step in ddl), preview.rows, preview)
        rows = self._values(kind, name) if op in ("remove", "replace") else 0
        safety: Safety = "destructive" if rows else "instant"
        return PlanStep(op, kind, name, safety, tuple(step.ddl for step in ddl), rows)

    def _rewriting(self, table: str, ddl: list[Step]) -> PlanStep:
        rows = self._given.tables[table].rows
        return PlanStep("rewrite", OBJECT, self._objects[table], "rewrite", tuple(step.ddl for step in ddl), rows)

    def _building(self, step: Step) -> PlanStep:
        kind, name = self._about(step)
        table = self._given.tables.get(step.table)
        return PlanStep("build", kind, name, "online", (step.ddl,), table.rows if table else 0)

    def _values(self, kind: str, name: str) -> int:
        """How many records hold what would go."""
        owner, _, item = name.partition(".")
        obj = self._old.objects.get(owner)
        if obj is None or obj.table not in self._given.tables:
            return 0
        if kind == OBJECT:
            return _count(self._given.execute, obj.table, "")
        one = obj.fields.get(item) if kind == "field" else None
        stored = one is not None and one.stored and one.columns[0].name in self._given.tables[obj.table].columns
        return _count(self._given.execute, obj.table, one.columns[0].name) if one and stored else 0

    def _op(self, component: str, path: str) -> str:
        kind, _ = node_of(component, path)
        marker = _marker(path) if kind in ("field", "stage", "pipeline") else ""
        before = live(self._changes.before).get(component, {})
        after = live(self._changes.after).get(component, {})
        there, still = (any(one.startswith(marker) for one in side) for side in (before, after))
        return "change" if there and still else "add" if still else "remove"

    def _about(self, step: Step) -> Node:
        name = self._objects.get(step.table, step.table)
        item = self._parts.get((step.table, step.name))
        return ("field", f"{name}.{item}") if item else (OBJECT, name)


def _marker(path: str) -> str:
    steps = path.split(SEPARATOR)
    return (
        SEPARATOR.join(steps[: 4 if steps[0] == "pipelines" and len(steps) > 3 and steps[2] == "stages" else 2])
        + SEPARATOR
    )


def node_of(component: str, path: str) -> Node:
    """Kind and name of what a leaf belongs to: ``("field", "deal.vat_id")``."""
    kind, _, name = component.partition(SEPARATOR)
    steps = path.split(SEPARATOR)
    if kind == OBJECT and steps[0] == "fields" and len(steps) > 1:
        return "field", f"{name}.{steps[1]}"
    if kind == OBJECT and steps[0] == "pipelines" and len(steps) > 1:
        if len(steps) > 3 and steps[2] == "stages":
            return "stage", f"{name}.{steps[1]}.{steps[3]}"
        return "pipeline", f"{name}.{steps[1]}"
    return kind, name


def _parts(catalog: Catalog) -> dict[tuple[str, str], str]:
    """(table, name of a column, index or constraint) → the field it belongs to."""
    found: dict[tuple[str, str], str] = {}
    for obj in catalog.objects.values():
        for one in obj.fields.values():
            for column in one.columns:
                names = (
                    column.name,
                    index_name(obj.table, column.name),
                    unique_name(obj.table, column.name),
                    foreign_key_name(obj.table, column.name),
                )
                found |= {(obj.table, name): one.name for name in names}
            if one.type.name == "reference":
                found[obj.table, index_name(obj.table, column_stem(one), "check")] = one.name
    return found


def _count(execute: Execute, table: str, column: str) -> int:
    what = f"count({quoted(column)})" if column else "count(*)"
    row = execute(cast("LiteralString", f"select {what} from {quoted(table)}")).fetchone()
    return int(row[0]) if row else 0
