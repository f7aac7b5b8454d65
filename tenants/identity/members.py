"""Members of a tenant, inside its scope: list, change, deactivate with hand-over, preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from tenants import log
from tenants.identity import repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

#: The roles every workspace has, strongest first; its own are components of its document (``role/<name>``).
ROLES: Final = ("owner", "admin", "manager", "member", "read_only")
LONGEST_NAME: Final = 120
#: More roles than this say nothing any more about what a member may do.
MAX_ROLES: Final = 10
_COLUMNS: Final = "id, name, email, role, status, person, roles, team, manager"
_ROLE: Final = "role/"
#: What says which roles there are: other layers than the platform's, lowest first, then what the tenant states.
_ROLES: Final = """
select component, path, value, layer from (
    select null component, null path, null::jsonb value, hash layer, place from metadata_layer where layer <> 'platform'
    union all
    select component, path, value, null, null from metadata_override
     where starts_with(component, 'role/') and path in ('label', 'hidden')
) stated order by place nulls last, component, path
"""
_LAYER: Final = "select pod.layer_document(%s)"


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as lists show it."""

    id: UUID
    name: str
    email: str
    role: str
    status: str
    person: UUID | None = None
    roles: Sequence[str] = ()
    team: UUID | None = None
    manager: UUID | None = None

    @property
    def every_role(self) -> list[str]:
        """The main role first, then the further ones."""
        return [self.role, *(role for role in self.roles if role != self.role)]

    def public(self) -> dict[str, Any]:
        """The API's form; ``roles`` are those beside the main one."""
        return {
            "id": str(self.id),
            "name": self.name,
            "email": self.email,
            "role": self.role,
            "roles": self.every_role[1:],
            "team": str(self.team) if self.team else None,
            "manager": str(self.manager) if self.manager else None,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Heir:
    """To whom records go: a member or a team. ``pointer`` is where the caller named it."""

    kind: Literal["member", "team"]
    id: UUID
    pointer: str = "/hand_over_to"


def list_members(
    scope: TenantScope, *, limit: int = 50, after: tuple[str, UUID] | None = None, words: str = ""
) -> tuple[list[MemberRow], tuple[str, UUID] | None]:
    """A page of members by name, and where the next one starts; ``words`` are part of a name or an address."""
    name, member = after or ("", UUID(int=0))
    like = "%" + words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = scope.execute(
        f"select {_COLUMNS} from member where (%s or (lower(name), id) > (%s, %s))"
        " and (name ilike %s or email ilike %s) order by lower(name), id limit %s",
        (after is None, name, member, like, like, limit + 1),
    ).fetchall()
    page = [MemberRow(*row) for row in rows[:limit]]
    return page, (page[-1].name.lower(), page[-1].id) if len(rows) > limit else None


def get_member(scope: TenantScope, member: UUID) -> MemberRow:
    """One member; raises NotFound."""
    row = scope.execute(f"select {_COLUMNS} from member where id = %s", (member,)).fetchone()
    if row is None:
        raise NotFound("There is no such member.")
    return MemberRow(*row)


def role_names(scope: TenantScope) -> list[tuple[str, str]]:
    """(name, label) of every role of the workspace: the standard ones, then its own by label.

    Read from the layers of its document, the tenant's on top; what roles hold is known above only.
    """
    found: dict[str, dict[str, Any]] = {}
    for component, path, value, layer in scope.execute(_ROLES).fetchall():
        stated = {component: {path: value}} if layer is None else scope.ask_login(_LAYER, (layer,)) or {}
        for name, leaves in stated.items():
            if name.startswith(_ROLE):
                found.setdefault(name.removeprefix(_ROLE), {}).update(leaves)
    own = [(name, str(leaves["label"])) for name, leaves in found.items() if _offered(name, leaves)]
    own.sort(key=lambda pair: (pair[1].lower(), pair[0]))
    return [*((name, name.replace("_", " ").capitalize()) for name in ROLES), *own]


def _offered(name: str, leaves: Mapping[str, Any]) -> bool:
    return name not in ROLES and bool(leaves.get("label")) and leaves.get("hidden") is not True


def is_owner(scope: TenantScope) -> bool:
    """Whether whoever acts is an owner; a key when its maker is one, too."""
    return all("owner" in held for held in ((scope.role, *scope.roles), scope.makers) if held)


def check_role(scope: TenantScope, role: str, pointer: str = "/role") -> None:
    """Refuse an unknown role, and that of an owner unless an owner gives it.

    Whether a role holds more than whoever gives it is asked above (``app.rights.granting``), where rights are known.
    """
    known = [name for name, _ in role_names(scope)]
    if role not in known:
        raise InvalidInput("Unknown role.", [FieldError(pointer, "option", f"One of {', '.join(known)}.")])
    if role == "owner" and not is_owner(scope):
        raise Forbidden("Only an owner can make somebody an owner.")


def change_role(scope: TenantScope, member: UUID, role: str) -> MemberRow:
    """Give a member another main role; the last active owner keeps theirs."""
    return change_roles(scope, member, role, get_member(scope, member).every_role[1:])


def change_roles(scope: TenantScope, member: UUID, role: str, further: Sequence[str] = ()) -> MemberRow:
    """Give a member a main role and further ones; the rights of all of them add up. The last owner keeps theirs.

    Raises:
        InvalidInput: an unknown role.
        Forbidden: an owner's role, given or taken by somebody who is none.
    """
    found = get_member(scope, member)
    wanted = [role, *dict.fromkeys(name for name in further if name != role)]
    if len(wanted) > MAX_ROLES:
        message = f"A member has at most {MAX_ROLES} roles."
        raise InvalidInput(message, [FieldError("/roles", "limit", message)])
    check_role(scope, role)
    for name in wanted[1:]:
        check_role(scope, name, "/roles")
    if "owner" in found.every_role and "owner" not in wanted:
        _check_owner(scope, found)
    scope.execute(
        "update member set role = %s, roles = %s, updated_at = now() where id = %s", (role, wanted[1:], member)
    )
    if wanted != found.every_role:
        log.note(scope, "member_changed", "member", member, {"role": [_joined(found.every_role), _joined(wanted)]})
    return get_member(scope, member)


def _joined(roles: Sequence[str]) -> str:
    """As the log writes roles: the main one first."""
    return ", ".join(roles)


def deactivate(runtime: Runtime, scope: TenantScope, member: UUID, *, heir: Heir | None = None) -> None:
    """End a member's access at once, their keys included; a job follows that gives their records to ``heir``.

    Raises:
        NotFound: no such member.
        InvalidInput: the heir is no active member and no team.
        Conflict: oneself, the last owner, or the records are being handed over already.
    """
    found = get_member(scope, member)
    if scope.member is not None and scope.member.id == member:
        raise Conflict("You can't deactivate yourself. Ask another admin.")
    if "owner" in found.every_role:
        _check_owner(scope, found)
    scope.execute("update member set status = 'inactive', updated_at = now() where id = %s", (member,))
    if found.status != "inactive":
        log.note(scope, "member_changed", "member", member, {"status": [found.status, "inactive"]})
    scope.at_commit(
        "select pod.drop_credential(%(tenant)s, null, %(member)s)", {"tenant": scope.tenant.id, "member": member}
    )
    _revoke_keys(scope, member)
    if heir is not None:
        hand_over(runtime, scope, member, heir)
    with runtime.databases.control.begin() as connection:
        repository.drop_membership(connection, scope.tenant.id, member)
        repository.revoke_invitations(connection, scope.tenant.id, [member])


def hand_over(runtime: Runtime, scope: TenantScope, member: UUID, heir: Heir) -> None:
    """Let a job give the records of a member to ``heir``. Raises NotFound, InvalidInput, Conflict."""
    get_member(scope, member)
    if heir.kind == "member":
        row = scope.execute("select id from member where id = %s and status = 'active'", (heir.id,)).fetchone()
        message = "Choose an active member to take the records over."
    else:
        row = scope.execute("select id from team where id = %s", (heir.id,)).fetchone()
        message = "Choose a team to take the records over."
    if row is None or heir.id == member:
        raise InvalidInput(message, [FieldError(heir.pointer, heir.kind, message)])
    runtime.ports.hand_over(scope, member, heir.kind, heir.id)


def reactivate(runtime: Runtime, scope: TenantScope, member: UUID) -> MemberRow:
    """Let a deactivated member who has an account in again."""
    found = get_member(scope, member)
    if found.status == "active":
        return found
    if found.person is None:
        raise Conflict("This member never had an account. Invite them by e-mail.")
    for role in found.every_role:
        check_may_touch(scope, role)
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


def locked_preferences(scope: TenantScope, member: UUID) -> dict[str, Any]:
    """A member's preferences as they are now, nobody else's to change before this transaction ends."""
    row = scope.execute("select preferences from member where id = %s for update", (member,)).fetchone()
    return dict(row[0]) if row is not None else {}


def check_may_touch(scope: TenantScope, role: str) -> None:
    """Refuse whoever is no owner to change, invite again or let in again somebody whose role is owner."""
    if role == "owner" and not is_owner(scope):
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
        "select id from member where (role = 'owner' or 'owner' = any (roles)) and status = 'active'"
        " order by id for update"
    ).fetchall()
    if found.status == "active" and all(row[0] == found.id for row in owners):
        raise Conflict("This is the last owner. Make somebody else an owner first.")
