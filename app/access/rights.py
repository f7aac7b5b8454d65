"""What the one who asks may do: the union of their roles, of a key as far as its maker's roles hold it too.

``require`` is for the edge and for verbs: may they do it at all, with this object. Which records and fields is in the
catalog they get (``app.access.catalogs``) and from there in every statement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.access.grants import (
    FIELD_LEVELS,
    FLAGS,
    FieldLevel,
    ObjectGrant,
    Role,
    both,
    union_of,
    union_of_field,
)
from app.access.policy import policy_of
from app.core.errors import Forbidden
from app.metadata.reach import ACTIONS

if TYPE_CHECKING:
    from app.access.policy import Policy
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

RECORD_READ: Final = "record.read"
RECORD_CREATE: Final = "record.create"
RECORD_EDIT: Final = "record.edit"
RECORD_DELETE: Final = "record.delete"
RECORD_DESTROY: Final = "record.destroy"
RECORD_EXPORT: Final = "record.export"
RECORD_IMPORT: Final = "record.import"
RECORD_BULK: Final = "record.bulk"
RECORD_MERGE: Final = "record.merge"
METADATA_EDIT: Final = "metadata.edit"
MEMBERS_MANAGE: Final = "members.manage"
RIGHTS_MANAGE: Final = "rights.manage"
KEYS_MANAGE: Final = "keys.manage"
EXTENSIONS_MANAGE: Final = "extensions.manage"
BILLING_MANAGE: Final = "billing.manage"
SUPPORT_GRANT: Final = "support.grant"
WORKSPACE_MANAGE: Final = "workspace.manage"

_SPECIAL: Final = {
    RECORD_MERGE: "merge",
    METADATA_EDIT: "metadata",
    MEMBERS_MANAGE: "members",
    RIGHTS_MANAGE: "rights",
    KEYS_MANAGE: "keys",
    EXTENSIONS_MANAGE: "extensions",
    BILLING_MANAGE: "billing",
    SUPPORT_GRANT: "support",
    WORKSPACE_MANAGE: "workspace",
}
_OF_RECORDS: Final = {f"record.{name}": name for name in (*ACTIONS, *FLAGS)}
#: All that a session of support may hold beside what it does with records; never files of them.
_OF_SUPPORT: Final = frozenset({"metadata", "merge"})
_NOT_OF_SUPPORT: Final = frozenset({RECORD_EXPORT, RECORD_IMPORT})
#: Every right a route may name.
NAMES: Final = frozenset({*_SPECIAL, *_OF_RECORDS})


@dataclass(frozen=True, slots=True)
class Rights:
    """What a set of roles holds, ``makers`` bounding it where there are any (of a key, those of who made it).

    ``support``: people of another company ask, whatever their role says they give no rights and take no files along.
    """

    policy: Policy
    roles: tuple[Role, ...]
    makers: tuple[Role, ...] = ()
    support: bool = False

    @property
    def ways(self) -> tuple[tuple[Role, ...], ...]:
        """The sets of roles that must all allow something."""
        return (self.roles, self.makers) if self.makers else (self.roles,)

    @property
    def special(self) -> frozenset[str]:
        """Rights that concern no single object."""
        held = [frozenset(name for role in way for name in role.special) for way in self.ways]
        found = frozenset.intersection(*held)
        return found & _OF_SUPPORT if self.support else found

    def grant(self, object_name: str) -> ObjectGrant:
        """What is allowed with an object, and how far at most."""
        first, *others = (union_of(way, object_name) for way in self.ways)
        for other in others:
            first = both(first, other)
        return first

    def field(self, object_name: str, field_name: str) -> FieldLevel:
        """What is allowed with a field."""
        found = [FIELD_LEVELS.index(union_of_field(way, object_name, field_name)) for way in self.ways]
        return FIELD_LEVELS[min(found)]

    def allows(self, right: str, object_name: str = "") -> bool:
        """Whether they hold ``right``; one of records without an object: with any of the standard or own ones."""
        special = _SPECIAL.get(right)
        if special is not None:
            return special in self.special
        name = _OF_RECORDS.get(right)
        if name is None or (self.support and right in _NOT_OF_SUPPORT):
            return False
        objects = [object_name] if object_name else self.named_objects()
        return any(_allowed(self.grant(one), name) for one in objects)

    def named_objects(self) -> list[str]:
        """Objects a role names, and one that none names."""
        return ["*", *sorted({name for way in self.ways for role in way for name in role.objects if name != "*"})]

    def _narrowed(self) -> set[str]:
        """Objects of which a role hides fields, or lets them only be read; it need not name them otherwise."""
        return {name for way in self.ways for role in way for name in role.fields}

    def held(self, object_name: str = "") -> frozenset[str]:
        """The names of all rights they hold."""
        return frozenset(name for name in NAMES if self.allows(name, object_name))

    def within(self, other: Rights) -> bool:
        """Whether nothing here is more than ``other`` holds: who may give roles gives at most their own."""
        if not self.special <= other.special:
            return False
        objects = {*self.named_objects(), *other.named_objects(), *self._narrowed(), *other._narrowed()}
        return all(_covers(other, self, name) for name in objects)


@dataclass(slots=True, repr=False)
class View:
    """What was worked out for one scope: rights, the catalog they open, and (by ``app.records``) what it reaches."""

    key: tuple[object, ...]
    rights: Rights
    catalog: Catalog | None = None
    reaching: object = None

    def __repr__(self) -> str:
        return f"View of {self.key}"


def for_scope(scope: TenantScope) -> Rights:
    """The rights of whoever the scope belongs to."""
    return view_of(scope).rights


def view_of(scope: TenantScope) -> View:
    """The scope's view, worked out once."""
    key = (scope.version, scope.role, scope.roles, scope.makers, scope.support is not None)
    known = scope.view
    if isinstance(known, View) and known.key == key:
        return known
    rights = rights_of(policy_of(scope), (scope.role, *scope.roles), scope.makers)
    made = View(key, rights if scope.support is None else replace(rights, support=True))
    scope.view = made
    return made


def rights_of(policy: Policy, roles: tuple[str, ...], makers: tuple[str, ...] = ()) -> Rights:
    """The rights of whoever holds these roles."""
    return Rights(policy, tuple(policy.role(name) for name in roles), tuple(policy.role(name) for name in makers))


def acting_roles(scope: TenantScope) -> tuple[str, ...]:
    """The roles that grants to roles mean: a key sees rows as its maker does, support by the role it was given."""
    return scope.makers or (scope.role, *scope.roles)


def allows(scope: TenantScope, right: str, object_name: str = "") -> bool:
    """Whether the scope holds ``right``, with an object if one is named."""
    return for_scope(scope).allows(right, object_name)


def require(scope: TenantScope, right: str, object_name: str = "") -> None:
    """Raise Forbidden unless the scope holds ``right``.

    An object they may not read, while they hold the right with others, is not there for them: the verb answers that,
    so nothing is said here. Rights that concern no object are asked as they are.
    """
    rights = for_scope(scope)
    unread = object_name and right in _OF_RECORDS and rights.grant(object_name).level("read") == "none"
    if unread and rights.allows(right):
        return
    if not rights.allows(right, object_name):
        label = ", ".join(role.label for role in (rights.makers if rights.support else rights.roles))
        raise Forbidden(f"Your role here ({label}) does not include this: {right}")


def _allowed(grant: ObjectGrant, name: str) -> bool:
    return any(name == flag for flag in grant.flags) or any(
        name == action and grant.level(action) != "none" for action in ACTIONS
    )


def _covers(more: Rights, less: Rights, object_name: str) -> bool:
    """Whether ``more`` holds with an object all that ``less`` does."""
    high, low = more.grant(object_name), less.grant(object_name)
    if both(high, low) != low:
        return False
    fields = {name for way in more.ways for role in way for name in role.fields.get(object_name, {})}
    order = FIELD_LEVELS.index
    return all(order(less.field(object_name, name)) <= order(more.field(object_name, name)) for name in fields)
