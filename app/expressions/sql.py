"""Checked tree to SQLAlchemy Core.

SQL has one NULL; conditions tell an empty value from an unknown one. ``is_value`` says which of the two the NULL of
an operand is, and equality is written accordingly (the table of cases is tests/app/expressions/test_cases.py).
``positive`` means: not under a negation, where unknown and false need not be told apart and plain, indexable SQL
serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.elements import Grouping

from app.expressions.functions import MANY
from app.expressions.sql_functions import FUNCTIONS, ZERO, coalesce, join
from app.expressions.tree import Call, Const, Node, Null, Param, Ref, Related, is_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.expressions.kinds import Variable
    from app.expressions.tree import Checked

Sql: TypeAlias = sa.ColumnElement[Any]
#: Writes a literal of an expression into its SQL instead of making it a parameter.
Literal: TypeAlias = "Callable[[object, sa.types.TypeEngine[Any]], Sql]"


class Tables(Protocol):
    """Where a condition's names are found in the database; the caller adds the joins of link hops."""

    def column(self, variable: Variable) -> Sql:
        """Give the SQL of a variable."""
        ...

    def stored(self, variable: Variable) -> Sql:
        """Give what is null exactly where the variable is empty: money without a rate is there, unknown its worth."""
        ...

    def related(self, path: str, condition: Callable[[Tables], Sql]) -> Sql:
        """Give ``EXISTS`` of a record the to-many link ``path`` leads to; ``condition`` is over its tables."""
        ...

    def narrow(self, variable: Variable, op: str, operand: Sql) -> Sql | None:
        """Give a condition an index serves that follows from ``variable op operand`` (``eq``, ``startsWith``)."""
        ...


class _Columns:
    """Tables of one object without to-many links."""

    def __init__(self, column: Callable[[Variable], Sql]) -> None:
        self._column = column

    def column(self, variable: Variable) -> Sql:
        return self._column(variable)

    def stored(self, variable: Variable) -> Sql:
        return self._column(variable)

    def related(self, path: str, condition: Callable[[Tables], Sql]) -> Sql:  # noqa: ARG002 - no such link
        raise LookupError(f"no tables for {path}")

    def narrow(self, variable: Variable, op: str, operand: Sql) -> Sql | None:  # noqa: ARG002 - no index is known
        return None


_TYPES: Final[dict[str, Any]] = {
    "text": sa.Text(), "option": sa.Text(), "number": sa.Numeric(), "money": sa.Numeric(), "boolean": sa.Boolean(),
    "date": sa.Date(), "datetime": sa.DateTime(timezone=True), "time": sa.Time(), "duration": sa.Numeric(),
    "link": sa.Uuid(), "texts": ARRAY(sa.Text()), "options": ARRAY(sa.Text()), "none": sa.Text(),
}  # fmt: skip
#: Joins the values of a list for text search in any of them; it never occurs in an e-mail address or number.
_SEPARATOR: Final = sa.literal_column("chr(1)", sa.Text())


def to_sql(
    checked: Checked, column: Callable[[Variable], Sql] | Tables, literal: Literal | None = None
) -> sa.ColumnElement[bool]:
    """Make SQL that is true exactly for the rows the condition is met by; it never raises.

    ``column`` gives the SQL of a variable, or is a ``Tables`` for conditions with to-many links. Literals are
    parameters ``c0`` … (``Checked.binds()``), or what ``literal`` writes; ``me``, ``now``, ``today`` are parameters of
    those names.
    """
    return _compiler(checked, column, literal).node(checked.root, positive=True)


def to_sql_value(checked: Checked, column: Callable[[Variable], Sql] | Tables, literal: Literal | None = None) -> Sql:
    """Like ``to_sql`` for an expression of any kind; what is unknown is NULL."""
    return _compiler(checked, column, literal).node(checked.root)


def _compiler(checked: Checked, column: Callable[[Variable], Sql] | Tables, literal: Literal | None) -> _Compiler:
    return _Compiler(_Columns(column) if callable(column) else column, checked.literals, literal)


class _Compiler:
    """Walks one tree."""

    def __init__(self, tables: Tables, literals: tuple[object, ...], literal: Literal | None) -> None:
        self._tables, self._literals, self._literal = tables, literals, literal

    def node(self, node: Node, *, positive: bool = False) -> Sql:
        match node:
            case Const():
                kind = sa.BigInteger() if node.exact else _TYPES[node.kind]
                kind = ARRAY(kind) if node.many else kind
                if self._literal is not None:
                    return self._literal(self._literals[node.index], kind)
                return sa.bindparam(f"c{node.index}", type_=kind)
            case Null():
                return sa.null()
            case Param():
                return sa.bindparam(node.name, type_=_TYPES[node.kind])
            case Ref():
                return sa.type_coerce(self._tables.column(node.variable), _TYPES[node.kind])
            case Related():
                return self._tables.related(node.path, self._inside(node.body))
            case Call():
                return self._call(node, positive=positive)

    def _inside(self, body: Node) -> Callable[[Tables], Sql]:
        return lambda tables: _Compiler(tables, self._literals, self._literal).node(body, positive=True)

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
                return self._narrowed(
                    call, self._equal(call.args[0], call.args[1], positive=positive), positive=positive
                )
            case "isnull" | "has":
                empty = self._is_null(call.args[0])
                return empty if call.op == "isnull" else sa.not_(empty)
            case "in" | "member" | "overlaps" | "includes":
                return self._membership(call, positive=positive)
            case "if":
                return self._ternary(call)
            case "coalesce" | "join":
                write = coalesce if call.op == "coalesce" else join
                return write(*(self.node(arg) for arg in call.args))
            case "startsWith" | "endsWith" | "contains":
                return self._narrowed(call, self._search(call), positive=positive)
            case _:
                return FUNCTIONS[call.op](*(self.node(arg) for arg in call.args))

    def _narrowed(self, call: Call, found: Sql, *, positive: bool) -> Sql:
        """With what an index can serve beside it, where the answer stays the same."""
        field, operand = call.args[0], call.args[1]
        if not positive or not isinstance(field, Ref) or not isinstance(operand, Const) or operand.many:
            return found
        narrower = self._tables.narrow(field.variable, call.op, self.node(operand))
        return found if narrower is None else sa.and_(narrower, found)

    def _is_null(self, node: Node) -> Sql:
        if isinstance(node, Ref) and node.kind == "money":
            return self._tables.stored(node.variable).is_(None)
        value = self.node(node)
        if node.kind in MANY:
            return sa.func.coalesce(sa.func.cardinality(value), ZERO) == ZERO
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
        if call.op in {"overlaps", "includes"}:
            found = left.op("&&" if call.op == "overlaps" else "@>", is_comparison=True)(right)
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
        if isinstance(call.args[2], Null):
            return sa.case((test, sa.cast(then, kind)))
        if isinstance(call.args[1], Null):
            return sa.case((sa.not_(test), sa.cast(other, kind)))
        return sa.case((test, sa.cast(then, kind)), (sa.not_(test), sa.cast(other, kind)))

    def _search(self, call: Call) -> Sql:
        """``contains`` and its like; in a list of texts any of them will do."""
        first, second = call.args
        text, part = self.node(first), self.node(second)
        if first.kind != "texts":
            return FUNCTIONS[call.op](text, part)
        joined = sa.func.array_to_string(text, _SEPARATOR, type_=sa.Text())
        if call.op == "startsWith":
            joined, part = _SEPARATOR.concat(joined), _SEPARATOR.concat(part)
        elif call.op == "endsWith":
            joined, part = joined.concat(_SEPARATOR), part.concat(_SEPARATOR)
        return sa.case((sa.func.cardinality(text) > ZERO, sa.func.strpos(joined, part) > ZERO))
