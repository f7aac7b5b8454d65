"""From the names people write (``amount``, ``company.name``, ``billing_address.city``) to tables and columns."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.core.errors import FieldError, InvalidInput
from app.metadata import environment
from app.metadata.generated import sql_type
from app.metadata.sortkeys import KEY_LENGTH, quoted, sort_key_sql

if TYPE_CHECKING:
    from app.metadata.model import Catalog, Column, Field, ObjectType

#: The title of any record, as a path of its own: pages ask for it, the API does not list it.
TITLE: Final = "_title"
#: Whether whoever asks may do something with the record (``_may_edit``); like the title a path of pages alone.
MAY: Final = "_may_"
#: Of a masked title: characters of the id; its end is what differs.
_SHORT: Final = sa.literal_column("8", sa.Integer())
#: How many names a hint lists when none is near.
_NAMED: Final = 12


class UnknownField(InvalidInput):
    """A name that is no field of the object."""

    code = "field.unknown"
    title = "There is no such field"


def refuse(pointer: str, code: str, message: str) -> InvalidInput:
    """The 422 about one query parameter: UnknownField, or a field that can't be used this way."""
    kind = UnknownField if code == UnknownField.code else InvalidInput
    return kind(message, [FieldError(pointer, code, message)])


@dataclass(frozen=True, slots=True)
class Located:
    """A path found: the field, the part of it that is meant (``city``) and the table alias it is read from.

    ``expressions`` stand for the columns of a field that is calculated in the statement.
    """

    path: str
    field: Field
    owner: ObjectType
    alias: Place
    part: str = ""
    expressions: tuple[sa.ColumnElement[Any], ...] = ()

    @property
    def column(self) -> Column:
        """The column meant, as its values are read: the part's, else the main one."""
        return self.field.forms[self._at]

    @property
    def _at(self) -> int:
        if not self.part:
            return 0
        return next(at for at, column in enumerate(self.field.forms) if column.part == self.part)

    @property
    def sql(self) -> sa.ColumnElement[Any]:
        """The column as SQL."""
        return self.of_form(self._at)

    def of_form(self, at: int) -> sa.ColumnElement[Any]:
        """One of the field's columns (``Field.forms``) as SQL."""
        if self.expressions:
            return self.expressions[at]
        column = self.field.forms[at]
        return column_of(self.alias, column.name, sql_type(column.sql_type))

    @property
    def kind(self) -> str:
        """The kind the condition language sees; parts of composites are text."""
        return self.field.type.parts.get(self.part, "text") if self.part else self.field.type.condition

    @property
    def composite(self) -> bool:
        """Whether the field as a whole has several columns and none of them stands for it (an address)."""
        return not self.part and self.field.forms[0].part not in ("", "amount")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the statement around a condition, known by its alias: naming it adds no table."""

    name: str


#: What columns are read from.
Place: TypeAlias = sa.FromClause | Row
#: What a table is read as: plain, or narrowed to what somebody reaches (``app.records.reach``).
Tables: TypeAlias = Callable[["ObjectType", str], sa.FromClause]


def column_of(alias: Place, name: str, type_: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    """A column of an alias; names come from the catalog and are quoted."""
    if isinstance(alias, Row):
        return sa.literal_column(f"{quoted(alias.name)}.{quoted(name)}", type_)
    return sa.column(name, type_, _selectable=alias)


def title_of(obj: ObjectType, alias: Place) -> sa.ColumnElement[Any]:
    """A record's title; a short form of its id where the title says what may not be read."""
    if obj.masked:
        short = sa.func.right(sa.cast(column_of(alias, "id", pg.UUID(as_uuid=True)), sa.Text()), _SHORT)
        return sa.literal_column("'#'", sa.Text()).concat(short)
    return column_of(alias, "_title", sa.Text())


def title_key_of(obj: ObjectType, alias: Place) -> sa.ColumnElement[Any]:
    """A record's title as it sorts: the column its index is on."""
    return title_of(obj, alias) if obj.masked else column_of(alias, "_title_key", sa.Text())


def plain(obj: ObjectType, name: str) -> sa.FromClause:
    """The whole table, whoever asks: for the engine itself, and for what is locked besides."""
    return sa.table(obj.table).alias(name)


def text_key(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Text as it sorts (DESIGN §6); without an index of its own.

    Plain ASCII has no accents to take off: lower case says the same at a fifth of the cost, and a sort computes the
    key of every row.
    """
    rendered = str(column.compile(dialect=pg.dialect()))
    ascii_key = f"left(lower({rendered} COLLATE pg_unicode_fast), {KEY_LENGTH})"
    plain = f"octet_length({rendered}) = char_length({rendered})"
    return sa.literal_column(f"(CASE WHEN {plain} THEN {ascii_key} ELSE {sort_key_sql(rendered)} END)", sa.Text())


def hint(given: str, known: list[str]) -> str:
    """Give the nearest known names, else the first ones, as a sentence to append."""
    near = difflib.get_close_matches(given, known, n=2, cutoff=0.6)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    return f" Known are {', '.join(known[:_NAMED])}{' …' if len(known) > _NAMED else ''}." if known else ""


def link_target(catalog: Catalog, field: Field) -> ObjectType | None:
    """The one object a link field leads to; None for other fields and for links to several objects."""
    return environment.link_target(catalog.objects, field)


def inverse_link(catalog: Catalog, obj: ObjectType, name: str) -> tuple[ObjectType, str] | None:
    """The object whose records point at those of ``obj`` under the name ``name`` (``deals``), and by which column."""
    found = environment.inverse_link(catalog.objects, obj, name)
    return None if found is None else found[:2]
