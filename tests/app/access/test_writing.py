"""Writes: what is out of sight is not there, what may be seen only is refused, what would leave reach is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import Forbidden, NotFound
from app.records.bulk import bulk
from app.records.errors import InvalidRecord, LeavesReach, RecordNotFound, UniqueTaken
from app.records.read import get_record
from app.records.trash import destroy_record, restore_record, trash_record
from app.records.write import create_record, update_record, upsert_record
from tests.support.records import make_company, make_contact, make_deal, record_id
from tests.support.rights import (
    WORKER,
    Person,
    as_key,
    as_person,
    make_person,
    make_role,
    make_team,
    share,
    share_by_default,
    sharing_rule,
)

if TYPE_CHECKING:
    from tenants.scope import TenantScope


@pytest.fixture
def people(scope: TenantScope) -> tuple[Person, Person]:
    """Two members who see each other's deals but change only their own; companies are private."""
    share_by_default(scope, "deal", "everyone", "private")
    share_by_default(scope, "company", "private")
    role = make_role(scope)
    return make_person(scope, role), make_person(scope, role)


def test_a_link_to_what_one_only_reads_opens_nothing_for_editing(scope: TenantScope) -> None:
    share_by_default(scope, "company", "everyone", "private")
    share_by_default(scope, "deal", "private", inherit="company")
    role = make_role(scope)
    reader, keeper = make_person(scope, role), make_person(scope, role)
    company = make_company(scope, owner=str(keeper.id))
    deal = make_deal(scope, company=company["id"], owner=None)
    assert get_record(as_person(scope, reader), "deal", deal["id"])["name"] == deal["name"]
    with pytest.raises(Forbidden):
        update_record(as_person(scope, reader), "deal", record_id(deal), {"name": "x"})
    assert update_record(as_person(scope, keeper), "deal", record_id(deal), {"name": "Kept"})["name"] == "Kept"


def confirming(scope: TenantScope) -> TenantScope:
    return replace(scope, confirmed=frozenset({"leaves_reach"}))


def test_what_may_only_be_seen_is_refused_and_what_is_out_of_sight_is_not_there(
    scope: TenantScope, people: tuple[Person, Person]
) -> None:
    one, two = people
    deal, company = make_deal(scope, owner=str(one.id)), make_company(scope, owner=str(one.id))
    other = as_person(scope, two)
    for act in (
        lambda: update_record(other, "deal", record_id(deal), {"name": "x"}),
        lambda: trash_record(other, "deal", record_id(deal)),
        lambda: destroy_record(other, "deal", record_id(deal)),
    ):
        with pytest.raises(Forbidden):
            act()
    for act in (
        lambda: update_record(other, "company", record_id(company), {"name": "x"}),
        lambda: trash_record(other, "company", record_id(company)),
        lambda: destroy_record(other, "company", record_id(company)),
        lambda: restore_record(other, "company", record_id(company)),
    ):
        with pytest.raises(RecordNotFound) as missing:
            act()
        assert missing.value.detail == "There is no such company."
    mine = as_person(scope, one)
    assert update_record(mine, "company", record_id(company), {"name": "Mine"})["name"] == "Mine"
    trash_record(mine, "company", record_id(company))
    with pytest.raises(RecordNotFound):
        restore_record(other, "company", record_id(company))
    assert restore_record(mine, "company", record_id(company))["name"] == "Mine"
    destroy_record(mine, "company", record_id(company))


def test_a_record_leaves_ones_reach_only_when_that_is_confirmed(
    scope: TenantScope, people: tuple[Person, Person]
) -> None:
    one, two = people
    mine = as_person(scope, one)
    deal = create_record(mine, "deal", {"name": "Mine"})
    assert deal["owner"] == str(one.id)
    with pytest.raises(LeavesReach), scope.connection.transaction():
        update_record(mine, "deal", record_id(deal), {"owner": str(two.id)})
    given = update_record(confirming(mine), "deal", record_id(deal), {"owner": str(two.id)})
    assert given["owner"] == str(two.id)
    with pytest.raises(LeavesReach), scope.connection.transaction():
        create_record(mine, "company", {"name": "Theirs", "owner": str(two.id)})
    made = create_record(confirming(mine), "company", {"name": "Theirs", "owner": str(two.id)})
    with pytest.raises(RecordNotFound):
        get_record(mine, "company", made["id"])


def test_a_key_that_creates_owns_for_its_maker_what_it_could_not_see_otherwise(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    maker = make_person(scope)
    made = create_record(as_key(scope, "member", maker), "deal", {"name": "By key"})
    assert made["owner"] == str(maker.id)
    with pytest.raises(LeavesReach):
        create_record(as_key(scope, "member", None), "deal", {"name": "By nobody"})


def test_what_is_open_to_teams_belongs_to_its_makers_team(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "team")
    north = make_team(scope)
    one, two = make_person(scope, team=north), make_person(scope, team=north)
    made = create_record(as_person(scope, one), "deal", {"name": "North"})
    assert made["team"] == str(north)
    assert get_record(as_person(scope, two), "deal", made["id"])["name"] == "North"


def test_a_link_to_a_record_out_of_sight_is_one_to_nothing(scope: TenantScope, people: tuple[Person, Person]) -> None:
    one, two = people
    company = make_company(scope, owner=str(two.id))
    mine = as_person(scope, one)
    for act in (
        lambda: create_record(mine, "contact", {"last_name": "x", "company": company["id"]}),
        lambda: update_record(mine, "contact", record_id(make_contact(scope)), {"company": company["id"]}),
    ):
        with pytest.raises(InvalidRecord) as refused:
            act()
        assert [(error.pointer, error.code) for error in refused.value.errors] == [("/company", "link.not_found")]
    linked = make_contact(scope, company=company["id"])
    kept = update_record(mine, "contact", record_id(linked), {"company": company["id"], "last_name": "Kept"})
    assert kept["last_name"] == "Kept"


def test_bulk_tells_of_each_row_what_a_single_write_would(scope: TenantScope, people: tuple[Person, Person]) -> None:
    one, two = people
    mine, theirs = (make_deal(scope, owner=str(person.id)) for person in people)
    hidden, own = (make_company(scope, owner=str(person.id)) for person in (two, one))
    asking = as_person(scope, one)
    rows: list[Any] = [
        {"id": mine["id"], "name": "Changed"},
        {"id": theirs["id"], "name": "Refused"},
        {"id": mine["id"], "owner": str(two.id)},
    ]
    answer = bulk(asking, "deal", rows, mode="update")
    assert [(r["status"], [e["code"] for e in r.get("errors", [])]) for r in answer["results"]] == [
        ("updated", []),
        ("failed", ["access.denied"]),
        ("failed", ["record.leaves_reach"]),
    ]
    assert get_record(scope, "deal", mine["id"])["owner"] == str(one.id)
    assert get_record(scope, "deal", mine["id"])["name"] == "Changed"
    answer = bulk(asking, "company", [{"id": hidden["id"]}, {"id": own["id"]}], mode="delete")
    assert [r["status"] for r in answer["results"]] == ["failed", "deleted"]
    assert answer["results"][0]["errors"][0]["code"] == "record.not_found"
    answer = bulk(asking, "deal", [{"name": "New"}, {"name": "New", "owner": str(two.id)}], mode="create")
    assert [r["status"] for r in answer["results"]] == ["created", "failed"]


def test_matching_does_not_find_what_is_out_of_sight(scope: TenantScope, people: tuple[Person, Person]) -> None:
    one, two = people
    make_company(scope, "Theirs", owner=str(two.id), external_id="X-1")
    asking = as_person(scope, one)
    with pytest.raises(UniqueTaken):
        upsert_record(asking, "company", "external_id", "X-1", {"name": "Mine"})


def test_bulk_upserts_do_not_find_it_either(scope: TenantScope, people: tuple[Person, Person]) -> None:
    one, two = people
    make_company(scope, "Theirs", owner=str(two.id), external_id="X-1")
    rows = [{"external_id": "X-1", "name": "Mine"}]
    answer = bulk(as_person(scope, one), "company", rows, mode="upsert", match="external_id")
    assert [e["code"] for e in answer["results"][0]["errors"]] == ["record.unique"]
    answer = bulk(as_person(scope, one), "company", rows, mode="update", match="external_id")
    assert [e["code"] for e in answer["results"][0]["errors"]] == ["record.not_found"]


def test_a_share_to_edit_opens_for_editing_one_to_read_does_not(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    one, two = (make_person(scope) for _ in range(2))
    deal = make_deal(scope, owner=None)
    share(scope, "deal", deal["id"], "member", one.id, "edit")
    share(scope, "deal", deal["id"], "member", two.id, "read")
    assert update_record(as_person(scope, one), "deal", record_id(deal), {"name": "Changed"})["name"] == "Changed"
    with pytest.raises(Forbidden):
        update_record(as_person(scope, two), "deal", record_id(deal), {"name": "Refused"})


def test_conditions_to_read_open_nothing_for_editing(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    reader = make_person(scope, make_role(scope, rows={"deal": {"read": 'name == "By role"'}}))
    writer = make_person(scope, make_role(scope, rows={"deal": {"edit": 'name == "By role"'}}))
    by_role, by_rule = make_deal(scope, "By role", owner=None), make_deal(scope, "By rule", owner=None)
    for person, level in ((reader, "read"), (writer, "edit")):
        sharing_rule(scope, "deal", 'name == "By rule"', "member", person.id, level)
    for deal in (by_role, by_rule):
        with pytest.raises(Forbidden):
            update_record(as_person(scope, reader), "deal", record_id(deal), {"next_step": "x"})
        update_record(as_person(scope, writer), "deal", record_id(deal), {"next_step": "x"})


def test_details_go_with_what_they_belong_to(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    one, two = (make_person(scope) for _ in range(2))
    deal = make_deal(scope, owner=str(one.id), amount_from_lines=True)
    line = {"deal": deal["id"], "description": "Wheel", "quantity": "2", "unit_price": "5"}
    made = create_record(as_person(scope, one), "deal_line", line)
    assert get_record(as_person(scope, one), "deal", deal["id"])["amount"]["amount"] == "10.00"  # type: ignore[index]
    with pytest.raises(RecordNotFound):
        get_record(as_person(scope, two), "deal_line", made["id"])
    with pytest.raises((NotFound, InvalidRecord)):
        create_record(as_person(scope, two), "deal_line", line)
    with pytest.raises(RecordNotFound):
        update_record(as_person(scope, two), "deal_line", record_id(made), {"quantity": "3"})


def test_rights_are_asked_of_verbs_with_each_object(scope: TenantScope) -> None:
    role = make_role(scope, objects={"*": {"read": "all"}, "company": WORKER})
    asking = as_person(scope, make_person(scope, role))
    company = create_record(asking, "company", {"name": "Mine"})
    deal = make_deal(scope)
    for act in (
        lambda: create_record(asking, "deal", {"name": "x"}),
        lambda: update_record(asking, "deal", record_id(deal), {"name": "x"}),
        lambda: trash_record(asking, "deal", record_id(deal)),
        lambda: restore_record(asking, "deal", record_id(deal)),
        lambda: destroy_record(asking, "deal", record_id(deal)),
        lambda: bulk(asking, "deal", [{"name": "x"}]),
    ):
        with pytest.raises(Forbidden):
            act()
    trash_record(asking, "company", record_id(company))
