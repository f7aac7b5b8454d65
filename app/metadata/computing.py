"""Works out the computed fields of a whole catalog: formulas and roll-ups, which name each other across objects.

Each is checked after all it reads, so that circles are found and named. What can't be calculated (any more) stays a
field that is empty, with the reason in ``problem``: saving refuses it (``problems_of``), a catalog never fails by it.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.expressions.check import MAX_WEIGHT
from app.expressions.errors import ConditionError
from app.metadata import fieldtypes
from app.metadata.formulas import checked_formula, reads_of, weight_of, why_not_own, with_columns
from app.metadata.model import Feed, Field, Formula, ObjectType, Rollup
from app.metadata.problems import InvalidComponents, Problem
from app.metadata.rollups import RollupProblem, counted_field, position_of, settled, target_of, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import FieldName

#: Objects with computed fields are kept by what they depend on; about 20 kB each.
_MOST: Final = 3_000
#: Changes of how computed fields are written must change the hash too.
_EDITION: Final = "1"

_lock = threading.Lock()
_kept: OrderedDict[tuple[str, ...], Mapping[str, ObjectType]] = OrderedDict()
_MOST_CATALOGS: Final = 300


@dataclass(frozen=True, slots=True)
class ComputedProblem:
    """A computed field that can't be calculated: at which of its leaves (``value``, ``over``), where in it, why."""

    object: str
    field: str
    leaf: str
    message: str
    position: int = 0

    def told(self) -> Problem:
        """As a problem of its component."""
        where = f" (at character {self.position + 1})" if self.position else ""
        path = f"fields.{self.field}.{self.leaf}"
        code = "formula.invalid" if self.leaf == "value" else "rollup.invalid"
        return Problem(f"object/{self.object}", path, code, self.message + where)


def resolved(objects: Mapping[str, ObjectType]) -> Mapping[str, ObjectType]:
    """``objects`` with their computed fields worked out; objects without any share in it stay the same."""
    if not any(field.computed for obj in objects.values() for field in obj.fields.values()):
        return objects
    key = tuple(obj.spec_hash for obj in objects.values())
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = MappingProxyType(_Resolving(objects).run())
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_CATALOGS:
            _kept.popitem(last=False)
    return found


def problems_of(objects: Mapping[str, ObjectType]) -> list[ComputedProblem]:
    """Everything wrong with the computed fields of ``objects``, worked out or not."""
    work = _Resolving({name: _as_written(obj) for name, obj in objects.items()})
    work.run()
    return work.problems


def refuse_problems(before: Mapping[str, ObjectType], after: Mapping[str, ObjectType]) -> None:
    """Raise InvalidComponents for what is wrong ``after`` and was not ``before``."""
    if not any(field.computed for obj in after.values() for field in obj.fields.values()):
        return
    found = problems_of(after)
    known = set(problems_of(before)) if found else set[ComputedProblem]()
    wrong = [one for one in found if one not in known]
    if wrong:
        raise InvalidComponents([one.told() for one in wrong])


def _as_written(obj: ObjectType) -> ObjectType:
    fields = {
        name: replace(
            field,
            formula=replace(field.formula, parts=(), sql=(), problem="") if field.formula else None,
            rollup=replace(field.rollup, problem="", key="", condition=None) if field.rollup else None,
            columns=(),
        )
        if field.computed
        else field
        for name, field in obj.fields.items()
    }
    return replace(obj, fields=MappingProxyType(fields), feeds=())


class _Resolving:
    """Goes through all computed fields, each after what it reads."""

    def __init__(self, objects: Mapping[str, ObjectType]) -> None:
        self._objects = dict(objects)
        self._before = objects
        self.problems: list[ComputedProblem] = []
        self._reads: dict[FieldName, frozenset[FieldName]] = {}
        self._open: list[FieldName] = []
        self._weights: dict[FieldName, int] = {}
        self._typed: set[FieldName] = set()

    def run(self) -> dict[str, ObjectType]:
        names = [(o.name, f.name) for o in self._before.values() for f in o.fields.values() if f.computed]
        for name in names:
            self._type(name)
        for name in names:
            self._field(name)
        self._feed()
        for name in self._objects:
            if self._objects[name] is not self._before[name]:
                self._objects[name] = replace(self._objects[name], spec_hash=self._hash(name))
        return self._objects

    def _put(self, name: FieldName, field: Field) -> None:
        obj = self._objects[name[0]]
        self._objects[name[0]] = replace(obj, fields=MappingProxyType({**obj.fields, name[1]: field}))

    def _get(self, name: FieldName) -> Field:
        return self._objects[name[0]].fields[name[1]]

    def _type(self, name: FieldName) -> None:
        """What a roll-up answers is of the type of what it is over, which may be a roll-up itself."""
        field = self._get(name)
        rollup = field.rollup
        if rollup is None or name in self._typed:
            return
        self._typed.add(name)
        obj = self._objects[name[0]]
        try:
            child, _, _ = target_of(self._objects, obj, rollup)
            if rollup.field in child.fields and child.fields[rollup.field].rollup is not None:
                self._type((child.name, rollup.field))
            named = counted_field(self._objects, self._objects[child.name], rollup)
        except RollupProblem as problem:
            self._refuse(name, problem.leaf, problem.message, problem.position)
            return
        options = named.field.options if named is not None and rollup.function == "latest" else field.options
        most = named.field.most if named is not None else field.most
        self._put(name, replace(field, type=type_of(named, rollup.function), options=options, most=most))

    def _field(self, name: FieldName) -> frozenset[FieldName]:
        """Work out one field; answers all it reads, itself included."""
        if name in self._reads:
            return self._reads[name]
        field = self._get(name)
        if not field.computed:
            return frozenset({name})
        if name in self._open:
            raise _Circle([*self._open[self._open.index(name) :], name])
        if self._broken(field):
            return frozenset({name})
        self._open.append(name)
        try:
            reads = self._formula(name, field) if field.formula is not None else self._rollup(name, field)
        except _Circle as circle:
            way = " → ".join(".".join(one) for one in circle.way)
            self._refuse(name, "value" if field.formula else "field", f"It would be calculated from itself: {way}.")
            if circle.way[0] != name:
                self._open.pop()
                self._reads[name] = frozenset({name})
                raise
            reads = frozenset[tuple[str, str]]()
        self._open.pop()
        self._reads[name] = reads | {name}
        return self._reads[name]

    @staticmethod
    def _broken(field: Field) -> bool:
        return bool((field.formula and field.formula.problem) or (field.rollup and field.rollup.problem))

    def _formula(self, name: FieldName, field: Field) -> frozenset[FieldName]:
        formula, obj = field.formula, self._objects[name[0]]
        if formula is None:
            return frozenset()
        try:
            parts = checked_formula(self._objects, obj, field, formula)
        except ConditionError as error:
            self._refuse(name, "value", error.detail, position_of(error))
            return frozenset()
        reads = self._all(reads_of(self._objects, obj, parts[0]))
        obj = self._objects[name[0]]
        self._weights[name] = weight_of(self._objects, obj, replace(formula, parts=parts), self._weights)
        if self._weights[name] > MAX_WEIGHT:
            self._refuse(name, "value", "With the formulas it is made of it is nested too deeply; split it.")
            self._weights[name] = 1
            return reads
        made = with_columns(self._objects, obj, field, replace(formula, parts=parts, reads=reads))
        self._put(name, made)
        if field.indexed and not made.columns and made.formula is not None:
            self._refuse_index(name, f"can't be: {why_not_own(self._objects, obj, made.formula)}")
        if name[1] in {*obj.title, *obj.title_else} and not made.columns and made.formula is not None:
            why = why_not_own(self._objects, obj, made.formula)
            message = f"It can't be part of the title of {obj.plural}, which is made of the record alone: {why}"
            self.problems.append(ComputedProblem(*name, "value", message))
        return reads

    def _rollup(self, name: FieldName, field: Field) -> frozenset[FieldName]:
        rollup, obj = field.rollup, self._objects[name[0]]
        if rollup is None:
            return frozenset()
        reads = frozenset[tuple[str, str]]()
        try:
            child, _, link = target_of(self._objects, obj, rollup)
            made = settled(self._objects, obj, replace(rollup, indexed=False))
            direct = {(child.name, link)}
            if rollup.field:
                direct.add((child.name, rollup.field))
            if made.condition is not None:
                direct |= reads_of(self._objects, child, made.condition)
            reads = self._all(frozenset(direct))
            made = settled(self._objects, self._objects[name[0]], rollup)
        except RollupProblem as problem:
            if problem.leaf == "indexed":
                self._refuse_index(name, problem.message)
                made = settled(self._objects, self._objects[name[0]], replace(rollup, indexed=False))
                self._put(name, replace(field, rollup=replace(made, reads=reads)))
                return reads
            self._refuse(name, problem.leaf, problem.message, problem.position)
            return frozenset()
        self._put(name, replace(field, rollup=replace(made, reads=reads)))
        return reads

    def _all(self, direct: frozenset[FieldName]) -> frozenset[FieldName]:
        found: set[FieldName] = set()
        for one in sorted(direct):
            known = one[0] in self._objects and one[1] in self._objects[one[0]].fields
            found |= self._field(one) if known else set[tuple[str, str]]()
        return frozenset(found)

    def _refuse(self, name: FieldName, leaf: str, message: str, position: int = 0) -> None:
        self.problems.append(ComputedProblem(name[0], name[1], leaf, message, position))
        field = self._get(name)
        if field.formula is not None:
            self._put(name, replace(field, formula=replace(field.formula, problem=message, parts=()), columns=()))
        elif field.rollup is not None:
            self._put(name, replace(field, rollup=replace(field.rollup, problem=message)))

    def _refuse_index(self, name: FieldName, message: str) -> None:
        """The field works, only not as fast as was asked."""
        self.problems.append(ComputedProblem(name[0], name[1], "indexed", message))

    def _feed(self) -> None:
        """Tell the objects that are counted by indexed roll-ups."""
        feeds: dict[str, list[Feed]] = {}
        for obj in self._objects.values():
            for field in obj.fields.values():
                rollup = field.rollup
                if rollup is not None and rollup.indexed and rollup.key and not rollup.problem:
                    feeds.setdefault(rollup.object, []).append(Feed(obj.name, field.name, rollup, obj.table))
        for name, found in feeds.items():
            self._objects[name] = replace(self._objects[name], feeds=tuple(found))

    def _hash(self, name: str) -> str:
        """Differs wherever what the object's computed fields read, or those it feeds, differ."""
        obj = self._objects[name]
        mine = [(name, field.name) for field in obj.fields.values() if field.computed]
        others = sorted({one[0] for field in mine for one in self._reads.get(field, frozenset())} - {name})
        facts: list[object] = [_EDITION, self._before[name].spec_hash]
        facts += [self._before[other].spec_hash for other in others if other in self._before]
        facts += [(feed.object, feed.field, feed.rollup.key) for feed in obj.feeds]
        return hashlib.sha256(repr(facts).encode()).hexdigest()


class _Circle(Exception):
    """A field is calculated from itself; ``way`` begins and ends with it."""

    def __init__(self, way: list[FieldName]) -> None:
        super().__init__()
        self.way = way


def unresolved(raw: Mapping[str, object], returns: str) -> tuple[Formula | None, Rollup | None]:
    """The computed part of a field's spec as it is written; what it comes to is worked out with all objects."""
    if raw.get("type") == "formula":
        return Formula(source=str(raw.get("value", "")), returns=returns), None
    if raw.get("type") == "rollup":
        rollup = Rollup(
            over=str(raw.get("over", "")),
            function=str(raw.get("function", "count")),  # pyright: ignore[reportArgumentType] - checked when settled
            field=str(raw.get("field", "")),
            when=str(raw.get("when", "")),
            indexed=raw.get("indexed") is True,
        )
        return None, rollup
    return None, None


def answer_type(raw: Mapping[str, object]) -> str:
    """The name of the field type a field's values have: its own, or that of what it returns."""
    kind = str(raw["type"])
    if kind == "formula":
        returns = str(raw.get("returns", "text"))
        return returns if returns in fieldtypes.REGISTRY else "text"
    return "integer" if kind == "rollup" else kind
