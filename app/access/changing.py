"""Who may change roles by changing the document they are in: settings, REST, a folder in git, a revert, a conflict.

Shaping a workspace alone never widens what anybody may do. Whoever makes a role say something else manages rights,
and neither finds nor leaves in it more than they hold themselves. That a renamed object or field is called by its new
name in a role is no change of the role.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.access.grants import PARTS, role_named
from app.access.policy import Policy, roles_of
from app.access.rights import RIGHTS_MANAGE, Rights, rights_of
from app.core.errors import Conflict, Forbidden, InvalidInput
from app.expressions import check
from app.metadata.catalog import of_document
from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR
from app.metadata.mending import mend
from app.metadata.tracing import along
from app.metadata.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.metadata.changeset import Changes, State
    from app.metadata.leaves import Document, Leaves
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

    Wanted = Callable[[State], Changes]

MAX_ROLES: Final = 100
_MORE: Final = "A role can't hold more than you do yourself. Ask somebody who may do all of this."


def guarded(scope: TenantScope, wanted: Wanted) -> Wanted:
    """``wanted``, which raises Forbidden for what whoever is behind ``scope`` may not say of roles.

    It asks the document at hand, so it may be carried out when the scope has ended.
    """

    def asked(state: State) -> Changes:
        changes = wanted(state)
        check_roles(scope, state, changes)
        return changes

    return asked


def check_roles(scope: TenantScope, state: State, changes: Changes) -> None:
    """Refuse changes of roles that whoever is behind ``scope`` may not make.

    Raises:
        Forbidden: they don't manage rights, or the role holds more than they do, before or after.
        Conflict: there would be too many roles.
    """
    before, after = _as_before(state, changes), _roles_in(changes.after)
    touched = [one for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
    decided = any(leaf.base is not None and role_named(leaf.component) for leaf in changes.leaves)
    if not touched and not decided:
        return
    old, new = (roles_of(live(side)) for side in (before, after))
    rights = _rights(scope, Policy(scope.version, old))
    if not rights.allows(RIGHTS_MANAGE):
        names = ", ".join(sorted({role_named(one) for one in touched})) or "roles"
        raise Forbidden(f"Changing roles ({names}) needs the right to manage roles and sharing beside that to shape.")
    if len(new) > MAX_ROLES and len(new) > len(old):
        raise Conflict(f"A workspace has at most {MAX_ROLES} roles.")
    for name in map(role_named, touched):
        if name in new:
            sides = [Policy(0, side) for side in (old, new) if name in side]
            if not all(rights_of(side, (name,)).within(rights) for side in sides):
                raise Forbidden(_MORE)
    if not changes.blocked:
        _check_conditions(scope, state, changes, rights, touched)


def _rights(scope: TenantScope, policy: Policy) -> Rights:
    """What whoever is behind ``scope`` holds by the roles there are."""
    found = rights_of(policy, (scope.role, *scope.roles), scope.makers)
    return found if scope.support is None else replace(found, support=True)


def _roles_in(document: Mapping[str, Leaves]) -> Document:
    """The components that are roles; only what they say of rights and how they are called."""
    return {
        one: {path: value for path, value in leaves.items() if path.partition(SEPARATOR)[0] in (*PARTS, "hidden")}
        for one, leaves in document.items()
        if role_named(one)
    }


def _as_before(state: State, changes: Changes) -> Document:
    """The roles of before, what was renamed in objects called by its new name."""
    roles = _roles_in(changes.before)
    steps = [one for one in changes.renames if not role_named(one.component)]
    if steps:
        shown = live(changes.before)
        names = Vocabulary(shown, currency=state.currency, timezone=state.timezone, roles=state.roles)
        for component, path, value in mend(shown, steps, names):
            if component in roles and value is None:
                roles[component].pop(path, None)
            elif component in roles:
                roles[component][path] = value
    return roles


def _check_conditions(scope: TenantScope, state: State, changes: Changes, rights: Rights, touched: list[str]) -> None:
    """By what one can't see nothing is opened: that would tell it."""
    shown = live(changes.after)
    texts = [
        (path.split(SEPARATOR)[1], str(value))
        for one in touched
        for path, value in shown.get(one, {}).items()
        if path.startswith("rows/")
    ]
    if not texts:
        return
    catalog = of_document(scope.version, shown, ())
    seen = catalogs.of_rights(catalog, rights, scope.tenant)
    if seen is catalog:
        return
    names = Vocabulary(shown, currency=state.currency, timezone=state.timezone, roles=state.roles)
    for owner, text in texts:
        for object_name, field in _read_by(names, owner, text):
            if _hides(catalog, seen, object_name, field):
                raise Forbidden(f"A condition of a role reads {object_name}.{field}, which you may not see.")


def _read_by(names: Vocabulary, owner: str, text: str) -> Iterator[tuple[str, str]]:
    """Object and field of everything a condition reads, the engine's own fields included."""
    environment = names.environment(owner)
    try:
        paths = check(text, environment).paths
    except InvalidInput:
        return
    for path in sorted(paths):
        for hop in along(environment, names, path):
            yield hop.object, hop.field


def _hides(catalog: Catalog, seen: Catalog, object_name: str, field: str) -> bool:
    if object_name not in catalog.objects:
        return False
    return object_name not in seen.objects or field not in seen.objects[object_name].fields
