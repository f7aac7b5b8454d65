"""Boards: every stage in order, figures over all, cards up to the limit and the way on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.board import board
from app.records.query import BoardQuery, ListQuery
from app.records.read import list_records
from tests.support.records import make_company, make_deal

if TYPE_CHECKING:
    from tenants.scope import TenantScope

STAGES = ["new", "qualified", "meeting", "proposal", "negotiation", "won", "lost"]


def groups(scope: TenantScope, object_name: str = "deal", **query: Any) -> list[dict[str, Any]]:
    return board(scope, object_name, BoardQuery(**query))["groups"]  # type: ignore[return-value]


def test_an_empty_board_has_every_stage_with_zero(scope: TenantScope) -> None:
    assert groups(scope, metrics=("count", "sum:amount")) == [
        {"key": stage, "count": 0, "sum_amount": {"amount": "0.00", "currency": "EUR"}, "data": [], "next": None}
        for stage in STAGES
    ]


def test_figures_count_all_records_while_cards_stop_at_the_limit(scope: TenantScope) -> None:
    for number in range(5):
        make_deal(scope, f"D{number}", stage="meeting", amount=str(number))
    make_deal(scope, "Won", stage="won", amount="100")
    columns = {
        group["key"]: group for group in groups(scope, metrics=("count", "sum:amount"), limit=2, fields=("name",))
    }
    assert list(columns) == STAGES
    meeting = columns["meeting"]
    assert (meeting["count"], meeting["sum_amount"]["amount"]) == (5, "10.00")
    assert [card["name"] for card in meeting["data"]] == ["D4", "D3"]
    assert columns["won"]["next"] is None
    rest = list_records(
        scope, "deal", ListQuery(filter='stage == "meeting"', sort="-id", cursor=meeting["next"], fields=("name",))
    )
    assert [card["name"] for card in rest.rows] == ["D2", "D1", "D0"]


def test_a_weighted_sum_takes_each_amount_by_its_probability(scope: TenantScope) -> None:
    make_deal(scope, "Likely", stage="meeting", amount="100", probability="0.75")
    make_deal(scope, "As the stage says", stage="meeting", amount="50")
    make_deal(scope, "Unknown amount", stage="meeting")
    columns = {group["key"]: group for group in groups(scope, metrics=("count", "weighted:amount"))}
    assert columns["meeting"]["weighted_amount"] == {"amount": "95.00", "currency": "EUR"}
    assert columns["new"]["weighted_amount"] == {"amount": "0.00", "currency": "EUR"}
    with pytest.raises(InvalidInput, match="has no weighted"):
        groups(scope, "company", group_by="industry", metrics=("weighted:annual_revenue",))


def test_cards_follow_filter_and_sort_with_empty_values_last(scope: TenantScope) -> None:
    for name, amount in (("a", "1"), ("b", None), ("c", "3"), ("d", "2")):
        make_deal(scope, name, amount=amount)
    (new, *_) = groups(scope, sort="-amount", filter='name != "d"', fields=("name",))
    assert [card["name"] for card in new["data"]] == ["c", "a", "b"]
    assert new["count"] == 3


def test_a_select_makes_a_board_too_with_a_column_for_the_rest(scope: TenantScope) -> None:
    make_company(scope, "Taught", industry="education")
    make_company(scope, "Plain")
    columns = groups(scope, "company", group_by="industry", fields=("name",))
    filled = [(group["key"], [card["name"] for card in group["data"]]) for group in columns if group["count"]]
    assert filled == [("education", ["Taught"]), (None, ["Plain"])]
    assert len(columns) > 2


def test_amounts_without_a_rate_are_reported_beside_the_board(scope: TenantScope) -> None:
    make_deal(scope, amount={"amount": "5", "currency": "JPY"}, stage="proposal")
    answer = board(scope, "deal", BoardQuery(metrics=("sum:amount",)))
    assert answer["unconverted"] == [
        {"key": "proposal", "metric": "sum_amount", "currency": "JPY", "amount": "5", "count": 1}
    ]


@pytest.mark.parametrize(
    ("object_name", "query", "pointer"),
    [
        ("company", BoardQuery(), "?group_by"),
        ("deal", BoardQuery(group_by="amount"), "?group_by"),
        ("deal", BoardQuery(group_by="company.industry"), "?group_by"),
        ("deal", BoardQuery(fields=("x",)), "?fields"),
        ("deal", BoardQuery(sort="x"), "?sort"),
        ("deal", BoardQuery(limit=0), "?limit"),
    ],
)
def test_what_is_wrong_is_said_where(scope: TenantScope, object_name: str, query: BoardQuery, pointer: str) -> None:
    make_deal(scope)
    with pytest.raises(InvalidInput) as refused:
        board(scope, object_name, query)
    assert [error.pointer for error in refused.value.errors] == [pointer]
