"""Whom and what the one who asks reaches, read by one statement and bound into every narrowed one.

The planner sees the ids themselves: it knows how few records an owner or a team has, and finds them by index. Ways
that lead nowhere (no team, nobody below, nothing shared) are constants it leaves out. The ids come and go as PostgreSQL
sends them: none is looked at here.

What was read is kept by the version of the workspace, which everything that moves teams, managers or shares raises
(``app.access.policy.changed``), and no longer than until the first of the shares is over.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Final

from app.access.rights import acting_roles, view_of
from tenants.textcursor import IdArray

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from tenants.scope import TenantScope

#: More single shares than this are looked up in a set of them rather than found by index, and more than ``MOST`` are
#: not carried into statements, but joined there.
MANY: Final = 500
MOST: Final = 10_000
#: Bytes of ids kept in a process: those of 1,000 teams are 20 kB.
_KEPT: Final = 16_000_000
#: What keeping anything takes besides.
_EACH: Final = 1_000
#: No dimensions, no nulls, of uuid.
NOBODY: Final = IdArray(struct.pack(">iii", 0, 0, 2950))
#: Grants of single records that mean whoever asks, as SQL over ``share sh``; the same as in ``reach``.
_MINE: Final = (
    "(sh.grantee_kind = 'member' AND sh.grantee = %(me)s::uuid::text"
    " OR sh.grantee_kind = 'role' AND sh.grantee = ANY(%(roles)s::text[])"
    " OR sh.grantee_kind = 'team' AND sh.grantee IN"
    " (SELECT team::text FROM team_reach WHERE member = %(me)s::uuid))"
    " AND (sh.expires_at IS NULL OR sh.expires_at > now())"
)
#: A row for each object of which something was given, or one; those whom one reaches are in each.
_READ: Final = (
    "SELECT (SELECT array_send(array_agg(team)) FROM team_reach WHERE member = %(me)s::uuid),"
    " (SELECT array_send(array_agg(t.id)) FROM team t JOIN team_reach r ON r.team = t.id"
    " WHERE t.queue AND r.member = %(me)s::uuid),"
    " (SELECT array_send(array_agg(member)) FROM manager_reach WHERE manager = %(me)s::uuid), given.*"
    " FROM (VALUES (1)) one LEFT JOIN (SELECT object, array_send(array_agg(record_id)),"
    " array_send(array_agg(record_id) FILTER (WHERE level = 'edit')), count(*),"
    " extract(epoch FROM min(expires_at) - clock_timestamp())::float8 FROM (SELECT sh.object, sh.record_id, sh.level,"
    f" sh.expires_at FROM share sh WHERE {_MINE} LIMIT %(most)s) mine GROUP BY object) given ON true"
)

_lock = threading.Lock()
_kept: OrderedDict[Hashable, Reaching] = OrderedDict()
_weight = 0


@dataclass(frozen=True, slots=True)
class Reaching:
    """Teams one belongs to or manages with all below, the queues among them, members below; records given by hand.

    ``count`` is how many were given, of which more than ``MOST`` are not listed. ``until`` is when the first of them is
    over, by this process's clock.
    """

    teams: IdArray = NOBODY
    queues: IdArray = NOBODY
    people: IdArray = NOBODY
    given: Mapping[tuple[str, str], IdArray] = field(default_factory=dict[tuple[str, str], IdArray])
    count: int = 0
    until: float = inf

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return _EACH + sum(map(len, (self.teams, self.queues, self.people, *self.given.values())))

    def binds(self, names: frozenset[str]) -> dict[str, Any]:
        """The parameters called ``names`` that are about reach; see ``app.records.reach``."""
        found: dict[str, Any] = {
            "teams": self.teams, "queues": self.queues, "people": self.people,
            "in_teams": self.teams is not NOBODY, "in_queues": self.queues is not NOBODY,
            "has_people": self.people is not NOBODY,
            "given_few": 0 < self.count <= MANY, "given_many": MANY < self.count <= MOST,
            "given_most": self.count > MOST,
        }  # fmt: skip
        for name in names:
            kind, _, rest = name.partition("__")
            if kind == "given":
                level, _, object_name = rest.partition("__")
                found[name] = self.given.get((object_name, level), NOBODY)
        return found


def reaching_of(scope: TenantScope) -> Reaching:
    """What the scope's member reaches; read when nobody did since it last changed."""
    view = view_of(scope)
    if not isinstance(view.reaching, Reaching):
        view.reaching = _known(scope)
    return view.reaching


def _known(scope: TenantScope) -> Reaching:
    if scope.unsettled:
        return _read(scope)
    me = scope.member.id if scope.member else None
    key = (scope.tenant.id, scope.version, me, acting_roles(scope))
    with _lock:
        known = _kept.get(key)
        if known is not None and time.monotonic() < known.until:
            _kept.move_to_end(key)
            return known
    made = _read(scope)
    with _lock:
        _keep(key, made)
    return made


def _keep(key: Hashable, made: Reaching) -> None:
    """Those who asked longest ago make room."""
    global _weight  # noqa: PLW0603 (beside what it weighs, under the same lock)
    before = _kept.pop(key, None)
    _kept[key] = made
    _weight += made.weight - (before.weight if before else 0)
    while _weight > _KEPT:
        _weight -= _kept.popitem(last=False)[1].weight


def _read(scope: TenantScope) -> Reaching:
    me = scope.member.id if scope.member else None
    params: dict[str, Any] = {"me": me, "roles": list(acting_roles(scope)), "most": MOST + 1}
    rows = scope.execute(_READ, params).fetchall()
    teams, queues, people = (_ids(sent) for sent in rows[0][:3])
    count = sum(row[6] or 0 for row in rows)
    left = min((row[7] for row in rows if row[7] is not None), default=inf)
    given: dict[tuple[str, str], IdArray] = {}
    # Of the most none is listed: the statements look for all of them.
    for _, _, _, name, read, edit, _, _ in () if count > MOST else rows:
        if name is not None:
            given[name, "read"] = _ids(read)
            given[name, "edit"] = given[name, "read"] if edit == read else _ids(edit)
    return Reaching(teams, queues, people, given, count, time.monotonic() + left)


def _ids(sent: bytes | None) -> IdArray:
    return NOBODY if sent is None else IdArray(sent)
