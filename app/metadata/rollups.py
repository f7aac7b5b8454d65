"""Roll-ups worked out: which records they count, what their figure is, and how an indexed one is kept.

Counts, sums and averages that are ``indexed`` are kept as a figure and what came since (``rollup``, ``rollup_delta``);
of extremes and the latest nothing is kept: an index on (link, value) of the records counted answers them exactly.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.expressions import check
from app.expressions.errors import ConditionError
from app.metadata import fieldtypes
from app.metadata.environment import FormulaEnvironment, Named, find, inverse_link
from app.metadata.generated import NotOwn, condition_text
from app.metadata.problems import near
from app.metadata.sortkeys import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.fieldtypes.base import FieldType
    from app.metadata.model import Column, ObjectType, Rollup

#: Kept as figures; the others are answered by an index.
KEPT: Final = frozenset({"count", "sum", "avg"})
_NUMBERS: Final = frozenset({"number", "money", "duration"})
_ORDERED: Final = _NUMBERS | {"date", "datetime", "time"}
#: Field types of whole numbers.
WHOLE: Final = frozenset({"integer", "rating"})
_SINGLE: Final = _ORDERED | {"text", "boolean", "option"}
_TAKES: Final = {"count": _SINGLE | {"link"}, "sum": _NUMBERS, "avg": _NUMBERS, "min": _ORDERED, "max": _ORDERED,
                 "latest": _SINGLE}  # fmt: skip
#: The day whose rate an amount converts by (``app.records.metrics``).
RATE_DAY: Final = "close_on"


class RollupProblem(Exception):
    """A roll-up that can't be worked out: at which of its leaves, and why."""

    def __init__(self, leaf: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.leaf, self.message, self.position = leaf, message, position


def position_of(error: ConditionError) -> int:
    """The character an error is about."""
    position = error.extra.get("position")
    return position if isinstance(position, int) else 0


def target_of(objects: Mapping[str, ObjectType], obj: ObjectType, rollup: Rollup) -> tuple[ObjectType, str, str]:
    """The object counted, its link's column and field. Raises RollupProblem."""
    found = inverse_link(objects, obj, rollup.over)
    if found is None:
        known = [one.inverse for other in objects.values() for one in other.fields.values() if obj.name in one.to]
        message = f"{rollup.over!r} is no link of other records to {obj.plural}{near(rollup.over, filter(None, known))}"
        raise RollupProblem("over", message)
    return found


def counted_field(objects: Mapping[str, ObjectType], child: ObjectType, rollup: Rollup) -> Named | None:
    """The field of the counted records the figure is of. Raises RollupProblem."""
    function = rollup.function
    if function not in _TAKES:
        raise RollupProblem("function", f"is {function!r}; must be one of {', '.join(_TAKES)}")
    if not rollup.field:
        if function == "count":
            return None
        raise RollupProblem("field", f"is missing: the field of {child.plural} to take the {function} of")
    named = find(objects, child, rollup.field, 0)
    if named is None or "." in rollup.field:
        raise RollupProblem("field", f"{child.label} has no field {rollup.field!r}{near(rollup.field, child.fields)}")
    if named.kind not in _TAKES[function]:
        raise RollupProblem("field", f"{named.field.label} has no {function}")
    return named


def type_of(named: Named | None, function: str) -> FieldType:
    """The field type of what a roll-up answers."""
    if named is None or function == "count":
        return fieldtypes.get("integer")
    if named.kind in {"money", "duration"} or function in {"min", "max", "latest"}:
        return named.field.type
    return fieldtypes.get("integer" if named.field.type.name in WHOLE and function == "sum" else "decimal")


def settled(objects: Mapping[str, ObjectType], obj: ObjectType, rollup: Rollup) -> Rollup:
    """The roll-up with what it takes to write its SQL. Raises RollupProblem."""
    child, column, _ = target_of(objects, obj, rollup)
    named = counted_field(objects, child, rollup)
    condition = None
    if rollup.when:
        try:
            condition = check(rollup.when, FormulaEnvironment(objects, child))
        except ConditionError as error:
            raise RollupProblem("when", error.detail, position_of(error)) from None
    made = replace(rollup, object=child.name, column=column, condition=condition)
    if rollup.indexed:
        _check_indexable(objects, child, made, named)
    return replace(made, key=_key(objects, obj, child, made, named))


def _check_indexable(objects: Mapping[str, ObjectType], child: ObjectType, rollup: Rollup, named: Named | None) -> None:
    if rollup.condition is not None:
        try:
            condition_text(rollup.condition, child, objects)
        except NotOwn as other:
            raise RollupProblem("indexed", f"can't be: of its condition, {other.why}") from None
    if named is None:
        return
    formula = named.field.formula
    if named.field.rollup is not None or (formula is not None and not formula.sql):
        raise RollupProblem("indexed", f"can't be: {named.field.label} is not calculated from its record alone")
    if named.kind == "money" and rollup.function in {"min", "max"}:
        raise RollupProblem("indexed", "can't be: which amount is the least or greatest depends on the day's rates")


def _key(
    objects: Mapping[str, ObjectType], obj: ObjectType, child: ObjectType, rollup: Rollup, named: Named | None
) -> str:
    """Differs wherever the figure would; not with what the fields are called."""
    facts: list[object] = [obj.table, child.table, rollup.column, rollup.function]
    if named is not None:
        formula = named.field.formula
        facts += [column.name for column in named.field.columns]
        facts += list(formula.sql) if formula is not None else []
    facts.append(RATE_DAY in child.fields and named is not None and named.kind == "money")
    if rollup.condition is not None:
        try:
            facts.append(condition_text(rollup.condition, child, objects))
        except NotOwn:
            facts.append(rollup.when)
    digest = hashlib.sha256(repr(facts).encode()).digest()
    return "r_" + base64.b32encode(digest[:15]).decode().lower()


def kept(rollup: Rollup) -> bool:
    """Whether its figures are kept in tables."""
    return rollup.indexed and rollup.function in KEPT and not rollup.problem


def feed_indexes(child: ObjectType) -> Iterator[tuple[str, str]]:
    """What indexed extremes and latest values of other objects want of this one: (what it is about, index)."""
    seen: set[str] = set()
    for feed in child.feeds:
        rollup = feed.rollup
        if kept(rollup):
            continue
        columns = _indexed_columns(child, rollup)
        name = f"{rollup.column}__{'latest' if rollup.function == 'latest' else columns[0].name}"
        if name not in seen:
            seen.add(name)
            last = "id" if rollup.function == "latest" else _expression(child, columns[0], rollup)
            yield name, f"({quoted(rollup.column)}, {last}) where deleted_at is null"


def _indexed_columns(child: ObjectType, rollup: Rollup) -> tuple[Column, ...]:
    return child.fields[rollup.field].forms


def _expression(child: ObjectType, column: Column, rollup: Rollup) -> str:
    formula = child.fields[rollup.field].formula
    return f"({formula.sql[0]})" if formula is not None and formula.sql else quoted(column.name)
