"""Who shares a record gives what they have; who opens records by a condition reads all that it compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.access import shares
from app.core.errors import Forbidden, InvalidInput
from app.rights import roles, sharing
from app.rights.explain import explain
from tests.support.records import make_deal, record_id
from tests.support.rights import WORKER, as_person, make_person, make_role, share_by_default

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def test_who_manages_rights_shares_for_reading_what_they_may_only_read(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "everyone", "private")
    keeper = make_person(scope, make_role(scope, special=["rights"]))
    other = make_person(scope)
    deal = record_id(make_deal(scope, owner=None))
    asking = as_person(scope, keeper)
    assert sharing.may_give(asking, "deal", deal) == ("read",)
    for grantee in (keeper, other):
        with pytest.raises(Forbidden):
            sharing.share_record(asking, "deal", deal, kind="member", grantee=str(grantee.id), level="edit")
    given = sharing.share_record(asking, "deal", deal, kind="member", grantee=str(other.id))
    assert given.level == "read"
    sharing.unshare_record(asking, "deal", deal, given.id)
    assert shares.list_shares(scope, "deal", deal) == []


def test_who_edits_shares_for_both_and_who_only_reads_for_nothing(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "everyone", "private")
    mine, other = (make_person(scope) for _ in range(2))
    deal = record_id(make_deal(scope, owner=str(mine.id)))
    assert sharing.may_give(as_person(scope, mine), "deal", deal) == ("read", "edit")
    assert sharing.may_give(as_person(scope, other), "deal", deal) == ()
    with pytest.raises(Forbidden):
        sharing.share_record(as_person(scope, other), "deal", deal, kind="member", grantee=str(other.id))


def test_nothing_is_opened_by_what_its_writer_may_not_read(scope: TenantScope) -> None:
    hiding = make_role(scope, fields={"deal": {"amount": "none"}}, special=["rights"])
    blind = make_role(scope, objects={"*": WORKER, "lead": {}}, special=["rights"])
    rule = {"name": "Large", "kind": "role", "grantee": "member", "level": "read"}
    for role, object_name, condition in ((hiding, "deal", "amount > 500"), (blind, "lead", "owner == me")):
        asking = as_person(scope, make_person(scope, role))
        with pytest.raises(InvalidInput):
            sharing.put_rule(asking, {**rule, "object": object_name, "condition": condition})
    asking = as_person(scope, make_person(scope, hiding))
    hides = {"deal": {"amount": "none"}}
    rows = {"deal": {"read": "amount > 500"}}
    with pytest.raises(InvalidInput):
        roles.creating(asking, {"label": "Large", "objects": {"deal": WORKER}, "fields": hides, "rows": rows})
    assert sharing.put_rule(asking, {**rule, "object": "deal", "condition": "owner == me"}).object == "deal"


def test_nobody_makes_a_role_that_shows_fields_their_own_hides_whatever_objects_it_names(scope: TenantScope) -> None:
    hides = {"deal": {"amount": "none"}}
    asking = as_person(scope, make_person(scope, make_role(scope, fields=hides, special=["rights"])))
    for fields in ({}, {"deal": {"amount": "read"}}, {"company": {"name": "none"}}):
        with pytest.raises(Forbidden):
            roles.creating(asking, {"label": "Seeing", "objects": {"*": WORKER}, "fields": fields})
    assert roles.creating(asking, {"label": "Blind", "objects": {"*": WORKER}, "fields": hides}).role.fields == hides


def test_why_says_nothing_of_hidden_fields_to_who_may_not_read_them(scope: TenantScope) -> None:
    share_by_default(scope, "deal", "private")
    opens = {"deal": {"read": "amount > 500"}}
    mine = make_person(scope, make_role(scope, fields={"deal": {"amount": "none"}}, rows=opens))
    deal = record_id(make_deal(scope, owner=None, amount="900"))
    told = str(explain(as_person(scope, mine), mine.id, "deal", deal).public())
    assert "amount" not in told.lower()
    assert "meets the condition" in told
    whole = str(explain(scope, mine.id, "deal", deal).public())
    assert "amount > 500" in whole
    assert "'Amount'" in whole
