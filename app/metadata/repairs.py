"""Rows that a change leaves at odds with what it asks: listed for people to mend, never changed silently.

A field that comes back or becomes required may be empty, one that becomes unique may hold the same twice, a link that
was hidden may point to a record that was destroyed meanwhile, a rating may have more stars than there are now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

from app.metadata.sortkeys import equal_key_sql, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.ddl.inspect import Held
    from app.metadata.model import Catalog, Field, ObjectType
    from app.metadata.physical import Settled
    from app.metadata.store import Execute

#: The one type whose values have an end that may move.
RATING: Final = "rating"
#: How many records a plan names.
SHOWN: Final = 20
#: Bytes of a unique text that an index entry surely holds (2,704).
_FITTING: Final = 2_600


@dataclass(frozen=True, slots=True)
class Repair:
    """``count`` live records of ``object`` that ``field`` leaves flagged.

    ``code``: required, unique, long, link or range.
    """

    code: str
    object: str
    field: str
    count: int
    ids: tuple[str, ...] = ()

    def public(self) -> dict[str, object]:
        """The API's form."""
        return {
            "code": self.code, "object": self.object, "field": self.field, "count": self.count, "ids": list(self.ids),
        }  # fmt: skip


def repairs(execute: Execute, old: Catalog, new: Catalog, settled: Settled, tables: Mapping[str, Held]) -> list[Repair]:
    """What the change from ``old`` to ``new`` leaves to be mended."""
    back = {(row.table, row.column) for row in settled.restored}
    names = {one.name: one.table for one in new.objects.values()}
    found: list[Repair] = []
    for obj in new.objects.values():
        held = tables.get(obj.table)
        if held is None:
            continue
        before = next((one for one in old.objects.values() if one.table == obj.table), None)
        for field in obj.fields.values():
            if field.stored and not field.system:
                found += _of(execute, obj, field, before, held, back, names)
    return found


def _of(
    execute: Execute,
    obj: ObjectType,
    field: Field,
    before: ObjectType | None,
    held: Held,
    back: set[tuple[str, str]],
    names: Mapping[str, str],
) -> Iterator[Repair]:
    column = field.columns[0].name
    was = (
        next((one for one in before.fields.values() if one.stored and one.columns[0].name == column), None)
        if before
        else None
    )
    there = column in held.columns
    restored = was is None and there and any(table == obj.table and column.startswith(stem) for table, stem in back)
    if field.required and (was is None or not was.required):
        yield from _required(execute, obj, field, held, there=there)
    if there and field.unique and (restored or was is None or not was.unique):
        yield from _unique(execute, obj, field)
    if there and field.type.name == RATING and was is not None and was.most > field.most:
        yield from _beyond(execute, obj, field)
    if restored and field.to:
        yield from _dangling(execute, obj, field, names)


def _required(execute: Execute, obj: ObjectType, field: Field, held: Held, *, there: bool) -> Iterator[Repair]:
    """A column that is not there yet is empty everywhere."""
    if not there and held.large:
        yield Repair("required", obj.name, field.name, held.rows)
        return
    empty = " and ".join(f"{quoted(column.name)} is null" for column in field.columns) if there else "true"
    yield from _found("required", obj, field, execute, f"deleted_at is null and {empty}")


def _unique(execute: Execute, obj: ObjectType, field: Field) -> Iterator[Repair]:
    column = quoted(field.columns[0].name)
    key = column if field.unique == "exact" else equal_key_sql(column)
    live = f"from {quoted(obj.table)} where deleted_at is null and {column} is not null"
    same = f"select {key} {live} group by 1 having count(*) > 1"
    yield from _found("unique", obj, field, execute, f"deleted_at is null and {key} in ({same})")
    if field.columns[0].sql_type == "text":
        yield from _found("long", obj, field, execute, f"deleted_at is null and octet_length({key}) > {_FITTING}")


def _beyond(execute: Execute, obj: ObjectType, field: Field) -> Iterator[Repair]:
    """More stars than there are now."""
    column = quoted(field.columns[0].name)
    yield from _found("range", obj, field, execute, f"deleted_at is null and {column} > {int(field.most)}")


def _dangling(execute: Execute, obj: ObjectType, field: Field, tables: Mapping[str, str]) -> Iterator[Repair]:
    """Also of those in the trash: the key asks for them too."""
    for column in field.columns:
        target, name = column.part or field.to[0], quoted(column.name)
        there = f"exists (select from {quoted(tables.get(target, target))} t where t.id = {quoted(obj.table)}.{name})"
        yield from _found("link", obj, field, execute, f"{name} is not null and not {there}")


def _found(code: str, obj: ObjectType, field: Field, execute: Execute, where: str) -> Iterator[Repair]:
    text = f"select count(*) over (), id from {quoted(obj.table)} where {where} limit {SHOWN}"
    rows: list[tuple[Any, ...]] = execute(cast("LiteralString", text)).fetchall()
    if rows:
        yield Repair(code, obj.name, field.name, int(rows[0][0]), tuple(str(row[1]) for row in rows))
