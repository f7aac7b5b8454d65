"""A record's row and its JSON form: which columns, in which order, decoded by which field type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

from psycopg import sql

from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.metadata.model import Field, ObjectType

_FORMS: Final = ShapeCache()


def trusted(text: str) -> LiteralString:
    """Statement text made of constants and quoted names of the catalog, never of what a client sent."""
    return cast("LiteralString", text)


def quote(name: str) -> str:
    """Quote an identifier that comes from the catalog."""
    return sql.Identifier(name).as_string(None)


@dataclass(frozen=True, slots=True)
class RowForm:
    """How the whole row of an object is read: ``columns`` in field order, decoders by position."""

    columns: tuple[str, ...]
    select: str
    decoders: tuple[tuple[str, Callable[[Sequence[Any]], object], int, int], ...]
    writers: tuple[tuple[str, Callable[[Any], object], bool], ...]
    #: Columns PostgreSQL calculates: what a write does not know before it asks.
    calculated: tuple[str, ...]
    calculators: tuple[tuple[str, Callable[[Sequence[Any]], object], int, int], ...]

    def decode_calculated(self, row: Sequence[Any]) -> dict[str, Any]:
        """JSON form of the fields behind ``calculated``, read by ``scope.cursor_text()`` in that order."""
        return {name: decode(row[start:end]) for name, decode, start, end in self.calculators}

    def decode(self, row: Sequence[Any]) -> dict[str, Any]:
        """JSON form of a row read by ``scope.cursor_text()`` in the order of ``columns``."""
        return {name: decode(row[start:end]) if end > start else None for name, decode, start, end in self.decoders}

    def written(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """JSON form of a new row from its values by field name; fields without one are empty."""
        return {
            name: write(values[name]) if name in values else ([] if many else None)
            for name, write, many in self.writers
        }


def row_form(object_type: ObjectType) -> RowForm:
    """The row form of an object, built once per spec."""
    return _FORMS.get(object_type.spec_hash, lambda: _build(object_type))


def _build(object_type: ObjectType) -> RowForm:
    columns: list[str] = []
    decoders: list[tuple[str, Callable[[Sequence[Any]], object], int, int]] = []
    calculated: list[str] = []
    calculators: list[tuple[str, Callable[[Sequence[Any]], object], int, int]] = []
    for field in object_type.fields.values():
        if field.computed and field.columns:
            first = len(calculated)
            calculated += [column.name for column in field.columns]
            calculators.append((field.name, field.type.decode, first, len(calculated)))
        start = len(columns)
        columns += [column.name for column in field.columns]
        decoders.append((field.name, field.type.decode, start, len(columns)))
    writers = tuple((field.name, field.type.to_json, field.type.many) for field in object_type.fields.values())
    select = ", ".join(quote(name) for name in columns)
    return RowForm(tuple(columns), select, tuple(decoders), writers, tuple(calculated), tuple(calculators))


def diff_sql(field: Field) -> str:
    """SQL in a RETURNING clause: ``{"field": [old, new]}`` when the field changed, else ``{}``."""
    names = [quote(column.name) for column in field.columns]
    old = [f"old.{name}" for name in names]
    new = [f"new.{name}" for name in names]
    changed = (
        f"({', '.join(old)}) IS DISTINCT FROM ({', '.join(new)})"
        if len(names) > 1
        else (f"{old[0]} IS DISTINCT FROM {new[0]}")
    )
    key = field.name.replace("'", "''")
    pair = f"jsonb_build_array({escaped(field.type.json_sql(old))}, {escaped(field.type.json_sql(new))})"
    return f"CASE WHEN {changed} THEN jsonb_build_object('{key}', {pair}) ELSE '{{}}'::jsonb END"


def whole_row_sql(object_type: ObjectType, qualifier: str) -> str:
    """SQL for the JSON form of a whole row, in chunks because a function takes at most 100 arguments."""
    pairs = [
        "'{}', {}".format(
            field.name.replace("'", "''"),
            escaped(field.type.json_sql([f"{qualifier}.{quote(column.name)}" for column in field.columns])),
        )
        for field in object_type.fields.values()
        if field.stored
    ]
    chunks = [pairs[start : start + 40] for start in range(0, len(pairs), 40)]
    return " || ".join(f"jsonb_build_object({', '.join(chunk)})" for chunk in chunks)


def escaped(text: str) -> str:
    """SQL text safe beside psycopg's ``%(name)s`` placeholders."""
    return text.replace("%", "%%")
