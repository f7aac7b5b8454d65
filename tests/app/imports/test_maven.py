"""A year of a sales team: 85 companies, 7 products, 8,800 deals, in the three ways the figures are known for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.records.aggregate import aggregate
from app.records.query import AggregateQuery
from tenants.scope import enter_job
from tests.support.imports import DATA, import_file, needs_data, query
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant

MAVEN = DATA / "crm" / "maven"
pytestmark = needs_data

DEALS: dict[str, Any] = {
    "object": "deal",
    "map": [
        "opportunity_id=external_id", "opportunity_id=name", "account=company", "product=product",
        "sales_agent=owner", "engage_date=opened_on", "close_date=close_on", "close_value=amount", "deal_stage=stage",
    ],
    "map_value": ["stage:Won=won", "stage:Lost=lost", "stage:Engaging=qualified", "stage:Prospecting=new"],
}  # fmt: skip


def with_catalogue(runtime: Runtime, tenant: Tenant) -> None:
    companies = import_file(
        runtime, tenant, MAVEN / "accounts.csv", object="company",
        map=["account=name", "sector=industry", "revenue=annual_revenue", "office_location=billing_address.country",
             "subsidiary_of=parent"],
        options=["industry:create"], map_value=["billing_address.country:Philipines=Philippines"],
    )  # fmt: skip
    assert (companies["created"], companies["failed"], companies["warnings"]) == (85, 0, 0), companies
    products = import_file(
        runtime, tenant, MAVEN / "products.csv", object="product",
        map=["product=name", "product=code", "series=family", "sales_price=price"], options=["create"],
    )  # fmt: skip
    assert (products["created"], products["failed"]) == (7, 0), products


def counts(result: dict[str, Any]) -> tuple[int, int, int, int]:
    assert result["state"] == "done", result
    assert result["rows"] == result["created"] + result["updated"] + result["skipped"] + result["failed"]
    return result["rows"], result["created"], result["failed"], result["warnings"]


def figures(
    runtime: Runtime, tenant: Tenant, group_by: tuple[str, ...], filter_: str = ""
) -> dict[str, tuple[int, Any]]:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        found = aggregate(
            scope, "deal", AggregateQuery(group_by=group_by, metrics=("count", "sum:amount"), filter=filter_)
        )
    return {
        "|".join(str(part) for part in group["group"].values()): (
            group["count"],
            Decimal(group["sum_amount"]["amount"]),
        )
        for group in found["data"]
    }


def test_links_left_empty_where_the_product_is_unknown(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant(currency="USD")
    with_catalogue(runtime, tenant)
    links = ["owner:create", "company:empty", "product:empty"]
    result = import_file(runtime, tenant, MAVEN / "sales_pipeline.csv", **DEALS, links=links)
    assert counts(result) == (8800, 8800, 0, 1480)
    stages = figures(runtime, tenant, ("stage",))
    assert stages["won"] == (4238, Decimal(10_005_534))
    assert (stages["lost"][0], stages["qualified"][0], stages["new"][0]) == (2473, 1589, 500)
    quarters = figures(runtime, tenant, ("close_on:quarter",), 'stage == "won"')
    assert [int(quarters[f"2017-Q{quarter}"][1]) for quarter in (1, 2, 3, 4)] == [1134672, 3086111, 2982255, 2802496]
    assert query(runtime, tenant, "select count(*) from member where status = 'inactive'") == [(30,)]
    assert query(runtime, tenant, "select count(*) from o_deal where company is null") == [(1425,)]
    assert query(runtime, tenant, "select count(*) from o_deal where opened_on is null") == [(500,)]
    assert query(
        runtime,
        tenant,
        "select count(*), count(distinct record_id) from event where object = 'deal' and kind = 'created'",
    ) == [(8800, 8800)]
    assert query(
        runtime, tenant, "select diff ->> 'created' from event where kind = 'imported' and object = 'deal'"
    ) == [("8800",)]


def test_rows_refused_where_the_product_is_unknown(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant(currency="USD")
    with_catalogue(runtime, tenant)
    links = ["owner:create", "product:error"]
    result = import_file(runtime, tenant, MAVEN / "sales_pipeline.csv", **DEALS, links=links)
    assert counts(result) == (8800, 7320, 1480, 0)


def test_a_value_mapping_finds_every_product(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant(currency="USD")
    with_catalogue(runtime, tenant)
    options = DEALS | {"map_value": [*DEALS["map_value"], "product:GTXPro=GTX Pro"], "links": ["owner:create"]}
    result = import_file(runtime, tenant, MAVEN / "sales_pipeline.csv", **options)
    assert counts(result) == (8800, 8800, 0, 0)
    assert figures(runtime, tenant, ("stage",))["won"] == (4238, Decimal(10_005_534))
