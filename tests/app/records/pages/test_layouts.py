"""Record pages follow the layouts of the workspace: first fit, conditions, roles, nothing lost."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.desk import Desk, fields_in, panel_in, tabs_in
from tests.support.rights import make_person, make_role
from tests.support.shaping import change
from tests.support.statements import counted
from tests.support.tenants import owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

LAYOUTS = """
kind: layout
name: company.customer
label: Customer
rank: "010"
when: 'kind == "household"'
highlights: [industry, phone]
tabs:
  overview:
    label: Overview
    sections:
      about:
        label: About
        columns: 2
        fields:
          industry: {}
          website: {label: Home page, wide: true}
          phone: {when: 'industry == "finance"'}
      money: {label: Money, when: "annual_revenue > 1000000", collapsed: true, fields: [annual_revenue]}
    related:
      deals: {label: Their deals, columns: [amount, owner, company.industry]}
  people: {label: People, related: [contacts]}
  banks: {label: Banks only, when: 'industry == "finance"', sections: {x: {label: X, fields: [employees]}}}
---
kind: layout
name: company.rest
label: Everything else
rank: "020"
tabs: {only: {label: Only, sections: {a: {label: A, fields: [name]}}}}
"""


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def api(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    return Api(site, make_key(runtime.databases, tenant, "owner"))


@pytest.fixture
def desk(site: Flask, runtime: Runtime, tenant: Tenant) -> Desk:
    return Desk(site, runtime, tenant)


def company(api: Api, **values: Any) -> str:
    return f"/records/company/{api.post('/records/company', {'name': 'Kestrel', **values})['id']}"


def test_without_a_layout_the_page_is_arranged_by_itself(desk: Desk, api: Api) -> None:
    html = desk.get(company(api)).text
    assert tabs_in(html) == []
    assert "industry" in fields_in(html)


def test_a_page_follows_the_first_layout_that_fits_and_loses_nothing(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    before = fields_in(desk.get(company(api)).text)
    change(runtime.databases, tenant, LAYOUTS)
    html = desk.get(company(api, kind="household", industry="technology")).text
    assert tabs_in(html) == ["overview", "people", "all-fields", "all-related"]
    assert fields_in(panel_in(html, "overview")) == ["industry", "website"]
    assert "Home page" in panel_in(html, "overview")
    assert "Their deals" in panel_in(html, "overview")
    assert "phone" in fields_in(panel_in(html, "all-fields"))
    assert sorted(fields_in(html)) == sorted(before)
    assert tabs_in(desk.get(company(api)).text) == ["only", "all-fields", "all-related"]


def related_in(desk: Desk, path: str, layout: str) -> list[str]:
    """The lists under "All related", which the page reads when somebody looks."""
    page = desk.get(path).text
    address = f"{path}/related?layout={layout}&amp;tab=all-related"
    assert f'hx-get="{address}"' in page
    return re.findall(
        r'<h2 id="related-all-related-\d+" class="font-semibold">([^<]*)<', desk.get(unescape(address)).text
    )


def test_lists_a_layout_leaves_out_stand_under_all_related(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    change(runtime.databases, tenant, "{kind: layout, name: company.customer, tabs: {people: {when: employees > 5}}}")
    path = company(api, kind="household")
    mine = path.rpartition("/")[2]
    api.post("/records/company", {"name": "Branch", "parent": mine})
    api.post("/records/deal", {"name": "Order", "company": mine})
    lead = api.post("/records/lead", {"last_name": "Bee", "company_name": "Kestrel"})["id"]
    api.post(f"/records/lead/{lead}/convert", {"company": mine}, status=200)
    found = related_in(desk, path, "customer")
    assert "Open deals" not in found
    assert {"People", "Subsidiaries", "Made from"} <= set(found)
    assert "Open tasks" not in found
    api.call("PATCH", path, {"employees": 9})
    assert "People" not in related_in(desk, path, "customer")
    api.call("PATCH", path, {"kind": "organisation"})
    assert {"People", "Open deals", "Subsidiaries"} <= set(related_in(desk, path, "rest"))


def test_lists_of_what_one_may_not_read_are_not_under_all_related_either(
    desk: Desk, api: Api, site: Flask, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    path = company(api)
    api.post("/records/deal", {"name": "Order", "company": path.rpartition("/")[2]})
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        role = make_role(scope, objects={"*": {"read": "all"}, "deal": {}})
        person = make_person(scope, role)
    assert "Open deals" in related_in(desk, path, "rest")
    assert "Open deals" not in related_in(Desk(site, runtime, tenant, person), path, "rest")


def test_tabs_sections_and_fields_show_as_their_conditions_hold(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    path = company(api, kind="household", industry="finance", annual_revenue={"amount": "2000000", "currency": "EUR"})
    html = desk.get(path).text
    assert tabs_in(html) == ["overview", "people", "banks", "all-fields", "all-related"]
    assert fields_in(panel_in(html, "overview")) == ["industry", "website", "phone", "annual_revenue"]
    assert fields_in(panel_in(desk.get(f"{path}?tab=banks").text, "banks")) == ["employees"]
    assert 'aria-selected="true" tabindex="0" class="tab tab-active"' in desk.get(f"{path}?tab=banks").text
    api.call("PATCH", path, {"industry": "technology"})
    assert tabs_in(desk.get(path).text) == ["overview", "people", "all-fields", "all-related"]


def test_an_edit_tells_when_the_page_is_to_be_arranged_anew(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    path = company(api, kind="household", industry="technology")
    shape = desk.get(path).text.split('data-shape="')[1][:16]
    same = desk.post(f"{path}/fields/website", website="https://example.com", version="1").text
    assert f'data-arranged-shape-value="{shape}"' in same
    other = desk.post(f"{path}/fields/industry", industry="finance", version="2").text
    assert f'data-arranged-shape-value="{shape}"' not in other
    assert "data-arranged-shape-value" in other


def test_related_lists_have_the_columns_chosen_over_links_too(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    path = company(api, kind="household", industry="technology")
    api.post("/records/deal", {"name": "Pumps", "company": path.rpartition("/")[2], "amount": "12.50"})
    panel = panel_in(desk.get(path).text, "overview")
    assert "Pumps" in panel
    assert "12.50" in panel
    assert "Company: industry" in panel
    again = desk.get(f"{path}/related?layout=customer&tab=overview").text
    assert "Pumps" in again
    assert 'id="related-overview"' in again


def test_who_may_not_read_a_field_sees_it_nowhere_and_conditions_still_hold(
    site: Flask, desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    path = company(api, kind="household", industry="finance")
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        role = make_role(
            scope, objects={"*": {"read": "all"}}, fields={"company": {"industry": "none", "kind": "none"}}
        )
        person = make_person(scope, role)
    reader = Desk(site, runtime, tenant, person)
    html = reader.get(path).text
    assert tabs_in(html) == ["overview", "people", "banks", "all-fields", "all-related"]
    assert fields_in(panel_in(html, "overview")) == ["website", "phone"]
    assert not {"industry", "kind"} & set(fields_in(html))
    assert "inance" not in html


def test_a_layout_is_for_the_roles_it_names(
    site: Flask, desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS.replace('rank: "010"', 'rank: "010"\nroles: [member]'))
    path = company(api, kind="household")
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        person = make_person(scope, "member")
    assert tabs_in(desk.get(path).text) == ["only", "all-fields", "all-related"]
    assert tabs_in(Desk(site, runtime, tenant, person).get(path).text) == [
        "overview",
        "people",
        "all-fields",
        "all-related",
    ]


def test_what_rules_hide_is_hidden_on_the_page_with_and_without_a_layout(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    rule = "{kind: rule, name: company.banks, when: 'industry == \"finance\"', visible: [phone, website]}"
    change(runtime.databases, tenant, rule)
    plain, bank = (
        company(api, kind="household", industry="technology"),
        company(api, kind="household", industry="finance"),
    )
    for _ in range(2):
        assert not {"phone", "website"} & set(fields_in(desk.get(plain).text))
        assert {"phone", "website"} <= set(fields_in(desk.get(bank).text))
        change(runtime.databases, tenant, LAYOUTS)


def test_more_layouts_cost_no_more_statements(desk: Desk, api: Api, runtime: Runtime, tenant: Tenant) -> None:
    change(runtime.databases, tenant, LAYOUTS.replace('kind == "household"', 'parent.industry != "finance"'))
    path = company(api, industry="technology")

    def asked() -> int:
        desk.get(path)
        with counted() as sent:
            html = desk.get(path).text
        assert "overview" in tabs_in(html)
        return len(sent)

    before = asked()
    more = "{{kind: layout, name: company.more_{0}, label: More {0}, rank: '00{0}', when: 'parent.name == \"{0}\"',"
    tab = " tabs: {{a: {{label: A, when: 'parent.phone == \"{0}\"'}}}}}}"
    change(runtime.databases, tenant, "\n---\n".join((more + tab).format(one) for one in range(1, 7)))
    assert asked() == before


def test_the_form_of_a_new_record_follows_the_layout_as_it_is_filled_in(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    change(runtime.databases, tenant, LAYOUTS)
    html = desk.get("/records/company/new?kind=household").text
    names = re.findall(r'data-live-name="([a-z_]+)"', html)
    assert names[0] == "name"
    assert names.index("website") < names.index("employees") < names.index("domain")
    assert 'name="layout" value="customer"' in html
    assert ">About</bdi>" in html
    sent = {"layout": "customer", "name": "Kestrel", "kind": "household"}
    hidden = desk.post("/records/company/live", industry="technology", **sent).response.json["hidden"]
    assert hidden == ["annual_revenue", "employees", "phone"]
    assert desk.post("/records/company/live", industry="finance", **sent).response.json["hidden"] == ["annual_revenue"]
    made = desk.post("/records/company/new", **sent)
    assert made.status == 200


def test_what_a_layout_names_can_be_renamed_and_its_page_follows(
    desk: Desk, api: Api, runtime: Runtime, tenant: Tenant
) -> None:
    own = LAYOUTS.replace("industry", "line").replace("[amount, owner, company.line]", "[volume, company.line]")
    fields = """
{kind: field, name: company.line, type: text, label: Line}
---
{kind: field, name: deal.volume, type: integer, label: Volume}
---
{kind: view, name: deal.sums, label: Sums, shape: board, group_by: company, metrics: ["sum:volume"], sort: [-volume]}
---"""
    change(runtime.databases, tenant, fields + own)
    path = company(api, kind="household", line="technology")
    change(runtime.databases, tenant, "{kind: field, name: company.trade, renamed_from: line}")
    change(runtime.databases, tenant, "{kind: field, name: deal.size, renamed_from: volume}")
    html = desk.get(path).text
    assert fields_in(panel_in(html, "overview")) == ["trade", "website"]
    assert tabs_in(html) == ["overview", "people", "all-fields", "all-related"]
    found = {one["name"]: one["spec"] for one in api.get("/metadata")["components"]}
    deals = found["company.customer"]["tabs"]["overview"]["related"]["deals"]
    assert deals["columns"] == ["size", "company.trade"]
    assert (found["deal.sums"]["metrics"], found["deal.sums"]["sort"]) == (["sum:size"], ["-size"])
