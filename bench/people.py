"""A workspace where what one sees depends on who one is: teams in a tree, managers, roles, shares, 100,000 deals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from app.access.closures import rebuild_managers, rebuild_teams
from app.access.policy import changed
from app.records.query import ListQuery
from app.records.read import list_records
from bench.fill import Sizes, vacuum
from tenants.identity.keys import create_key
from tenants.scope import SYSTEM, Actor, enter_job
from tests.support.rights import put_role
from tests.support.sessions import open_session

if TYPE_CHECKING:
    from uuid import UUID

    from bench.site import Site, Workspace
    from tenants.scope import TenantScope

COMPANIES: Final = 5_000
DEALS: Final = 100_000
TEAMS: Final = 1_000
#: Below one manager directly, and below another on many levels.
PEOPLE: Final = 1_000
SHARES: Final = 5_000

#: Whom the tables speak of, by name: what tells them apart.
ADMIN: Final = "admin"
LEAD: Final = "lead"
KINDS: Final = {
    ADMIN: "an admin: everything",
    LEAD: "a lead: teams below, people below, a sharing rule, a row rule in CEL, two shares",
    "given": "5,000 single shares and nothing else",
    "top": "above all of 1,000 teams",
    "leaf": "in one team of 1,000, the lowest",
    "wide": "1,000 people directly below",
    "chain": "1,000 people below, on 100 levels",
    "nobody": "reaches nothing",
}
#: A lead's role: like a member's, and a condition of its own.
_ROLE: Final[dict[str, Any]] = {
    "objects": {"*": {"read": "reach", "create": True, "edit": "reach", "delete": "reach", "export": "reach",
                      "import": True, "bulk": True}},
    "rows": {"deal": {"read": 'stage == "negotiation" && amount >= 8500'}},
}  # fmt: skip
#: Team 1 is above all; each has ten below it. The lead's is the second.
_TEAMS: Final = """
insert into team (id, name, parent)
select {team_n}, 'Team ' || n, case when n > 1 then {team_parent} end from generate_series(1, %(teams)s) n
"""
_NAMED: Final = """
insert into member (name, email, role, status, team)
select name, name || '@example.test', role, 'active', team
  from (values ('admin', 'admin', null), ('lead', 'seller', {team_2}), ('given', 'member', null),
               ('top', 'member', {team_1}), ('leaf', 'member', {team_last}), ('wide', 'member', null),
               ('chain', 'member', null), ('nobody', 'member', null)) as v (name, role, team)
"""
#: A tenth of the people below one manager report to the lead, who reports to that manager, too.
_WIDE: Final = """
insert into member (id, name, email, role, status, team, manager)
select md5('wide ' || n)::uuid, 'Wide ' || n, 'w' || n || '@example.test', 'member', 'active', {team_n},
       (select id from member where name = case when mod(n, 10) = 0 then 'lead' else 'wide' end)
  from generate_series(1, %(people)s) n
"""
#: A hundred levels of ten; the first of each level is the manager of the next.
_CHAIN: Final = """
insert into member (id, name, email, role, status, team, manager)
select md5('chain ' || n)::uuid, 'Chain ' || n, 'c' || n || '@example.test', 'member', 'active', {team_n},
       case when n <= 10 then (select id from member where name = 'chain')
            else md5('chain ' || ((n - 1) / 10 - 1) * 10 + 1)::uuid end
  from generate_series(1, %(people)s) n
"""
#: The owners take turns, their teams are the deals', the newest deal is the first.
_DEALS: Final = """
insert into o_deal (name, pipeline, stage, stage_status, amount, amount__currency, close_on, opened_on, company,
                    owner, team, created_at)
select 'Deal ' || md5(i::text), 'sales',
       (array['new','qualified','meeting','proposal','negotiation','won','lost'])[mod(i, 7) + 1],
       (array['open','open','open','open','open','won','lost'])[mod(i, 7) + 1], mod(i * 37, 9000), 'EUR',
       date '2016-10-01' + mod(i, 500), date '2016-09-01', c.id, m.id, m.team, now() - i * interval '1 minute'
  from generate_series(1, %(deals)s) i
  join (select id, row_number() over (order by id) as n, count(*) over () as all from o_company) c
    on c.n = mod(i, c.all) + 1
  join (select id, team, row_number() over (order by md5(id::text)) as n, count(*) over () as all
          from member where name ~ '^(Wide|Chain) ') m on m.n = mod(i * 7919, m.all) + 1
"""
_SHARING: Final = "insert into sharing (object, read, edit) values ('deal', 'hierarchy', 'hierarchy')"
_RULE: Final = """
insert into sharing_rule (object, name, condition, grantee_kind, grantee, level)
values ('deal', 'Large ones', 'amount > 8900', 'team', {team_2}::text, 'read')
"""
_SHARES: Final = """
insert into share (object, record_id, grantee_kind, grantee, level)
select 'deal', d.id, 'member', (select id::text from member where name = %(name)s), 'edit'
  from (select id from o_deal order by md5(id::text) limit %(count)s) d
"""
_STATISTICS: Final = 'analyze "{0}".member, "{0}".team, "{0}".team_reach, "{0}".manager_reach, "{0}".share'


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks: the workspace with their key, their session, how many deals they reach."""

    name: str
    workspace: Workspace
    cookie: str
    reaches: int

    @property
    def label(self) -> str:
        """As the tables call them."""
        return KINDS[self.name]


def fill_people(site: Site) -> dict[str, Asking]:
    """The workspace, filled, and everybody in it the tables speak of."""
    workspace = site.workspace("rights", Sizes(COMPANIES, 0, 0).scaled(site.scale))
    tenant = workspace.tenant
    put_role(site.runtime.databases, tenant, "seller", **_ROLE)
    with enter_job(site.runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=600) as scope:
        _write(scope, site.scale)
    vacuum(site.runtime, tenant, "deal", "company")
    with site.runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(_STATISTICS.format(tenant.schema))
    return {name: _asking(site, workspace, name) for name in KINDS}


def _write(scope: TenantScope, scale: float) -> None:
    teams = max(12, int(TEAMS * scale))
    names = {
        "team_n": _team(f"mod(n - 1, {teams}) + 1"), "team_parent": _team("(n + 8) / 10"), "team_1": _team("1"),
        "team_2": _team("2"), "team_last": _team(str(teams)),
    }  # fmt: skip
    numbers: dict[str, object] = {
        "teams": teams, "people": max(20, int(PEOPLE * scale)), "deals": max(100, int(DEALS * scale)),
    }  # fmt: skip
    for statement in (_TEAMS, _NAMED, _WIDE, _CHAIN, _DEALS, _SHARING, _RULE):
        text = statement.format(**names)
        scope.connection.execute(text.encode(), numbers if "%(" in text else None)
    scope.execute("update member set manager = (select id from member where name = 'wide') where name = 'lead'")
    for name, count in (("given", max(20, int(SHARES * scale))), ("lead", 2)):
        scope.execute(_SHARES, {"name": name, "count": count})
    rebuild_teams(scope)
    rebuild_managers(scope)
    changed(scope)


def _team(number: str) -> str:
    return f"md5('team ' || ({number}))::uuid"


def _asking(site: Site, workspace: Workspace, name: str) -> Asking:
    """Somebody of this name; their key holds the role they hold themselves."""
    databases, tenant = site.runtime.databases, workspace.tenant
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        row = scope.execute("select id, role from member where name = %s", (name,)).fetchone()
    assert row is not None
    member: UUID = row[0]
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True, member=member) as scope:
        key = create_key(scope, name, row[1])[1]
    made = replace(workspace, owner=member, keys=(key,))
    return Asking(name, made, open_session(databases, tenant, Actor("member", member, name)), _reached(site, made))


def _reached(site: Site, workspace: Workspace) -> int:
    with site.scope(workspace) as scope:
        total = list_records(scope, "deal", ListQuery(limit=1, fields=("id",), total="exact")).total
    assert total is not None
    return total
