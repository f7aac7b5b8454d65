"""Inviting colleagues by mail or link, and taking an invitation up.

Two databases are involved and no statement spans both, so each step may be repeated: the tenant's ``member`` row is the
truth, control holds the spendable invitation and the index of memberships.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.core import clock, crypto, ids
from app.core.errors import Conflict, FieldError, InvalidInput, NotFound
from app.core.jobs import register, request_job
from tenants import log
from tenants.identity import members, outgoing, repository
from tenants.identity.addresses import normalise_email
from tenants.identity.outgoing import Message
from tenants.identity.people import Known, clean_name
from tenants.identity.repository import InvitationRow
from tenants.scope import SYSTEM, TenantScope, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from app.core.ports import Runtime

LIFE: Final = timedelta(days=14)
LONGEST_LIFE: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its maker sees it; ``url`` is what the invited person opens."""

    id: UUID
    email: str
    role: str
    url: str
    member: UUID

    def public(self) -> dict[str, str]:
        """The API's form."""
        return {"id": str(self.id), "email": self.email, "role": self.role, "url": self.url}


@dataclass(frozen=True, slots=True)
class Pending:
    """An invitation that was not taken up yet; ``url`` is empty for whoever may not give its roles."""

    id: UUID
    member: UUID
    name: str
    email: str
    roles: Sequence[str]
    invited_by: str
    created_at: datetime
    expires_at: datetime
    url: str = ""

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= clock.now()

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "member": str(self.member),
            "name": self.name,
            "email": self.email,
            "role": self.roles[0],
            "roles": list(self.roles[1:]),
            "invited_by": self.invited_by,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "status": "expired" if self.expired else "open",
            "url": self.url or None,
        }


def invite(
    runtime: Runtime,
    scope: TenantScope,
    *,
    email: str,
    role: str,
    name: str = "",
    member: UUID | None = None,
    roles: Sequence[str] = (),
    life: timedelta = LIFE,
) -> Invitation:
    """Invite somebody. A member that waits inactive under the same e-mail, or the one named, is claimed.

    ``roles`` are further ones beside ``role``; the link works for ``life``.

    Raises:
        InvalidInput: an unknown role, a life of no days or too many.
        Conflict: an active member has that address.
    """
    members.check_role(scope, role)
    further = [name for name in dict.fromkeys(roles) if name != role]
    for another in further:
        members.check_role(scope, another, "/roles")
    if not timedelta(days=1) <= life <= LONGEST_LIFE:
        message = f"An invitation works for 1 to {LONGEST_LIFE.days} days."
        raise InvalidInput(message, [FieldError("/days", "range", message)])
    address = normalise_email(email)
    member_id = _waiting_member(scope, address, role, name, member)
    scope.execute("update member set roles = %s where id = %s", (further, member_id))
    row = InvitationRow(
        id=ids.uuid7(),
        tenant=scope.tenant.id,
        member=member_id,
        email=address,
        role=role,
        invited_by=scope.member.name if scope.member else scope.actor.name,
        created_at=clock.now(),
        expires_at=clock.now() + life,
        accepted_at=None,
        revoked_at=None,
    )
    token = _token(runtime, row.id)
    with runtime.databases.control.begin() as connection:
        repository.insert_invitation(connection, row)
    log.note(scope, "member_invited", "member", member_id, {"role": [None, ", ".join([role, *further])]})
    request_job(scope, "identity.send_invitation", {"invitation": str(row.id)})
    return Invitation(row.id, address, role, f"{runtime.config.base_url}/invitations/{token}", member_id)


def find(runtime: Runtime, token: str) -> InvitationRow:
    """A live invitation; raises NotFound for one that is spent, revoked, too old or made up."""
    with runtime.databases.control.connect() as connection:
        row = _by_token(runtime, connection, token)
    if row is None or row.accepted_at or row.revoked_at or row.expires_at <= clock.now():
        raise NotFound("This invitation was used before, taken back or is too old. Ask for a new one.")
    return row


def accept(runtime: Runtime, token: str, person: Known) -> UUID:
    """Make ``person`` the invited member; the tenant's id. Safe to repeat when it broke off in between.

    Raises:
        NotFound: the invitation is void.
        Conflict: the person is a member of this workspace already.
    """
    with runtime.databases.control.begin() as connection:
        row = _by_token(runtime, connection, token)
        fresh = row is not None and repository.accept_invitation(connection, row.id, person.id, clock.now())
        mine = row is not None and (fresh or repository.accepted_by(connection, row.id) == person.id)
    if row is None or not mine:
        raise NotFound("This invitation was used before, taken back or is too old. Ask for a new one.")
    _claim(runtime, row, person)
    with runtime.databases.control.begin() as connection:
        repository.put_membership(connection, person.id, row.tenant, row.member, row.role)
    return row.tenant


def list_pending(runtime: Runtime, scope: TenantScope, may_give: Callable[[str], bool] | None = None) -> list[Pending]:
    """Invitations not taken up, expired ones too, the newest first.

    A link makes whoever opens it that member: it is shown only where whoever looks could give all of the member's
    roles (``may_give``; without it, where an owner's role is concerned, to owners).
    """
    with runtime.databases.control.connect() as connection:
        rows = repository.pending_invitations(connection, scope.tenant.id)
    found = scope.execute(
        "select id, name, role, roles from member where id = any(%s) and status = 'invited'",
        ([row.member for row in rows],),
    )
    known = {row[0]: (row[1], [row[2], *row[3]]) for row in found}

    def by_owners(role: str) -> bool:
        return role != "owner" or members.is_owner(scope)

    asked = may_give or by_owners
    return [_pending(runtime, row, *known[row.member], asked) for row in rows if row.member in known]


def _pending(
    runtime: Runtime, row: InvitationRow, name: str, roles: Sequence[str], may_give: Callable[[str], bool]
) -> Pending:
    shown = all(may_give(role) for role in roles)
    url = f"{runtime.config.base_url}/invitations/{_token(runtime, row.id)}" if shown else ""
    return Pending(row.id, row.member, name, row.email, roles, row.invited_by, row.created_at, row.expires_at, url)


def resend(runtime: Runtime, scope: TenantScope, invitation: UUID) -> Invitation:
    """Send an invitation anew: a new link, a new end; the old link is void.

    Raises:
        NotFound: there is no such pending invitation.
        Forbidden: the member waits to become an owner, and whoever acts is none.
    """
    found = find_pending(runtime, scope, invitation)
    life = max(timedelta(days=1), found.expires_at - found.created_at)
    return invite(
        runtime,
        scope,
        email=found.email,
        role=found.roles[0],
        roles=found.roles[1:],
        member=found.member,
        life=min(life, LONGEST_LIFE),
    )


def revoke(runtime: Runtime, scope: TenantScope, invitation: UUID) -> None:
    """Take an invitation back: its link is void at once, the member waits inactive."""
    found = find_pending(runtime, scope, invitation)
    for role in found.roles:
        members.check_may_touch(scope, role)
    with runtime.databases.control.begin() as connection:
        repository.revoke_invitations(connection, scope.tenant.id, [found.member])
    scope.execute("update member set status = 'inactive', updated_at = now() where id = %s", (found.member,))
    log.note(scope, "member_changed", "member", found.member, {"status": ["invited", "inactive"]})


def find_pending(runtime: Runtime, scope: TenantScope, invitation: UUID) -> Pending:
    """One that was not taken up; raises NotFound."""
    found = next((row for row in list_pending(runtime, scope) if row.id == invitation), None)
    if found is None:
        raise NotFound("There is no such invitation, or it was taken up.")
    return found


@register("identity.send_invitation", timeout=60)
def send_invitation(runtime: Runtime, tenant: UUID, args: dict[str, Any]) -> None:
    """Job: mail the invitation."""
    invitation_id = UUID(str(args["invitation"]))
    with runtime.databases.control.connect() as connection:
        found = repository.invitation_mail(connection, invitation_id, tenant, clock.now())
    if found is None:
        return
    email, inviter, workspace = found
    message = Message(
        subject=f"Join {workspace} on Rapport",
        greeting="Hello",
        text=f"{inviter} invites you to work together in {workspace}.",
        action="Accept the invitation",
        link=f"{runtime.config.base_url}/invitations/{_token(runtime, invitation_id)}",
        after="The link works for some days only. If you don't know what this is about, ignore this mail.",
    )
    outgoing.send(runtime.mailer, email, message)


def _token(runtime: Runtime, invitation_id: UUID) -> str:
    """The secret of an invitation's link; derived, so that the mailing job needs no secret in its arguments."""
    mac = crypto.hmac_sign(runtime.config.secret_key, "invitation", invitation_id.bytes)
    return base64.urlsafe_b64encode(invitation_id.bytes + mac).decode().rstrip("=")


def _by_token(runtime: Runtime, connection: sa.Connection, token: str) -> InvitationRow | None:
    """The invitation of a link; None when the link is not one of ours."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if not crypto.hmac_verify(runtime.config.secret_key, "invitation", raw[:16], raw[16:]):
        return None
    return repository.invitation(connection, UUID(bytes=raw[:16]))


def _waiting_member(scope: TenantScope, email: str, role: str, name: str, member: UUID | None) -> UUID:
    """The member row the invitation is for, in state ``invited``."""
    row = scope.execute("select id, status, role from member where lower(email) = %s", (email,)).fetchone()
    if row is not None and (row[1] == "active" or (member is not None and row[0] != member)):
        raise Conflict("Somebody with this address is a member already.")
    if row is None:
        row = _nameless(scope, name, member)
    if row is not None:
        members.check_may_touch(scope, row[2])
    if row is None:
        made = scope.execute(
            "insert into member (name, email, role, status) values (%s, %s, %s, 'invited') returning id",
            (clean_name(name, email), email, role),
        ).fetchone()
        return made[0]  # type: ignore[index]  # returning gives a row
    scope.execute(
        "update member set email = %s, role = %s, status = 'invited', updated_at = now() where id = %s",
        (email, role, row[0]),
    )
    return row[0]


def _nameless(scope: TenantScope, name: str, member: UUID | None) -> Any:
    """The member meant by id, or the only one of that name who has no address and no account (made by an import)."""
    if member is not None:
        found = members.get_member(scope, member)
        if found.status == "active":
            raise Conflict("This member is active already.")
        if found.person is not None:
            # Another person would take over what the log and the records say this one did.
            raise Conflict("This member has an account. Let them in again, or invite them by their own address.")
        return (found.id, found.status, found.role)
    if not name.strip():
        return None
    rows = scope.execute(
        "select id, status, role from member where lower(name) = lower(%s) and email = '' and person is null "
        "and status = 'inactive' limit 2",
        (" ".join(name.split()),),
    ).fetchall()
    return rows[0] if len(rows) == 1 else None


def _claim(runtime: Runtime, row: InvitationRow, person: Known) -> None:
    with enter_job(runtime.databases, row.tenant, actor=SYSTEM, write=True) as scope:
        there = scope.execute("select id from member where person = %s and id <> %s", (person.id, row.member))
        if there.fetchone() is not None:
            raise Conflict("You are a member of this workspace already.")
        claimed = scope.execute(
            "update member set person = %s, status = 'active', name = case when name = %s then %s else name end, "
            # Who was deactivated since does not let themselves in again; repeating a claim changes nothing.
            "updated_at = now() where id = %s and (status = 'invited' or (status = 'active' and person = %s)) "
            "returning old.status",
            (person.id, clean_name("", row.email), person.name, row.member, person.id),
        ).fetchone()
        if claimed is None:
            raise NotFound("This invitation was used before, taken back or is too old. Ask for a new one.")
        if claimed[0] == "invited":
            log.note(scope, "member_joined", "member", row.member)
