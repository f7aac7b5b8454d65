"""Rows of a builder as the text of a condition."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from app.expressions.check import check
from app.expressions.errors import ConditionError
from app.expressions.parse import parse
from app.expressions.rows import (
    COUNTED,
    FORMS,
    LISTED,
    NEGATED,
    OPERATORS,
    STARTS,
    UNARY,
    Group,
    Part,
    Row,
    Value,
    tidy,
)
from app.expressions.rows_clock import length_text, time_text
from app.expressions.unparse import quoted
from app.expressions.wire import Apply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.expressions.kinds import Environment
    from app.expressions.rows import Item

_SIGNS: Final = {"is": "==", "is_not": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_METHODS: Final = {"contains": "contains", "starts": "startsWith", "ends": "endsWith"}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,5}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_DAYED: Final = frozenset({"value", "today", "ago", "ahead", "start"})
_LOOSE: Final = frozenset({"_||_", "_&&_", "_?_:_"})


def write(model: Item, environment: Environment) -> str:
    """The condition; "" for a model that says nothing. Raises ConditionError for what is not finished."""
    return _group(tidy(model), environment)


def problems(model: Item, environment: Environment, path: str = "") -> Iterator[tuple[str, ConditionError]]:
    """What is wrong with each row: where it stands (``0.2``: the third of the first group) and why."""
    if isinstance(model, Group):
        for at, one in enumerate(model.items):
            yield from problems(one, environment, f"{path}.{at}" if path else str(at))
        return
    try:
        text = write(model, environment)
        if text:
            check(text, environment)
    except ConditionError as error:
        yield path, error


def row_text(item: Row | Part, environment: Environment) -> str:
    """One row as text."""
    return _part(item) if isinstance(item, Part) else _row(item, environment)


def _group(group: Group, environment: Environment) -> str:
    sign = " && " if group.join == "all" else " || "
    texts = [_inside(one, environment, alone=len(group.items) == 1) for one in group.items]
    joined = sign.join(texts)
    return f"!({joined})" if group.join == "none" and texts else joined


def _inside(item: Item, environment: Environment, *, alone: bool) -> str:
    if isinstance(item, Group):
        text = _group(item, environment)
        return text if item.join == "none" or alone else f"({text})"
    text = row_text(item, environment)
    loose = isinstance(item, Part) and not alone and _is_loose(text)
    return f"({text})" if loose else text


def _is_loose(text: str) -> bool:
    parsed = parse(text)
    return isinstance(parsed, Apply) and parsed.function in _LOOSE


def _part(item: Part) -> str:
    text = item.text.strip()
    parse(text)
    return text


def _row(row: Row, environment: Environment) -> str:
    variable = environment.variable(row.field)
    if variable is None:
        raise ConditionError.at(0, f"There is no field `{row.field}`.")
    if row.op in UNARY:
        return f"has({row.field})" if row.op == "filled" else f"!has({row.field})"
    if row.op not in OPERATORS.get(variable.kind, ()):
        raise ConditionError.at(0, "Choose what to compare.")
    if row.op in LISTED:
        return _listed(row, variable.kind)
    if row.op in _SIGNS:
        return _compared(row, variable.kind, environment)
    positive = row.op if row.op in _METHODS else NEGATED[row.op]
    if row.value.form != "value" or not row.value.text:
        raise ConditionError.at(0, "Enter a value.")
    text = f"{row.field}.{_METHODS[positive]}({quoted(row.value.text)})"
    return text if row.op == positive else f"!{text}"


def _listed(row: Row, kind: str) -> str:
    items = [one for one in row.value.items if one]
    if row.value.form != "list" or not items:
        raise ConditionError.at(0, "Enter at least one value.")
    values = ", ".join(_literal(one, kind) for one in items)
    match row.op:
        case "in":
            return f"{row.field} in [{values}]"
        case "not_in":
            return f"!({row.field} in [{values}])"
        case "all_of":
            return f"hasAll({row.field}, [{values}])"
        case _:
            return f"{'!' if row.op == 'none_of' else ''}hasAny({row.field}, [{values}])"


def _compared(row: Row, kind: str, environment: Environment) -> str:
    value, sign = row.value, _SIGNS[row.op]
    if value.form not in FORMS[kind]:
        raise ConditionError.at(0, "Enter a value.")
    if value.form == "field":
        left, right = _fields(row.field, kind, value.text, environment)
        return f"{left} {sign} {right}"
    if kind in ("date", "datetime"):
        left = f"date({row.field})" if kind == "datetime" and value.form in _DAYED else row.field
        return f"{left} {sign} {_day(value)}"
    return f"{row.field} {sign} {'me' if value.form == 'me' else _literal(value.text, kind)}"


def _fields(path: str, kind: str, other: str, environment: Environment) -> tuple[str, str]:
    """Two fields side by side; of a point in time and a day the day counts."""
    found = environment.variable(other) if other else None
    if found is None:
        raise ConditionError.at(0, "Choose the other field.")
    if {kind, found.kind} == {"date", "datetime"}:
        return (f"date({path})", other) if kind == "datetime" else (path, f"date({other})")
    return path, other


def _day(value: Value) -> str:
    match value.form:
        case "today":
            return "today()"
        case "now":
            return "now"
        case "start":
            if value.unit not in STARTS:
                raise ConditionError.at(0, "Choose a period.")
            return f"{STARTS[value.unit]}(today())"
        case "ago" | "ahead":
            if value.unit not in COUNTED or not _COUNT.fullmatch(value.text):
                raise ConditionError.at(0, "Enter a whole number.")
            return f"{COUNTED[value.unit]}(today(), {'-' if value.form == 'ago' else ''}{value.text})"
        case "moment":
            return f"timestamp({quoted(_moment(value.text))})"
        case _:
            return f"date({quoted(_calendar(value.text))})"


def _moment(text: str) -> str:
    try:
        if _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise ConditionError.at(0, "Enter a date and a time.")


def _calendar(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConditionError.at(0, "Enter a date.") from None


def _literal(text: str, kind: str) -> str:
    if kind in ("number", "money"):
        number = text.strip().replace(",", ".") if text.count(",") == 1 and "." not in text else text.strip()
        if not _NUMBER.fullmatch(number):
            raise ConditionError.at(0, "Enter a number.")
        return number
    if kind == "boolean":
        if text not in ("true", "false"):
            raise ConditionError.at(0, "Choose yes or no.")
        return text
    if kind in ("time", "duration"):
        return (time_text if kind == "time" else length_text)(text)
    if not text:
        raise ConditionError.at(0, "Choose a record." if kind == "link" else "Enter a value.")
    return quoted(text)
