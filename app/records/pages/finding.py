"""⌘K and the boxes that find a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from app.access import catalogs
from app.access.rights import allows
from app.core.errors import NotFound
from app.http.guard import workspace
from app.records.pages.answers import fragment
from app.records.pages.asking import quick_condition
from app.records.pages.frame import navigable
from app.records.pages.people import find_members, find_teams
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import find_object, list_records
from app.records.search import search
from app.records.titles import titles

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

_FOUND: Final = 8
_OPTIONS: Final = 12
_RECENT: Final = 6
#: Link targets that are no objects.
_PEOPLE: Final = {"member": find_members, "team": find_teams}


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the palette. ``dialog`` opens a fragment instead of going somewhere."""

    label: str
    icon: str
    hint: str
    href: str
    dialog: bool = False


@workspace("record.read", by_key=True)
def palette(scope: TenantScope) -> Response:
    """Without words: what one worked on last, where one can go, what one can do. With words: records first."""
    words = request.args.get("q", "").strip()
    only_actions = words.startswith(">")
    needle = words.lstrip(">").strip().lower()
    groups: list[tuple[str, list[Choice]]] = []
    if not only_actions:
        groups.append(("Records", _records(scope, needle)) if needle else ("Recent", _recent(scope)))
    groups.append(("Do", [c for c in _actions(scope) if _fits(c, needle)]))
    if not only_actions:
        groups.append(("Go to", [c for c in _places(scope) if _fits(c, needle)]))
    return fragment("records/_palette.html", groups=[(g, choices) for g, choices in groups if choices], words=words)


@workspace("record.read")
def options(scope: TenantScope, object_name: str) -> Response:
    """Records a link field may point to, for a combobox."""
    catalog, obj = find_object(scope, object_name)
    field = obj.fields.get(request.args.get("field", ""))
    if field is None or field.type.name != "link" or not field.to:
        raise NotFound("There is no such link.")
    words = request.args.get("q", "").strip()
    target = field.to[0]
    found = _PEOPLE[target](scope, words) if target in _PEOPLE else _linkable(scope, catalog, target, words)
    listed = [("", "", found[:_OPTIONS])]
    return fragment("kit/_options.html", groups=listed, words=words, name=field.name, more=len(found) > _OPTIONS)


def _records(scope: TenantScope, needle: str) -> list[Choice]:
    objects = catalogs.for_scope(scope).objects
    found = search(scope, needle, (), _FOUND)
    hits = [(str(hit["object"]), hit) for hit in found]
    return [
        Choice(str(hit["title"]), objects[name].icon or "circle", objects[name].label, f"/records/{name}/{hit['id']}")
        for name, hit in hits
        if name in objects
    ]


def _recent(scope: TenantScope) -> list[Choice]:
    """The records the member changed last."""
    if scope.member is None:
        return []
    rows = scope.execute(
        "SELECT object, record_id::text"
        " FROM (SELECT at, object, record_id, actor_id FROM event ORDER BY id DESC LIMIT 300) e"
        " WHERE actor_id = %(me)s AND record_id IS NOT NULL"
        " GROUP BY object, record_id ORDER BY max(at) DESC LIMIT 20",
        {"me": scope.member.id},
    ).fetchall()
    objects = {o.name: o for o in navigable(scope)}
    wanted: dict[str, list[str]] = {}
    for name, record_id in rows:
        if name in objects:
            wanted.setdefault(name, []).append(record_id)
    named = titles(scope, wanted) if wanted else {}
    return [
        Choice(named[name, key], objects[name].icon or "circle", objects[name].label, f"/records/{name}/{key}")
        for name, key in rows
        if (name, key) in named
    ][:_RECENT]


def _places(scope: TenantScope) -> list[Choice]:
    places = [Choice("Home", "house", "", "/")]
    for obj in navigable(scope):
        places.append(Choice(obj.plural, obj.icon or "circle", "", f"/records/{obj.name}"))
        if obj.has_pipeline:
            places.append(Choice(f"{obj.plural} board", "columns-3", "", f"/records/{obj.name}/board"))
    places.append(Choice("Trash", "trash-2", "", "/trash"))
    if scope.support is None:
        places.append(Choice("Profile", "settings", "", "/settings/profile"))
    if allows(scope, "members.manage"):
        places.append(Choice("Members", "users", "", "/settings/members"))
    return places


def _actions(scope: TenantScope) -> list[Choice]:
    found: list[Choice] = []
    found += [
        Choice(f"New {o.label.lower()}", "plus", "", f"/records/{o.name}/new", dialog=True)
        for o in navigable(scope)
        if allows(scope, "record.create", o.name)
    ]
    if allows(scope, "record.import"):
        found.append(Choice("Import a file", "upload", "", "/imports/new"))
    return found


def _fits(choice: Choice, needle: str) -> bool:
    return all(word in choice.label.lower() for word in needle.split())


def _linkable(scope: TenantScope, catalog: Catalog, name: str, words: str) -> list[tuple[str, str, str]]:
    obj: ObjectType = catalog.object(name)
    query = ListQuery(filter=quick_condition(obj, words), sort="title", fields=(TITLE,), limit=_OPTIONS + 1)
    return [(str(row["id"]), str(row[TITLE] or "Untitled"), "") for row in list_records(scope, name, query).rows]
