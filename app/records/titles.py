"""Titles of records by id, for pages that show links: one statement for all of a page's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access import catalogs
from app.metadata.system import SYSTEM_OBJECTS
from app.records.reach import visible
from app.records.rowform import trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope


def titles(scope: TenantScope, wanted: Mapping[str, Iterable[UUID | str]]) -> dict[tuple[str, str], str]:
    """Answer ``{(object, id): title}`` for records, members and teams; ids unknown or out of reach are absent.

    Trashed records keep their title, so that a timeline can name what was linked.
    """
    catalog = catalogs.for_scope(scope)
    parts: list[str] = []
    params: dict[str, object] = {}
    for index, (name, ids) in enumerate(wanted.items()):
        listed = [str(record_id) for record_id in ids]
        obj = catalog.objects.get(name) or SYSTEM_OBJECTS.get(name)
        if listed and obj is not None:
            table, guard = visible(catalog, obj)
            params |= {f"ids{index}": listed, f"o{index}": name, **guard.binds(scope)}
            parts.append(
                f"SELECT %(o{index})s::text, r.id, {title_sql(obj, 'r')}::text FROM {table} r"
                f" WHERE r.id = ANY(%(ids{index})s::uuid[])"
            )
    if not parts:
        return {}
    rows = scope.cursor_text().execute(trusted(" UNION ALL ".join(parts)), params).fetchall()
    return {(name, record_id): title or "" for name, record_id, title in rows}


def title_sql(obj: ObjectType, alias: str) -> str:
    """The title of a record in a statement written by hand; see ``paths.title_of``."""
    if obj.name in SYSTEM_OBJECTS:
        return f"{alias}.name"
    return f"'#' || right({alias}.id::text, 8)" if obj.masked else f"{alias}._title"
