"""The frame around a workspace's pages, built from the scope the request runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from flask import request

from app.access import catalogs, rights
from app.http.context import facts, runtime
from app.ui.shell import DENSITIES, THEMES, NavItem, Shell

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

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
        rights=rights.for_scope(scope).held(str((request.view_args or {}).get("object_name", ""))),
        objects=objects,
        base_url=runtime().config.base_url,
        shortcuts=preferences.get("shortcuts") != "off",
    )


def navigable(scope: TenantScope) -> list[ObjectType]:
    """The objects that have a line in the navigation, in catalog order."""
    return [o for o in catalogs.for_scope(scope).objects.values() if o.navigation]


def nav_item(obj: ObjectType) -> NavItem:
    """An object's line in the rail."""
    return NavItem(obj.name, obj.plural, obj.icon or "circle", f"/records/{obj.name}", key=_KEYS.get(obj.name, ""))


def _chosen(value: object, allowed: tuple[str, ...]) -> str:
    return str(value) if value in allowed else allowed[0]
