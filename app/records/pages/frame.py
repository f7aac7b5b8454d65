"""The frame around a workspace's pages, built from the scope the request runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from flask import request

from app.access import catalogs, rights
from app.http.context import facts, runtime
from app.records.errors import RecordNotFound
from app.records.pages.levels import Levels
from app.records.read import get_record
from app.ui.shell import DENSITIES, THEMES, NavItem, Shell

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from app.metadata.reach import Action
    from app.records.pages.values import Record
    from tenants.scope import TenantScope

#: What the controls of a record's page do.
_OF_A_RECORD: Final[tuple[Action, ...]] = ("edit", "delete", "destroy")
#: Tasks have their own line at the top of the rail.
_OWN_LINE: Final = frozenset({"task"})
#: The letter that goes to an object's list after g: by name, people say p.
_KEYS: Final = {
    "company": "c", "contact": "p", "deal": "d", "lead": "l", "note": "n", "product": "r", "interaction": "i",
}  # fmt: skip


def build_shell() -> Shell | None:
    """The shell of the current request; None while no workspace is entered (sign-in, error pages)."""
    scope = cast("TenantScope | None", facts().scope)
    if scope is None:
        return None
    preferences = scope.member.preferences if scope.member is not None else {}
    objects = tuple(nav_item(o) for o in navigable(scope) if o.name not in _OWN_LINE)
    return Shell(
        workspace=scope.tenant.name,
        slug=scope.tenant.slug,
        member=scope.actor.name,
        email=scope.member.email if scope.member is not None else "",
        theme=_chosen(preferences.get("theme"), THEMES),
        density=_chosen(preferences.get("density"), DENSITIES),
        locale=str(preferences.get("locale") or scope.tenant.locale),
        timezone=str(preferences.get("timezone") or scope.tenant.timezone),
        currency=scope.tenant.currency,
        currencies=_currencies(scope),
        rights=_rights(scope),
        rights_with=rights.for_scope(scope).held,
        objects=objects,
        base_url=runtime().config.base_url,
        shortcuts=preferences.get("shortcuts") != "off",
        support_until=scope.support.until if scope.support is not None else None,
    )


def _currencies(scope: TenantScope) -> tuple[str, ...]:
    """The workspace's own, then the others it works with."""
    offered = {
        component.partition("/")[2]
        for component, leaves in catalogs.for_scope(scope).components.items()
        if component.startswith("currency/") and leaves.get("active") is not False and not leaves.get("retired")
    }
    return (scope.tenant.currency, *sorted(offered - {scope.tenant.currency}))


def _rights(scope: TenantScope) -> frozenset[str]:
    """What the controls of this page may offer: with its object, and with its record where not all are in reach."""
    place = request.view_args or {}
    name, record_id = str(place.get("object_name", "")), place.get("record_id")
    held = rights.for_scope(scope).held(name)
    catalog = catalogs.for_scope(scope)
    obj = catalog.objects.get(name)
    if obj is None or not obj.reach or not isinstance(record_id, UUID):
        return held
    levels = Levels(scope, obj, _OF_A_RECORD)
    kept = levels.of(_read_levels(scope, obj, record_id, levels))
    return held - {f"record.{action}" for action in _OF_A_RECORD if action not in kept}


def _read_levels(scope: TenantScope, obj: ObjectType, record_id: UUID, levels: Levels) -> Record:
    """How far one may go with a record, by one statement where that differs between records."""
    if not levels.paths:
        return {}
    try:
        return get_record(scope, obj.name, record_id, fields=("id", *levels.paths), trash=True)
    except RecordNotFound:
        return dict.fromkeys(levels.paths)


def navigable(scope: TenantScope) -> list[ObjectType]:
    """The objects that have a line in the navigation, in catalog order."""
    return [o for o in catalogs.for_scope(scope).objects.values() if o.navigation]


def nav_item(obj: ObjectType) -> NavItem:
    """An object's line in the rail."""
    return NavItem(obj.name, obj.plural, obj.icon or "circle", f"/records/{obj.name}", key=_KEYS.get(obj.name, ""))


def _chosen(value: object, allowed: tuple[str, ...]) -> str:
    return str(value) if value in allowed else allowed[0]
