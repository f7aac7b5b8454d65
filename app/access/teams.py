"""Teams: a tree with members and managers; a queue is a team that may own records itself.

Who reaches whom is kept in two closures (``app.access.closures``), written anew whenever the tree changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import psycopg

from app.access import closures
from app.core.errors import Conflict, FieldError, InvalidInput, NotFound
from tenants import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenants.scope import TenantScope

LONGEST_NAME: Final = 120
#: A tree somebody can still look at.
MAX_TEAMS: Final = 2_000
_COLUMNS: Final = ("name", "parent", "manager", "queue")


class TeamInUse(Conflict):
    """Something hangs on the team: teams below it, or records that belong to it."""

    code = "team.in_use"
    title = "The team is in use"


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team as lists show it; ``depth`` counts the teams above, ``size`` the members."""

    id: UUID
    name: str
    parent: UUID | None
    manager: UUID | None
    manager_name: str
    queue: bool
    size: int
    depth: int = 0

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "name": self.name,
            "parent": str(self.parent) if self.parent else None,
            "manager": str(self.manager) if self.manager else None,
            "queue": self.queue,
            "members": self.size,
        }


@dataclass(frozen=True, slots=True)
class Belonging:
    """A member of a team."""

    id: UUID
    name: str
    email: str
    status: str


def list_teams(scope: TenantScope) -> list[TeamRow]:
    """The whole tree, each team before those below it, siblings by name."""
    rows = scope.execute(
        "select t.id, t.name, t.parent, t.manager, coalesce(m.name, ''), t.queue,"
        " (select count(*) from team_member b where b.team = t.id)"
        " from team t left join member m on m.id = t.manager order by lower(t.name), t.id"
    ).fetchall()
    below: dict[UUID | None, list[TeamRow]] = {}
    for row in rows:
        below.setdefault(row[2], []).append(TeamRow(*row))
    return _walked(below)


def _walked(below: Mapping[UUID | None, list[TeamRow]]) -> list[TeamRow]:
    found: list[TeamRow] = []
    waiting = [(team, 0) for team in reversed(below.get(None, []))]
    while waiting:
        team, depth = waiting.pop()
        found.append(replace(team, depth=depth))
        waiting += [(child, depth + 1) for child in reversed(below.get(team.id, []))]
    return found


def get_team(scope: TenantScope, team: UUID) -> TeamRow:
    """One team; raises NotFound."""
    row = scope.execute(
        "select t.id, t.name, t.parent, t.manager, coalesce(m.name, ''), t.queue,"
        " (select count(*) from team_member b where b.team = t.id)"
        " from team t left join member m on m.id = t.manager where t.id = %s",
        (team,),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such team.")
    return TeamRow(*row)


def members_of(scope: TenantScope, team: UUID) -> list[Belonging]:
    """Who belongs to a team, by name."""
    rows = scope.execute(
        "select m.id, m.name, m.email, m.status from team_member b join member m on m.id = b.member"
        " where b.team = %s order by lower(m.name), m.id",
        (team,),
    )
    return [Belonging(*row) for row in rows]


def teams_of(scope: TenantScope, member: UUID) -> list[UUID]:
    """The teams somebody belongs to."""
    return [row[0] for row in scope.execute("select team from team_member where member = %s order by team", (member,))]


def create_team(
    scope: TenantScope, *, name: str, parent: UUID | None = None, manager: UUID | None = None, queue: bool = False
) -> TeamRow:
    """A new team.

    Raises:
        InvalidInput: no name, an unknown team above or manager.
        Conflict: another team has that name.
    """
    closures.hold(scope)
    tidy = _clean_name(name)
    _check_links(scope, None, parent, manager)
    count = scope.execute("select count(*) from team").fetchone()
    if count is not None and count[0] >= MAX_TEAMS:
        raise Conflict(f"A workspace has at most {MAX_TEAMS:,} teams.")
    _check_name(scope, tidy, None)
    row = scope.execute(
        "insert into team (name, parent, manager, queue) values (%s, %s, %s, %s) returning id",
        (tidy, parent, manager, queue),
    ).fetchone()
    made: UUID = row[0]  # type: ignore[index]  # returning gives a row
    closures.rebuild_teams(scope)
    log.note(scope, "team_created", "team", made, {"name": [None, tidy]})
    return get_team(scope, made)


def change_team(scope: TenantScope, team: UUID, changes: Mapping[str, Any]) -> TeamRow:
    """Change name, parent, manager or queue; what is not named stays.

    Raises:
        InvalidInput: a team can't be below itself; unknown team or manager.
    """
    closures.hold(scope)
    before = get_team(scope, team)
    wanted = {name: changes[name] for name in _COLUMNS if name in changes}
    if "name" in wanted:
        wanted["name"] = _clean_name(str(wanted["name"]))
    _check_links(scope, team, wanted.get("parent"), wanted.get("manager"))
    now = {"name": before.name, "parent": before.parent, "manager": before.manager, "queue": before.queue}
    diff = {name: [_plain(now[name]), _plain(value)] for name, value in wanted.items() if now[name] != value}
    if not diff:
        return before
    after = now | wanted
    _check_name(scope, str(after["name"]), team)
    scope.execute(
        "update team set name = %s, parent = %s, manager = %s, queue = %s where id = %s",
        (after["name"], after["parent"], after["manager"], after["queue"], team),
    )
    closures.rebuild_teams(scope)
    log.note(scope, "team_changed", "team", team, diff)
    return get_team(scope, team)


def delete_team(scope: TenantScope, team: UUID) -> None:
    """Take a team away; its members stay in the workspace.

    Raises:
        TeamInUse: there are teams below it, or records that belong to it.
    """
    closures.hold(scope)
    found = get_team(scope, team)
    if scope.execute("select 1 from team where parent = %s limit 1", (team,)).fetchone() is not None:
        raise TeamInUse("There are teams below this one. Move them first.")
    scope.execute("update member set team = null where team = %s", (team,))
    scope.execute("delete from sharing_rule where grantee_kind = 'team' and grantee = %s", (str(team),))
    scope.execute("delete from share where grantee_kind = 'team' and grantee = %s", (str(team),))
    try:
        with scope.connection.transaction():
            scope.execute("delete from team where id = %s", (team,))
    except psycopg.errors.ForeignKeyViolation as error:
        raise TeamInUse("Records belong to this team. Give them to another one first.") from error
    closures.rebuild_teams(scope)
    log.note(scope, "team_removed", "team", team, {"name": [found.name, None]})


def put_member(scope: TenantScope, team: UUID, member: UUID) -> bool:
    """Make somebody a member of a team; the first one becomes their main team. Whether that was new."""
    closures.hold(scope)
    get_team(scope, team)
    _check_member(scope, member, "/member")
    fresh = scope.execute(
        "insert into team_member (team, member) values (%s, %s) on conflict do nothing returning 1", (team, member)
    ).fetchone()
    if fresh is None:
        return False
    scope.execute("update member set team = %s where id = %s and team is null", (team, member))
    closures.rebuild_teams(scope)
    log.note(scope, "team_changed", "team", team, {"member": [None, str(member)]})
    return True


def remove_member(scope: TenantScope, team: UUID, member: UUID) -> None:
    """Take somebody out of a team; raises NotFound when they are not in it."""
    closures.hold(scope)
    gone = scope.execute(
        "delete from team_member where team = %s and member = %s returning 1", (team, member)
    ).fetchone()
    if gone is None:
        raise NotFound("There is no such member in this team.")
    scope.execute(
        "update member m set team = (select b.team from team_member b where b.member = m.id order by b.team limit 1)"
        " where m.id = %s and m.team = %s",
        (member, team),
    )
    closures.rebuild_teams(scope)
    log.note(scope, "team_changed", "team", team, {"member": [str(member), None]})


def set_manager(scope: TenantScope, member: UUID, manager: UUID | None) -> None:
    """Say whom a member reports to.

    Raises:
        InvalidInput: unknown, or the member would report to themselves over some steps.
    """
    closures.hold(scope)
    row = scope.execute("select manager from member where id = %s", (member,)).fetchone()
    if row is None:
        raise NotFound("There is no such member.")
    if manager is not None:
        _check_member(scope, manager, "/manager")
        _check_chain(scope, member, manager)
    if row[0] == manager:
        return
    scope.execute("update member set manager = %s, updated_at = now() where id = %s", (manager, member))
    closures.rebuild_managers(scope)
    log.note(scope, "member_changed", "member", member, {"manager": [_plain(row[0]), _plain(manager)]})


def _check_chain(scope: TenantScope, member: UUID, manager: UUID) -> None:
    looped = scope.execute(
        "with recursive up (id) as (select %(manager)s::uuid union select m.manager from up join member m"
        " on m.id = up.id where m.manager is not null) select 1 from up where id = %(member)s",
        {"manager": manager, "member": member},
    ).fetchone()
    if looped is not None:
        message = "A member can't report to themselves, not over several steps either."
        raise InvalidInput(message, [FieldError("/manager", "cycle", message)])


def _check_links(scope: TenantScope, team: UUID | None, parent: UUID | None, manager: UUID | None) -> None:
    """The team above and the manager must be there, and a team is never below itself."""
    if parent is not None:
        _check_parent(scope, team, parent)
    if manager is not None:
        _check_member(scope, manager, "/manager")


def _check_parent(scope: TenantScope, team: UUID | None, parent: UUID) -> None:
    above = {
        row[0]
        for row in scope.execute(
            "with recursive up (id, parent) as (select id, parent from team where id = %s union"
            " select t.id, t.parent from up join team t on t.id = up.parent) select id from up",
            (parent,),
        )
    }
    if not above:
        message = "There is no such team."
        raise InvalidInput(message, [FieldError("/parent", "team", message)])
    if team is not None and team in above:
        message = "A team can't be below itself."
        raise InvalidInput(message, [FieldError("/parent", "cycle", message)])


def _check_member(scope: TenantScope, member: UUID, pointer: str) -> None:
    found = scope.execute("select 1 from member where id = %s and status <> 'inactive'", (member,)).fetchone()
    if found is None:
        message = "There is no such active member."
        raise InvalidInput(message, [FieldError(pointer, "member", message)])


def _clean_name(name: str) -> str:
    tidy = " ".join(name.replace("\0", "").split())
    if not tidy or len(tidy) > LONGEST_NAME:
        message = f"Enter a name of 1 to {LONGEST_NAME} characters."
        raise InvalidInput(message, [FieldError("/name", "required", message)])
    return tidy


def _check_name(scope: TenantScope, name: str, team: UUID | None) -> None:
    """Two teams of one name help nobody; nobody else changes teams meanwhile (``closures.hold``)."""
    taken = scope.execute(
        "select 1 from team where normalize(casefold(name collate pg_unicode_fast), nfc)"
        " = normalize(casefold(%s::text collate pg_unicode_fast), nfc) and id is distinct from %s::uuid",
        (name, team),
    ).fetchone()
    if taken is not None:
        message = f"There is a team called {name} already."
        raise Conflict(message, [FieldError("/name", "unique", message)])


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
