"""What a tenant's tables are, read from PostgreSQL's catalogs: sizes for a plan, shapes for tests and doctor."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.metadata.ddl.shape import shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from app.metadata.model import Catalog

    Execute = Callable[..., psycopg.Cursor[tuple[Any, ...]]]

#: A table of more bytes is not worked on while writers wait (about 3,000 records).
LARGE: Final = 1_000_000
_STANDING: Final = """
select c.relname, c.reltuples::bigint, pg_relation_size(c.oid),
       array(select a.attname::text from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       (select max(a.attnum) from pg_attribute a where a.attrelid = c.oid),
       array(select k.conname::text from pg_constraint k where k.conrelid = c.oid)
  from pg_class c
 where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and starts_with(c.relname, 'o_')
"""
_LARGE: Final = """
select c.relname from pg_class c
 where c.relname = any (%s::name[]) and c.relnamespace = current_schema()::regnamespace
   and pg_relation_size(c.oid) > %s
"""
_COLUMNS: Final = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(l.collname, '')
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  left join pg_collation l on l.oid = a.attcollation and l.collname <> 'default'
 where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and starts_with(c.relname, 'o_')
"""
_INDEXES: Final = """
select t.relname, pg_get_indexdef(x.indexrelid), x.indisvalid
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
 where t.relnamespace = current_schema()::regnamespace and starts_with(t.relname, 'o_')
"""
_CONSTRAINTS: Final = """
select t.relname, pg_get_constraintdef(c.oid), c.convalidated,
       array(select a.attname::text from pg_attribute a where a.attrelid = t.oid and a.attnum = any (c.conkey))
  from pg_constraint c join pg_class t on t.oid = c.conrelid
 where t.relnamespace = current_schema()::regnamespace and starts_with(t.relname, 'o_') and c.contype in ('f', 'c')
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A table as it stands; ``attributes`` were ever used of the 1,600 a table may have."""

    rows: int
    size: int
    columns: frozenset[str]
    attributes: int
    guards: frozenset[str] = frozenset()

    @property
    def large(self) -> bool:
        """Whether work on its rows is left to a job."""
        return self.size > LARGE


def held(execute: Execute) -> dict[str, Held]:
    """Every table of the schema on the search_path that belongs to an object, hidden ones included."""
    return {
        name: Held(max(rows, 0), size, frozenset(columns), attributes, frozenset(guards))
        for name, rows, size, columns, attributes, guards in execute(_STANDING).fetchall()
    }


def stored_columns(execute: Execute, table: str) -> dict[str, str]:
    """The columns of a table that hold values, hidden ones included, with their types."""
    return {
        name: type_ for found, name, type_, _, generated, *_ in execute(_COLUMNS).fetchall()
        if found == table and not generated
    }  # fmt: skip


def large_among(execute: Execute, tables: frozenset[str]) -> frozenset[str]:
    """Those of ``tables`` whose rows are worked on by a job only; found by name, for a pod holds very many."""
    if not tables:
        return frozenset()
    return frozenset(name for (name,) in execute(_LARGE, (list(tables), LARGE)).fetchall())


def described(execute: Execute, catalog: Catalog) -> dict[str, list[str]]:
    """What PostgreSQL holds for each live object: columns, constraints and indexes, in words without physical names.

    Hidden parts are left out; whatever else is there and should not be is not. Equal descriptions are equal schemas.
    """
    live = shapes(catalog)
    told = _Told(catalog)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for table, name, type_, not_null, generated, expression, collation in execute(_COLUMNS).fetchall():
        if table in live and name in live[table].columns:
            text = f"column {name} {type_}{' not null' if not_null else ''}{' virtual' if generated else ''}"
            found[told(table)].append(told(f"{text} {expression} {collation}".rstrip()))
    for table, definition, valid in execute(_INDEXES).fetchall():
        if table in live:
            text = re.sub(r"^CREATE (UNIQUE )?INDEX \S+ ON \S+", lambda match: f"index {match[1] or ''}", definition)
            found[told(table)].append(told(f"{text}{'' if valid else ' INVALID'}"))
    for table, definition, valid, columns in execute(_CONSTRAINTS).fetchall():
        if table in live and all(column in live[table].columns for column in columns):
            found[told(table)].append(told(f"constraint {definition}{'' if valid else ' INVALID'}"))
    return {table: sorted(parts) for table, parts in found.items()}


class _Told:
    """Puts the names people use in the place of physical ones."""

    def __init__(self, catalog: Catalog) -> None:
        self._names: dict[str, str] = {}
        for obj in catalog.objects.values():
            self._names[obj.table] = f"o_{obj.name}"
            for field in obj.fields.values():
                for column in field.columns:
                    end = f"__{column.part}" if column.part and column is not field.columns[0] else ""
                    self._names[column.name] = f"{field.name}{end}"
        longest = sorted((name for name, said in self._names.items() if name != said), key=len, reverse=True)
        self._pattern = re.compile("|".join(rf"(?<![a-z0-9_]){re.escape(name)}(?![a-z0-9_])" for name in longest))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._names[found[0]], text) if self._pattern.pattern else text
