"""Conditions as a builder shows them: rows of field, operator and value in groups of all, any or none.

The model and its JSON form. ``rows_reading`` makes it of a condition's text, ``rows_writing`` the text of it; what rows
can't say stays a ``Part``, the text itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Join: TypeAlias = Literal["all", "any", "none"]
JOINS: Final[tuple[Join, ...]] = ("all", "any", "none")

#: Operators that need no value.
UNARY: Final = frozenset({"filled", "empty"})
#: Operators that take a list.
LISTED: Final = frozenset({"in", "not_in", "any_of", "none_of", "all_of"})
_THERE: Final = ("filled", "empty")
_SAME: Final = ("is", "is_not")
_ORDER: Final = ("lt", "le", "gt", "ge")
_SEARCH: Final = ("contains", "not_contains", "starts", "not_starts", "ends", "not_ends")
#: Kind of a field → the operators that fit it, as they are offered.
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (*_SAME, *_SEARCH, "in", "not_in", *_THERE),
    "texts": (*_SAME, *_SEARCH, "any_of", "none_of", "all_of", *_THERE),
    "option": (*_SAME, "in", "not_in", *_THERE),
    "options": ("any_of", "none_of", "all_of", *_THERE),
    "number": (*_SAME, *_ORDER, "in", "not_in", *_THERE),
    "money": (*_SAME, *_ORDER, "in", "not_in", *_THERE),
    "date": (*_SAME, *_ORDER, *_THERE),
    "datetime": (*_SAME, *_ORDER, *_THERE),
    "time": (*_SAME, *_ORDER, *_THERE),
    "duration": (*_SAME, *_ORDER, *_THERE),
    "boolean": (*_SAME, *_THERE),
    "link": (*_SAME, *_THERE),
}
_OPPOSITE: Final = {
    "is": "is_not", "in": "not_in", "contains": "not_contains", "starts": "not_starts", "ends": "not_ends",
    "filled": "empty", "any_of": "none_of",
}  # fmt: skip
#: Operator → the one that is met exactly when it is not.
NEGATED: Final[Mapping[str, str]] = _OPPOSITE | {other: one for one, other in _OPPOSITE.items()}
_DAYS: Final = ("value", "today", "ago", "ahead", "start", "field")
#: Kind of a field → the forms a value may have.
FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("value", "field"),
    "texts": ("value", "field"),
    "option": ("value", "field"),
    "options": ("value",),
    "number": ("value", "field"),
    "money": ("value", "field"),
    "date": _DAYS,
    "datetime": (*_DAYS, "moment", "now"),
    "time": ("value", "field"),
    "duration": ("value", "field"),
    "boolean": ("value",),
    "link": ("value", "me", "field"),
}
#: Units of ``ago`` and ``ahead`` → the function that counts them; of ``start`` likewise.
COUNTED: Final[Mapping[str, str]] = {"days": "addDays", "months": "addMonths", "years": "addYears"}
STARTS: Final[Mapping[str, str]] = {
    "week": "startOfWeek", "month": "startOfMonth", "quarter": "startOfQuarter", "year": "startOfYear",
}  # fmt: skip
#: How much a model that comes from outside may hold.
MOST_ITEMS: Final = 300
_DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class Value:
    """What a field is compared with. ``form``: value, list, field (another), me, now, moment, today, ago, ahead, start.

    ``text`` is the literal, the other field's path or how many; ``unit`` of days, or what a day is the start of.
    """

    form: str = ""
    text: str = ""
    unit: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A field, what is asked of it, and the value where the operator needs one. Without a field it says nothing yet."""

    field: str
    op: str = ""
    value: Value = Value()


@dataclass(frozen=True, slots=True)
class Part:
    """A condition that rows can't say."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, any or none must be met."""

    join: Join
    items: tuple[Item, ...] = ()


Item: TypeAlias = "Row | Part | Group"
NOTHING: Final = Group("all")


def tidy(model: Item) -> Group:
    """The one model among those that mean the same: no empty rows, no group in a group that it does not need."""
    found = _tidied(model)
    if found is None:
        return NOTHING
    return found if isinstance(found, Group) else Group("all", (found,))


def negated(item: Item) -> Item:
    """What is met exactly when ``item`` is not, and unknown when it is."""
    if isinstance(item, Row) and item.op in NEGATED:
        return Row(item.field, NEGATED[item.op], item.value)
    if isinstance(item, Group) and item.join == "none":
        return item.items[0] if len(item.items) == 1 else Group("any", item.items)
    if isinstance(item, Group) and item.join == "any":
        return Group("none", item.items)
    return Group("none", (item,))


def _tidied(item: Item) -> Item | None:
    if isinstance(item, Row):
        return item if item.field else None
    if isinstance(item, Part):
        return item if item.text.strip() else None
    inner = "any" if item.join == "none" else item.join
    found: list[Item] = []
    for one in map(_tidied, item.items):
        if isinstance(one, Group) and one.join == inner:
            found.extend(one.items)
        elif one is not None:
            found.append(one)
    if len(found) > 1:
        return Group(item.join, tuple(found))
    if not found:
        return None
    return negated(found[0]) if item.join == "none" else found[0]


def to_json(item: Item) -> dict[str, object]:
    """The form a page holds."""
    if isinstance(item, Group):
        return {"join": item.join, "items": [to_json(one) for one in item.items]}
    if isinstance(item, Part):
        return {"text": item.text}
    found: dict[str, object] = {"field": item.field, "op": item.op}
    if item.value.form:
        value = item.value
        said = {"text": value.text, "unit": value.unit, "items": list(value.items)}
        found["value"] = {"form": value.form} | {key: one for key, one in said.items() if one}
    return found


def from_json(raw: object) -> Group:
    """A model as a page sends it. Raises ValueError for anything else."""
    counted = [0]
    found = _item(raw, 0, counted)
    if not isinstance(found, Group):
        raise _wrong()
    return found


def _item(raw: object, depth: int, counted: list[int]) -> Item:
    counted[0] += 1
    if not isinstance(raw, dict) or depth > _DEEPEST or counted[0] > MOST_ITEMS:
        raise _wrong()
    spec = cast("dict[str, object]", raw)
    if "items" in spec:
        items, join = spec["items"], spec.get("join")
        if join not in JOINS or not isinstance(items, list):
            raise _wrong()
        inside = cast("list[object]", items)
        return Group(join, tuple(_item(one, depth + 1, counted) for one in inside))
    if "text" in spec:
        return Part(_text(spec, "text"))
    given = spec.get("value")
    value = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    listed = value.get("items")
    items = tuple(str(one) for one in cast("list[object]", listed)) if isinstance(listed, list) else ()
    read = Value(_text(value, "form"), _text(value, "text"), _text(value, "unit"), items)
    return Row(_text(spec, "field"), _text(spec, "op"), read)


def _text(spec: Mapping[str, object], key: str) -> str:
    found = spec.get(key, "")
    if not isinstance(found, str):
        raise _wrong()
    return found


def _wrong() -> ValueError:
    message = "this is no model of a condition"
    return ValueError(message)
