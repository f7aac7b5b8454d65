"""Roles and sharing of a workspace: the standard roles, its own ones, what its objects are open to.

Its own roles are components of its document; sharing is read once per version and kept. Whoever changes sharing or a
sharing rule calls ``changed`` in the same transaction, so that the next scope of anybody sees it.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from app.access.grants import Role, own_roles, read_role
from app.metadata.catalog import whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.metadata.leaves import Plain
    from app.metadata.reach import Openness
    from tenants.scope import TenantScope

_FOLDER: Final = Path(__file__).with_name("roles")
_ORDER: Final = ("owner", "admin", "manager", "member", "read_only")
_MOST: Final = 2_000
_READ: Final = """
select (select jsonb_agg(jsonb_build_array(object, read, edit, inherit)) from sharing),
       (select jsonb_agg(jsonb_build_array(object, name, condition, grantee_kind, grantee, level) order by id)
          from sharing_rule)
"""

_BUMP: Final = "select pod.bump_version(%(tenant)s)"

_lock = threading.Lock()
_policies: OrderedDict[UUID, Policy] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Sharing:
    """What an object's records are open to by default; ``inherit`` is a link whose record opens them too."""

    read: Openness = "everyone"
    edit: Openness = "everyone"
    inherit: str = ""


@dataclass(frozen=True, slots=True)
class SharingRule:
    """Records that meet ``condition`` are open to a team, a role or a member."""

    object: str
    name: str
    condition: str
    grantee_kind: str
    grantee: str
    level: str


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it at one version."""

    version: int
    roles: Mapping[str, Role]
    sharing: Mapping[str, Sharing] = field(default_factory=dict[str, Sharing])
    rules: Mapping[str, tuple[SharingRule, ...]] = field(default_factory=dict[str, tuple[SharingRule, ...]])

    def role(self, name: str) -> Role:
        """The role called ``name``; one that is gone grants nothing."""
        return self.roles.get(name) or Role(name, name)


@functools.cache
def standard_roles() -> Mapping[str, Role]:
    """The roles every workspace has, the mightiest first."""
    found: dict[str, Role] = {}
    for name in _ORDER:
        document = yaml.load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found[name] = read_role(cast("dict[str, object]", document), standard=True)
    return MappingProxyType(found)


def roles_of(document: Mapping[str, Mapping[str, Plain]]) -> Mapping[str, Role]:
    """Every role of a workspace with this live document: the standard ones, then its own by label."""
    standard = standard_roles()
    own = {name: role for name, role in own_roles(document).items() if name not in standard}
    return MappingProxyType({**standard, **own})


def role_names(scope: TenantScope) -> list[tuple[str, str]]:
    """(name, label) of every role of the scope's workspace."""
    return [(role.name, role.label) for role in policy_of(scope).roles.values()]


def policy_of(scope: TenantScope) -> Policy:
    """Roles and sharing of the scope's workspace at the version the scope read."""
    tenant = scope.tenant.id
    if not scope.unsettled:
        with _lock:
            known = _policies.get(tenant)
            if known is not None and known.version == scope.version:
                _policies.move_to_end(tenant)
                return known
    row = scope.execute(_READ).fetchone()
    built = _build(scope.version, roles_of(whole(scope).components), *(row or (None, None)))
    if not scope.unsettled:
        with _lock:
            _policies[tenant] = built
            _policies.move_to_end(tenant)
            while len(_policies) > _MOST:
                _policies.popitem(last=False)
    return built


def changed(scope: TenantScope) -> None:
    """What rights follow from was changed in this scope: it and, once committed, everybody reads it anew.

    Sharing and its rules; teams, managers, records given by hand. Roles change with the document they are in.
    """
    scope.view, scope.unsettled = None, True
    if not any(call is _BUMP for call, _ in scope.deferred):
        scope.at_commit(_BUMP, {"tenant": scope.tenant.id})


def forget(tenant: UUID) -> None:
    """Drop what is kept of a tenant: it was deleted, or a test wants it cold."""
    with _lock:
        _policies.pop(tenant, None)


def _build(version: int, roles: Mapping[str, Role], sharing: Any, rules: Any) -> Policy:
    by_object: dict[str, tuple[SharingRule, ...]] = {}
    for values in rules or ():
        rule = SharingRule(*values)
        by_object[rule.object] = (*by_object.get(rule.object, ()), rule)
    opened = {name: Sharing(read, edit, inherit or "") for name, read, edit, inherit in sharing or ()}
    return Policy(version, roles, MappingProxyType(opened), MappingProxyType(by_object))
