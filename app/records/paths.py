"""From the names people write (``amount``, ``company.name``, ``billing_address.city``) to tables and columns."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.core.errors import FieldError, InvalidInput
from app.metadata.sortkeys import KEY_LENGTH, quoted, sort_key_sql
from app.records.system import SYSTEM_OBJECTS

if TYPE_CHECKING:
    from app.metadata.model import Catalog, Column, Field, ObjectType

#: The title of any record, as a path of its own: pages ask for it, the API does not list it.
TITLE: Final = "_title"
#: Whether whoever asks may do something with the record (``_may_edit``); like the title a path of pages alone.
MAY: Final = "_may_"
_BASE: Final = "r"
#: Links a path may follow one after the other: ``company.parent.owner.name``.
_MAX_HOPS: Final = 3
_NAME_LENGTH: Final = 63
_ONE: Final = sa.literal_column("1", sa.Integer())
#: Of a masked title: characters of the id; its end is what differs.
_SHORT: Final = sa.literal_column("8", sa.Integer())
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
    alias: Place
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


@dataclass(frozen=True, slots=True)
class Inverse:
    """A to-many link found: the records of ``object`` whose ``column`` names the record ``alias`` holds."""

    object: ObjectType
    column: str
    alias: Place


class Source:
    """The FROM clause of one statement: an object's table and a LEFT JOIN for each link hop used so far."""

    def __init__(self, catalog: Catalog, obj: ObjectType, base: str | Row = _BASE, tables: Tables = plain) -> None:
        """``base`` is the alias of the object's own table, or a row of the statement around."""
        self.catalog = catalog
        self.object = obj
        self._base = base
        self._name = base.name if isinstance(base, Row) else base
        self._tables = tables
        self._inner = 0
        self._hops: dict[tuple[str, ...], tuple[sa.FromClause, sa.ColumnElement[bool]]] = {}

    @cached_property
    def base(self) -> Place:
        """The object's table; made when a statement is written, which is once for many questions of a shape."""
        return self._base if isinstance(self._base, Row) else self._tables(self.object, self._base)

    @property
    def row(self) -> Row:
        """The object's row by its alias, for conditions that add no table of their own."""
        return Row(self._name)

    @property
    def id(self) -> sa.ColumnElement[Any]:
        """The record's id."""
        return column_of(self.base, "id", pg.UUID(as_uuid=True))

    def locate(self, path: str) -> Located | None:
        """What ``path`` means here, joining the hops it needs; None when it means nothing."""
        return self._locate(path, path.split("."), self.object, ())

    def _locate(self, path: str, names: list[str], obj: ObjectType, via: tuple[str, ...]) -> Located | None:
        field = obj.fields.get(names[0])
        if field is None or not field.columns:
            return None
        rest = names[1:]
        if not rest:
            return Located(path, field, obj, self._alias(via))
        if len(rest) == 1 and (part := _part(field, rest[0])):
            return Located(path, field, obj, self._alias(via), part)
        target = link_target(self.catalog, field)
        if target is None or len(via) == _MAX_HOPS:
            return None
        return self._locate(path, rest, target, (*via, names[0]))

    def inverse(self, path: str) -> Inverse | None:
        """What the to-many link ``path`` (``deals``, ``company.deals``) means, joining the hops before its end."""
        *before, name = path.split(".")
        holder = self._object_at(tuple(before))
        if holder is None:
            return None
        found = inverse_link(self.catalog, holder, name)
        return None if found is None else Inverse(*found, self._alias(tuple(before)))

    def within(self, inverse: Inverse) -> Source:
        """The tables of a condition on the records of a to-many link; its aliases begin with this one's."""
        self._inner += 1
        return Source(self.catalog, inverse.object, f"{self._name}_{self._inner}", self._tables)

    def _object_at(self, via: tuple[str, ...]) -> ObjectType | None:
        obj: ObjectType | None = self.object
        for name in via:
            field = obj.fields.get(name) if obj is not None else None
            obj = link_target(self.catalog, field) if field is not None else None
        return obj if len(via) <= _MAX_HOPS else None

    def join(self, field: Field, target: ObjectType) -> sa.FromClause:
        """The alias of the record ``field`` links to."""
        return self._join((field.name,), self.base, field, target)

    def _join(self, via: tuple[str, ...], before: Place, field: Field, target: ObjectType) -> sa.FromClause:
        if via not in self._hops:
            prefix = "" if self._name == _BASE else f"{self._name}_"
            name = f"{prefix}j_{'_'.join(via)}"
            # PostgreSQL cuts names at 63 bytes; cut ones are told apart by their number.
            name = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 3]}_{len(self._hops)}"
            alias = self._tables(target, name)
            mine = column_of(before, field.columns[0].name, pg.UUID(as_uuid=True))
            self._hops[via] = alias, column_of(alias, "id", pg.UUID(as_uuid=True)) == mine
        return self._hops[via][0]

    def _alias(self, via: tuple[str, ...]) -> Place:
        """The alias of the record that ``via``, one link after the other, leads to."""
        alias: Place = self.base
        obj = self.object
        for count, name in enumerate(via, 1):
            field = obj.fields[name]
            target = link_target(self.catalog, field)
            if target is None:  # callers looked before
                raise LookupError(name)
            alias, obj = self._join(via[:count], alias, field, target), target
        return alias

    def from_clause(self) -> sa.FromClause:
        """Base table and joins; of a row of the statement around the joins alone."""
        clause = sa.select(_ONE).subquery("one") if isinstance(self.base, Row) else self.base
        for alias, condition in self._hops.values():
            clause = clause.outerjoin(alias, condition)
        return clause

    def tables(self) -> list[sa.FromClause]:
        """Every alias of the FROM clause."""
        own = [] if isinstance(self.base, Row) else [self.base]
        return [*own, *(alias for alias, _ in self._hops.values())]

    def names(self, near: str = "") -> list[str]:
        """Paths that mean something here, for hints: those one hop away, or as many hops as ``near`` has."""
        *via, _ = near.split(".")
        obj = self._object_at(tuple(via)) if len(via) > 1 else None
        if obj is not None:
            return [f"{'.'.join(via)}.{name}" for name in _names(self.catalog, obj, further=False)]
        return _names(self.catalog, self.object, further=True)

    def need(self, path: str, pointer: str) -> Located:
        """Like ``locate``; raises UnknownField with the nearest names."""
        located = self.locate(path)
        if located is None:
            code, message = self._dead_end(path)
            raise refuse(pointer, code, message)
        return located

    def _dead_end(self, path: str) -> tuple[str, str]:
        """Why ``path`` means nothing here: where its links can't be followed, else that there is no such field."""
        obj, names = self.object, path.split(".")
        for at, name in enumerate(names):
            field = obj.fields.get(name)
            inverse = inverse_link(self.catalog, obj, name) if field is None else None
            if inverse is not None:
                other, column = inverse
                ask = f' GET /api/v1/records/{other.name}?filter={column} == "…" lists them.'
                message = f"{name} leads to many {other.plural}, not to one value."
                return "field.to_many", message + (ask if column in other.fields else "")
            if field is None or at + 1 == len(names):
                break
            if len(field.to) > 1:
                message = f"{name} leads to records of several objects, which share no fields: ask for {name} itself."
                return "field.several_objects", message
            target = link_target(self.catalog, field)
            if target is None:
                break
            if at == _MAX_HOPS:
                return "field.too_far", f"{path} follows more than {_MAX_HOPS} links."
            obj = target
        known = self.names(path) if len(names) > 2 else self.names()
        return "field.unknown", f"{self.object.label} has no field {path!r}.{hint(path, known)}"


def _names(catalog: Catalog, obj: ObjectType, *, further: bool) -> list[str]:
    found: list[str] = []
    for field in obj.fields.values():
        if field.columns:
            found.append(field.name)
            found += [f"{field.name}.{part}" for part in field.type.parts]
            if further and (target := link_target(catalog, field)):
                found += [f"{field.name}.{name}" for name, inner in target.fields.items() if inner.columns]
    return found


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


def inverse_link(catalog: Catalog, obj: ObjectType, name: str) -> tuple[ObjectType, str] | None:
    """The object whose records point at those of ``obj`` under the name ``name`` (``deals``), and by which column."""
    for other in catalog.objects.values():
        for field in other.fields.values():
            if field.inverse == name and obj.name in field.to:
                column = next((one.name for one in field.columns if one.part in ("", obj.name)), None)
                if column is not None:
                    return other, column
    return None


def _part(field: Field, name: str) -> str:
    return name if name in field.type.parts and any(column.part == name for column in field.columns) else ""
