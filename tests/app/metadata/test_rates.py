"""Dated rates said by metadata are what sums convert by, whichever way a change comes, goes and is kept from coming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.metadata.problems import InvalidComponents
from app.records.aggregate import aggregate
from app.records.query import AggregateQuery
from app.records.write import create_record
from tenants.scope import enter_job
from tests.support.shaping import change, sql, take_back
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

RATES = "kind: currency\nname: USD\nrates: {2017-01-01: 0.9, 2018-01-01: 0.5}\n"
DEALS = (("2016-06-01", "100"), ("2017-06-01", "10"), ("2018-01-01", "1"))


@pytest.fixture
def tenant(databases: Databases, new_tenant: NewTenant) -> Tenant:
    made = new_tenant()
    with enter_job(databases, made.id, actor=owner_of(databases, made), write=True) as scope:
        for day, amount in DEALS:
            money = {"amount": amount, "currency": "USD"}
            create_record(scope, "deal", {"name": day, "close_on": day, "amount": money})
    return made


def total(databases: Databases, tenant: Tenant, **query: Any) -> Any:
    with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=False) as scope:
        return aggregate(scope, "deal", AggregateQuery(metrics=("sum:amount",), **query))["data"]


def euros(amount: str) -> list[dict[str, Any]]:
    return [{"group": {}, "sum_amount": {"amount": amount, "currency": "EUR"}}]


def test_rates_said_by_metadata_convert_sums_each_from_its_day_on(databases: Databases, tenant: Tenant) -> None:
    assert total(databases, tenant) == euros("0.00")
    change(databases, tenant, RATES)
    assert total(databases, tenant) == euros("99.50")
    # The earliest rate serves the days before it; conditions convert by today's.
    assert total(databases, tenant, filter="amount >= 50") == euros("90.00")
    assert total(databases, tenant, filter="amount > 50") == euros("0.00")


def test_a_rate_changed_taken_away_and_taken_back_changes_the_sums_with_it(
    databases: Databases, tenant: Tenant
) -> None:
    change(databases, tenant, RATES)
    other = change(databases, tenant, "kind: currency\nname: USD\nrates: {2017-01-01: 0.8, 2018-01-01: null}\n")
    assert total(databases, tenant) == euros("88.80")
    assert other.change
    take_back(databases, tenant, other.change)
    assert total(databases, tenant) == euros("99.50")
    gone = change(databases, tenant, "kind: currency\nname: USD\nremove: true\n")
    assert total(databases, tenant) == euros("0.00")
    assert sql(databases, tenant, "select * from rate") == []
    assert gone.change
    take_back(databases, tenant, gone.change)
    assert total(databases, tenant) == euros("99.50")


def test_rates_of_other_currencies_stay_when_one_changes(databases: Databases, tenant: Tenant) -> None:
    change(databases, tenant, "kind: currency\nname: GBP\nrates: {2020-01-01: 1.2}\n")
    change(databases, tenant, RATES)
    change(databases, tenant, "kind: currency\nname: USD\nlabel: Dollar\n")
    found = sql(databases, tenant, "select currency, day::text, rate::text from rate order by 1, 2")
    assert found == [("GBP", "2020-01-01", "1.2"), ("USD", "2017-01-01", "0.9"), ("USD", "2018-01-01", "0.5")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("name: USD\nrates: {2026-02-30: 1}", "a day that does not exist"),
        ("name: USD\nrates: {2026-02-03: 0}", "more than nothing"),
        ("name: USD\nrates: {2026-02-03: 0.000}", "more than nothing"),
        ("name: QQQ\nactive: true", "no currency"),
    ],
)
def test_what_can_be_no_rate_is_refused_with_words(databases: Databases, tenant: Tenant, said: str, told: str) -> None:
    with pytest.raises(InvalidComponents, match=told):
        change(databases, tenant, f"kind: currency\n{said}\n")
