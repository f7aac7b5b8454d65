"""What a tenant's tables are, read from PostgreSQL's catalogs: sizes for a plan, shapes for tests and doctor."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    Execute = Callable[..., psycopg.Cursor[tuple[Any, ...]]]

#: A table of more bytes is not worked on while writers wait (about 3,000 records).
LARGE: Final = 1_000_000
_STANDING: Final = """
select c.relname, c.reltuples::bigint, pg_relation_size(c.oid),
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       (select max(a.attnum) from pg_attribute a where a.attrelid = c.oid),
       array(select k.conname::text from pg_constraint k where k.conrelid = c.oid)
  from pg_class c
 where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and starts_with(c.relname, 'o_')
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
select t.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
 where t.relnamespace = current_schema()::regnamespace and starts_with(t.relname, 'o_')
"""
_CONSTRAINTS: Final = """
select t.relname, c.conname, pg_get_constraintdef(c.oid), c.convalidated
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


def described(execute: Execute, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Per table, in words that do not depend on physical names: columns, constraints, indexes, sorted.

    ``names`` tells what a physical name stands for (``f_…`` → ``vat_id``); parts of it (``f_…__currency``) follow.
    Names of indexes and constraints are left out, as they are made of physical ones.
    """
    told = _Told(names)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for table, name, type_, not_null, generated, expression, collation in execute(_COLUMNS).fetchall():
        text = f"column {name} {type_}{' not null' if not_null else ''}{' virtual' if generated else ''} {expression} {collation}"
        found[told(table)].append(told(text.rstrip()))
    for table, name, definition, valid in execute(_INDEXES).fetchall():
        rest = definition.replace(f" {name} ", " ", 1) if f" {name} " in definition else definition
        rest = re.sub(r"^CREATE (UNIQUE )?INDEX \S+ ON \S+", lambda m: f"index {m[1] or ''}", definition)
        found[told(table)].append(told(f"{rest}{'' if valid else ' INVALID'}"))
    for table, _, definition, valid in execute(_CONSTRAINTS).fetchall():
        found[told(table)].append(told(f"constraint {definition}{'' if valid else ' INVALID'}"))
    return {table: sorted(parts) for table, parts in found.items()}


class _Told:
    def __init__(self, names: Mapping[str, str]) -> None:
        ordered = sorted(names, key=len, reverse=True)
        self._names = names
        self._pattern = (
            re.compile("|".join(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])" for name in ordered))
            if ordered
            else None
        )

    def __call__(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._names[found[0]], text) if self._pattern else text
