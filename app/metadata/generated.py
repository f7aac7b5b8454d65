"""Expressions over a record's own columns as text: of VIRTUAL columns and their indexes, and inside hand-written SQL.

What PostgreSQL takes in a generated column is immutable and looks at nothing but the row; whatever else an expression
asks (links, the time, rates) makes it ``NotOwn``. Literals are written into the text, other formulas are inlined.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.expressions import to_sql, to_sql_value
from app.expressions.tree import Call, Param, Ref, Related
from app.metadata.environment import find
from app.metadata.sortkeys import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.expressions import Checked, Tables, Variable
    from app.expressions.tree import Node
    from app.metadata.environment import Named
    from app.metadata.model import Column, ObjectType

Sql = sa.ColumnElement[Any]

_DIALECT: Final = pg.dialect(paramstyle="named")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportNoOverloadImplementation]
#: Searches in a list of texts join it by a function that PostgreSQL holds for changeable.
_CHANGEABLE: Final = frozenset({"startsWith", "endsWith", "contains"})
_MATCHED: Final = frozenset({"intText", "doubleText"})
_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "text": sa.Text(),
    "uuid": pg.UUID(as_uuid=True),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "numeric": sa.Numeric(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "time": sa.Time(),
    "timestamptz": sa.DateTime(timezone=True),
    "jsonb": pg.JSONB(),
    "text[]": pg.ARRAY(sa.Text()),
    "uuid[]": pg.ARRAY(pg.UUID(as_uuid=True)),
}


class NotOwn(Exception):
    """The expression asks for more than the record's own columns; ``why`` says for what, in words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def sql_type(name: str) -> sa.types.TypeEngine[Any]:
    """Core's type for a column type of the catalog; ``numeric(18,4)`` is numeric."""
    return _TYPES.get(name.partition("(")[0].strip().lower() if not name.endswith("[]") else name, sa.Text())


def condition_text(checked: Checked, obj: ObjectType, objects: Mapping[str, ObjectType], alias: str = "") -> str:
    """A condition on the record as SQL. Raises NotOwn."""
    _refuse_others(checked.root)
    return _written(to_sql(checked, _Own(obj, objects, alias), literal))


def value_text(checked: Checked, obj: ObjectType, objects: Mapping[str, ObjectType], alias: str = "") -> str:
    """A value calculated from the record as SQL; ``alias`` is put before its columns. Raises NotOwn."""
    _refuse_others(checked.root)
    return _written(to_sql_value(checked, _Own(obj, objects, alias), literal))


def literal(value: object, kind: sa.types.TypeEngine[Any]) -> Sql:
    """A literal written into the text: the expression can stand beside others that have literals of their own."""
    return sa.literal_column(literal_text(value, kind), kind)


def literal_text(value: object, kind: sa.types.TypeEngine[Any]) -> str:
    """A literal of an expression as SQL of its type."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"({value})::bigint"
        case Decimal():
            return f"({value:f})::numeric"
        case datetime():
            return f"timestamptz '{value.isoformat()}'"
        case time():
            return f"time '{value.isoformat()}'"
        case date():
            return f"date '{value.isoformat()}'"
        case UUID():
            return f"uuid '{value}'"
        case str():
            return "'" + value.replace("'", "''") + "'::text"
        case list():
            item = cast("sa.types.TypeEngine[Any]", getattr(kind, "item_type", sa.Text()))
            given = ", ".join(literal_text(one, item) for one in cast("list[object]", value))
            return f"array[{given}]::{_DIALECT.type_compiler_instance.process(item)}[]"
        case _:
            raise TypeError(type(value).__name__)


def _written(sql: Sql) -> str:
    return str(sql.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _refuse_others(root: Node) -> None:
    for node in _walk(root):
        if isinstance(node, Related):
            raise NotOwn("it asks linked records")
        if isinstance(node, Param):
            raise NotOwn(_PARAMS.get(node.name, "it depends on the workspace's settings"))
        if isinstance(node, Call) and node.op in _CHANGEABLE and node.args[0].kind == "texts":
            raise NotOwn("it searches in a list of texts")
        if isinstance(node, Call) and node.op in _MATCHED and not any(isinstance(one, Ref) for one in _walk(node)):
            # PostgreSQL works these out before it knows their collation, and fails.
            raise NotOwn("it reads a number from a text that is always the same")


_PARAMS: Final = {
    "me": "it depends on who asks",
    "now": "it depends on the time",
    "today": "it depends on the day",
    "zone": "it depends on the workspace's time zone",
    "home": "it depends on the workspace's currency",
}


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Call):
        for arg in node.args:
            yield from _walk(arg)


class _Own:
    """``app.expressions.Tables`` over the columns of one row."""

    def __init__(self, obj: ObjectType, objects: Mapping[str, ObjectType], alias: str) -> None:
        self._object, self._objects, self._alias = obj, objects, alias

    def column(self, variable: Variable) -> Sql:
        named = self._named(variable)
        if variable.kind == "money":
            raise NotOwn("money is compared by the day's rates")
        return self._of(named, variable)

    def stored(self, variable: Variable) -> Sql:
        return self._of(self._named(variable), variable)

    def related(self, path: str, condition: Callable[[Tables], Sql]) -> Sql:  # noqa: ARG002 - refused before
        raise NotOwn("it asks linked records")

    def narrow(self, variable: Variable, op: str, operand: Sql) -> Sql | None:  # noqa: ARG002 - no index is known
        return None

    def _named(self, variable: Variable) -> Named:
        named = find(self._objects, self._object, variable.path)
        if named is None:
            raise NotOwn(f"{variable.path} is no field")
        if named.via:
            raise NotOwn(f"it looks over the link {named.via[0]}")
        return named

    def _of(self, named: Named, variable: Variable) -> Sql:
        if named.field.computed:
            return self._computed(named)
        if named.composite:
            return sa.func.coalesce(*[self._column(column) for column in named.field.columns])
        return self._column(column_for(self._object, named, variable.kind))

    def _computed(self, named: Named) -> Sql:
        """Another formula, inlined: a generated column may not name another."""
        formula = named.field.formula
        if formula is None or not formula.sql:
            raise NotOwn(f"{named.field.name} is not calculated from the record alone")
        at = next((at for at, column in enumerate(named.field.forms) if column.part == named.part), 0)
        text = value_text(formula.parts[at], self._object, self._objects, self._alias)
        return sa.literal_column(f"({text})", sql_type(named.field.forms[at].sql_type))

    def _column(self, column: Column) -> Sql:
        prefix = f"{self._alias}." if self._alias else ""
        return sa.literal_column(f"{prefix}{quoted(column.name)}", sql_type(column.sql_type))


def column_for(obj: ObjectType, named: Named, kind: str) -> Column:
    """The physical column a variable of ``kind`` means: the part's, the list of all addresses, else the main one."""
    field = named.field
    if named.part:
        return next(column for column in field.forms if column.part == named.part)
    if kind == "texts":
        listed = obj.fields[field.primary_of] if field.primary_of else field
        found = next((one for one in listed.columns if one.part == "all"), None)
        return found or next((one for one in listed.columns if one.sql_type == "text[]"), listed.columns[0])
    return field.forms[0]
