"""Unquoted commas and the word NULL: ragged rows are reported, not shifted; the rest arrives linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.imports import DATA, import_file, needs_data, query

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant

NORTHWIND = DATA / "crm" / "northwind"


@needs_data
def test_customers_and_their_orders(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant(currency="USD")
    customers = import_file(
        runtime, tenant, NORTHWIND / "customers.csv", object="company", null=["NULL"],
        map=["customerID=external_id", "companyName=name", "address=billing_address.line1", "city=billing_address.city",
             "region=billing_address.region", "postalCode=billing_address.postal_code",
             "country=billing_address.country", "phone=phone"],
    )  # fmt: skip
    assert (customers["rows"], customers["created"], customers["failed"]) == (91, 67, 24), customers
    assert "fax" in customers["unmapped"]
    orders = import_file(
        runtime, tenant, NORTHWIND / "orders.csv", object="deal", null=["NULL"], link_by=["company:external_id"],
        map=["orderID=external_id", "orderID=name", "customerID=company", "orderDate=close_on", "freight=amount"],
        set=["stage=won"],
    )  # fmt: skip
    assert (orders["rows"], orders["created"], orders["failed"]) == (830, 654, 176), orders
    linked = query(runtime, tenant, "select count(*), count(company), count(close_on), min(stage_status) from o_deal")
    assert linked == [(654, 654, 654, "won")]
    assert query(runtime, tenant, "select count(*) from o_company where billing_address__region = 'NULL'") == [(0,)]
