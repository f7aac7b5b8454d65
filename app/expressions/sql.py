"""Checked tree to SQLAlchemy Core.

SQL has one NULL; conditions tell an empty value from an unknown one. ``is_value`` says which of the two the NULL of
an operand is, and equality is written accordingly (the table of cases is tests/app/expressions/test_cases.py).
``positive`` means: not under a negation, where unknown and false need not be told apart and plain, indexable SQL
serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.elements import Grouping

from app.expressions.functions import MANY
from app.expressions.tree import Call, Const, Node, Null, Param, Ref, is_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.expressions.kinds import Variable
    from app.expressions.tree import Checked

Sql: TypeAlias = sa.ColumnElement[Any]

_TYPES: Final[dict[str, Any]] = {
    "text": sa.Text(), "option": sa.Text(), "number": sa.Numeric(), "money": sa.Numeric(), "boolean": sa.Boolean(),
    "date": sa.Date(), "datetime": sa.DateTime(timezone=True), "link": sa.Uuid(),
    "texts": ARRAY(sa.Text()), "options": ARRAY(sa.Text()), "none": sa.Text(),
}  # fmt: skip
#: Joins the values of a list for text search in any of them; it never occurs in an e-mail address or number.
_SEPARATOR: Final = sa.literal_column("chr(1)", sa.Text())
_ZERO: Final = sa.literal_column("0", sa.Numeric())
#: Makes PostgreSQL carry at least 20 places through a division before it is rounded to 12.
_PLACES: Final = sa.literal_column("0.00000000000000000000", sa.Numeric())
_FIRST_DAY: Final = sa.literal_column("date '0001-01-01'", sa.Date())
_LAST_DAY: Final = sa.literal_column("date '9999-12-31'", sa.Date())


def to_sql(checked: Checked, column: Callable[[Variable], sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """Make SQL that is true exactly for the rows the condition is met by; it never raises.

    ``column`` gives the SQL of a variable (the caller adds the join of a link hop). Literals are parameters
    ``c0`` … (``Checked.binds()``), ``me``, ``now``, ``today`` are parameters of those names.
    """
    return _Compiler(column).node(checked.root, positive=True)


class _Compiler:
    """Walks one tree."""

    def __init__(self, column: Callable[[Variable], Sql]) -> None:
        self._column = column

    def node(self, node: Node, *, positive: bool = False) -> Sql:
        match node:
            case Const():
                kind = sa.BigInteger() if node.exact else _TYPES[node.kind]
                return sa.bindparam(f"c{node.index}", type_=ARRAY(kind) if node.many else kind)
            case Null():
                return sa.null()
            case Param():
                return sa.bindparam(node.name, type_=_TYPES[node.kind])
            case Ref():
                return sa.type_coerce(self._column(node.variable), _TYPES[node.kind])
            case Call():
                return self._call(node, positive=positive)

    def _call(self, call: Call, *, positive: bool) -> Sql:
        match call.op:
            case "and":
                return sa.and_(*(self.node(arg, positive=positive) for arg in call.args))
            case "or":
                return sa.or_(*(self.node(arg, positive=positive) for arg in call.args))
            case "not":
                # Grouped: PostgreSQL reads `NOT x IS NULL` and `NOT x = y` as NOT (…), which Core does not mend.
                return Grouping(sa.not_(self.node(call.args[0])))
            case "eq":
                return self._equal(call.args[0], call.args[1], positive=positive)
            case "isnull" | "has":
                empty = self._is_null(call.args[0])
                return empty if call.op == "isnull" else sa.not_(empty)
            case "in" | "member" | "overlaps":
                return self._membership(call, positive=positive)
            case "if":
                return self._ternary(call)
            case "startsWith" | "endsWith" | "contains":
                return self._search(call)
            case _:
                return self._function(call.op, [self.node(arg) for arg in call.args])

    def _function(self, op: str, args: list[Sql]) -> Sql:
        return _UNARY[op](args[0]) if op in _UNARY else _BINARY[op](args[0], args[1])

    def _is_null(self, node: Node) -> Sql:
        value = self.node(node)
        if node.kind in MANY:
            return sa.func.coalesce(sa.func.cardinality(value), _ZERO) == _ZERO
        if is_value(node):
            return value.is_(None)
        return sa.case((value.is_(None), sa.null()), else_=sa.false())

    def _equal(self, first: Node, second: Node, *, positive: bool) -> Sql:
        left, right = self.node(first), self.node(second)
        if isinstance(first, Ref) and isinstance(second, Ref):
            return left.is_not_distinct_from(right)
        same = left == right
        values = is_value(first), is_value(second)
        if positive or not any(values):
            return same
        total = sa.func.coalesce(same, sa.false())
        if all(values):
            return total
        computed = right if values[0] else left
        return sa.case((computed.is_(None), sa.null()), else_=total)

    def _membership(self, call: Call, *, positive: bool) -> Sql:
        first, second = call.args
        left, right = self.node(first), self.node(second)
        if call.op == "overlaps":
            found = left.op("&&", is_comparison=True)(right)
        elif call.op == "member" and isinstance(first, Const):
            # The form a GIN index serves.
            found = right.op("@>", is_comparison=True)(sa.cast(array([left]), ARRAY(sa.Text())))
        else:
            found = left == sa.any_(right)
        if positive:
            return found
        total = sa.func.coalesce(found, sa.false())
        return total if is_value(first) else sa.case((left.is_(None), sa.null()), else_=total)

    def _ternary(self, call: Call) -> Sql:
        test, then, other = (self.node(arg) for arg in call.args)
        kind = _TYPES[call.kind]
        return sa.case((test, sa.cast(then, kind)), (sa.not_(test), sa.cast(other, kind)))

    def _search(self, call: Call) -> Sql:
        """``contains`` and its like; in a list of texts any of them will do."""
        first, second = call.args
        text, part = self.node(first), self.node(second)
        if first.kind != "texts":
            return _BINARY[call.op](text, part)
        joined = sa.func.array_to_string(text, _SEPARATOR, type_=sa.Text())
        if call.op == "startsWith":
            joined, part = _SEPARATOR.concat(joined), _SEPARATOR.concat(part)
        elif call.op == "endsWith":
            joined, part = joined.concat(_SEPARATOR), part.concat(_SEPARATOR)
        return sa.case((sa.func.cardinality(text) > _ZERO, sa.func.strpos(joined, part) > _ZERO))


def _numeric(value: Sql) -> Sql:
    """Integer columns and literals as numeric: nothing overflows."""
    return sa.cast(value, sa.Numeric())


def _divide(left: Sql, right: Sql) -> Sql:
    divisor = sa.func.nullif(_numeric(right), _ZERO, type_=sa.Numeric())
    return sa.func.round((_numeric(left) + _PLACES) / divisor, sa.literal_column("12"), type_=sa.Numeric())


def _ends_with(text: Sql, part: Sql) -> Sql:
    return sa.func.right(text, sa.func.char_length(part), type_=sa.Text()) == part


def _lower(text: Sql) -> Sql:
    if isinstance(text.type, ARRAY):
        return text
    return sa.func.lower(sa.collate(text, "pg_unicode_fast"), type_=sa.Text())


def _size(value: Sql) -> Sql:
    if isinstance(value.type, ARRAY):
        return sa.func.coalesce(sa.func.cardinality(value), _ZERO, type_=sa.Numeric())
    return sa.func.char_length(value, type_=sa.Numeric())


def _add_days(day: Sql, days: Sql) -> Sql:
    moved = day.op("+", return_type=sa.Date())(sa.cast(days, sa.Integer()))
    return sa.case((moved.between(_FIRST_DAY, _LAST_DAY), moved))


_BINARY: Final[dict[str, Callable[[Sql, Sql], Sql]]] = {
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "add": lambda left, right: _numeric(left) + _numeric(right),
    "sub": lambda left, right: _numeric(left) - _numeric(right),
    "mul": lambda left, right: _numeric(left) * _numeric(right),
    "div": _divide,
    "mod": lambda left, right: sa.func.mod(_numeric(left), sa.func.nullif(_numeric(right), _ZERO), type_=sa.Numeric()),
    "concat": lambda left, right: left.concat(right),
    "startsWith": lambda text, part: sa.func.starts_with(text, part, type_=sa.Boolean()),
    "endsWith": _ends_with,
    "contains": lambda text, part: sa.func.strpos(text, part) > _ZERO,
    "date": lambda point, zone: sa.cast(sa.func.timezone(zone, point), sa.Date()),
    "addDays": _add_days,
}
_UNARY: Final[dict[str, Callable[[Sql], Sql]]] = {
    "neg": lambda value: _ZERO - _numeric(value),
    "lower": _lower,
    "size": _size,
}
