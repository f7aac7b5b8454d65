"""Which parts of lower layers hold data in a tenant: what a release takes away there, the tenant keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from app.metadata import catalog as catalogs
from app.metadata.leaves import SEPARATOR
from app.metadata.physical import FIELDS, OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.metadata.model import Field, ObjectType
    from app.metadata.store import Execute, Stored

Node = tuple[str, str]
#: Object, field, what records hold in it.
Value = tuple[str, str, str]
_MONEY: Final = "money"
_MANY: Final = frozenset({"multi_select", "tags"})
#: Whoever names a role: a role somebody holds stays when a layer has it no more.
_ROLE_HELD: Final = sql.SQL(
    "select from member where role = {0} or {0} = any (roles)"
    " union all select from api_key where role = {0} and revoked_at is null"
    " union all select from sharing_rule where grantee_kind = 'role' and grantee = {0}"
    " union all select from share where grantee_kind = 'role' and grantee = {0}"
)


def in_use(execute: Execute, stored: Stored, nodes: Sequence[Node]) -> frozenset[Node]:
    """Those of ``nodes`` (objects, fields, options, stages, roles …) that hold data, trashed records included."""
    if not nodes:
        return frozenset()
    catalog = catalogs.compose(stored)
    asked = [(node, question) for node in nodes for question in _questions(catalog.objects, *node)]
    if not asked:
        return frozenset()
    texts = sql.SQL(", ").join(sql.SQL("exists ({})").format(question) for _, question in asked)
    row = execute(sql.SQL("select {}").format(texts)).fetchone()
    return frozenset(node for (node, _), used in zip(asked, row or (), strict=True) if used)


def held(execute: Execute, fields: Iterable[tuple[ObjectType, Field]]) -> dict[Value, int]:
    """How many records hold each value of fields with options, stages, pipelines or money (by currency).

    Trashed records count: they may come back. One statement, however many fields there are.
    """
    asked = {(obj.name, field.name): (obj, field) for obj, field in fields if field.stored}
    texts = [_by_value(*one) for one in asked.values()]
    if not texts:
        return {}
    rows = execute(sql.SQL(" union all ").join(texts)).fetchall()
    return {(obj, field, value): int(count) for obj, field, value, count in rows}


def holders(objects: Mapping[str, ObjectType], component: str, node: str) -> Iterator[tuple[ObjectType, Field, str]]:
    """Where an option, stage, pipeline or currency may be held: fields, and the value it is in them."""
    kind, _, name = component.partition(SEPARATOR)
    steps = node.split(SEPARATOR) if node else []
    if kind == "option_set" and steps[:1] == ["options"]:
        every = ((one, field) for one in objects.values() for field in one.fields.values())
        yield from ((one, field, steps[1]) for one, field in every if field.option_set == name)
    elif kind == "currency":
        every = ((one, field) for one in objects.values() for field in one.fields.values())
        yield from ((one, field, name) for one, field in every if field.type.name == _MONEY)
    elif kind == OBJECT and name in objects and len(steps) > 1:
        yield from _of_parts(objects[name], steps)


def _of_parts(obj: ObjectType, steps: list[str]) -> Iterator[tuple[ObjectType, Field, str]]:
    if steps[0] == "pipelines" and obj.has_pipeline:
        yield obj, obj.fields["stage" if "stages" in steps else "pipeline"], steps[-1]
    elif steps[0] == FIELDS and steps[1] in obj.fields and len(steps) == 4 and steps[2] == "options":
        yield obj, obj.fields[steps[1]], steps[3]


def _questions(objects: Mapping[str, ObjectType], component: str, node: str) -> Iterator[sql.Composed]:
    """Statements that have a row when the node is in use."""
    kind, _, name = component.partition(SEPARATOR)
    steps = node.split(SEPARATOR) if node else []
    yield from (_holding(*one) for one in holders(objects, component, node) if one[1].stored)
    if kind == "role" and not steps:
        yield _ROLE_HELD.format(sql.Literal(name))
    elif kind == OBJECT and name in objects and not steps:
        yield _rows(objects[name])
    elif kind == OBJECT and name in objects and len(steps) == 2 and steps[0] == FIELDS:
        field = objects[name].fields.get(steps[1])
        if field is not None and field.stored:
            yield _filled(objects[name], field)


def _by_value(obj: ObjectType, field: Field) -> sql.Composed:
    column = sql.Identifier(_column(field))
    text = "select {0}, {1}, v, count(*) from {2}, unnest({3}) v group by v"
    if field.type.name not in _MANY:
        text = "select {0}, {1}, {3}, count(*) from {2} where {3} is not null group by {3}"
    return sql.SQL(text).format(sql.Literal(obj.name), sql.Literal(field.name), sql.Identifier(obj.table), column)  # pyright: ignore[reportArgumentType]


def _column(field: Field) -> str:
    """The column whose values are counted: of money its currency's."""
    return field.columns[1 if field.type.name == _MONEY else 0].name


def _rows(obj: ObjectType) -> sql.Composed:
    return sql.SQL("select from {}").format(sql.Identifier(obj.table))


def _filled(obj: ObjectType, field: Field) -> sql.Composed:
    filled = sql.SQL(" or ").join(sql.SQL("{} is not null").format(sql.Identifier(one.name)) for one in field.columns)
    return sql.SQL("{} where {}").format(_rows(obj), filled)


def _holding(obj: ObjectType, field: Field, value: str) -> sql.Composed:
    column, text = sql.Identifier(_column(field)), sql.Literal(value)
    test = sql.SQL("{1} = any ({0})" if field.type.name in _MANY else "{0} = {1}").format(column, text)
    return sql.SQL("{} where {}").format(_rows(obj), test)
