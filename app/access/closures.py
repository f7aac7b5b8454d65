"""Who reaches whom, written out: the teams a member reaches, the members below a manager.

Whoever asks is bound with what these two tables say of them, instead of walking trees; that is kept by the version of
the workspace, which a change raises. Each table is compared with what the tree says now, and only the difference is
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.access import policy

if TYPE_CHECKING:
    from tenants.scope import TenantScope

_TEAMS: Final = """
with recursive down (top, team) as (
    select id, id from team
    union all
    select d.top, t.id from down d join team t on t.parent = d.team
), seat (member, team) as (
    select member, team from team_member
    union select id, team from member where team is not null
    union select manager, id from team where manager is not null
), wanted as materialized (
    select distinct s.member, d.team from seat s join down d on d.top = s.team
), gone as (
    delete from team_reach r where not exists (
        select from wanted w where w.member = r.member and w.team = r.team)
)
insert into team_reach (member, team) select member, team from wanted on conflict do nothing
"""
_MANAGERS: Final = """
with recursive down (manager, member) as (
    select manager, id from member where manager is not null
    union
    select d.manager, m.id from down d join member m on m.manager = d.member
), wanted as materialized (
    select manager, member from down where manager <> member
), gone as (
    delete from manager_reach r where not exists (
        select from wanted w where w.manager = r.manager and w.member = r.member)
)
insert into manager_reach (manager, member) select manager, member from wanted on conflict do nothing
"""


def hold(scope: TenantScope) -> None:
    """One change of teams or managers at a time: of two, the second sees what the first did."""
    scope.execute("select pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (f"reach {scope.tenant.schema}", "teams"))


def rebuild_teams(scope: TenantScope) -> None:
    """After a change of teams, their members or managers."""
    scope.execute(_TEAMS)
    policy.changed(scope)


def rebuild_managers(scope: TenantScope) -> None:
    """After somebody got another manager."""
    scope.execute(_MANAGERS)
    policy.changed(scope)
