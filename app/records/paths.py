"""From the names people write (``amount``, ``company.name``, ``billing_address.city``) to tables and columns."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.core.errors import FieldError, InvalidInput
from app.metadata.sortkeys import sort_key_sql
from app.records.system import SYSTEM_OBJECTS

if TYPE_CHECKING:
    from app.metadata.model import Catalog, Column, Field, ObjectType

#: The title of any record, as a path of its own: pages ask for it, the API does not list it.
TITLE: Final = "_title"
_BASE: Final = "r"
#: How many names a hint lists when none is near.
_NAMED: Final = 12

_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "text": sa.Text(),
    "uuid": pg.UUID(as_uuid=True),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "numeric": sa.Numeric(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "timestamptz": sa.DateTime(timezone=True),
    "jsonb": pg.JSONB(),
    "text[]": pg.ARRAY(sa.Text()),
    "uuid[]": pg.ARRAY(pg.UUID(as_uuid=True)),
}


class UnknownField(InvalidInput):
    """A name that is no field of the object, or not one that can be used this way."""

    code = "field.unknown"
    title = "There is no such field"


def refuse(pointer: str, code: str, message: str) -> UnknownField:
    """The 422 about one query parameter."""
    return UnknownField(message, [FieldError(pointer, code, message)])


def sql_type(name: str) -> sa.types.TypeEngine[Any]:
    """Core's type for a column type of the catalog; ``numeric(18,4)`` is numeric."""
    return _TYPES.get(name.partition("(")[0].strip().lower() if not name.endswith("[]") else name, sa.Text())


@dataclass(frozen=True, slots=True)
class Located:
    """A path found: the field, the part of it that is meant (``city``) and the table alias it is read from."""

    path: str
    field: Field
    owner: ObjectType
    alias: sa.FromClause
    part: str = ""

    @property
    def column(self) -> Column:
        """The physical column meant: the part's, else the main one."""
        if self.part:
            return next(column for column in self.field.columns if column.part == self.part)
        return self.field.columns[0]

    @property
    def sql(self) -> sa.ColumnElement[Any]:
        """The column as SQL."""
        return column_of(self.alias, self.column.name, sql_type(self.column.sql_type))

    @property
    def kind(self) -> str:
        """The kind the condition language sees; parts of composites are text."""
        return self.field.type.parts.get(self.part, "text") if self.part else self.field.type.condition

    @property
    def composite(self) -> bool:
        """Whether the field as a whole has several columns and none of them stands for it (an address)."""
        return not self.part and bool(self.field.columns) and self.field.columns[0].part not in ("", "amount")


def column_of(alias: sa.FromClause, name: str, type_: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    """A column of an alias; names come from the catalog and are quoted by Core."""
    return sa.column(name, type_, _selectable=alias)


def title_of(alias: sa.FromClause) -> sa.ColumnElement[Any]:
    """A record's title."""
    return column_of(alias, "_title", sa.Text())


def title_key_of(alias: sa.FromClause) -> sa.ColumnElement[Any]:
    """A record's title as it sorts: the column its index is on."""
    return column_of(alias, "_title_key", sa.Text())


def text_key(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Text as it sorts (DESIGN §6); without an index of its own."""
    rendered = str(column.compile(dialect=pg.dialect()))
    return sa.literal_column(f"({sort_key_sql(rendered)})", sa.Text())


class Source:
    """The FROM clause of one statement: an object's table and a LEFT JOIN for each link hop used so far."""

    def __init__(self, catalog: Catalog, obj: ObjectType) -> None:
        self.catalog = catalog
        self.object = obj
        self.base = sa.table(obj.table).alias(_BASE)
        self._hops: dict[str, tuple[sa.FromClause, sa.ColumnElement[bool]]] = {}

    @property
    def id(self) -> sa.ColumnElement[Any]:
        """The record's id."""
        return column_of(self.base, "id", pg.UUID(as_uuid=True))

    def locate(self, path: str) -> Located | None:
        """What ``path`` means here, joining the hop it needs; None when it means nothing."""
        head, _, rest = path.partition(".")
        field = self.object.fields.get(head)
        if field is None or not field.columns:
            return None
        if not rest:
            return Located(path, field, self.object, self.base)
        if part := _part(field, rest):
            return Located(path, field, self.object, self.base, part)
        target = link_target(self.catalog, field)
        if target is None:
            return None
        name, _, part = rest.partition(".")
        inner = target.fields.get(name)
        if inner is None or not inner.columns or (part and not _part(inner, part)):
            return None
        return Located(path, inner, target, self.join(field, target), part)

    def join(self, field: Field, target: ObjectType) -> sa.FromClause:
        """The alias of the record ``field`` links to."""
        if field.name not in self._hops:
            alias = sa.table(target.table).alias(f"j_{field.name}"[:63])
            mine = column_of(self.base, field.columns[0].name, pg.UUID(as_uuid=True))
            self._hops[field.name] = alias, column_of(alias, "id", pg.UUID(as_uuid=True)) == mine
        return self._hops[field.name][0]

    def from_clause(self) -> sa.FromClause:
        """Base table and joins."""
        clause: sa.FromClause = self.base
        for alias, condition in self._hops.values():
            clause = clause.outerjoin(alias, condition)
        return clause

    def names(self) -> list[str]:
        """Every path that means something here, for hints."""
        found: list[str] = []
        for field in self.object.fields.values():
            if field.columns:
                found.append(field.name)
                found += [f"{field.name}.{part}" for part in field.type.parts]
                if target := link_target(self.catalog, field):
                    found += [f"{field.name}.{name}" for name, inner in target.fields.items() if inner.columns]
        return found

    def need(self, path: str, pointer: str) -> Located:
        """Like ``locate``; raises UnknownField with the nearest names."""
        located = self.locate(path)
        if located is None:
            message = f"{self.object.label} has no field {path!r}.{hint(path, self.names())}"
            raise refuse(pointer, "field.unknown", message)
        return located


def hint(given: str, known: list[str]) -> str:
    """Give the nearest known names, else the first ones, as a sentence to append."""
    near = difflib.get_close_matches(given, known, n=2, cutoff=0.6)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    return f" Known are {', '.join(known[:_NAMED])}{' …' if len(known) > _NAMED else ''}." if known else ""


def link_target(catalog: Catalog, field: Field) -> ObjectType | None:
    """The one object a link field leads to; None for other fields and for links to several objects."""
    if len(field.to) != 1 or len(field.columns) != 1:
        return None
    return catalog.objects.get(field.to[0]) or SYSTEM_OBJECTS.get(field.to[0])


def _part(field: Field, name: str) -> str:
    return name if name in field.type.parts and any(column.part == name for column in field.columns) else ""
