"""A model of rows as its page shows it: controls by the type of the field, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.expressions.rows import LISTED, NEGATED, UNARY, Group, Part, Row, Value
from app.records.pages.condition_choices import PERIODS, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.expressions.rows import Item
    from app.records.pages.condition_choices import Choice, Choices

_JOINS: Final = {"all": "All of these hold", "any": "Any of these holds", "none": "None of these holds"}
_YES: Final = (("true", "Yes"), ("false", "No"))
#: Kind of a field → the control of a value.
_CONTROLS: Final = {
    "number": "number", "money": "number", "date": "date", "datetime": "date", "boolean": "choice",
    "time": "time", "duration": "duration",
}  # fmt: skip


class Shown:
    """What the template shows of a model; ``titles`` are the names of linked records by id."""

    def __init__(self, choices: Choices, titles: Mapping[str, str]) -> None:
        self._choices, self._titles = choices, titles

    def group(self, group: Group, path: str = "") -> dict[str, Any]:
        """A group with all that is in it."""
        items = [self._item(one, f"{path}.{at}" if path else str(at)) for at, one in enumerate(group.items)]
        return {"kind": "group", "path": path, "join": group.join, "joins": list(_JOINS.items()), "items": items}

    def _item(self, item: Item, path: str) -> dict[str, Any]:
        if isinstance(item, Group):
            return self.group(item, path)
        if isinstance(item, Part):
            return {"kind": "part", "path": path, "text": item.text}
        return self._row(item, path)

    def _row(self, row: Row, path: str) -> dict[str, Any]:
        choice = self._choices.of(row.field) if row.field else None
        found: dict[str, Any] = {"kind": "row", "path": path, "field": row.field, "label": row.field, "control": ""}
        if choice is None:
            return found | {"lost": bool(row.field)}
        op, value = row.op, row.value
        return found | {
            "label": choice.label, "op": op, "operators": choice.operators, "forms": choice.forms(op),
            "form": value.form if op not in LISTED else "", "value": value,
            "suffix": choice.suffix, "choices": choice.choices, "units": UNITS, "periods": PERIODS,
            "finder": choice.finder, "target": choice.target, "title": self._titles.get(value.text, ""),
            "fields": self._choices.comparable(choice) if value.form == "field" else (),
            "control": _control(choice, op, value.form),
        } | ({"choices": _YES} if choice.kind == "boolean" else {})  # fmt: skip

    def words(self, group: Group) -> str:
        """The condition as people say it."""
        return self._said(group, outer=True)

    def _said(self, item: Item, *, outer: bool = False) -> str:
        if isinstance(item, Part):
            return f"`{item.text}`"
        if isinstance(item, Row):
            return self._row_said(item)
        inside = [self._said(one) for one in item.items]
        if item.join == "none":
            return f"none of: {'; '.join(inside)}" if len(inside) > 1 else f"not: {inside[0]}"
        text = (" and " if item.join == "all" else " or ").join(inside)
        return text if outer or len(inside) == 1 else f"({text})"

    def _row_said(self, row: Row) -> str:
        choice = self._choices.of(row.field)
        if choice is None:
            return f"`{row.field}`"
        words = dict(choice.operators).get(row.op, NEGATED.get(row.op, row.op))
        return f"{choice.label} {words} {self._value_said(choice, row)}".strip()

    def _value_said(self, choice: Choice, row: Row) -> str:
        value, op = row.value, row.op
        if op in UNARY:
            return ""
        known = dict(_YES if choice.kind == "boolean" else choice.choices)
        if op in LISTED:
            return ", ".join(known.get(one, one) for one in value.items)
        match value.form:
            case "field":
                other = self._choices.of(value.text)
                return other.label if other is not None else value.text
            case "me":
                return choice.me
            case "today" | "now":
                return value.form
            case "ago":
                return f"{value.text} {value.unit} ago"
            case "ahead":
                return f"{value.text} {value.unit} from today"
            case "start":
                return f"the start of this {value.unit}"
            case _:
                text = known.get(value.text, self._titles.get(value.text, value.text))
                return f"{text} {choice.suffix}".strip() if choice.suffix else text


def completed(choices: Choices, group: Group) -> Group:
    """The model with what a control begins with where nothing was chosen yet."""
    return Group(group.join, tuple(_completed(choices, one) for one in group.items))


def _completed(choices: Choices, item: Item) -> Item:
    if isinstance(item, Group):
        return completed(choices, item)
    choice = choices.of(item.field) if isinstance(item, Row) and item.field else None
    if isinstance(item, Part) or choice is None:
        return item
    offered = [one for one, _ in choice.operators]
    op = item.op if item.op in offered else offered[0]
    if op in UNARY:
        return Row(item.field, op)
    return Row(item.field, op, _valued(choice, op, item.value))


def _valued(choice: Choice, op: str, value: Value) -> Value:
    if op in LISTED:
        return value if value.form == "list" else Value("list", items=(value.text,) if value.text else ())
    if value.form == "list":
        value = Value("value", value.items[0] if value.items else "")
    forms = [one for one, _ in choice.forms(op)]
    form = value.form if value.form in forms else forms[0]
    units = {"ago": UNITS, "ahead": UNITS, "start": PERIODS}.get(form, ())
    known = [one for one, _ in units]
    unit = value.unit if value.unit in known else next(iter(known), "")
    text = value.text if form == value.form or not value.form else ""
    return Value(form, text or ("true" if choice.kind == "boolean" else ""), unit)


def _control(choice: Choice, op: str, form: str) -> str:
    """Which control takes the value."""
    if op in UNARY:
        return ""
    if op in LISTED:
        return "boxes" if choice.choices else "lines"
    if form in ("me", "today", "now"):
        return ""
    if form in ("field", "ago", "ahead", "start", "moment"):
        return {"ago": "count", "ahead": "count"}.get(form, form)
    if choice.kind in _CONTROLS:
        return _CONTROLS[choice.kind]
    if choice.choices and op in ("is", "is_not"):
        return "choice"
    if choice.kind == "link":
        return "record" if choice.finder else "text"
    return "text"
