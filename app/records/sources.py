"""The FROM clause of a statement: names people write become its tables, joins and columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.metadata.environment import MAX_HOPS, find, names_of
from app.records.computed import calculate
from app.records.paths import Located, Row, column_of, hint, inverse_link, link_target, plain, refuse

if TYPE_CHECKING:
    from app.metadata.environment import Named
    from app.metadata.model import Catalog, Field, ObjectType
    from app.records.paths import Place, Tables

_BASE: Final = "r"
_NAME_LENGTH: Final = 63
_ONE: Final = sa.literal_column("1", sa.Integer())


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
        self._expressions: dict[tuple[str, ...], tuple[sa.ColumnElement[Any], ...]] = {}

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

    def locate(self, path: str, hops: int = MAX_HOPS) -> Located | None:
        """What ``path`` means here, joining the hops it needs; None when it means nothing."""
        named = find(self.catalog.objects, self.object, path, hops)
        if named is None:
            return None
        alias = self.alias(named.via)
        return Located(path, named.field, named.owner, alias, named.part, self._calculated(named))

    def _calculated(self, named: Named) -> tuple[sa.ColumnElement[Any], ...]:
        """Expressions of a computed field without columns, once a statement."""
        field = named.field
        if not field.computed or field.columns:
            return ()
        key = (*named.via, field.name)
        if key not in self._expressions:
            self._expressions[key] = calculate(self, named.via, field)
        return self._expressions[key]

    def inverse(self, path: str) -> Inverse | None:
        """What the to-many link ``path`` (``deals``, ``company.deals``) means, joining the hops before its end."""
        *before, name = path.split(".")
        holder = self._object_at(tuple(before))
        if holder is None:
            return None
        found = inverse_link(self.catalog, holder, name)
        return None if found is None else Inverse(*found, self.alias(tuple(before)))

    def within(self, inverse: Inverse) -> Source:
        """The tables of a condition on the records of a to-many link; its aliases begin with this one's."""
        self._inner += 1
        return Source(self.catalog, inverse.object, f"{self._name}_{self._inner}", self._tables)

    def counted(self, obj: ObjectType) -> Source:
        """The tables of a roll-up over the records of ``obj``: all of them, whoever asks."""
        self._inner += 1
        return Source(self.catalog.whole or self.catalog, obj, f"{self._name}_{self._inner}")

    def _object_at(self, via: tuple[str, ...]) -> ObjectType | None:
        obj: ObjectType | None = self.object
        for name in via:
            field = obj.fields.get(name) if obj is not None else None
            obj = link_target(self.catalog, field) if field is not None else None
        return obj if len(via) <= MAX_HOPS else None

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

    def alias(self, via: tuple[str, ...]) -> Place:
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
        return names_of(self.catalog.objects, self.object, near)

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
            if at == MAX_HOPS:
                return "field.too_far", f"{path} follows more than {MAX_HOPS} links."
            obj = target
        known = self.names(path) if len(names) > 2 else self.names()
        return "field.unknown", f"{self.object.label} has no field {path!r}.{hint(path, known)}"
