"""Two members see different records: lists, single ones, figures, search, links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.records.aggregate import aggregate
from app.records.board import board
from app.records.errors import RecordNotFound
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from tests.support.records import make_company, make_deal
from tests.support.rights import as_person, make_person, make_role, make_team, share, share_by_default, sharing_rule

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def names(scope: TenantScope, object_name: str = "deal", condition: str = "") -> set[str]:
    query = ListQuery(filter=condition, fields=("name",), sort="title", limit=200)
    return {str(row["name"]) for row in list_records(scope, object_name, query).rows}


def test_private_records_are_seen_by_their_owner_only(scope: TenantScope) -> None:
    role = make_role(scope)
    share_by_default(scope, "deal", "private")
    one, two = (make_person(scope, role) for _ in range(2))
    mine = make_deal(scope, "Mine", owner=str(one.id))
    make_deal(scope, "Theirs", owner=str(two.id))
    assert names(scope) == {"Mine", "Theirs"}
    assert names(as_person(scope, one)) == {"Mine"}
    assert names(as_person(scope, two)) == {"Theirs"}
    assert get_record(as_person(scope, one), "deal", mine["id"])["name"] == "Mine"
    with pytest.raises(RecordNotFound):
        get_record(as_person(scope, two), "deal", mine["id"])


def test_figures_count_what_is_seen(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    one, two = (make_person(scope) for _ in range(2))
    for number, owner in enumerate((one, one, two)):
        make_deal(scope, f"Deal {number}", owner=str(owner.id), amount="10")
    asked = AggregateQuery(group_by=("stage",), metrics=("count", "sum:amount"))
    answer = aggregate(as_person(scope, two), "deal", asked)["data"]
    assert [(row["count"], row["sum_amount"]["amount"]) for row in answer] == [(1, "10.00")]  # type: ignore[index, attr-defined]
    groups = board(as_person(scope, two), "deal", BoardQuery(fields=("name",)))["groups"]
    cards = [card["name"] for group in groups for card in group["data"]]  # type: ignore[index, attr-defined]
    assert cards == ["Deal 2"]
    page = list_records(as_person(scope, one), "deal", ListQuery(total="exact", limit=1))
    assert page.total == 2


def test_every_way_sharing_opens_a_record(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "hierarchy")
    boss = make_person(scope)
    top = make_team(scope, manager=boss.id)
    north = make_team(scope, parent=top)
    queue = make_team(scope, queue=True)
    rep = make_person(scope, team=north, manager=boss.id)
    other = make_person(scope)
    reader = make_person(scope, "read_only", teams=[queue])
    make_deal(scope, "Of the team", team=str(north), owner=None)
    make_deal(scope, "Of the rep", owner=str(rep.id))
    make_deal(scope, "In the queue", team=str(queue), owner=None)
    make_deal(scope, "Large", owner=None, amount="100000")
    given = make_deal(scope, "Given", owner=None)
    over = make_deal(scope, "Over", owner=None)
    share(scope, "deal", given["id"], "role", "read_only")
    share(scope, "deal", given["id"], "member", other.id)
    share(scope, "deal", over["id"], "member", other.id, expires="-1 second")
    sharing_rule(scope, "deal", "amount >= 100000", "team", top)
    sharing_rule(scope, "deal", 'name == "In the queue"', "member", other.id)
    assert names(as_person(scope, rep)) == {"Of the team", "Of the rep"}
    assert names(as_person(scope, boss)) == {"Of the team", "Of the rep", "Large"}
    assert names(as_person(scope, other)) == {"Given", "In the queue"}
    assert names(as_person(scope, reader)) == {"In the queue", "Given"}


def test_a_queue_opens_what_waits_in_it_not_what_somebody_took(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    queue, team = make_team(scope, queue=True), make_team(scope)
    reader, taker = make_person(scope, teams=[queue, team]), make_person(scope)
    make_deal(scope, "Waits", team=str(queue), owner=None)
    make_deal(scope, "Taken", team=str(queue), owner=str(taker.id))
    make_deal(scope, "No queue", team=str(team), owner=None)
    assert names(as_person(scope, reader)) == {"Waits"}


def test_a_link_opens_what_belongs_to_it_and_hides_what_does_not(scope: TenantScope) -> None:
    share_by_default(scope, "company", "private")
    share_by_default(scope, "deal", "private", inherit="company")
    one, two = (make_person(scope) for _ in range(2))
    company = make_company(scope, "Acme", owner=str(one.id))
    deal = make_deal(scope, "Big", owner=str(two.id), company=company["id"])
    assert names(as_person(scope, one)) == {"Big"}
    theirs = get_record(as_person(scope, two), "deal", deal["id"], fields=("name", "company.name"))
    assert theirs["company.name"] is None
    assert names(as_person(scope, two), condition='company.name == "Acme"') == set()
    assert names(as_person(scope, one), condition='company.name == "Acme"') == {"Big"}
    assert names(as_person(scope, one), "company", 'any(deals, name == "Big")') == {"Acme"}


def test_a_condition_opens_nothing_where_its_role_goes_no_further_than_own(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    narrow = make_role(scope, objects={"*": {"read": "own"}}, rows={"deal": {"read": 'name == "Open"'}})
    wide = make_role(scope, objects={"*": {"read": "reach"}})
    both = make_person(scope, narrow, wide)
    make_deal(scope, "Open", owner=None)
    assert names(as_person(scope, both)) == set()


def test_conditions_of_roles_may_follow_links(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    role = make_role(scope, rows={"deal": {"read": 'company.owner == me && stage_status == "open"'}})
    one, two = (make_person(scope, role) for _ in range(2))
    company = make_company(scope, owner=str(one.id))
    make_deal(scope, "Linked", owner=None, company=company["id"])
    make_deal(scope, "Not linked", owner=None)
    assert names(as_person(scope, one)) == {"Linked"}
    assert names(as_person(scope, one), condition='name != "x" && stage_status == "open"') == {"Linked"}
    assert names(as_person(scope, two)) == set()
