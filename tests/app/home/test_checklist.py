"""The first steps: in the workspace's own words, and of nothing one may not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.home.checklist import steps
from app.records.write import create_record
from tenants.scope import SYSTEM, enter_job
from tests.support.desk import Desk
from tests.support.rights import make_person, make_role
from tests.support.shaping import change
from tests.support.web import build_site

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant

RENAMED = "{kind: object, name: deal, label: {one: Opportunity, other: Opportunities}}"


def test_steps_use_the_words_of_the_workspace(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(runtime.databases, tenant, RENAMED)
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        found = steps(scope)
    assert [one.title for one in found] == [
        "Add your first company", "Bring your data", "Create an opportunity", "Write down what is next",
        "Invite a colleague",
    ]  # fmt: skip
    assert found[1].text == "A CSV file of companies, contacts or opportunities."
    assert not any(one.done for one in found)


def test_whoever_may_not_see_deals_is_not_asked_for_one(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    works = {"read": "all", "create": True, "edit": "all"}
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        role = make_role(scope, objects={"*": works, "deal": {"read": "none"}})
        person = make_person(scope, role)
    desk = Desk(build_site(runtime), runtime, tenant, person)
    home = desk.get("/").text
    assert "Add your first company" in home
    assert "Create a deal" not in home
    assert "Write down what is next" in home


def test_a_lead_becomes_no_deal_of_whoever_makes_none(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(runtime.databases, tenant, RENAMED)
    works = {"read": "all", "create": True, "edit": "all"}
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        lead = create_record(scope, "lead", {"last_name": "Bee"})["id"]
        roles = [make_role(scope, objects={"*": works, **more}) for more in ({}, {"deal": {"read": "all"}})]
        people = [make_person(scope, role) for role in roles]
    site = build_site(runtime)
    offered, plain = (Desk(site, runtime, tenant, one).get(f"/records/lead/{lead}/convert").text for one in people)
    assert "With a new opportunity" in offered
    assert "Name of the opportunity" in offered
    assert "deal_name" not in plain
