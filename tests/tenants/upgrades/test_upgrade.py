"""Tenants are carried from one release to another: nothing of theirs is lost, what both sides changed is told."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from app.metadata import catalog as catalogs
from app.metadata import history
from app.metadata.apply import Request, apply, owner_of
from app.metadata.changeset import chosen
from app.metadata.ddl.inspect import described
from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api, make_key
from tests.support.shaping import change, finish, sql, take_back
from tests.support.upgrades import bring, changed, in_force, present, tenant_of

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant

#: What tenants did of their own before the release came.
OWN = (
    "kind: field\nname: deal.vat_id\ntype: text\nlabel: VAT id\n",
    "kind: object\nname: deal\nlabel: {one: Opportunity}\n",
    "kind: field\nname: company.industry\nlabel: Trade\n",
    "kind: field\nname: deal.description\nremove: true\n",
    "kind: stage\nname: sales.negotiation\nlabel: Haggling\n",
    "kind: field\nname: task.effort\ntype: integer\nlabel: Effort\nindexed: true\n",
    (
        "kind: object\nname: machine\nlabel: {one: Machine, other: Machines}\nicon: package\ntitle: [serial]\nfields:\n"
        "  serial: {type: text, label: Serial, required: true, unique: true}\n"
        "  company: {type: link, label: Company, to: company, inverse: machines}\n"
    ),
    "kind: field\nname: deal.doubled\ntype: formula\nreturns: integer\nlabel: Doubled\nvalue: '1 + 1'\n",
)
#: What this release has that the one before had not, or called otherwise.
BEFORE = (
    "kind: object\nname: contact\nlabel: {one: Human, other: Humans}\n"
    "---\nkind: field\nname: lead.budget_year\ntype: integer\nlabel: Budget year\nindexed: true\n"
)
WITHOUT = (
    "object/deal/fields/next_step", "object/deal/fields/product", "object/affiliation",
    "object/deal/fields/source/options/website", "object/deal/pipelines/sales/stages/qualified",
)  # fmt: skip


def schema_of(runtime: Runtime, tenant: Tenant) -> dict[str, list[str]]:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return described(scope.execute, catalogs.whole(scope))


def objects_of(runtime: Runtime, tenant: Tenant) -> Any:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return catalogs.whole(scope).objects


def api_of(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    return Api(site, make_key(runtime.databases, tenant, "owner"))


def test_a_workspace_of_the_release_before_is_like_one_of_this_release_afterwards(runtime: Runtime) -> None:
    old = changed(BEFORE, without=WITHOUT)
    tenant = tenant_of(runtime, old)
    fresh = tenant_of(runtime, present())

    report = bring(runtime, present())

    assert report.complete
    assert report.done >= 1
    assert schema_of(runtime, tenant) == schema_of(runtime, fresh)
    assert objects_of(runtime, tenant).keys() == objects_of(runtime, fresh).keys()
    assert sql(runtime.databases, tenant, "select layer, hash from metadata_layer") == [("platform", present().hash)]
    assert bring(runtime, present()).found == 0


def test_thirty_workspaces_with_changes_of_their_own_keep_them(runtime: Runtime) -> None:
    old, chance = changed(BEFORE, without=WITHOUT), random.Random(30)  # noqa: S311 (no secret)
    ways = [tuple(sorted(chance.sample(range(len(OWN)), count))) for count in (0, 1, 2, 3, 4, 5)]
    workspaces: list[tuple[Tenant, tuple[int, ...]]] = []
    for _ in range(30):
        own = chance.choice(ways)
        tenant = tenant_of(runtime, old)
        for number in own:
            change(runtime.databases, tenant, OWN[number])
        workspaces.append((tenant, own))
    like: dict[tuple[int, ...], dict[str, list[str]]] = {}
    for _, own in workspaces:
        if own not in like:
            fresh = tenant_of(runtime, present())
            for number in own:
                change(runtime.databases, fresh, OWN[number])
            like[own] = schema_of(runtime, fresh)

    report = bring(runtime, present())

    assert report.complete
    for tenant, own in workspaces:
        assert schema_of(runtime, tenant) == like[own]
        objects = objects_of(runtime, tenant)
        assert ("vat_id" in objects["deal"].fields) == (0 in own)
        assert objects["deal"].label == ("Opportunity" if 1 in own else "Deal")
        assert ("description" in objects["deal"].fields) == (3 not in own)
        assert objects["contact"].label == "Contact"


def test_a_release_is_an_entry_of_the_history_that_can_be_taken_back(runtime: Runtime) -> None:
    tenant = tenant_of(runtime, changed("kind: object\nname: deal\nlabel: {one: Bargain}\n"))
    bring(runtime, present())
    with owner_of(runtime.databases, tenant) as connection:
        newest = history.changes(connection.execute, limit=1)[0]
    assert (newest["source"], newest["by"]) == ("platform", None)
    assert newest["leaves"] == [{"component": "object/deal", "path": "label/one", "before": "Bargain", "after": "Deal"}]
    take_back(runtime.databases, tenant, newest["id"])
    assert objects_of(runtime, tenant)["deal"].label == "Bargain"


def test_a_field_that_goes_stays_where_it_holds_values(site: Flask, runtime: Runtime) -> None:
    old = changed("kind: field\nname: deal.region\ntype: text\nlabel: Region\n")
    used, unused = tenant_of(runtime, old), tenant_of(runtime, old)
    api = api_of(site, runtime, used)
    deal = api.post("/records/deal", {"name": "Sale", "region": "North"})

    report = bring(runtime, present())

    assert "deal" in str(report.notices[str(used.id)])
    assert str(unused.id) not in report.notices
    assert api.get(f"/records/deal/{deal['id']}")["region"] == "North"
    assert "region" not in objects_of(runtime, unused)["deal"].fields
    change(runtime.databases, used, "kind: field\nname: deal.other\ntype: text\nlabel: Other\n")
    assert api.get(f"/records/deal/{deal['id']}")["region"] == "North"


def test_an_object_and_an_option_that_go_stay_where_they_are_used(site: Flask, runtime: Runtime) -> None:
    old = changed(
        "kind: object\nname: badge\nlabel: {one: Badge, other: Badges}\nicon: package\ntitle: [name]\nfields:\n"
        "  name: {type: text, label: Name, required: true}\n"
        "---\nkind: field\nname: deal.deal_type\noptions: {swap: Swap}\n"
    )
    tenant = tenant_of(runtime, old)
    api = api_of(site, runtime, tenant)
    badge = api.post("/records/badge", {"name": "Gold"})
    deal = api.post("/records/deal", {"name": "Sale", "deal_type": "swap"})

    bring(runtime, present())

    assert api.get(f"/records/badge/{badge['id']}")["name"] == "Gold"
    assert api.get(f"/records/deal/{deal['id']}")["deal_type"] == "swap"
    assert objects_of(runtime, tenant)["deal"].fields["deal_type"].options["swap"].retired
    change(runtime.databases, tenant, "kind: field\nname: badge.size\ntype: integer\nlabel: Size\n")
    assert api.get(f"/records/badge/{badge['id']}")["name"] == "Gold"


def test_a_field_of_another_type_is_left_with_its_values_until_it_is_taken(site: Flask, runtime: Runtime) -> None:
    old = changed("kind: field\nname: deal.score\ntype: text\nlabel: Score\n")
    new = changed("kind: field\nname: deal.score\ntype: integer\nlabel: Score\n")
    used, unused = tenant_of(runtime, old), tenant_of(runtime, old)
    api = api_of(site, runtime, used)
    deal = api.post("/records/deal", {"name": "Sale", "score": "12"})

    report = bring(runtime, new)

    assert [one["path"] for one in report.conflicts[str(used.id)]] == ["fields/score/type"]
    assert api.get(f"/records/deal/{deal['id']}")["score"] == "12"
    assert objects_of(runtime, unused)["deal"].fields["score"].type.name == "integer"

    node = ("object/deal", "fields/score/type")
    request = Request(source="settings", by=SYSTEM, confirm=True, keeps=False)
    apply(runtime.databases, used, lambda state: chosen(state, [], [node]), request)
    finish(runtime, used)
    assert api.get(f"/records/deal/{deal['id']}")["score"] == 12


def test_a_field_that_a_workspaces_own_formula_counts_on_keeps_its_type(runtime: Runtime) -> None:
    old = changed("kind: field\nname: deal.score\ntype: integer\nlabel: Score\n")
    new = changed("kind: field\nname: deal.score\ntype: text\nlabel: Score\n")
    tenant = tenant_of(runtime, old)
    change(
        runtime.databases, tenant,
        "kind: field\nname: deal.better\ntype: formula\nreturns: integer\nlabel: Better\nvalue: score + 1\n",
    )  # fmt: skip
    report = bring(runtime, new)
    assert [one["path"] for one in report.conflicts[str(tenant.id)]] == ["fields/score/type"]
    assert objects_of(runtime, tenant)["deal"].fields["better"].formula.problem == ""


def test_an_index_on_a_large_object_is_left_to_a_job(runtime: Runtime) -> None:
    tenant, small = tenant_of(runtime, present()), tenant_of(runtime, present())
    sql(
        runtime.databases, tenant,
        "insert into o_lead (id, last_name, description) select uuidv7(), 'L' || n, repeat(md5(n::text), 20)"
        " from generate_series(1, 3000) n",
    )  # fmt: skip
    text = "kind: field\nname: lead.{}\ntype: integer\nlabel: Budget year\nindexed: {}\n"
    bring(runtime, changed(text.format("budget_year", "false")))
    report = bring(runtime, changed(text.format("budget_year", "true")))
    assert report.complete
    assert sql(runtime.databases, small, "select state from metadata_work") == []
    assert sql(runtime.databases, tenant, "select state, spec->>'op' from metadata_work") == [("queued", "add_index")]
    assert {state for _, state, _ in finish(runtime, tenant)} == {"done"}
    assert schema_of(runtime, tenant) == schema_of(runtime, small)


def test_equal_workspaces_share_one_plan(runtime: Runtime) -> None:
    old = changed("", without=["object/deal/fields/next_step"])
    tenants = [tenant_of(runtime, old, currency=currency) for currency in ("EUR", "USD", "GBP", "EUR")]
    change(runtime.databases, tenants[0], OWN[0])
    report = bring(runtime, present())
    assert (report.done, report.plans) == (4, 2)


def test_a_name_that_both_chose_belongs_to_the_workspace(site: Flask, runtime: Runtime) -> None:
    tenant = tenant_of(runtime, present())
    change(runtime.databases, tenant, "kind: field\nname: deal.region\ntype: text\nlabel: Area\n")
    api = api_of(site, runtime, tenant)
    deal = api.post("/records/deal", {"name": "Sale", "region": "North"})

    report = bring(runtime, changed("kind: field\nname: deal.region\ntype: text\nlabel: Region\n"))

    assert [one["path"] for one in report.conflicts[str(tenant.id)]] == ["fields/region/label"]
    assert api.get(f"/records/deal/{deal['id']}")["region"] == "North"
    assert objects_of(runtime, tenant)["deal"].fields["region"].label == "Area"


def test_a_dry_run_tells_and_changes_nothing(runtime: Runtime) -> None:
    old = changed("", without=["object/deal/fields/next_step"])
    tenant = tenant_of(runtime, old)
    report = bring(runtime, present(), dry=True)
    assert report.steps["add field deal.next_step (instant)"] >= 1
    assert sql(runtime.databases, tenant, "select hash from metadata_layer") == [(old.hash,)]
    assert bring(runtime, present()).complete


def test_a_newer_release_is_served_as_far_as_it_is_understood(site: Flask, runtime: Runtime) -> None:
    tenant = tenant_of(runtime, present())
    api = api_of(site, runtime, tenant)
    company = api.post("/records/company", {"name": "Acme"})
    newer = changed("kind: field\nname: company.slogan\ntype: text\nlabel: Slogan\n")
    assert bring(runtime, newer).complete
    assert api.get(f"/records/company/{company['id']}")["slogan"] is None

    sql(
        runtime.databases, tenant,
        "insert into metadata_override (component, path, base, value) values"
        " ('object/company', 'fields/aura/type', null, '\"aura\"'),"
        " ('object/company', 'fields/aura/label', null, '\"A\"')",
    )  # fmt: skip
    sql(runtime.databases, tenant, "update pod.tenant set version = version + 1 where id = %s", tenant.id)
    assert "aura" not in api.get(f"/records/company/{company['id']}")
    api.post("/records/company", {"name": "Other"})
    sql(runtime.databases, tenant, "delete from metadata_override where path like 'fields/aura/%%'")
    sql(runtime.databases, tenant, "update pod.tenant set version = version + 1 where id = %s", tenant.id)


@pytest.mark.parametrize("state", ["suspended", "active"])
def test_who_is_suspended_is_brought_along(runtime: Runtime, state: str) -> None:
    tenant = tenant_of(runtime, changed("", without=["object/deal/fields/next_step"]))
    sql(runtime.databases, tenant, "update pod.tenant set state = %s where id = %s", state, tenant.id)
    assert bring(runtime, present()).complete
    assert sql(runtime.databases, tenant, "select hash from metadata_layer") == [(present().hash,)]


def test_documents_of_releases_are_read_as_written(runtime: Runtime) -> None:
    old = changed(BEFORE, without=WITHOUT)
    in_force(runtime, old)
    with runtime.databases.pod_owner(1).connect() as connection:
        kept = connection.exec_driver_sql("select document from pod.layer where hash = %s", (old.hash,)).scalar_one()
    assert kept == old.document


@pytest.mark.parametrize("write", [False, True])
def test_a_process_fetches_a_document_it_does_not_know_within_the_tenant(runtime: Runtime, write: bool) -> None:
    old = changed(BEFORE, without=WITHOUT)
    tenant = tenant_of(runtime, old)
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=write) as scope:
        assert scope.ask_login("select pod.layer_document(%s)", (old.hash,)) == old.document
        row = scope.execute("select current_user, current_schema, count(*) from metadata_layer").fetchone()
    assert row == (tenant.role, tenant.schema, 1)
