"""Whom and what somebody reaches is kept between requests, and never longer than it is true."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.access import shares, teams
from app.core.errors import Forbidden
from app.records import reaching
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.write import update_record
from tenants.scope import enter_job
from tests.support.records import make_deal, record_id
from tests.support.rights import make_person, share, share_by_default
from tests.support.statements import counted
from tests.support.tenants import PATIENT, owner_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from uuid import UUID

    from app.core.db import Databases
    from tenants.scope import Actor, Tenant, TenantScope
    from tests.support.tenants import NewTenant


@dataclass
class Office:
    """A workspace whose deals are open to teams and managers; one of them belongs to the boss, whom nobody is below."""

    databases: Databases
    tenant: Tenant
    owner: Actor
    ada: UUID
    boss: UUID
    deal: UUID

    def act(self) -> AbstractContextManager[TenantScope]:
        """A transaction of the owner's, committed."""
        return enter_job(self.databases, self.tenant.id, actor=self.owner, write=True, budget=PATIENT)

    def ask(self, member: UUID, action: str = "read") -> AbstractContextManager[TenantScope]:
        """A transaction of somebody's."""
        return enter_job(
            self.databases, self.tenant.id, actor=self.owner, write=action == "edit", budget=PATIENT, member=member
        )

    def seen(self, member: UUID) -> set[str]:
        """Names of the deals somebody sees."""
        with self.ask(member) as scope:
            return {str(row["name"]) for row in list_records(scope, "deal", ListQuery(limit=200)).rows}


@pytest.fixture
def office(databases: Databases, new_tenant: NewTenant) -> Office:
    tenant = new_tenant()
    owner = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        share_by_default(scope, "deal", "hierarchy")
        ada, boss = make_person(scope), make_person(scope)
        deal = make_deal(scope, "Boss's", owner=str(boss.id))
    return Office(databases, tenant, owner, ada.id, boss.id, record_id(deal))


def test_it_is_read_once_and_then_known(office: Office) -> None:
    assert office.seen(office.ada) == set()
    with counted() as sent:
        assert office.seen(office.ada) == set()
    assert [("manager_reach" in text, "FROM o_deal" in text) for text in sent.texts] == [(False, True)]


def test_a_record_given_or_taken_back_is_there_or_gone_with_the_next_request(office: Office) -> None:
    assert office.seen(office.ada) == set()
    with office.act() as scope:
        made = shares.put_share(scope, "deal", office.deal, kind="member", grantee=str(office.ada))
    assert office.seen(office.ada) == {"Boss's"}
    with office.act() as scope:
        shares.drop_share(scope, "deal", office.deal, made.id)
    assert office.seen(office.ada) == set()


def test_teams_and_managers_act_with_the_next_request(office: Office) -> None:
    assert office.seen(office.ada) == set()
    with office.act() as scope:
        teams.set_manager(scope, office.boss, office.ada)
    assert office.seen(office.ada) == {"Boss's"}
    with office.act() as scope:
        teams.set_manager(scope, office.boss, None)
    assert office.seen(office.ada) == set()
    with office.act() as scope:
        north = teams.create_team(scope, name="North").id
        update_record(scope, "deal", office.deal, {"team": str(north)})
        teams.put_member(scope, north, office.ada)
    assert office.seen(office.ada) == {"Boss's"}
    with office.act() as scope:
        teams.remove_member(scope, north, office.ada)
    assert office.seen(office.ada) == set()


def test_what_was_rolled_back_is_not_known_to_anybody(office: Office) -> None:
    class ChangedMyMindError(Exception):
        pass

    with pytest.raises(ChangedMyMindError), office.act() as scope:
        share(scope, "deal", office.deal, "member", office.ada)
        assert office.seen(office.ada) == set()
        raise ChangedMyMindError
    assert office.seen(office.ada) == set()


def test_it_is_known_no_longer_than_until_the_first_share_is_over(office: Office) -> None:
    with office.act() as scope:
        other = make_deal(scope, "Other", owner=str(office.boss))
        share(scope, "deal", office.deal, "member", office.ada, expires="1 hour")
        share(scope, "deal", other["id"], "member", office.ada, expires="1 day")
    with office.ask(office.ada) as scope:
        left = reaching.reaching_of(scope).until - time.monotonic()
    assert 0 < left <= 3600


@pytest.mark.parametrize("count", [reaching.MANY - 1, reaching.MANY + 1, reaching.MOST + 1])
def test_however_many_records_were_given_the_same_ones_are_seen_and_changed(office: Office, count: int) -> None:
    with office.act() as scope:
        read = make_deal(scope, "To be read", owner=str(office.boss))
        share(scope, "deal", office.deal, "member", office.ada, "edit")
        share(scope, "deal", read["id"], "member", office.ada, "read")
        scope.execute(
            "insert into share (object, record_id, grantee_kind, grantee, level)"
            " select 'deal', uuidv7(), 'member', %s, 'edit' from generate_series(1, %s)",
            (str(office.ada), count),
        )
    assert office.seen(office.ada) == {"Boss's", "To be read"}
    with office.ask(office.ada, "edit") as scope:
        assert update_record(scope, "deal", office.deal, {"next_step": "Call"})["next_step"] == "Call"
    with office.ask(office.ada, "edit") as scope, pytest.raises(Forbidden):
        update_record(scope, "deal", record_id(read), {"next_step": "Call"})


def test_ids_make_room_for_others_before_they_fill_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "_kept", type(reaching._kept)())
    monkeypatch.setattr(reaching, "_weight", 0)
    big = reaching.Reaching(teams=reaching.IdArray(reaching._KEPT // 3))
    for name in "abcdc":
        reaching._keep(name, big)
    assert list(reaching._kept) == ["d", "c"]
    assert reaching._weight == 2 * big.weight
