"""Members of a tenant, inside its scope: list, change, deactivate with hand-over, preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from tenants import log
from tenants.identity import repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

#: Strongest first.
ROLES: Final = ("owner", "admin", "member", "read_only")
LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as lists show it."""

    id: UUID
    name: str
    email: str
    role: str
    status: str
    person: UUID | None = None

    def public(self) -> dict[str, str]:
        """The API's form."""
        return {"id": str(self.id), "name": self.name, "email": self.email, "role": self.role, "status": self.status}


def list_members(
    scope: TenantScope, *, limit: int = 50, after: tuple[str, UUID] | None = None
) -> tuple[list[MemberRow], tuple[str, UUID] | None]:
    """A page of members by name, and where the next one starts."""
    name, member = after or ("", UUID(int=0))
    rows = scope.execute(
        "select id, name, email, role, status, person from member "
        "where (%s or (lower(name), id) > (%s, %s)) order by lower(name), id limit %s",
        (after is None, name, member, limit + 1),
    ).fetchall()
    page = [MemberRow(*row) for row in rows[:limit]]
    return page, (page[-1].name.lower(), page[-1].id) if len(rows) > limit else None


def get_member(scope: TenantScope, member: UUID) -> MemberRow:
    """One member; raises NotFound."""
    row = scope.execute("select id, name, email, role, status, person from member where id = %s", (member,)).fetchone()
    if row is None:
        raise NotFound("There is no such member.")
    return MemberRow(*row)


def check_role(scope: TenantScope, role: str) -> None:
    """Refuse an unknown role, and one above the actor's own."""
    if role not in ROLES:
        raise InvalidInput("Unknown role.", [FieldError("/role", "option", f"One of {', '.join(ROLES)}.")])
    if role == "owner" and scope.role != "owner":
        raise Forbidden("Only an owner can make somebody an owner.")


def change_role(scope: TenantScope, member: UUID, role: str) -> MemberRow:
    """Give a member another role; the last active owner keeps theirs."""
    check_role(scope, role)
    found = get_member(scope, member)
    if found.role == "owner" and role != "owner":
        _check_owner(scope, found)
    scope.execute("update member set role = %s, updated_at = now() where id = %s", (role, member))
    if role != found.role:
        log.note(scope, "member_changed", "member", member, {"role": [found.role, role]})
    return get_member(scope, member)


def deactivate(runtime: Runtime, scope: TenantScope, member: UUID, *, hand_over_to: UUID | None = None) -> int:
    """End a member's access at once, their keys included; records go to ``hand_over_to``. Returns how many went.

    Raises:
        NotFound: no such member, or no active one to hand over to.
        Conflict: oneself, or the last owner.
    """
    found = get_member(scope, member)
    if scope.member is not None and scope.member.id == member:
        raise Conflict("You can't deactivate yourself. Ask another admin.")
    if found.role == "owner":
        _check_owner(scope, found)
    moved = 0
    if hand_over_to is not None:
        heir = get_member(scope, hand_over_to)
        if heir.status != "active" or heir.id == member:
            message = "Choose an active member to take the records over."
            raise InvalidInput(message, [FieldError("/hand_over_to", "member", message)])
        moved = runtime.ports.hand_over(scope, member, hand_over_to)
    scope.execute("update member set status = 'inactive', updated_at = now() where id = %s", (member,))
    if found.status != "inactive":
        log.note(scope, "member_changed", "member", member, {"status": [found.status, "inactive"]})
    scope.at_commit(
        "select pod.drop_credential(%(tenant)s, null, %(member)s)", {"tenant": scope.tenant.id, "member": member}
    )
    _revoke_keys(scope, member)
    with runtime.databases.control.begin() as connection:
        repository.drop_membership(connection, scope.tenant.id, member)
        repository.revoke_invitations(connection, scope.tenant.id, [member])
    return moved


def reactivate(runtime: Runtime, scope: TenantScope, member: UUID) -> MemberRow:
    """Let a deactivated member who has an account in again."""
    found = get_member(scope, member)
    if found.status == "active":
        return found
    if found.person is None:
        raise Conflict("This member never had an account. Invite them by e-mail.")
    check_may_touch(scope, found.role)
    scope.execute("update member set status = 'active', updated_at = now() where id = %s", (member,))
    log.note(scope, "member_changed", "member", member, {"status": [found.status, "active"]})
    with runtime.databases.control.begin() as connection:
        repository.put_membership(connection, found.person, scope.tenant.id, member, found.role)
    return get_member(scope, member)


def set_profile(scope: TenantScope, member: UUID, *, name: str, preferences: Mapping[str, Any]) -> None:
    """A member's own name and preferences; preferences not named stay."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > LONGEST_NAME:
        message = f"Enter a name of 1 to {LONGEST_NAME} characters."
        raise InvalidInput(message, [FieldError("/name", "required", message)])
    scope.execute(
        "update member set name = %s, preferences = preferences || %s, updated_at = now() where id = %s",
        (tidy, Jsonb(dict(preferences)), member),
    )


def set_preferences(scope: TenantScope, member: UUID, preferences: Mapping[str, Any]) -> None:
    """Change some preferences of a member."""
    scope.execute(
        "update member set preferences = preferences || %s, updated_at = now() where id = %s",
        (Jsonb(dict(preferences)), member),
    )


def check_may_touch(scope: TenantScope, role: str) -> None:
    """Refuse whoever is no owner to change, invite again or let in again somebody whose role is owner."""
    if role == "owner" and scope.role != "owner":
        raise Forbidden("Only an owner can change an owner.")


def _revoke_keys(scope: TenantScope, member: UUID) -> None:
    """End the keys a member made: whoever leaves still knows them."""
    ended = scope.execute(
        "update api_key set revoked_at = now() where created_by = %s and revoked_at is null returning id", (member,)
    ).fetchall()
    for (key,) in ended:
        log.note(scope, "key_revoked", "key", key)
        scope.at_commit(
            "select pod.drop_credential(%(tenant)s, %(key)s, null)", {"tenant": scope.tenant.id, "key": key}
        )


def _check_owner(scope: TenantScope, found: MemberRow) -> None:
    """An owner is touched by owners only, and never the last one.

    All owners are locked, in one order: of two who take the role from each other the second sees what the first did.
    """
    check_may_touch(scope, "owner")
    owners = scope.execute(
        "select id from member where role = 'owner' and status = 'active' order by id for update"
    ).fetchall()
    if found.status == "active" and all(row[0] == found.id for row in owners):
        raise Conflict("This is the last owner. Make somebody else an owner first.")
