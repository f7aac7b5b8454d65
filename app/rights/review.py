"""The access review: who holds what, a line for each member and object, to be looked through and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.access import catalogs
from app.access.grants import FLAGS
from app.access.policy import policy_of
from app.access.rights import Rights, rights_of
from app.metadata.reach import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

HEADER: Final = (
    "member", "email", "status", "roles", "teams", "manager", "last_sign_in", "further_rights", "object",
    *ACTIONS, *FLAGS, "open_to", "hidden_fields", "read_only_fields", "records_shared",
)  # fmt: skip
_MEMBERS: Final = """
select m.id, m.name, m.email, m.status, m.role, m.roles, coalesce(b.name, ''),
       (select string_agg(t.name, ', ' order by t.name) from team_member x join team t on t.id = x.team
         where x.member = m.id),
       (select max(e.at) from event e where e.record_id = m.id and e.kind = 'signed_in')
  from member m left join member b on b.id = m.manager
 where m.status <> 'inactive' order by lower(m.name), m.id
"""
_SHARES: Final = """
select grantee, object, count(*) from share
 where grantee_kind = 'member' and (expires_at is null or expires_at > now()) group by 1, 2
"""


def review(scope: TenantScope) -> Iterator[tuple[Any, ...]]:
    """A row for each member that is not deactivated and each object; the columns are ``HEADER``."""
    catalog, policy = catalogs.whole(scope), policy_of(scope)
    shared = {(row[0], row[1]): row[2] for row in scope.execute(_SHARES)}
    for member, name, email, status, role, further, manager, teams, seen in scope.execute(_MEMBERS).fetchall():
        roles = (role, *(one for one in further if one != role))
        rights = rights_of(policy, roles)
        person = (
            name, email, status, "; ".join(policy.role(one).label for one in roles), teams, manager,
            seen.isoformat(timespec="seconds") if seen else "", ", ".join(sorted(rights.special)),
        )  # fmt: skip
        for obj in catalog.objects.values():
            if obj.navigation:
                yield (*person, *_of_object(rights, obj), _open_to(rights, obj.name), *_fields(rights, obj),
                       shared.get((str(member), obj.name), 0))  # fmt: skip


def _of_object(rights: Rights, obj: ObjectType) -> tuple[str, ...]:
    grant = rights.grant(obj.name)
    levels = tuple(str(grant.level(action)) for action in ACTIONS)
    return (obj.plural, *levels, *("yes" if flag in grant.flags else "no" for flag in FLAGS))


def _open_to(rights: Rights, object_name: str) -> str:
    found = rights.policy.sharing.get(object_name)
    return f"{found.read} / {found.edit}" if found else "everyone / everyone"


def _fields(rights: Rights, obj: ObjectType) -> tuple[str, str]:
    levels = {name: rights.field(obj.name, name) for name, field in obj.fields.items() if field.shown}
    hidden = ", ".join(name for name, level in levels.items() if level == "none")
    writes = rights.grant(obj.name).level("edit") != "none"
    return hidden, ", ".join(name for name, level in levels.items() if level == "read") if writes else ""
