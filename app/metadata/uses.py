"""Which parts of lower layers hold data in a tenant: what a release takes away there, the tenant keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from app.metadata import catalog as catalogs
from app.metadata.leaves import SEPARATOR
from app.metadata.physical import FIELDS, OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.metadata.model import Field, ObjectType
    from app.metadata.store import Execute, Stored

Node = tuple[str, str]
_MANY: Final = frozenset({"multi_select", "tags"})


def in_use(execute: Execute, stored: Stored, nodes: Sequence[Node]) -> frozenset[Node]:
    """Those of ``nodes`` (objects, fields, options, pipelines, stages) that hold data, trashed records included."""
    if not nodes:
        return frozenset()
    catalog = catalogs.compose(stored)
    asked = [(node, question) for node in nodes for question in _questions(catalog.objects, *node)]
    if not asked:
        return frozenset()
    texts = sql.SQL(", ").join(sql.SQL("exists ({})").format(question) for _, question in asked)
    row = execute(sql.SQL("select {}").format(texts)).fetchone()
    return frozenset(node for (node, _), used in zip(asked, row or (), strict=True) if used)


def _questions(objects: Mapping[str, ObjectType], component: str, node: str) -> Iterator[sql.Composed]:
    """Statements that have a row when the node is in use."""
    kind, _, name = component.partition(SEPARATOR)
    steps = node.split(SEPARATOR) if node else []
    if kind == "option_set" and steps[:1] == ["options"]:
        for one in objects.values():
            using = [field for field in one.fields.values() if steps[1] in field.options and field.stored]
            yield from (_holding(one, field, steps[1]) for field in using)
    elif kind == OBJECT and name in objects:
        yield from _of_object(objects[name], steps)


def _of_object(obj: ObjectType, steps: list[str]) -> Iterator[sql.Composed]:
    if not steps:
        yield _rows(obj)
    elif steps[0] == "pipelines" and obj.has_pipeline:
        field = obj.fields["stage" if "stages" in steps else "pipeline"]
        yield _holding(obj, field, steps[-1])
    elif steps[0] == FIELDS and len(steps) > 1 and steps[1] in obj.fields:
        field = obj.fields[steps[1]]
        if field.stored and len(steps) == 2:
            yield _filled(obj, field)
        elif field.stored and len(steps) == 4 and steps[2] == "options":
            yield _holding(obj, field, steps[3])


def _rows(obj: ObjectType) -> sql.Composed:
    return sql.SQL("select from {}").format(sql.Identifier(obj.table))


def _filled(obj: ObjectType, field: Field) -> sql.Composed:
    filled = sql.SQL(" or ").join(sql.SQL("{} is not null").format(sql.Identifier(one.name)) for one in field.columns)
    return sql.SQL("{} where {}").format(_rows(obj), filled)


def _holding(obj: ObjectType, field: Field, value: str) -> sql.Composed:
    column, text = sql.Identifier(field.columns[0].name), sql.Literal(value)
    test = sql.SQL("{1} = any ({0})" if field.type.name in _MANY else "{0} = {1}").format(column, text)
    return sql.SQL("{} where {}").format(_rows(obj), test)
