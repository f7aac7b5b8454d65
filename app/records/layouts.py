"""Which layout a record's page and form follow, and which parts of it show: what they ask is asked at once.

The first layout, by rank, whose roles and condition fit; none of them is the automatic one. Conditions see the whole
record, as rules do (docs/adr/0033): who looks does not matter to what holds. One that can't be read any more hides
nothing, and a layout that can't say which records it is for is for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from app.expressions import ConditionError, check
from app.records.environment import RecordEnvironment
from app.records.facts import Asked, Bench, prepare
from app.records.intake import coercion_of
from app.records.judging import holds
from app.records.rulebook import rulebook_of
from app.records.statements import ShapeCache
from app.records.store import read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.metadata.arrangement import Layout
    from app.metadata.model import Catalog, ObjectType
    from app.records.facts import Facts, Reading
    from app.records.permits import Leave
    from app.records.rulebook import Rulebook
    from tenants.scope import TenantScope

#: A tab, a section of it, a field of that, by their names one after the other.
Part: TypeAlias = tuple[str, ...]
_PREPARED: Final = ShapeCache(512)
#: Steps of a field's part.
_FIELD: Final = 3


@dataclass(frozen=True, slots=True)
class Prepared:
    """A layout with its conditions ready to be asked."""

    layout: Layout
    when: Reading | None
    parts: Mapping[Part, Reading]

    @property
    def readings(self) -> list[Reading]:
        """Its conditions."""
        return [*([self.when] if self.when else []), *self.parts.values()]


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits a record as it is now.

    ``layout`` is None for the automatic one; ``hidden`` are its parts whose condition does not hold, ``concealed`` the
    fields rules hide.
    """

    layout: Layout | None = None
    hidden: frozenset[Part] = frozenset()
    concealed: frozenset[str] = frozenset()
    #: Whether what shows depends on the record.
    conditional: bool = False

    @property
    def absent(self) -> frozenset[str]:
        """The fields the layout has, but nowhere that shows now."""
        placed: dict[str, bool] = {}
        for part, _ in parts_of(self.layout) if self.layout else ():
            if len(part) == _FIELD:
                shows = not any(part[:depth] in self.hidden for depth in range(1, _FIELD + 1))
                placed[part[-1]] = placed.get(part[-1], False) or shows
        return frozenset(name for name, shows in placed.items() if not shows)


def offered(scope: TenantScope, obj: ObjectType) -> list[Layout]:
    """The layouts meant for whoever asks, first fit first."""
    roles = {scope.role, *scope.roles}
    return [one for one in obj.layouts if not one.roles or not roles.isdisjoint(one.roles)]


def fitting(scope: TenantScope, leave: Leave, record: Mapping[str, Any], *, only: str | None = None) -> Fitting:
    """What fits ``record`` (its JSON form as it is shown); ``only`` that layout, whatever it asks of the record."""
    obj = leave.object
    names = {one.name for one in offered(scope, obj)} if only is None else {only}
    found = [one for one in prepared(scope, leave.complete, obj) if one.layout.name in names]
    book = rulebook_of(scope, leave.complete, obj)
    readings = [reading for one in found for reading in one.readings] + list(_of_rules(book))
    if not readings:
        return Fitting(found[0].layout if found else None)
    facts = _facts(scope, leave, record, readings)
    chosen = next((one for one in found if only is not None or holds(one.when, facts)), None)
    hidden = frozenset(part for part, reading in chosen.parts.items() if not reading.met(facts)) if chosen else ()
    concealed, conditional = _concealed(book, facts), bool(chosen and chosen.parts)
    return Fitting(chosen.layout if chosen else None, frozenset(hidden), concealed, conditional)


def prepared(scope: TenantScope, catalog: Catalog, obj: ObjectType) -> Sequence[Prepared]:
    """The layouts of an object with their conditions checked, once for all that have the same ones."""
    if not obj.layouts:
        return ()
    environment = RecordEnvironment(catalog, obj, scope.tenant)
    key = ("layouts", obj.layouts_hash, environment.key)
    return _PREPARED.get(key, lambda: tuple(_prepared(catalog, obj, environment)))


def _prepared(catalog: Catalog, obj: ObjectType, environment: RecordEnvironment) -> Iterator[Prepared]:
    def reading(text: str) -> Reading | None:
        try:
            return prepare(catalog, obj, check(text, environment)) if text else None
        except ConditionError:
            return None

    for layout in obj.layouts:
        when = reading(layout.when)
        if when is not None or not layout.when:
            parts = {part: found for part, text in parts_of(layout) if (found := reading(text)) is not None}
            yield Prepared(layout, when, parts)


def parts_of(layout: Layout) -> Iterator[tuple[Part, str]]:
    """Every part of a layout with its condition, "" for none."""
    for tab in layout.tabs:
        yield (tab.name,), tab.when
        for section in tab.sections:
            yield (tab.name, section.name), section.when
            for field in section.fields:
                yield (tab.name, section.name, field.name), field.when


def _of_rules(book: Rulebook | None) -> Iterator[Reading]:
    """The conditions of rules that say what is shown."""
    if book is None or not book.shown:
        return
    for readings in book.shown.values():
        yield from (one for one in readings if one is not None)
    yield from (one.when for one in book.clauses if one.rule.required and one.when is not None)


def _concealed(book: Rulebook | None, facts: Facts) -> frozenset[str]:
    """The fields no rule that shows them holds for; a required one is never hidden."""
    if book is None or not book.shown:
        return frozenset()
    needed = {
        name for one in book.clauses if one.rule.required and holds(one.when, facts) for name in one.rule.required
    }
    hidden = {name for name, readings in book.shown.items() if not any(holds(one, facts) for one in readings)}
    return frozenset(hidden - needed)


def _facts(scope: TenantScope, leave: Leave, record: Mapping[str, Any], readings: Sequence[Reading]) -> Facts:
    """The record under the names of conditions; read whole where not all of it is shown."""
    known: Mapping[str, Any] = record
    if leave.shown.fields.keys() != leave.object.fields.keys() and record.get("id"):
        known = read_record(scope, leave.object, record["id"]) or record
    bench = Bench(scope, leave.complete, leave.object, coercion_of(scope))
    return bench.facts([known], frozenset[Asked]().union(*(one.asked for one in readings)))[0]
