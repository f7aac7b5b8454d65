"""Whom and what the one who asks reaches, read once a scope by one statement and bound into every narrowed one.

The planner sees the ids themselves: it knows how few records an owner or a team has, and finds them by index. Ways
that lead nowhere (no team, nobody below, nothing shared) are constants it leaves out. Only who was given very many
single records is asked for them inside each statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.access.rights import acting_roles, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenants.scope import TenantScope

#: More single shares than this are not carried into statements, but joined there.
MANY: Final = 500
#: Grants of single records that mean whoever asks, as SQL over ``share sh``; the same as in ``reach``.
_MINE: Final = (
    "(sh.grantee_kind = 'member' AND sh.grantee = %(me)s::uuid::text"
    " OR sh.grantee_kind = 'role' AND sh.grantee = ANY(%(roles)s::text[])"
    " OR sh.grantee_kind = 'team' AND sh.grantee IN"
    " (SELECT team::text FROM team_reach WHERE member = %(me)s::uuid))"
    " AND (sh.expires_at IS NULL OR sh.expires_at > now())"
)
_READ: Final = (
    "SELECT 'team', team, (SELECT t.queue FROM team t WHERE t.id = team)::text FROM team_reach"
    " WHERE member = %(me)s::uuid UNION ALL SELECT 'person', member, NULL FROM manager_reach"
    " WHERE manager = %(me)s::uuid UNION ALL (SELECT sh.object, sh.record_id, 'given ' || sh.level FROM share sh"
    f" WHERE {_MINE} LIMIT %(most)s)"
)


@dataclass(frozen=True, slots=True)
class Reaching:
    """Teams one belongs to or manages with all below, the queues among them, members below; records given by hand.

    ``many`` says that more records were given than are listed.
    """

    teams: tuple[UUID, ...] = ()
    queues: tuple[UUID, ...] = ()
    people: tuple[UUID, ...] = ()
    given: Mapping[tuple[str, str], tuple[UUID, ...]] = field(default_factory=dict[tuple[str, str], tuple[UUID, ...]])
    many: bool = False

    def binds(self, names: frozenset[str]) -> dict[str, Any]:
        """The parameters called ``names`` that are about reach; see ``app.records.reach``."""
        found: dict[str, Any] = {
            "teams": list(self.teams), "queues": list(self.queues), "people": list(self.people),
            "in_teams": bool(self.teams), "in_queues": bool(self.queues), "has_people": bool(self.people),
            "given_many": self.many,
        }  # fmt: skip
        for name in names:
            kind, _, rest = name.partition("__")
            if kind == "given":
                level, _, object_name = rest.partition("__")
                found[name] = list(self.given.get((object_name, level), ()))
        return found


def reaching_of(scope: TenantScope) -> Reaching:
    """What the scope's member reaches, read once."""
    view = view_of(scope)
    if not isinstance(view.reaching, Reaching):
        view.reaching = _read(scope)
    return view.reaching


def _read(scope: TenantScope) -> Reaching:
    me = scope.member.id if scope.member else None
    params: dict[str, Any] = {"me": me, "roles": list(acting_roles(scope)), "most": MANY + 1}
    teams, queues, people = list[UUID](), list[UUID](), list[UUID]()
    given: dict[tuple[str, str], list[UUID]] = {}
    count = 0
    for kind, identity, what in scope.execute(_READ, params).fetchall():
        if what is not None and what.startswith("given "):
            count += 1
            for level in ("read", "edit") if what == "given edit" else ("read",):
                given.setdefault((kind, level), []).append(identity)
        elif kind == "team":
            teams.append(identity)
            queues += [identity] if what == "true" else []
        else:
            people.append(identity)
    # Of many none is listed: the statements look for all of them.
    listed = {key: tuple(ids) for key, ids in given.items()} if count <= MANY else {}
    return Reaching(tuple(teams), tuple(queues), tuple(people), listed, count > MANY)
