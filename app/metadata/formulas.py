"""Formulas worked out: checked, what they read, and the text of their generated columns where they have such."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from app.expressions import check_answer
from app.expressions.check import weight
from app.expressions.tree import Call, Ref, Related
from app.metadata.environment import FormulaEnvironment, find, inverse_link, object_at
from app.metadata.generated import NotOwn, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.expressions import Checked
    from app.expressions.tree import Node
    from app.metadata.model import Column, Field, FieldName, Formula, ObjectType


def checked_formula(
    objects: Mapping[str, ObjectType], obj: ObjectType, field: Field, formula: Formula
) -> tuple[Checked, ...]:
    """The formula's trees. Raises ConditionError."""
    environment = FormulaEnvironment(objects, obj)
    return tuple(check_answer(formula.source, environment, formula.returns, list(field.options)))


def reads_of(objects: Mapping[str, ObjectType], obj: ObjectType, checked: Checked) -> frozenset[FieldName]:
    """Every field of an object that the expression names, the links on the way included."""
    return frozenset(_reads(objects, obj, checked.root))


def _reads(objects: Mapping[str, ObjectType], obj: ObjectType, node: Node) -> Iterator[FieldName]:
    if isinstance(node, Call):
        for arg in node.args:
            yield from _reads(objects, obj, arg)
    elif isinstance(node, Ref):
        yield from _path(objects, obj, node.variable.path)
    elif isinstance(node, Related):
        *via, name = node.path.split(".")
        yield from _hops(objects, obj, via)
        holder = object_at(objects, obj, via)
        found = inverse_link(objects, holder, name) if holder is not None else None
        if found is not None:
            child, _, link = found
            yield child.name, link
            yield from _reads(objects, child, node.body)


def _path(objects: Mapping[str, ObjectType], obj: ObjectType, path: str) -> Iterator[FieldName]:
    named = find(objects, obj, path)
    if named is None:
        return
    yield from _hops(objects, obj, named.via)
    yield named.owner.name, named.field.name


def _hops(objects: Mapping[str, ObjectType], obj: ObjectType, via: list[str] | tuple[str, ...]) -> Iterator[FieldName]:
    at: ObjectType | None = obj
    for count, name in enumerate(via, 1):
        if at is not None:
            yield at.name, name
        at = object_at(objects, obj, via[:count])


def with_columns(objects: Mapping[str, ObjectType], obj: ObjectType, field: Field, formula: Formula) -> Field:
    """The field with its VIRTUAL columns, where its formula is of the record alone; else as it is."""
    try:
        texts = tuple(
            _typed(value_text(part, obj, objects), column)
            for part, column in zip(formula.parts, field.forms, strict=True)
        )
    except NotOwn:
        return replace(field, formula=formula, columns=())
    digest = hashlib.sha256(repr((field.name, texts)).encode()).digest()
    name = "f_" + base64.b32encode(digest[:15]).decode().lower()
    # Named by what it calculates: a formula that changes gets another column, statements of before keep theirs.
    return replace(field, formula=replace(formula, sql=texts), columns=field.type.columns(name))


def why_not_own(objects: Mapping[str, ObjectType], obj: ObjectType, formula: Formula) -> str:
    """Why the formula has no columns, in words; "" when it has."""
    try:
        for part in formula.parts:
            value_text(part, obj, objects)
    except NotOwn as other:
        return other.why
    return ""


def weight_of(
    objects: Mapping[str, ObjectType], obj: ObjectType, formula: Formula, weights: Mapping[FieldName, int]
) -> int:
    """How much SQL the formula makes with all formulas written out that it is made of."""

    def of(ref: Ref) -> int:
        named = find(objects, obj, ref.variable.path)
        return weights.get((named.owner.name, named.field.name), 1) if named is not None else 1

    return sum(weight(part.root, of) for part in formula.parts)


def _typed(text: str, column: Column) -> str:
    """In the collation of the column: that of a function inside (``lower``) would be the index's too."""
    collation = ' collate "default"' if column.sql_type == "text" else ""
    return f"(({text})::{column.sql_type}{collation})"
