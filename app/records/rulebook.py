"""The rules of an object ready to be asked: conditions prepared, and which fields wake each of them.

A rule wakes when a record is created, and when a write changes a field it names (docs/adr/0033). A condition that can't
be read (any more) holds nobody up: saving it is refused by the metadata engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.expressions import ConditionError, check, check_value
from app.expressions.tree import Call
from app.records.environment import RecordEnvironment
from app.records.facts import Asked, prepare
from app.records.plan import plan_of
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from app.metadata.model import Catalog, Field, ObjectType, Rule
    from app.records.facts import Reading
    from tenants.scope import Tenant, TenantScope

_BOOKS: Final = ShapeCache()
#: What every save changes: a rule that names one of these is asked at every save.
_EACH_SAVE: Final = frozenset({"version", "updated_at", "updated_by"})
#: What moving through a pipeline may set beside what was sent.
STANDING: Final = frozenset({
    "pipeline", "stage", "stage_status", "stage_since", "closed_at", "close_on", "probability",
})  # fmt: skip
_MOVING: Final = frozenset({"pipeline", "stage", "probability"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule. ``refuse`` refuses when it is met, ``require`` when it is not; without ``when`` it always holds."""

    rule: Rule
    when: Reading | None
    refuse: Reading | None
    require: Reading | None

    @property
    def readings(self) -> list[Reading]:
        """Its conditions."""
        return [one for one in (self.when, self.refuse, self.require) if one is not None]

    @property
    def validates(self) -> bool:
        """Whether it can refuse a record by a condition of its own."""
        return self.refuse is not None or self.require is not None

    @property
    def acts(self) -> bool:
        """Whether it says anything about what is saved, beside how a form looks."""
        rule = self.rule
        return self.validates or bool(rule.required or rule.read_only or rule.options or rule.defaults)

    @property
    def fields(self) -> frozenset[str]:
        """The fields its conditions depend on."""
        return frozenset[str]().union(*(one.fields for one in self.readings))

    def wakes(self, changed: Collection[str]) -> bool:
        """Whether its validation is to be asked."""
        return self.validates and woken(self.fields, changed)

    def comes_up(self, changed: Collection[str]) -> bool:
        """Whether what follows from it may have come to hold."""
        return self.when is not None and woken(self.when.fields, changed)


@dataclass(frozen=True, slots=True)
class Given:
    """A default: what ``field`` gets where ``when`` holds. Without ``when`` only new records get it."""

    field: Field
    when: Reading | None
    value: object = None
    formula: Reading | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """A stage's gate: the condition, what it joins by ``&&``, and the message."""

    reading: Reading
    message: str
    parts: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of an object.

    ``names`` are the fields whose change wakes any of them; ``default_asks`` is what defaults ask of the database.
    """

    clauses: tuple[Clause, ...]
    defaults: tuple[Given, ...]
    enter: Mapping[tuple[str, ...], Guarded]
    leave: Mapping[tuple[str, ...], Guarded]
    shown: Mapping[str, tuple[Reading | None, ...]]
    names: frozenset[str]
    each_save: bool
    default_asks: frozenset[Asked]

    def wakes(self, names: Collection[str]) -> bool:
        """Whether a write of the fields ``names`` may wake a rule that looks at the record as it is."""
        return self.each_save or not self.names.isdisjoint(names)


def woken(names: frozenset[str], changed: Collection[str]) -> bool:
    """Whether a condition over the fields ``names`` is to be asked when ``changed`` did; without any, always."""
    return not names or not names.isdisjoint(_EACH_SAVE) or not names.isdisjoint(changed)


def rulebook_of(scope: TenantScope, catalog: Catalog, obj: ObjectType) -> Rulebook | None:
    """The rules of an object; None when it has none, which costs nothing."""
    if not obj.rules_hash and not plan_of(obj).conditional:
        return None
    tenant = scope.tenant
    # Names mean the same as long as the specs do (environment.key); rules and settings may differ beside them.
    key = ("rules", obj.rules_hash, RecordEnvironment(catalog, obj, tenant).key)
    return _BOOKS.get(key, lambda: _Writer(catalog, obj, tenant).book())


def wakes_rules(scope: TenantScope, catalog: Catalog, obj: ObjectType, patch: Iterable[str]) -> bool:
    """Whether writing the fields of ``patch`` needs the present record for the rules it may wake."""
    book = rulebook_of(scope, catalog, obj)
    return book is not None and book.wakes(_follows(obj, patch))


def _follows(obj: ObjectType, patch: Iterable[str]) -> set[str]:
    """The fields of a patch and those the engine writes along with them."""
    names = set(patch)
    if obj.has_pipeline and not names.isdisjoint(_MOVING):
        names |= STANDING
    for single, many in plan_of(obj).pairs:
        names |= {single, many} if single in names or many in names else set()
    return names


class _Writer:
    """Prepares the conditions of one object."""

    def __init__(self, catalog: Catalog, obj: ObjectType, tenant: Tenant) -> None:
        self._catalog, self._object = catalog, obj
        self._environment = RecordEnvironment(catalog, obj, tenant)

    def book(self) -> Rulebook:
        clauses = tuple(self._clauses())
        defaults = (*self._field_defaults(), *self._rule_defaults(clauses))
        enter, leave = self._gates("enter_if"), self._gates("leave_if")
        acting = [clause for clause in clauses if clause.acts]
        readings = [reading for clause in acting for reading in clause.readings]
        readings += [gate.reading for gate in (*enter.values(), *leave.values())]
        named = frozenset[str]().union(*(one.fields for one in readings))
        given = [one for default in defaults for one in (default.when, default.formula) if one is not None]
        effects = {name for clause in clauses for name in _subjects(clause.rule)}
        gated = {"stage", "pipeline"} if enter or leave else set[str]()
        return Rulebook(
            clauses, defaults, enter, leave, self._shown(clauses), named | effects | gated,
            any(woken(clause_fields, ()) for clause_fields in _validating(acting)),
            frozenset[Asked]().union(*(one.asked for one in given)),
        )  # fmt: skip

    def _condition(self, text: str) -> Reading | None:
        return prepare(self._catalog, self._object, check(text, self._environment)) if text else None

    def _parts(self, text: str) -> tuple[Reading, ...]:
        """What a condition joins by ``&&``, each by itself: to say which of it is missing."""
        checked = check(text, self._environment)
        root = checked.root
        joined = root.args if isinstance(root, Call) and root.op == "and" else (root,)
        return tuple(prepare(self._catalog, self._object, replace(checked, root=one)) for one in joined)

    def _clauses(self) -> Iterator[Clause]:
        for rule in self._object.rules:
            try:
                yield Clause(
                    rule, self._condition(rule.when), self._condition(rule.refuse_if), self._condition(rule.require)
                )
            except ConditionError:
                continue

    def _value(self, text: str) -> Reading | None:
        try:
            return prepare(self._catalog, self._object, check_value(text, self._environment))
        except ConditionError:
            return None

    def _field_defaults(self) -> Iterator[Given]:
        for one in self._object.fields.values():
            reading = self._value(one.default_formula) if one.default_formula else None
            if reading is not None:
                yield Given(one, None, None, reading)

    def _rule_defaults(self, clauses: Iterable[Clause]) -> Iterator[Given]:
        for clause in clauses:
            for one in clause.rule.defaults:
                target = self._object.fields.get(one.field)
                formula = self._value(one.formula) if one.formula else None
                if target is not None and not target.computed and (formula is not None or one.value is not None):
                    yield Given(target, clause.when, one.value, formula)

    def _gates(self, which: str) -> dict[tuple[str, ...], Guarded]:
        found: dict[tuple[str, ...], Guarded] = {}
        for pipeline in self._object.pipelines.values():
            for stage in pipeline.stages.values():
                gate = stage.enter_if if which == "enter_if" else stage.leave_if
                try:
                    reading = self._condition(gate.when) if gate is not None else None
                except ConditionError:
                    reading = None
                if gate is not None and reading is not None:
                    message = gate.message or f"{stage.label}: the record is not ready for this."
                    found[pipeline.name, stage.name] = Guarded(reading, message, self._parts(gate.when))
        return found

    @staticmethod
    def _shown(clauses: Iterable[Clause]) -> dict[str, tuple[Reading | None, ...]]:
        found: dict[str, tuple[Reading | None, ...]] = {}
        for clause in clauses:
            for name in clause.rule.visible:
                found[name] = (*found.get(name, ()), clause.when)
        return found


def _subjects(rule: Rule) -> Iterator[str]:
    """The fields whose own change wakes what follows from a rule."""
    yield from rule.required
    yield from rule.read_only
    yield from (name for name, _ in rule.options)


def _validating(clauses: Iterable[Clause]) -> Iterator[frozenset[str]]:
    for clause in clauses:
        if clause.validates:
            yield clause.fields
        elif clause.when is not None:
            yield clause.when.fields
