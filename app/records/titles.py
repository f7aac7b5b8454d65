"""Titles of records by id, for pages that show links: one statement for all of a page's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.metadata.sortkeys import quoted
from app.metadata.system import SYSTEM_OBJECTS
from app.records.reach import visible
from app.records.rowform import trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

_LINKS: Final = frozenset({"link", "reference"})
#: A title of nothing but these names no record.
_CHOICES: Final = frozenset({"select"})


def titles(
    scope: TenantScope, wanted: Mapping[str, Iterable[UUID | str]], *, tied: bool = False
) -> dict[tuple[str, str], str]:
    """Answer ``{(object, id): title}`` for records, members and teams; ids unknown or out of reach are absent.

    Trashed records keep their title, so that a timeline can name what was linked. ``tied``: what has no name of its own
    but ties others together is called by those, as far as they are in reach: "Big deal · Ada Ant".
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
            title = _tied_sql(scope, obj, params) if tied and not obj.navigation else title_sql(obj, "r")
            parts.append(
                f"SELECT %(o{index})s::text, r.id, {title}::text FROM {table} r"
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


def _tied_sql(scope: TenantScope, obj: ObjectType, params: dict[str, object]) -> str:
    """The title of a record of an object without pages of its own: where it says little, what it must link to."""
    own = [obj.fields[name] for name in obj.title if name in obj.fields]
    texts: list[str] = []
    catalog = catalogs.for_scope(scope)
    for target, column in _ends(obj):
        linked = catalog.objects.get(target) or SYSTEM_OBJECTS.get(target)
        if linked is not None:
            table, guard = visible(catalog, linked)
            params |= guard.binds(scope)
            texts.append(f"(SELECT {title_sql(linked, 'e')} FROM {table} e WHERE e.id = r.{quoted(column)})")
    if not texts:
        return title_sql(obj, "r")
    ends = f"concat_ws(' · ', {', '.join(texts)})"
    if all(field.type.name in _CHOICES for field in own):
        return ends
    return f"coalesce(nullif({title_sql(obj, 'r')}, ''), {ends})"


def _ends(obj: ObjectType) -> list[tuple[str, str]]:
    """(object, column) of what a record must link to."""
    return [
        (column.part or field.to[0], column.name)
        for field in obj.fields.values()
        if field.type.name in _LINKS and field.required and not field.system
        for column in field.columns
    ]
