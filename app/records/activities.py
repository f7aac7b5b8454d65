"""Notes, tasks and interactions linked to a record, by one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.access import catalogs
from app.records.reach import guard_of, visible
from app.records.rowform import quote, trusted
from app.records.titles import title_sql

if TYPE_CHECKING:
    from uuid import UUID

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: What is read of each object: title, body, moment, due, done, channel; "" is nothing.
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "note": ("title", "body", "created_at", "", "", ""),
    "task": ("title", "body", "created_at", "due_at", "done_at", ""),
    "interaction": ("subject", "body", "starts_at", "", "", "channel"),
}
_TYPES: Final = ("text", "text", "timestamptz", "timestamptz", "timestamptz", "text")
_LIMIT: Final = 100
_SUBJECTS: Final = 20


@dataclass(frozen=True, slots=True)
class Activity:
    """Something people did or have to do about a record; times are ISO 8601 text."""

    object: str
    id: str
    title: str
    body: str
    at: str
    due: str
    done: bool
    channel: str
    who: str
    may_edit: bool = True


def linked_activities(scope: TenantScope, obj: ObjectType, record_id: UUID) -> list[Activity]:
    """The newest notes, tasks and interactions that ``record_link`` ties to the record."""
    catalog = catalogs.for_scope(scope)
    links = _links_to(catalog, obj)
    if links is None:
        return []
    origins = _origins(catalog, links)
    params: dict[str, object] = {"id": record_id}
    parts = [_part(scope, catalog, links, name, obj.name, params) for name in _FIELDS if name in origins]
    if not parts:
        return []
    text = f"SELECT * FROM ({' UNION ALL '.join(parts)}) a ORDER BY at DESC LIMIT {_LIMIT}"
    rows: list[tuple[Any, ...]] = scope.cursor_text().execute(trusted(text), params).fetchall()
    return [
        Activity(
            object=row[0], id=str(row[1]), title=row[2] or "", body=row[3] or "", at=row[4] or "", due=row[5] or "",
            done=row[6] is not None, channel=row[7] or "", who=row[8] or "Somebody",
            may_edit=row[9],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is not done; ``due`` is ISO 8601 text."""

    id: str
    title: str
    due: str
    late: bool


def open_tasks(scope: TenantScope, obj: ObjectType, record_id: UUID, limit: int) -> tuple[list[OpenTask], int]:
    """Tasks about the record that are not done, the next due first, and how many there are."""
    catalog = catalogs.for_scope(scope)
    links = _links_to(catalog, obj)
    task = catalog.objects.get("task")
    if links is None or task is None or "task" not in _origins(catalog, links) or "done_at" not in task.fields:
        return [], 0
    link_table, link_guard = visible(catalog, links)
    task_table, task_guard = visible(catalog, task)
    due = _column(task, "due_at", "timestamptz")
    origin, end = _end(links, "from", "task"), _end(links, "to", obj.name)
    text = (
        f"SELECT r.id, {title_sql(task, 'r')}, {due}, {due} < now(), count(*) OVER () FROM {link_table} l"
        f" JOIN {task_table} r ON r.id = l.{origin} AND r.deleted_at IS NULL AND r.done_at IS NULL"
        f" WHERE l.{end} = %(id)s AND l.deleted_at IS NULL"
        f" ORDER BY {due} NULLS LAST, r.id LIMIT {int(limit)}"
    )
    params = {"id": record_id, **link_guard.binds(scope), **task_guard.binds(scope)}
    rows: list[tuple[Any, ...]] = scope.cursor_text().execute(trusted(text), params).fetchall()
    found = [OpenTask(str(row[0]), row[1] or "", row[2] or "", bool(row[3])) for row in rows]
    return found, rows[0][4] if rows else 0


def subjects(scope: TenantScope, obj: ObjectType, record_id: UUID) -> list[tuple[str, str]]:
    """(object, id) of the records a note, task or interaction is about, the oldest link first."""
    catalog = catalogs.for_scope(scope)
    links = catalog.objects.get("record_link")
    if links is None or "to" not in links.fields or obj.name not in _origins(catalog, links):
        return []
    table, guard = visible(catalog, links)
    origin = _end(links, "from", obj.name)
    text = (
        f"SELECT key, value FROM (SELECT l.id, to_jsonb(l) AS link FROM {table} l"
        f" WHERE l.{origin} = %(id)s AND l.deleted_at IS NULL"
        f" ORDER BY l.id LIMIT {_SUBJECTS}) x,"
        " jsonb_each_text(x.link) WHERE key LIKE 'to\\_\\_%%' AND value IS NOT NULL ORDER BY x.id"
    )
    params = {"id": record_id, **guard.binds(scope)}
    rows: list[tuple[str, str]] = scope.cursor_text().execute(trusted(text), params).fetchall()
    ends = {column.name: column.part for column in links.fields["to"].columns}
    return [(ends[row[0]], row[1]) for row in rows if row[0] in ends]


def _end(links: ObjectType, end: str, name: str) -> str:
    """The column of one end that leads to records of an object: called by its table, which may have another name."""
    return quote(next(column.name for column in links.fields[end].columns if column.part == name))


def _links_to(catalog: Catalog, obj: ObjectType) -> ObjectType | None:
    """The linking object where it can be read and leads to ``obj``."""
    links = catalog.objects.get("record_link")
    to = links.fields.get("to") if links is not None else None
    return links if to is not None and obj.name in to.to else None


def _origins(catalog: Catalog, links: ObjectType) -> frozenset[str]:
    """The objects that can be linked from and may be read."""
    origin = links.fields.get("from")
    return frozenset(origin.to if origin is not None else ()) & catalog.objects.keys()


def _column(obj: ObjectType, name: str, sql_type: str) -> str:
    """A column, or nothing where there is no such field for whoever asks."""
    return f"r.{quote(name)}" if name in obj.fields else f"NULL::{sql_type}"


def _part(
    scope: TenantScope, catalog: Catalog, links: ObjectType, name: str, target: str, params: dict[str, object]
) -> str:
    obj = catalog.object(name)
    aliases = ("title", "body", "at", "due", "done", "channel")
    columns = ", ".join(
        f"{_column(obj, field, sql_type)} AS {alias}"
        for field, sql_type, alias in zip(_FIELDS[name], _TYPES, aliases, strict=True)
    )
    link_table, link_guard = visible(catalog, links)
    table, guard = visible(catalog, obj)
    mine = guard_of(catalog, obj, "r", "edit")
    origin, end = _end(links, "from", name), _end(links, "to", target)
    params |= link_guard.binds(scope) | guard.binds(scope) | mine.binds(scope)
    return (
        f"SELECT '{name}'::text AS object, r.id, {columns}, m.name AS who,"
        f" coalesce({mine.text or 'true'}, false) AS may_edit FROM {link_table} l"
        f" JOIN {table} r ON r.id = l.{origin} AND r.deleted_at IS NULL"
        " LEFT JOIN member m ON m.id = r.created_by"
        f" WHERE l.{end} = %(id)s AND l.deleted_at IS NULL"
    )
