"""What a write adds to the indexed roll-ups that count its records, appended by its own statement from old and new row.

Nothing updates the record that is rolled up to; the value shown is what is kept and what came since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.environment import find
from app.metadata.generated import column_for, condition_text, value_text
from app.metadata.rollups import RATE_DAY, kept
from app.records.reach import whole
from app.records.rowform import escaped, quote
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from app.metadata.model import Feed, ObjectType

_PARTS: Final = ShapeCache()
#: Names of a contribution's columns: record, currency, day, count, sum.
_COLUMNS: Final = ("p", "c", "d", "n", "s")


@dataclass(frozen=True, slots=True)
class Parts:
    """What goes into a statement: ``returned`` behind RETURNING's list, ``cte`` behind the CTEs; both may be empty."""

    returned: str = ""
    cte: str = ""


def parts_of(object_type: ObjectType, source: str, *, old: bool = False, new: bool = False) -> Parts:
    """The pieces for a statement whose CTE ``source`` writes rows of the object: inserted, deleted or changed ones."""
    if not any(kept(feed.rollup) for feed in object_type.feeds):
        return Parts()
    return _PARTS.get((object_type.spec_hash, source, old, new), lambda: _parts(object_type, source, old=old, new=new))


def insert_of(object_type: ObjectType, ids: str) -> str:
    """A CTE that adds the live records whose ids ``ids`` gives, as they are in the table; "" without roll-ups."""
    feeds = [feed for feed in object_type.feeds if kept(feed.rollup)]
    if not feeds:
        return ""
    selects = [
        f"SELECT '{feed.rollup.key}' AS field, {', '.join(contribution(object_type, feed, 't'))}"
        f" FROM {whole(object_type)} t WHERE t.id IN ({ids})"
        for feed in feeds
    ]
    return f"fed AS ({_insert(selects)})"


def contribution(object_type: ObjectType, feed: Feed, alias: str) -> tuple[str, str, str, str, str]:
    """What one row counts for, as SQL: record (null: for none), currency, day, count, sum. Escaped for parameters."""
    rollup = feed.rollup
    met = [f"{alias}.deleted_at IS NULL"]
    if rollup.condition is not None:
        met.append(condition_text(rollup.condition, object_type, {}, alias))
    currency, day, value = "''", "NULL::date", "0::numeric"
    named = find({}, object_type, rollup.field) if rollup.field else None
    if named is not None:
        formula = named.field.formula
        texts = [value_text(part, object_type, {}, alias) for part in formula.parts] if formula is not None else []
        texts = texts or [f"{alias}.{quote(column.name)}" for column in named.field.columns]
        main = texts[0] if formula is not None else f"{alias}.{quote(column_for(object_type, named, '').name)}"
        met.append(f"({main}) IS NOT NULL")
        if rollup.function != "count":
            value = f"({main})::numeric"
        if named.kind == "money" and rollup.function != "count":
            currency = texts[1]
            if RATE_DAY in object_type.fields:
                day = f"{alias}.{quote(object_type.fields[RATE_DAY].columns[0].name)}"
    record = f"CASE WHEN {' AND '.join(f'({one})' for one in met)} THEN {alias}.{quote(rollup.column)} END"
    found = (record, currency, day, "1::bigint", value)
    return tuple(escaped(one) for one in found)  # pyright: ignore[reportReturnType]


def _parts(object_type: ObjectType, source: str, *, old: bool, new: bool) -> Parts:
    returned: list[str] = []
    selects: list[str] = []
    sides = [(alias, sign) for alias, sign, asked in (("old", "-", old), ("new", "", new)) if asked]
    for number, feed in enumerate(feed for feed in object_type.feeds if kept(feed.rollup)):
        for alias, sign in sides:
            names = [f"{alias[0]}{number}{column}" for column in _COLUMNS]
            texts = contribution(object_type, feed, alias)
            returned += [f"{text} AS {name}" for text, name in zip(texts, names, strict=True)]
            record, currency, day, count, total = names
            selects.append(
                f"SELECT '{feed.rollup.key}' AS field, {record} AS p, {currency} AS c, {day} AS d, {sign}{count} AS n,"
                f" {sign}{total} AS s FROM {source}"
            )
    return Parts(", " + ", ".join(returned), f", fed AS ({_insert(selects)})")


def _insert(selects: list[str]) -> str:
    """What comes to nothing (a change elsewhere in the record) is left out."""
    return (
        "INSERT INTO rollup_delta (field, record_id, currency, day, n, sum)"
        " SELECT x.field, x.p, coalesce(x.c, ''), x.d, sum(x.n), sum(x.s) FROM"
        f" ({' UNION ALL '.join(selects)}) AS x (field, p, c, d, n, s) WHERE x.p IS NOT NULL"
        " GROUP BY x.field, x.p, coalesce(x.c, ''), x.d HAVING sum(x.n) <> 0 OR sum(x.s) <> 0"
    )
