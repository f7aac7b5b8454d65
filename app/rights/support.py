"""Letting support in: never above whoever does it, never with what gives rights to others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.access.policy import policy_of
from app.access.rights import for_scope, rights_of
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput
from tenants.identity import members, support

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.identity.support import Grant
    from tenants.scope import TenantScope

#: So many may be open at a time.
MOST_OPEN = 20


def let_in(scope: TenantScope, *, role: str, hours: int, reason: str) -> Grant:
    """Grant support ``role`` for some hours.

    Of the role support holds what it says of records, merging and metadata, nothing that gives rights or opens the
    workspace, and no files; so an admin's role may be given by somebody who may not make admins.

    Raises:
        InvalidInput: an unknown role or the owner's, no reason, too many hours.
        Forbidden: the role does more with records than whoever gives it.
        Conflict: too many grants are open.
    """
    if role == "owner":
        message = "Support never holds the owner's role."
        raise InvalidInput(message, [FieldError("/role", "option", message)])
    members.check_role(scope, role)
    if not may_give(scope, role):
        raise Forbidden(f"This role holds more than you do yourself: {role}.")
    if len(support.open_grants(scope)) >= MOST_OPEN:
        raise Conflict(f"At most {MOST_OPEN} grants are open at a time. Take one back first.")
    return support.put_grant(scope, role, hours, reason)


def may_give(scope: TenantScope, role: str) -> bool:
    """Whether whoever acts holds all that support would hold by the role."""
    if role == "owner":
        return False
    return replace(rights_of(policy_of(scope), (role,)), support=True).within(for_scope(scope))


def givable(scope: TenantScope) -> list[tuple[str, str]]:
    """(name, label) of the roles that may be given to support, the one that only reads first."""
    found = [(role.name, role.label) for role in policy_of(scope).roles.values() if may_give(scope, role.name)]
    return sorted(found, key=lambda pair: pair[0] != "read_only")


def grants(runtime: Runtime, scope: TenantScope) -> list[Grant]:
    """The grants with their visits, marked where somebody is inside now."""
    found = support.list_grants(scope)
    if not any(visit.entered_at and visit.ended_at is None for grant in found for visit in grant.visits):
        return found
    live = support.inside(runtime, scope)
    return [
        replace(
            grant,
            visits=tuple(
                replace(visit, inside=grant.status == "open" and visit.id in live and visit.ended_at is None)
                for visit in grant.visits
            ),
        )
        for grant in found
    ]
