"""A tenant laid over another platform layer: worked out once for all tenants of the same state, written for each.

What a release changes in its standard objects reaches every tenant by this. Overrides stay in force; where both sides
changed, a conflict is left for the tenant's admin. What goes but holds values stays as the tenant's own.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

from app.core import clock
from app.metadata import history, layered, rates, store
from app.metadata.apply import ROLLUP_JOB, Request, ask, leave_work
from app.metadata.changeset import State, relayered
from app.metadata.checking import check_document
from app.metadata.ddl.inspect import held, large_among
from app.metadata.effects import lost
from app.metadata.layers import Override, live, overlaid
from app.metadata.leaves import SEPARATOR
from app.metadata.merge import differ
from app.metadata.physical import FIELDS, OBJECT, Physical, fields_of, standard_table, type_key
from app.metadata.plan import Plan, Situation, plan
from app.metadata.relayer import named
from app.metadata.rollups import kept
from app.metadata.uses import in_use
from app.metadata.vocabulary import Vocabulary
from app.metadata.working import within
from tenants.scope import SYSTEM

if TYPE_CHECKING:
    import psycopg

    from app.metadata.changeset import Changes
    from app.metadata.layered import Pins
    from app.metadata.leaves import Document
    from app.metadata.store import Stored
    from tenants.scope import Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]

Node = tuple[str, str]
#: How the history names where the change came from.
SOURCE: Final = layered.PLATFORM
#: Plans kept: one for each distinct state that tenants are in; a plan is some 100 kB.
_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class _State:
    """All that a plan depends on, read from the tenant's schema."""

    stored: Stored
    pins: Pins
    used: frozenset[Node]

    def key(self, tenant: Tenant) -> tuple[object, ...]:
        """Equal for tenants that one plan serves: what conditions are checked with matters to overrides only."""
        about = (tenant.currency, tenant.timezone) if self.stored.overrides else ()
        stored = self.stored
        return stored.pins, self.pins, tuple(map(repr, stored.overrides)), stored.physical, self.used, about


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be done in every tenant of one state."""

    plan: Plan
    rows: tuple[Physical, ...]
    large: frozenset[str]
    touched: frozenset[str]

    def serves(self, large: frozenset[str]) -> bool:
        """Whether the same tables are too large to be worked on at once."""
        return self.large & self.touched == large & self.touched


@dataclass(slots=True)
class Layers:
    """Brings tenants to the platform layer ``target``; one for all tenants of an upgrade, shared by its threads."""

    target: str
    _plans: OrderedDict[tuple[object, ...], list[_Planned]] = field(
        default_factory=OrderedDict[tuple[object, ...], "list[_Planned]"]
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _planning: threading.Lock = field(default_factory=threading.Lock)

    def find(self, connection: Connection, tenant: Tenant, version: int) -> Laying | None:
        """What was planned for tenants of this one's state; None when nobody planned for it yet."""
        state = self._read(connection, version)
        key = state.key(tenant)
        with self._lock:
            known = tuple(self._plans.get(key, ()))
            if known:
                self._plans.move_to_end(key)
        large = large_among(connection.execute, frozenset(name for one in known for name in one.touched))
        planned = next((one for one in known if one.serves(large)), None)
        return Laying(tenant, state, planned) if planned else None

    def plan(self, connection: Connection, tenant: Tenant, version: int) -> Laying:
        """Work it out, unless another thread just did. Takes its time: not while writers wait."""
        with self._planning:
            return self.find(connection, tenant, version) or self._plan(connection, tenant, version)

    def _plan(self, connection: Connection, tenant: Tenant, version: int) -> Laying:
        state = self._read(connection, version)
        planned = _planned(connection, tenant, state)
        with self._lock:
            self._plans.setdefault(state.key(tenant), []).append(planned)
            while len(self._plans) > _MOST:
                self._plans.popitem(last=False)
        return Laying(tenant, state, planned)

    @property
    def count(self) -> int:
        """How many distinct plans there are."""
        return sum(len(plans) for plans in self._plans.values())

    def _read(self, connection: Connection, version: int) -> _State:
        stored = store.read(connection.execute, version)
        pins = _repinned(stored.pins, self.target)
        layered.learn_as_owner(connection, (*stored.pins, *pins))
        compared = _compared(layered.key_of(stored.pins), layered.key_of(pins))
        used = in_use(connection.execute, stored, (*compared.lost, *compared.retyped))
        return _State(stored, pins, used)


@dataclass(frozen=True, slots=True)
class Laying:
    """What is to be done in one tenant."""

    tenant: Tenant
    state: _State
    planned: _Planned

    @property
    def conflicts(self) -> list[dict[str, object]]:
        """What both sides changed, from now on."""
        return [
            {"component": one.component, "path": one.path, "base": one.base, "value": one.value, "lower": one.lower}
            for one in self.planned.plan.changes.conflicts
        ]

    @property
    def notices(self) -> list[str]:
        """What the tenant's admin should know."""
        return [f"{one.component} {one.path}: {one.message}" for one in self.planned.plan.changes.warnings]

    @property
    def steps(self) -> list[str]:
        """Each step in short."""
        return [f"{one.op} {one.kind} {one.name} ({one.safety})" for one in self.planned.plan.steps]

    @property
    def plain(self) -> bool:
        """Whether nothing stays behind that a fresh tenant would not have."""
        return not self.planned.rows and not self.planned.plan.changes.overrides

    def write(self, connection: Connection, version: int, *, told: bool) -> None:
        """Do it, under the tenant's lock; the caller makes ``version`` the tenant's. Untold: no history (a spare)."""
        made, stored = self.planned.plan, self.state.stored
        for step in made.statements:
            # Text of the DDL compiler, one statement an execute.
            connection.execute(cast("LiteralString", step.ddl))
        store.write_overrides(connection, stored.overrides, made.changes.overrides, None)
        store.write_physical(connection, stored.physical, self.planned.rows)
        rates.write(connection, made.changes)
        store.write_pins(connection, self.state.pins)
        if told and not made.changes.empty:
            request = Request(source=SOURCE, by=SYSTEM, note=_NOTE, keeps=False)
            change = history.write(connection, self.tenant, made, request, version)
            leave_work(connection, self.tenant, made, change)
            if any(kept(feed.rollup) for obj in made.after.objects.values() for feed in obj.feeds):
                ask(connection, self.tenant, ROLLUP_JOB)


_NOTE: Final = "Rapport was updated"


@dataclass(frozen=True, slots=True)
class _Compared:
    """What goes and what changes its type from one stack of lower layers to another."""

    lost: tuple[Node, ...]
    retyped: tuple[Node, ...]


@functools.lru_cache(maxsize=64)
def _compared(before: str, after: str) -> _Compared:
    old, new = layered.document(before), layered.document(after)
    retyped = [
        (component, f"{FIELDS}{SEPARATOR}{item}")
        for component, leaves in old.items()
        if component in new and component.startswith(OBJECT + SEPARATOR)
        for item in fields_of(leaves)
        if item in fields_of(new[component]) and type_key(leaves, item, {}) != type_key(new[component], item, {})
    ]
    return _Compared(tuple(lost(old, new)), tuple(retyped))


def _repinned(pins: Pins, target: str) -> Pins:
    others = tuple(pin for pin in pins if pin[0] != layered.PLATFORM)
    return ((layered.PLATFORM, target), *others)


def _planned(connection: Connection, tenant: Tenant, state: _State) -> _Planned:
    stored = state.stored
    before, after = layered.document(layered.key_of(stored.pins)), layered.document(layered.key_of(state.pins))
    retyped = _compared(layered.key_of(stored.pins), layered.key_of(state.pins)).retyped
    kept_types = [node for node in retyped if node in state.used or _named(node, tenant, before, stored.overrides)]
    overrides = (*stored.overrides, *_as_before(kept_types, before, after, stored.overrides))
    given = Situation(
        stored=stored,
        state=State(
            lower=before, overrides=overrides, last=store.sources(connection.execute), currency=tenant.currency,
            timezone=tenant.timezone,
        ),
        # The same names in every tenant, so that one plan serves them all.
        seed=layered.key_of(state.pins),
        tables=held(connection.execute),
        execute=connection.execute,
        connection=connection,
        tenant=tenant,
    )  # fmt: skip
    changes = relayered(given.state, after, in_use=state.used)
    made = plan(given, changes, clock.now(), quick=True, standard=_standing(before, after))
    rows = tuple(_with_own(made.settled.rows, changes, after))
    touched = frozenset(step.table for step in (*made.statements, *made.online))
    large = frozenset(name for name, one in given.tables.items() if one.large)
    return _Planned(made, rows, large, touched)


def _named(node: Node, tenant: Tenant, before: Document, overrides: tuple[Override, ...]) -> bool:
    """Whether something of the tenant's own (a formula, a rule, a view) counts on the field as it is."""
    shown = live(overlaid(before, overrides))
    names = Vocabulary(shown, currency=tenant.currency, timezone=tenant.timezone)
    return named(node, overrides, [], check_document(shown, names, only=()))


def _as_before(nodes: list[Node], before: Document, after: Document, overrides: tuple[Override, ...]) -> list[Override]:
    """Fields with values whose type a release changes stay what they are: a conflict, for the admin to take."""
    stated = {(one.component, one.path) for one in overrides}
    found: list[Override] = []
    for component, node in nodes:
        old, new = before[component], after[component]
        for path in sorted({*old, *new}):
            changed = within(path, node) and differ(old.get(path), new.get(path))
            if changed and (component, path) not in stated:
                found.append(Override(component, path, old.get(path), old.get(path)))
    return found


def _standing(before: Document, after: Document) -> Document:
    """What the standard's tables and columns are: of what is there already as the layers before have it."""
    found: Document = {}
    for component, leaves in live(after).items():
        old = before.get(component, {})
        kept_ = {path: old[path] for path in leaves if path in old and path.endswith(("/type", "/to"))}
        found[component] = {**leaves, **kept_}
    for component, leaves in live(before).items():
        found[component] = {**leaves, **found.get(component, {})}
    return found


def _with_own(rows: tuple[Physical, ...], changes: Changes, lower: Document) -> list[Physical]:
    """``rows`` and one for each table and column that is called as the standard was, but is not the standard's now."""
    found = {row.key: row for row in rows}
    shown = [row for row in rows if row.hidden_at is None]
    named = {(row.component, row.path) for row in shown}
    tables = {row.component.partition(SEPARATOR)[2]: row.table for row in shown if not row.path}
    for component, leaves in live(changes.after).items():
        kind, _, name = component.partition(SEPARATOR)
        if kind != OBJECT:
            continue
        table, below = tables.get(name, standard_table(name)), lower.get(component, {})
        if not below and (component, "") not in named:
            found[table, ""] = Physical(table, "", component, "", OBJECT)
        for item in fields_of(leaves):
            path, type_ = f"{FIELDS}{SEPARATOR}{item}", type_key(leaves, item, tables)
            there = f"{path}/type" in below and type_key(below, item, tables) == type_
            if (component, path) not in named and not there:
                found[table, item] = Physical(table, item, component, path, type_)
    return [found[key] for key in sorted(found)]
