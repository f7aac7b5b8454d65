"""Groups and figures: keys by grain, zero and nothing, money by dated rates, what could not be converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.aggregate import aggregate
from app.records.keyset import WrongCursor
from app.records.query import AggregateQuery
from tests.support.records import make_company, make_contact, make_deal

if TYPE_CHECKING:
    from tenants.scope import TenantScope
    from tests.app.records.conftest import SetRates


def rows(scope: TenantScope, object_name: str = "deal", **query: Any) -> list[dict[str, Any]]:
    return aggregate(scope, object_name, AggregateQuery(**query))["data"]  # type: ignore[return-value]


def keys(scope: TenantScope, group_by: str, object_name: str = "deal") -> list[Any]:
    name = group_by.partition(":")[0]
    return [row["group"][name] for row in rows(scope, object_name, group_by=(group_by,))]


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        ("year", ["2016", "2017", None]),
        ("quarter", ["2016-Q4", "2017-Q1", None]),
        ("month", ["2016-12", "2017-01", "2017-03", None]),
        ("week", ["2016-W52", "2017-W09", None]),
        ("day", ["2016-12-31", "2017-01-01", "2017-03-01", None]),
    ],
)
def test_dates_group_by_year_quarter_month_week_and_day(scope: TenantScope, grain: str, expected: list[Any]) -> None:
    for day in ("2016-12-31", "2017-01-01", "2017-03-01", None):
        make_deal(scope, close_on=day)
    assert keys(scope, f"close_on:{grain}") == expected
    assert keys(scope, "close_on") == ["2016-12-31", "2017-01-01", "2017-03-01", None]


def test_points_in_time_group_by_the_day_of_the_workspace(scope: TenantScope) -> None:
    """The workspace is in Berlin: half past eleven at night in UTC is the next day there."""
    scope.execute(
        "insert into o_task (title, due_at) values ('a', '2017-12-31T23:30:00Z'), ('b', '2017-06-30T21:59:00Z')"
    )
    assert keys(scope, "due_at:year", "task") == ["2017", "2018"]
    assert keys(scope, "due_at:day", "task") == ["2017-06-30", "2018-01-01"]


def test_stages_come_in_their_order_and_links_as_ids(scope: TenantScope) -> None:
    company = make_company(scope, "Grouped")
    for stage in ("won", "new", "meeting", "new"):
        make_deal(scope, stage=stage, company=company["id"])
    assert [(row["group"]["stage"], row["count"]) for row in rows(scope, group_by=("stage",))] == [
        ("new", 2),
        ("meeting", 1),
        ("won", 1),
    ]
    assert keys(scope, "company") == [company["id"]]
    first = rows(scope, group_by=("company.name", "stage"))[0]
    assert first["group"] == {
        "company.name": "Grouped",
        "stage": "new",
    }


def test_sums_are_exact_and_of_nothing_zero(scope: TenantScope) -> None:
    for amount in ("0.1", "0.2", "10005533.7"):
        make_deal(scope, amount=amount, probability="0.25")
    metrics = ("count", "sum:amount", "avg:amount", "min:amount", "max:amount", "sum:probability", "max:close_on")
    (row,) = rows(scope, metrics=metrics)
    assert row == {
        "group": {},
        "count": 3,
        "sum_amount": {"amount": "10005534.00", "currency": "EUR"},
        "avg_amount": {"amount": "3335178.00", "currency": "EUR"},
        "min_amount": {"amount": "0.10", "currency": "EUR"},
        "max_amount": {"amount": "10005533.70", "currency": "EUR"},
        "sum_probability": "0.75",
        "max_close_on": None,
    }
    (empty,) = rows(scope, metrics=metrics, filter='name == "nobody"')
    assert empty["count"] == 0
    assert empty["sum_amount"] == {"amount": "0.00", "currency": "EUR"}
    assert empty["sum_probability"] == "0"
    assert empty["avg_amount"] is None
    assert rows(scope, metrics=metrics, group_by=("stage",), filter='name == "nobody"') == []


def test_amounts_convert_by_the_rate_of_their_day(scope: TenantScope, set_rates: SetRates) -> None:
    set_rates({("USD", "2017-01-01"): 0.9, ("USD", "2018-01-01"): 0.5})
    for day, amount in (("2016-06-01", "100"), ("2017-06-01", "10"), ("2018-01-01", "1"), (None, "1000")):
        make_deal(scope, close_on=day, amount={"amount": amount, "currency": "USD"})
    make_deal(scope, amount="7")
    answer = aggregate(scope, "deal", AggregateQuery(metrics=("sum:amount",)))
    assert answer["data"] == [{"group": {}, "sum_amount": {"amount": "606.50", "currency": "EUR"}}]
    assert answer["unconverted"] == []


def test_amounts_without_any_rate_are_reported_apart_and_never_added(scope: TenantScope) -> None:
    make_deal(scope, amount="7", stage="won")
    make_deal(scope, amount={"amount": "500", "currency": "JPY"}, stage="won")
    make_deal(scope, amount={"amount": "300", "currency": "JPY"}, stage="won")
    answer = aggregate(scope, "deal", AggregateQuery(group_by=("stage",), metrics=("count", "sum:amount")))
    assert answer["data"] == [
        {"group": {"stage": "won"}, "count": 3, "sum_amount": {"amount": "7.00", "currency": "EUR"}}
    ]
    assert answer["unconverted"] == [
        {"metric": "sum_amount", "group": {"stage": "won"}, "currency": "JPY", "amount": "800", "count": 2}
    ]


def test_groups_page_by_cursor_each_once(scope: TenantScope) -> None:
    for number in range(7):
        make_deal(scope, stage=("new", "won")[number % 2], close_on=f"2017-0{number + 1}-01" if number else None)
    whole = rows(scope, group_by=("close_on:month", "stage"), limit=200)
    paged: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = aggregate(scope, "deal", AggregateQuery(group_by=("close_on:month", "stage"), limit=2, cursor=cursor))
        paged += answer["data"]  # type: ignore[arg-type]
        cursor = answer["next"]  # type: ignore[assignment]
    assert paged == whole
    assert len(whole) == 7


def test_trashed_records_do_not_count(scope: TenantScope) -> None:
    make_deal(scope)
    scope.execute("update o_deal set deleted_at = now()")
    assert rows(scope)[0]["count"] == 0


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        (AggregateQuery(group_by=("nope",)), "?group_by"),
        (AggregateQuery(group_by=("close_on:decade",)), "?group_by"),
        (AggregateQuery(group_by=("stage:year",)), "?group_by"),
        (AggregateQuery(group_by=("amount",)), "?group_by"),
        (AggregateQuery(group_by=("tags",)), "?group_by"),
        (AggregateQuery(group_by=("stage", "stage")), "?group_by"),
        (AggregateQuery(metrics=("total",)), "?metrics"),
        (AggregateQuery(metrics=("sum:name",)), "?metrics"),
        (AggregateQuery(metrics=("sum:nope",)), "?metrics"),
        (AggregateQuery(metrics=("drop:amount",)), "?metrics"),
        (AggregateQuery(metrics=()), "?metrics"),
        (AggregateQuery(filter="nope"), "?filter"),
        (AggregateQuery(limit=500), "?limit"),
    ],
)
def test_what_is_wrong_is_said_where(scope: TenantScope, query: AggregateQuery, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        aggregate(scope, "deal", query)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_cursor_of_other_groups_is_refused(scope: TenantScope) -> None:
    for stage in ("new", "won"):
        make_deal(scope, stage=stage)
    cursor = aggregate(scope, "deal", AggregateQuery(group_by=("stage",), limit=1))["next"]
    with pytest.raises(WrongCursor):
        aggregate(scope, "deal", AggregateQuery(group_by=("company",), cursor=str(cursor)))


def test_contacts_group_by_a_part_of_their_address(scope: TenantScope) -> None:
    make_contact(scope, address={"city": "Jena", "country": "DE"})
    assert keys(scope, "address.city", "contact") == ["Jena"]
