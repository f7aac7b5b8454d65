"""The views a workspace offers on an object's list and board: those its reader may ask for, and the one chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.core.errors import InvalidInput
from app.expressions import ConditionError, check
from app.metadata.environment import find
from app.records import reach
from app.records.environment import RecordEnvironment
from app.records.metrics import parse_metrics
from app.records.pages.asking import asked
from app.records.sorting import parse_sort
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from app.metadata.arrangement import View
    from app.metadata.model import Catalog, ObjectType
    from app.records.pages.asking import Asked
    from tenants.scope import TenantScope

_OFFERED: Final = ShapeCache(512)
#: What a board's columns can be made of: field types beside links.
_GROUPING: Final = frozenset({"select", "stage"})


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A view in the line above a list."""

    label: str
    href: str
    current: bool
    help: str = ""


def offered_views(scope: TenantScope, obj: ObjectType) -> list[View]:
    """The views meant for whoever asks that name nothing they may not read."""
    if not obj.views:
        return []
    catalog = catalogs.for_scope(scope)
    key = ("views", obj.views, RecordEnvironment(catalog, obj, scope.tenant).key)
    sound = _OFFERED.get(key, lambda: tuple(one for one in obj.views if _is_sound(scope, catalog, obj, one)))
    roles = {scope.role, *scope.roles}
    return [one for one in sound if not one.roles or not roles.isdisjoint(one.roles)]


def chosen_view(scope: TenantScope, obj: ObjectType, name: str) -> View | None:
    """The view called ``name``; None for one that is not offered."""
    return next((one for one in offered_views(scope, obj) if one.name == name), None) if name else None


def viewed(scope: TenantScope, obj: ObjectType, question: Asked | None = None) -> Asked:
    """What the address asks for, within its view."""
    question = question or asked(obj.name)
    view = chosen_view(scope, obj, question.view)
    if view is None:
        return replace(question, view="")
    return replace(question, within=view.filter, order=",".join(view.sort))


def view_tabs(scope: TenantScope, obj: ObjectType, question: Asked, page: str) -> list[ViewTab]:
    """All records, then the views, each with its list or board; none where there are no views."""
    views = offered_views(scope, obj)
    if not views:
        return []
    base = f"/records/{obj.name}"
    plain = f"{base}/board" if page == "board" and obj.has_pipeline else base
    found = [ViewTab(f"All {obj.plural.lower()}", plain, not question.view)]
    for one in views:
        home = f"{base}/board" if one.shape == "board" else base
        found.append(ViewTab(one.label, f"{home}?view={one.name}", question.view == one.name, one.help))
    return found


def _is_sound(scope: TenantScope, catalog: Catalog, obj: ObjectType, view: View) -> bool:
    """Whether its reader may ask for what it names; columns out of their sight are only left out."""
    try:
        if view.filter:
            check(view.filter, RecordEnvironment(catalog, obj, scope.tenant))
        source = reach.source(catalog, obj)
        if view.sort:
            parse_sort(source, ",".join(view.sort))
        parse_metrics(source, view.metrics)
    except (ConditionError, InvalidInput):
        return False
    named = find(catalog.objects, obj, view.group_by) if view.group_by else None
    if view.shape != "board":
        return True
    field = named.field if named is not None and not named.via and not named.part else None
    return field is not None and (field.type.name in _GROUPING or bool(field.to))
