"""Notes, tasks and interactions linked to a record, by one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from app.access import catalogs

if TYPE_CHECKING:
    from uuid import UUID

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: Per object: title, body, moment, due, done, channel; columns of its table or constants.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "note": ("r.title", "r.body", "r.created_at", "NULL::timestamptz", "NULL::timestamptz", "NULL::text"),
    "task": ("r.title", "r.body", "r.created_at", "r.due_at", "r.done_at", "NULL::text"),
    "interaction": ("r.subject", "r.body", "r.starts_at", "NULL::timestamptz", "NULL::timestamptz", "r.channel"),
}
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


def linked_activities(scope: TenantScope, obj: ObjectType, record_id: UUID) -> list[Activity]:
    """The newest notes, tasks and interactions that ``record_link`` ties to the record."""
    catalog = catalogs.for_scope(scope)
    links = catalog.objects.get("record_link")
    if links is None or obj.name not in links.fields["to"].to:
        return []
    parts = [_part(catalog, links, name, obj.name) for name in _COLUMNS if name in links.fields["from"].to]
    if not parts:
        return []
    query = sql.SQL("SELECT * FROM ({parts}) a ORDER BY at DESC LIMIT {limit}").format(
        parts=sql.SQL(" UNION ALL ").join(parts), limit=sql.Literal(_LIMIT)
    )
    rows: list[tuple[Any, ...]] = scope.cursor_text().execute(query, {"id": record_id}).fetchall()
    return [
        Activity(
            object=row[0], id=str(row[1]), title=row[2] or "", body=row[3] or "", at=row[4], due=row[5] or "",
            done=row[6] is not None, channel=row[7] or "", who=row[8] or "Somebody",
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
    links = catalog.objects.get("record_link")
    if links is None or obj.name not in links.fields["to"].to or "task" not in links.fields["from"].to:
        return [], 0
    query = sql.SQL(
        "SELECT r.id, r.title, r.due_at, r.due_at < now(), count(*) OVER () FROM {links} l"
        " JOIN {tasks} r ON r.id = l.from__task AND r.deleted_at IS NULL AND r.done_at IS NULL"
        " WHERE l.{to} = %(id)s AND l.deleted_at IS NULL ORDER BY r.due_at NULLS LAST, r.id LIMIT {limit}"
    ).format(
        links=sql.Identifier(links.table), tasks=sql.Identifier(catalog.object("task").table),
        to=sql.Identifier(f"to__{obj.name}"), limit=sql.Literal(limit),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = scope.cursor_text().execute(query, {"id": record_id}).fetchall()
    found = [OpenTask(str(row[0]), row[1] or "", row[2] or "", bool(row[3])) for row in rows]
    return found, rows[0][4] if rows else 0


def subjects(scope: TenantScope, obj: ObjectType, record_id: UUID) -> list[tuple[str, str]]:
    """(object, id) of the records a note, task or interaction is about, the oldest link first."""
    links = catalogs.for_scope(scope).objects.get("record_link")
    if links is None or obj.name not in links.fields["from"].to:
        return []
    query = sql.SQL(
        "SELECT key, value FROM (SELECT l.id, to_jsonb(l) AS link FROM {links} l"
        " WHERE l.{from_} = %(id)s AND l.deleted_at IS NULL ORDER BY l.id LIMIT {limit}) x,"
        " jsonb_each_text(x.link) WHERE key LIKE 'to\\_\\_%%' AND value IS NOT NULL ORDER BY x.id"
    ).format(links=sql.Identifier(links.table), from_=sql.Identifier(f"from__{obj.name}"), limit=sql.Literal(_SUBJECTS))
    rows: list[tuple[str, str]] = scope.cursor_text().execute(query, {"id": record_id}).fetchall()
    return [(row[0].removeprefix("to__"), row[1]) for row in rows]


def _part(catalog: Catalog, links: ObjectType, name: str, target: str) -> sql.Composed:
    title, body, at, due, done, channel = _COLUMNS[name]
    columns = sql.SQL(", ").join(
        sql.SQL(f"{expression} AS {alias}")  # pyright: ignore[reportArgumentType] - constants of this module
        for expression, alias in (
            (title, "title"), (body, "body"), (at, "at"), (due, "due"), (done, "done"), (channel, "channel"),
        )
    )  # fmt: skip
    return sql.SQL(
        "SELECT {name}::text AS object, r.id, {columns}, m.name AS who FROM {links} l"
        " JOIN {table} r ON r.id = l.{from_} AND r.deleted_at IS NULL LEFT JOIN member m ON m.id = r.created_by"
        " WHERE l.{to} = %(id)s AND l.deleted_at IS NULL"
    ).format(
        name=sql.Literal(name), columns=columns, links=sql.Identifier(links.table),
        table=sql.Identifier(catalog.object(name).table), from_=sql.Identifier(f"from__{name}"),
        to=sql.Identifier(f"to__{target}"),
    )  # fmt: skip
