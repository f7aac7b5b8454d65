"""Records given to somebody by hand: to a member, a team or everybody with a role, for good or until a day.

Whether whoever acts may share the record at all is asked above (``app.rights.sharing``): this package knows no records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.access import policy
from app.core import clock
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from tenants import log

if TYPE_CHECKING:
    from datetime import datetime

    from tenants.scope import TenantScope

KINDS: Final = ("member", "team", "role")
LEVELS: Final = ("read", "edit")
#: A record given to more than these is better served by a sharing rule.
MAX_SHARES: Final = 200
_COLUMNS: Final = (
    "s.id, s.grantee_kind, s.grantee, coalesce(m.name, t.name, s.grantee), s.level, s.collaborator, s.expires_at,"
    " b.name, s.at"
)
_NAMED: Final = (
    " left join member m on s.grantee_kind = 'member' and m.id::text = s.grantee"
    " left join team t on s.grantee_kind = 'team' and t.id::text = s.grantee"
    " left join member b on b.id = s.by"
)


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One grant of one record."""

    id: UUID
    kind: str
    grantee: str
    name: str
    level: str
    collaborator: bool
    expires_at: datetime | None
    by: str | None
    at: datetime

    @property
    def expired(self) -> bool:
        """Whether it is over; it gives nothing any more."""
        return self.expires_at is not None and self.expires_at <= clock.now()

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "grantee": {"kind": self.kind, "id": self.grantee, "name": self.name},
            "level": self.level,
            "collaborator": self.collaborator,
            "expires_at": self.expires_at,
            "by": self.by,
            "at": self.at,
        }


def list_shares(scope: TenantScope, object_name: str, record: UUID) -> list[ShareRow]:
    """Who was given a record, in the order it happened."""
    rows = scope.execute(
        f"select {_COLUMNS} from share s{_NAMED} where s.object = %s and s.record_id = %s order by s.at, s.id",
        (object_name, record),
    )
    return [ShareRow(*row) for row in rows]


def named(row: ShareRow, name: str) -> ShareRow:
    """The same with its grantee's label."""
    return replace(row, name=name)


def put_share(
    scope: TenantScope,
    object_name: str,
    record: UUID,
    *,
    kind: str,
    grantee: str,
    level: str = "read",
    collaborator: bool = False,
    expires_at: datetime | None = None,
) -> ShareRow:
    """Give a record to somebody, or change what they were given.

    Raises:
        InvalidInput: unknown kind, grantee or level; an end in the past.
        Conflict: the record is shared too often.
    """
    _not_support(scope)
    grantee = grantee if kind == "role" else grantee.lower()
    check_grantee(scope, kind, grantee)
    check_level(level)
    if expires_at is not None and expires_at <= clock.now():
        message = "Choose a day in the future."
        raise InvalidInput(message, [FieldError("/expires_at", "past", message)])
    before = list_shares(scope, object_name, record)
    old = next((share for share in before if (share.kind, share.grantee) == (kind, grantee)), None)
    if old is None and len(before) >= MAX_SHARES:
        raise Conflict(f"A record is shared at most {MAX_SHARES} times. Use a sharing rule.")
    by = scope.member.id if scope.member else None
    row = scope.execute(
        "insert into share (object, record_id, grantee_kind, grantee, level, collaborator, expires_at, by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (record_id, object, grantee_kind, grantee) do update"
        " set level = excluded.level, collaborator = excluded.collaborator, expires_at = excluded.expires_at,"
        " by = excluded.by, at = now() returning id",
        (object_name, record, kind, grantee, level, collaborator, expires_at, by),
    ).fetchone()
    policy.changed(scope)
    made = get_share(scope, object_name, record, cast("tuple[UUID]", row)[0])
    log.note(scope, "shared", object_name, record, {"shared": [_told(old), _told(made)]})
    return made


def get_share(scope: TenantScope, object_name: str, record: UUID, share: UUID) -> ShareRow:
    """One grant of a record; raises NotFound."""
    found = next((row for row in list_shares(scope, object_name, record) if row.id == share), None)
    if found is None:
        raise NotFound("This was not shared, or is not any more.")
    return found


def drop_share(scope: TenantScope, object_name: str, record: UUID, share: UUID) -> None:
    """Take a grant back; raises NotFound."""
    _not_support(scope)
    found = get_share(scope, object_name, record, share)
    scope.execute("delete from share where id = %s", (share,))
    policy.changed(scope)
    log.note(scope, "unshared", object_name, record, {"shared": [_told(found), None]})


def _not_support(scope: TenantScope) -> None:
    """Whom records are given to is the members' to say."""
    if scope.support is not None:
        raise Forbidden("Support shares no records.")


def check_grantee(scope: TenantScope, kind: str, grantee: str) -> None:
    """Refuse whoever is not there: a member who left, a team or role that is gone."""
    if kind not in KINDS:
        message = f"Choose one of {', '.join(KINDS)}."
        raise InvalidInput(message, [FieldError("/grantee/kind", "option", message)])
    if not _exists(scope, kind, grantee):
        message = f"There is no such {'active member' if kind == 'member' else kind}."
        raise InvalidInput(message, [FieldError("/grantee/id", kind, message)])


def check_level(level: str, pointer: str = "/level") -> None:
    """Refuse what is neither read nor edit."""
    if level not in LEVELS:
        message = f"Choose one of {', '.join(LEVELS)}."
        raise InvalidInput(message, [FieldError(pointer, "option", message)])


def _exists(scope: TenantScope, kind: str, grantee: str) -> bool:
    if kind == "role":
        return grantee in policy.policy_of(scope).roles
    try:
        wanted = UUID(grantee)
    except ValueError:
        return False
    if str(wanted) != grantee:
        return False
    if kind == "team":
        return scope.execute("select 1 from team where id = %s", (wanted,)).fetchone() is not None
    found = scope.execute("select 1 from member where id = %s and status <> 'inactive'", (wanted,))
    return found.fetchone() is not None


def _told(share: ShareRow | None) -> dict[str, Any] | None:
    """As the log keeps it: who and how far, no names."""
    if share is None:
        return None
    until = share.expires_at.isoformat() if share.expires_at else None
    return {"kind": share.kind, "id": share.grantee, "level": share.level, "expires_at": until}
