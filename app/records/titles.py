"""Titles of records by id, for pages that show links: one statement for all of a page's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from app.access import catalogs
from app.records.system import SYSTEM_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope


def titles(scope: TenantScope, wanted: Mapping[str, Iterable[UUID | str]]) -> dict[tuple[str, str], str]:
    """Answer ``{(object, id): title}`` for records, members and teams; unknown ids are absent.

    Trashed records keep their title, so that a timeline can name what was linked.
    """
    objects = catalogs.for_scope(scope).objects
    parts: list[sql.Composable] = []
    params: dict[str, object] = {}
    for index, (name, ids) in enumerate(wanted.items()):
        listed = [str(record_id) for record_id in ids]
        obj = objects.get(name) or SYSTEM_OBJECTS.get(name)
        if listed and obj is not None:
            params[f"ids{index}"], params[f"o{index}"] = listed, name
            parts.append(_part(index, obj))
    if not parts:
        return {}
    rows = scope.cursor_text().execute(sql.SQL(" UNION ALL ").join(parts), params).fetchall()
    return {(name, record_id): title or "" for name, record_id, title in rows}


def _part(index: int, obj: ObjectType) -> sql.Composable:
    title = "name" if obj.name in SYSTEM_OBJECTS else "_title"
    return sql.SQL("SELECT {name}::text, id, {title}::text FROM {table} WHERE id = ANY({ids}::uuid[])").format(
        name=sql.Placeholder(f"o{index}"),
        title=sql.Identifier(title),
        table=sql.Identifier(obj.table),
        ids=sql.Placeholder(f"ids{index}"),
    )
