"""Giving roles to people: nobody gives, or takes, more than they hold themselves.

The verbs below (``tenants.identity``) know names of roles, not what they hold; these wrap them where rights are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access.policy import policy_of
from app.access.rights import for_scope, rights_of
from app.core.errors import Forbidden
from tenants.identity import invitations, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.identity.invitations import Invitation, Pending
    from tenants.identity.members import Heir, MemberRow
    from tenants.scope import TenantScope


def may_give(scope: TenantScope, role: str) -> bool:
    """Whether whoever acts holds all that the role holds; only owners make owners."""
    if role == "owner":
        return members.is_owner(scope)
    return rights_of(policy_of(scope), (role,)).within(for_scope(scope))


def givable(scope: TenantScope) -> list[tuple[str, str]]:
    """(name, label) of the roles whoever acts may give."""
    return [(role.name, role.label) for role in policy_of(scope).roles.values() if may_give(scope, role.name)]


def change_roles(scope: TenantScope, member: UUID, role: str, further: Sequence[str]) -> MemberRow:
    """Give a member other roles; raises Forbidden when one of those given or taken holds more than one's own."""
    found = members.get_member(scope, member)
    for name in (role, *further):
        members.check_role(scope, name, "/role" if name == role else "/roles")
    _check(scope, {role, *further} ^ set(found.every_role))
    return members.change_roles(scope, member, role, further)


def invite(
    runtime: Runtime,
    scope: TenantScope,
    *,
    email: str,
    role: str,
    name: str = "",
    member: UUID | None = None,
    roles: Sequence[str] = (),
    life: timedelta = invitations.LIFE,
) -> Invitation:
    """Invite somebody with roles one could give oneself."""
    for one in (role, *roles):
        members.check_role(scope, one, "/role" if one == role else "/roles")
    _check(scope, (role, *roles))
    if member is not None:
        _check(scope, members.get_member(scope, member).every_role)
    return invitations.invite(runtime, scope, email=email, role=role, name=name, member=member, roles=roles, life=life)


def pending(runtime: Runtime, scope: TenantScope) -> list[Pending]:
    """Invitations not taken up; links only of those whose roles one could give."""
    return invitations.list_pending(runtime, scope, lambda role: may_give(scope, role))


def resend(runtime: Runtime, scope: TenantScope, invitation: UUID) -> Invitation:
    """Send an invitation anew."""
    _check(scope, invitations.find_pending(runtime, scope, invitation).roles)
    return invitations.resend(runtime, scope, invitation)


def revoke(runtime: Runtime, scope: TenantScope, invitation: UUID) -> None:
    """Take an invitation back."""
    invitations.revoke(runtime, scope, invitation)


def deactivate(runtime: Runtime, scope: TenantScope, member: UUID, *, heir: Heir | None = None) -> None:
    """End a member's access, their records go to ``heir``; raises Forbidden for who holds more than oneself."""
    _check(scope, members.get_member(scope, member).every_role)
    members.deactivate(runtime, scope, member, heir=heir)


def hand_over(runtime: Runtime, scope: TenantScope, member: UUID, heir: Heir) -> None:
    """Give a member's records to ``heir``; raises Forbidden for who holds more than oneself."""
    _check(scope, members.get_member(scope, member).every_role)
    members.hand_over(runtime, scope, member, heir)


def reactivate(runtime: Runtime, scope: TenantScope, member: UUID) -> MemberRow:
    """Let a deactivated member in again; raises Forbidden for who holds more than oneself."""
    _check(scope, members.get_member(scope, member).every_role)
    return members.reactivate(runtime, scope, member)


def _check(scope: TenantScope, roles: Iterable[str]) -> None:
    beyond = sorted(role for role in set(roles) if not may_give(scope, role))
    if "owner" in beyond:
        raise Forbidden("Only an owner can make, change or end an owner.")
    if beyond:
        raise Forbidden(f"This role holds more than you do yourself: {', '.join(beyond)}.")
