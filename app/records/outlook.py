"""What a tenant's rules would make of a form as it is filled in now: nothing is written, nothing is locked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.records import stages
from app.records.facts import Bench
from app.records.judging import (
    becoming,
    fill_in,
    gates_of,
    holds,
    refusals,
    sitting_of,
)
from app.records.rulebook import rulebook_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import Catalog, ObjectType
    from app.records.facts import Asked, Facts
    from app.records.judging import Objection
    from app.records.rulebook import Rulebook
    from app.records.rules import Draft
    from tenants.scope import TenantScope


@dataclass(slots=True)
class Outlook:
    """How a form is to look: by field name."""

    required: set[str] = field(default_factory=set[str])
    hidden: set[str] = field(default_factory=set[str])
    locked: dict[str, str] = field(default_factory=dict[str, str])
    options: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    objections: list[Objection] = field(default_factory=list["Objection"])


def outlook(scope: TenantScope, catalog: Catalog, obj: ObjectType, draft: Draft) -> Outlook | None:
    """What the rules say of a draft, woken by its change or not; None when the object has none."""
    book = rulebook_of(scope, catalog, obj)
    if book is None:
        return None
    if obj.has_pipeline:
        stages.follow_stage(draft)
    fill_in(scope, catalog, obj, [draft])
    bench = Bench(scope, catalog, obj, draft.ctx)
    blank = frozenset(error.pointer[1:] for error in draft.intake.errors if error.pointer[1:] in obj.fields)
    records = [becoming(draft, bench, blank), dict(draft.current or {})]
    after, before = bench.facts(records, frozenset(_asked(book, draft)))
    found = Outlook()
    _follow(book, found, draft, after, None if draft.creating else before)
    found.objections += refusals(sitting_of(book, draft), after, None if draft.creating else before)
    found.hidden -= found.required | {one.pointer[1:] for one in found.objections}
    return found


def _asked(book: Rulebook, draft: Draft) -> Iterator[Asked]:
    for clause in book.clauses:
        for reading in clause.readings:
            yield from reading.asked
    for gate in gates_of(book, draft):
        for reading in (gate.reading, *gate.parts):
            yield from reading.asked


def _follow(book: Rulebook, found: Outlook, draft: Draft, after: Facts, before: Facts | None) -> None:
    """What follows from the rules that hold now."""
    filled = draft.values.keys() - draft.given
    fields = draft.object_type.fields
    for clause in book.clauses:
        if not holds(clause.when, after):
            continue
        rule = clause.rule
        found.required |= set(rule.required) - filled
        if before is not None and holds(clause.when, before):
            said = "" if clause.validates else rule.message
            found.locked |= {
                name: said or f"{fields[name].label} can't be changed any more."
                for name in rule.read_only
                if name in fields
            }
        for name, allowed in rule.options:
            known = found.options.get(name, allowed)
            found.options[name] = tuple(one for one in known if one in allowed)
    for name, readings in book.shown.items():
        if not any(holds(reading, after) for reading in readings):
            found.hidden.add(name)
