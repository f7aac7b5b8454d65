"""Teams: a tree without circles, members, managers, and who reaches what of a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.access import teams
from app.core.errors import Conflict, InvalidInput, NotFound
from tests.support.records import make_deal
from tests.support.rights import make_person

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


def reached(scope: TenantScope, member: UUID) -> set[UUID]:
    return {row[0] for row in scope.execute("select team from team_reach where member = %s", (member,))}


def below(scope: TenantScope, manager: UUID) -> set[UUID]:
    return {row[0] for row in scope.execute("select member from manager_reach where manager = %s", (manager,))}


def test_a_member_reaches_their_team_and_those_below_it_as_the_tree_changes(scope: TenantScope) -> None:
    ada, boss = make_person(scope).id, make_person(scope).id
    top = teams.create_team(scope, name="Sales", manager=boss).id
    north = teams.create_team(scope, name="North", parent=top).id
    fjord = teams.create_team(scope, name="Fjord", parent=north).id
    assert teams.put_member(scope, north, ada)
    assert not teams.put_member(scope, north, ada)
    assert (reached(scope, ada), reached(scope, boss)) == ({north, fjord}, {top, north, fjord})
    teams.change_team(scope, fjord, {"parent": top})
    assert reached(scope, ada) == {north}
    teams.change_team(scope, top, {"manager": None})
    assert reached(scope, boss) == set()
    teams.remove_member(scope, north, ada)
    assert reached(scope, ada) == set()
    with pytest.raises(NotFound):
        teams.remove_member(scope, north, ada)
    assert [(team.name, team.depth) for team in teams.list_teams(scope)] == [("Sales", 0), ("Fjord", 1), ("North", 1)]


def test_neither_teams_nor_managers_go_in_circles(scope: TenantScope) -> None:
    top = teams.create_team(scope, name="Top").id
    low = teams.create_team(scope, name="Low", parent=teams.create_team(scope, name="Mid", parent=top).id).id
    for parent in (low, top):
        with pytest.raises(InvalidInput) as refused:
            teams.change_team(scope, top, {"parent": parent})
        assert refused.value.errors[0].pointer == "/parent"
    one, two, three = (make_person(scope).id for _ in range(3))
    teams.set_manager(scope, two, one)
    teams.set_manager(scope, three, two)
    assert below(scope, one) == {two, three}
    for manager in (three, one):
        with pytest.raises(InvalidInput):
            teams.set_manager(scope, one, manager)
    teams.set_manager(scope, two, None)
    assert (below(scope, one), below(scope, two)) == (set(), {three})


def test_names_are_told_apart_without_case_and_a_team_in_use_stays(scope: TenantScope) -> None:
    made = teams.create_team(scope, name="  Straße  Nord ")
    assert made.name == "Straße Nord"
    with pytest.raises(Conflict):
        teams.create_team(scope, name="STRASSE nord")
    with pytest.raises(InvalidInput):
        teams.create_team(scope, name=" ")
    make_deal(scope, team=str(made.id))
    with pytest.raises(teams.TeamInUse):
        teams.delete_team(scope, made.id)
    assert teams.get_team(scope, made.id).name == "Straße Nord"


def test_a_tree_of_a_thousand_teams_is_rewritten_in_one_statement(scope: TenantScope) -> None:
    scope.execute("insert into team (name) select 'T' || lpad(n::text, 4, '0') from generate_series(0, 999) n")
    scope.execute(
        "update team t set parent = p.id from team p where t.name ~ '^T[0-9]{4}$' and substr(t.name, 2)::int > 0"
        " and p.name = 'T' || lpad(((substr(t.name, 2)::int - 1) / 3)::text, 4, '0')"
    )
    boss = make_person(scope).id
    top = scope.execute("select id from team where name = 'T0000'").fetchone()
    assert top is not None
    teams.change_team(scope, top[0], {"manager": boss})
    assert len(reached(scope, boss)) == 1_000
    assert len(teams.list_teams(scope)) == 1_000
