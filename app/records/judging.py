"""What a tenant's rules make of records about to be written: defaults filled in, everything refused at once.

The records of a batch are judged together, as they would become; what their rules ask of the database is one statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.choices import retired_in
from app.records import stages
from app.records.facts import Bench
from app.records.rulebook import rulebook_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.metadata.model import Catalog, Field, ObjectType
    from app.records.facts import Asked, Facts, Reading
    from app.records.rulebook import Clause, Given, Guarded, Rulebook
    from app.records.rules import Draft
    from tenants.scope import TenantScope

REFUSED: Final = "rule.refused"
GATE: Final = "stage.gate"


def fill_in(scope: TenantScope, catalog: Catalog, obj: ObjectType, drafts: Sequence[Draft]) -> None:
    """Give empty fields that were not sent what rules and formulas say, in the order of the rules."""
    book = rulebook_of(scope, catalog, obj)
    if book is None or not book.defaults or not drafts:
        return
    for draft in drafts:
        if obj.has_pipeline:
            stages.follow_stage(draft)
    bench = Bench(scope, catalog, obj, drafts[0].ctx)
    hops = {one.hop for one in book.default_asks}
    asked = book.default_asks if any(_may_default(book, draft) for draft in drafts) else frozenset["Asked"]()
    facts = bench.facts([becoming(draft, bench) for draft in drafts], asked)
    for given in book.defaults:
        filled = False
        for at, draft in enumerate(drafts):
            if _fill(given, draft, facts[at]):
                filled = True
                facts[at] = facts[at].after(becoming(draft, bench))
        if filled and given.field.name in hops:
            facts = bench.facts([one.record for one in facts], asked)


def _may_default(book: Rulebook, draft: Draft) -> bool:
    """Whether any default may come to this draft: then it is worth asking what they depend on."""
    changed = changed_in(draft)
    return any(_applies(given, draft, changed) for given in book.defaults)


def _applies(given: Given, draft: Draft, changed: frozenset[str]) -> bool:
    name = given.field.name
    if name in draft.given or not _is_empty(draft, name):
        return False
    return draft.creating or (given.when is not None and not given.when.fields.isdisjoint(changed))


def _is_empty(draft: Draft, name: str) -> bool:
    value = draft.values[name] if name in draft.values else (draft.current or {}).get(name)
    return value is None or value in ((), [])


def _fill(given: Given, draft: Draft, facts: Facts) -> bool:
    """Give one field its default; a value the field can't hold is none."""
    if not _applies(given, draft, changed_in(draft)) or not (given.when is None or given.when.met(facts)):
        return False
    target = given.field
    try:
        if given.formula is None:
            value = target.type.initial(replace(target, default=given.value), draft.ctx)
        else:
            value = target.type.coerce(target, _raw(given.formula.value(facts)), draft.ctx)
    except ValueProblem:
        return False
    if value is None or retired_in(target, value):
        return False
    draft.values[target.name] = value
    return True


def _raw(value: object) -> object:
    """What an expression gives as a client would send it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return list(cast("tuple[object, ...]", value))
    return str(value) if isinstance(value, UUID) else value


def becoming(draft: Draft, bench: Bench, blank: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON form of the record after this write; fields named by ``blank`` count as empty."""
    now = draft.ctx.now.isoformat()
    member = str(bench.member) if bench.member else None
    record = dict(draft.current or {"created_at": now, "created_by": member, "version": 0})
    fields = draft.object_type.fields
    record |= {name: fields[name].type.to_json(value) for name, value in draft.values.items()}
    record |= {"version": record["version"] + 1, "updated_at": now, "updated_by": member}
    return record | dict.fromkeys(blank)


def changed_in(draft: Draft) -> frozenset[str]:
    """The fields this write changes: of a new record all."""
    fields, current = draft.object_type.fields, draft.current
    if current is None:
        return frozenset(fields)
    return frozenset(
        name for name, value in draft.values.items() if fields[name].type.to_json(value) != current.get(name)
    )


@dataclass(frozen=True, slots=True)
class Objection:
    """What a rule has against a record: where, why, and the fields that have to do with it."""

    pointer: str
    code: str
    message: str
    fields: frozenset[str]


@dataclass(slots=True)
class Sitting:
    """One draft with the rules that its change wakes."""

    draft: Draft
    changed: frozenset[str]
    validations: list[Clause] = field(default_factory=list["Clause"])
    effects: list[Clause] = field(default_factory=list["Clause"])
    gates: list[Guarded] = field(default_factory=list["Guarded"])

    @property
    def idle(self) -> bool:
        """Whether nothing is to be asked."""
        return not (self.validations or self.effects or self.gates)

    @property
    def asked(self) -> Iterator[Asked]:
        """What its conditions want to know of the database."""
        for clause in (*self.validations, *self.effects):
            for reading in clause.readings:
                yield from reading.asked
        for gate in self.gates:
            for reading in (gate.reading, *gate.parts):
                yield from reading.asked

    @property
    def locks(self) -> bool:
        """Whether a rule may keep what was sent from being changed: then the record as it was counts, too."""
        return not self.draft.creating and any(
            name in self.changed and name in self.draft.given
            for clause in self.effects
            for name in clause.rule.read_only
        )

    def comes_up(self, clause: Clause, name: str) -> bool:
        """Whether what a rule says about a field is to be looked at."""
        return self.draft.creating or name in self.changed or clause.comes_up(self.changed)


def judge(scope: TenantScope, catalog: Catalog, obj: ObjectType, drafts: Sequence[Draft]) -> None:
    """Add everything the tenant's rules refuse to the drafts' problems."""
    book = rulebook_of(scope, catalog, obj)
    if book is None:
        return
    found = [sitting_of(book, draft) for draft in drafts if not (draft.partial or draft.unread)]
    sittings = [one for one in found if not one.idle]
    if not sittings:
        return
    bench = Bench(scope, catalog, obj, sittings[0].draft.ctx)
    locked = [one for one in sittings if one.locks]
    asked = frozenset(question for one in sittings for question in one.asked)
    records = [becoming(one.draft, bench, _astray(one.draft)) for one in sittings]
    facts = bench.facts([*records, *(dict(one.draft.current or {}) for one in locked)], asked)
    before = dict(zip((id(one) for one in locked), facts[len(sittings) :], strict=True))
    for one, after in zip(sittings, facts, strict=False):
        for found in refusals(one, after, before.get(id(one))):
            one.draft.intake.refuse(found.pointer, found.code, found.message)


def sitting_of(book: Rulebook, draft: Draft) -> Sitting:
    """A draft with the rules that its change wakes."""
    sitting = Sitting(draft, changed_in(draft))
    creating, changed = draft.creating, sitting.changed
    if not changed:
        return sitting
    for clause in book.clauses:
        if clause.validates and (creating or clause.wakes(changed)):
            sitting.validations.append(clause)
        rule = clause.rule
        names = (*rule.required, *rule.read_only, *(name for name, _ in rule.options))
        if names and any(sitting.comes_up(clause, name) for name in names):
            sitting.effects.append(clause)
    sitting.gates += gates_of(book, draft)
    return sitting


def gates_of(book: Rulebook, draft: Draft) -> Iterator[Guarded]:
    """The gates a draft passes: out of the stage it was in, into the one it will be in."""
    if not draft.has("stage"):
        return
    current = draft.current or {}
    stands = tuple(str(draft.values.get(name, current.get(name))) for name in ("pipeline", "stage"))
    stood = None if draft.creating else tuple(str(current.get(name)) for name in ("pipeline", "stage"))
    if stands == stood:
        return
    gates = (book.leave.get(stood) if stood else None, book.enter.get(stands))
    yield from (gate for gate in gates if gate is not None)


def _astray(draft: Draft) -> frozenset[str]:
    """Links that lead nowhere, or out of sight: nothing behind them is told."""
    fields = draft.object_type.fields
    names = {error.pointer.split("/")[1] for error in draft.intake.errors if error.pointer.startswith("/")}
    return frozenset(name for name in names if name in fields and fields[name].to)


def refusals(sitting: Sitting, after: Facts, before: Facts | None) -> Iterator[Objection]:
    """Everything the rules have against a draft; ``before`` is the record as it was, where that counts."""
    for clause in sitting.validations:
        if holds(clause.when, after) and refuses(clause, after):
            pointer = f"/{clause.rule.field}" if clause.rule.field else ""
            yield Objection(pointer, REFUSED, clause.rule.message, clause.fields)
    missing = {error.pointer for error in sitting.draft.intake.errors if error.code == "required"}
    for clause in sitting.effects:
        if not holds(clause.when, after):
            continue
        for name, message in _effects(sitting, clause, after, before):
            if f"/{name}" not in missing:
                yield Objection(f"/{name}", REFUSED, message, clause.fields | {name})
    for gate in sitting.gates:
        if not gate.reading.met(after):
            unmet = [part for part in gate.parts if not part.met(after)] or [gate.reading]
            fields = frozenset[str]().union(*(part.fields for part in unmet))
            yield Objection("/stage", GATE, gate.message, fields)


def refuses(clause: Clause, facts: Facts) -> bool:
    """Whether the validation of a rule that holds is against the record."""
    if clause.refuse is not None:
        return clause.refuse.met(facts)
    return clause.require is not None and not clause.require.met(facts)


def holds(when: Reading | None, facts: Facts) -> bool:
    """Whether a rule's condition holds; without one it always does."""
    return when is None or when.met(facts)


def _effects(sitting: Sitting, clause: Clause, after: Facts, before: Facts | None) -> Iterator[tuple[str, str]]:
    """The fields a rule that holds is not satisfied with, and why."""
    rule, draft = clause.rule, sitting.draft
    fields = draft.object_type.fields
    said = "" if clause.validates else rule.message
    for name in rule.required:
        if name in fields and sitting.comes_up(clause, name) and is_blank(after.record.get(name)):
            yield name, said or f"{fields[name].label} is required."
    for name in rule.read_only:
        if before is not None and name in sitting.changed and name in draft.given and holds(clause.when, before):
            yield name, said or f"{fields[name].label} can't be changed any more."
    for name, allowed in rule.options:
        if name in fields and sitting.comes_up(clause, name) and not_allowed(after.record.get(name), allowed):
            yield name, said or f"{fields[name].label} can only be {_listed(fields[name], allowed)} here."


def is_blank(value: object) -> bool:
    """Whether a JSON form holds nothing."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def not_allowed(value: object, allowed: Sequence[str]) -> bool:
    """Whether a choice, or one of several, is not among those allowed."""
    chosen = cast("list[object]", value) if isinstance(value, list) else [value]
    return any(one is not None and one not in allowed for one in chosen)


def _listed(target: Field, allowed: Sequence[str]) -> str:
    options: Mapping[str, Any] = target.options
    labels = [options[name].label if name in options else name for name in allowed]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
