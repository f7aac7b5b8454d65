"""Another type for a field that holds values: a new column beside the old, filled by the field types' own coercers.

The old column keeps its values; taking the change back finds them, and converts only what was written since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast
from zoneinfo import ZoneInfo

from app.core import clock
from app.metadata.ddl.shape import column_stem
from app.metadata.environment import region_of
from app.metadata.fieldtypes.base import Coercion, ValueProblem
from app.metadata.sortkeys import quoted
from tenants.textcursor import TextCursor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import psycopg

    from app.metadata.model import Catalog, Field
    from app.metadata.physical import Settled
    from tenants.scope import Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]

#: How many rows are read and written in one go.
BATCH: Final = 500
#: How many values that won't convert a plan shows, and how many rows of a large table it looks at.
SHOWN: Final = 20
LOOKED_AT: Final = 2_000
#: Before every id.
UUID_MIN: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One field of ``table`` from its form before to the one it is to have."""

    table: str
    object: str
    before: Field
    after: Field


@dataclass(frozen=True, slots=True)
class Preview:
    """How values would fare: ``rows`` hold one, ``failing`` of those ``looked_at`` won't convert and become empty."""

    rows: int
    looked_at: int
    failing: int
    examples: tuple[dict[str, object], ...]

    def public(self) -> dict[str, object]:
        """The API's form."""
        return {
            "rows": self.rows, "looked_at": self.looked_at, "failing": self.failing, "examples": list(self.examples),
        }  # fmt: skip


def conversions(old: Catalog, new: Catalog, settled: Settled) -> list[Conversion]:
    """What the physical names that changed their type mean for fields."""
    found: list[Conversion] = []
    for was, row in settled.converted:
        name, item = row.component.partition("/")[2], row.path.rpartition("/")[2]
        after = new.objects[name].fields[item]
        before = next(
            one
            for obj in old.objects.values() if obj.table == was.table
            for one in obj.fields.values() if one.stored and column_stem(one) == was.column
        )  # fmt: skip
        found.append(Conversion(row.table, name, before, after))
    return found


def context(tenant: Tenant) -> Coercion:
    """The tenant's settings that coercion needs."""
    now = clock.now()
    return Coercion(
        currency=tenant.currency,
        timezone=tenant.timezone,
        region=region_of(tenant.locale, tenant.timezone),
        now=now,
        today=now.astimezone(ZoneInfo(tenant.timezone)).date(),
    )


def converted(before: Field, after: Field, value: object, ctx: Coercion) -> Any:
    """``value`` (JSON form) of one field as a value of another. Raises ValueProblem."""
    problem = ValueProblem("convert", "can't be converted")
    for raw in _forms(before, value):
        try:
            return after.type.coerce(after, raw, ctx)
        except ValueProblem as found:
            problem = found
        if isinstance(raw, str):
            try:
                return after.type.parse(after, raw, ctx)
            except ValueProblem as found:
                problem = found
    raise problem


def _forms(before: Field, value: object) -> Iterator[object]:
    """What a value may be taken for, the most telling form first."""
    if isinstance(value, str) and value in before.options:
        yield before.options[value].label
    yield value
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, dict):
        parts = cast("dict[str, object]", value)
        yield from (parts[name] for name in ("amount", "value") if name in parts)
        yield " ".join(str(part) for part in parts.values() if part not in (None, ""))
    elif isinstance(value, list):
        items = cast("list[object]", value)
        if len(items) == 1:
            yield from _forms(before, items[0])
        yield ", ".join(_word(before, one) for one in items)


def _word(before: Field, item: object) -> str:
    if isinstance(item, dict):
        return str(cast("dict[str, object]", item).get("value", ""))
    return before.options[str(item)].label if str(item) in before.options else str(item)


def preview(connection: Connection, one: Conversion, ctx: Coercion, *, large: bool) -> Preview:
    """How the values there are would fare; of a large table only some are looked at."""
    first = quoted(one.before.columns[0].name)
    columns = ", ".join(quoted(column.name) for column in one.before.columns)
    limit = f" order by id limit {LOOKED_AT}" if large else ""
    cursor = TextCursor(connection)
    cursor.execute(
        cast("LiteralString", f"select id, {columns} from {quoted(one.table)} where {first} is not null{limit}")
    )
    looked, failing, examples = 0, 0, list[dict[str, object]]()
    for row in cursor:
        looked += 1
        value = one.before.type.decode(row[1:])
        try:
            converted(one.before, one.after, value, ctx)
        except ValueProblem as problem:
            failing += 1
            if len(examples) < SHOWN:
                examples.append({"id": row[0], "value": value, "message": problem.message})
    rows = looked
    if large:
        counted = connection.execute(
            cast("LiteralString", f"select count({first}) from {quoted(one.table)}")
        ).fetchone()
        rows = int(counted[0]) if counted else looked
    return Preview(rows, looked, failing, tuple(examples))


def fill(connection: Connection, one: Conversion, ctx: Coercion, *, since: datetime | None = None) -> int:
    """Fill the new column of every row, or of those written ``since``; how many were looked at. The caller commits."""
    after, count = UUID_MIN, 0
    while True:
        rows = _rows(connection, one, after, since)
        if not rows:
            return count
        _write(connection, one, rows, ctx)
        after, count = rows[-1][0], count + len(rows)


def fill_batch(connection: Connection, one: Conversion, ctx: Coercion, after: str) -> tuple[str, int]:
    """Fill the rows behind the id ``after``; the last id, and how many there were. The caller commits."""
    rows = _rows(connection, one, after, None)
    if rows:
        _write(connection, one, rows, ctx)
    return (rows[-1][0], len(rows)) if rows else (after, 0)


def _rows(connection: Connection, one: Conversion, after: str, since: datetime | None) -> list[tuple[Any, ...]]:
    names = [*one.before.columns, *one.after.columns]
    columns = ", ".join(quoted(column.name) for column in names)
    where = " and updated_at >= %(since)s" if since is not None else ""
    text = f"select id, {columns} from {quoted(one.table)} where id > %(after)s::uuid{where}"
    text += f" order by id limit {BATCH} for no key update"
    cursor = TextCursor(connection)
    cursor.execute(cast("LiteralString", text), {"after": after, "since": since})
    return cursor.fetchall()


def _write(connection: Connection, one: Conversion, rows: Sequence[tuple[Any, ...]], ctx: Coercion) -> None:
    width = 1 + len(one.before.columns)
    news: list[tuple[Any, ...]] = []
    for row in rows:
        before = one.before.type.decode(row[1:width])
        there = one.after.type.decode(row[width:])
        if _stands(one, before, there, ctx):
            continue
        news.append((*one.after.type.bind(_or_empty(one, before, ctx)), row[0]))
    if news:
        sets = ", ".join(f"{quoted(column.name)} = %s::{column.sql_type}" for column in one.after.columns)
        with connection.cursor() as cursor:
            cursor.executemany(cast("LiteralString", f"update {quoted(one.table)} set {sets} where id = %s"), news)


def _stands(one: Conversion, before: object, there: object, ctx: Coercion) -> bool:
    """Whether what the column holds from before says the same as the value now: then it comes back exactly."""
    if there in (None, []):
        return before in (None, [])
    try:
        return one.before.type.to_json(converted(one.after, one.before, there, ctx)) == before
    except ValueProblem:
        # It could not be converted and left the field empty; empty still, it is what the field held.
        return before in (None, [])


def _or_empty(one: Conversion, value: object, ctx: Coercion) -> Any:
    if value in (None, []):
        return None
    try:
        return converted(one.before, one.after, value, ctx)
    except ValueProblem:
        return None
