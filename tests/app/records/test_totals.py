"""How many there are: counted, guessed by the planner without reading a record, or not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.query import ListQuery
from app.records.read import list_records
from tenants.scope import SYSTEM, enter_job
from tests.support.records import make_deal
from tests.support.tenants import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

_DEALS = 60_000


@pytest.fixture(scope="module")
def large(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A workspace of 60,000 deals that PostgreSQL has figures about."""
    made = new_tenant()
    with enter_job(databases, made.id, actor=SYSTEM, write=True, budget=PATIENT) as opened:
        opened.execute(
            "insert into o_deal (name, pipeline, stage, amount, amount__currency, close_on)"
            " select 'Deal ' || i, 'sales', (array['new','won','lost'])[mod(i, 3) + 1], mod(i, 1000), 'EUR',"
            " date '2020-01-01' + mod(i, 1000) from generate_series(1, %s) i",
            (_DEALS,),
        )
    with databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(f'analyze "{made.schema}".o_deal')
    return made


@pytest.fixture
def large_scope(databases: Databases, large: Tenant) -> Iterator[TenantScope]:
    with enter_job(databases, large.id, actor=SYSTEM, write=False, budget=PATIENT) as opened:
        yield opened


@pytest.mark.parametrize(
    ("condition", "share"),
    [
        ("", 1.0),
        ('stage == "won"', 1 / 3),
        ("amount < 500", 0.5),
        ('close_on >= date("2020-07-01") && close_on < date("2021-07-01")', 0.365),
        ('stage == "won" || stage == "lost"', 2 / 3),
    ],
)
def test_an_estimate_is_near_the_truth_and_reads_no_record(
    large_scope: TenantScope, sent: list[tuple[bytes, Any]], condition: str, share: float
) -> None:
    asked = ListQuery(filter=condition, limit=1, total="estimate")
    list_records(large_scope, "deal", asked)
    sent.clear()
    total = list_records(large_scope, "deal", asked).total
    assert total is not None
    assert share * _DEALS / 2 <= total <= share * _DEALS * 2
    assert len(sent) == 2
    assert sent[1][0].startswith(b"EXPLAIN (FORMAT JSON) SELECT")
    assert b"ANALYZE" not in sent[1][0]


def test_an_exact_total_is_one_more_statement_and_counts(
    large_scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    asked = ListQuery(filter='stage == "won"', limit=1, total="exact")
    assert list_records(large_scope, "deal", asked).total == _DEALS // 3
    sent.clear()
    list_records(large_scope, "deal", asked)
    assert [b"count(*)" in text for text, _ in sent] == [False, True]


def test_without_asking_nothing_is_counted(large_scope: TenantScope, sent: list[tuple[bytes, Any]]) -> None:
    list_records(large_scope, "deal", ListQuery(limit=1))  # the workspace's roles and fields are read once a version
    sent.clear()
    page = list_records(large_scope, "deal", ListQuery(limit=1))
    assert (page.total, len(sent)) == (None, 1)


def test_few_records_are_counted_even_when_an_estimate_would_do(large_scope: TenantScope, scope: TenantScope) -> None:
    few = list_records(large_scope, "deal", ListQuery(filter="amount == 7", limit=1, total="estimate"))
    assert few.total == _DEALS // 1000
    for number in range(3):
        make_deal(scope, f"Few {number}")
    assert list_records(scope, "deal", ListQuery(limit=1, total="estimate")).total == 3


@pytest.mark.parametrize("total", ["exact", "estimate"])
def test_a_first_page_that_holds_them_all_is_its_own_total(
    scope: TenantScope, sent: list[tuple[bytes, Any]], total: Any
) -> None:
    for number in range(3):
        make_deal(scope, f"Few {number}")
    sent.clear()
    assert list_records(scope, "deal", ListQuery(total=total)).total == 3
    assert len(sent) == 1


def test_what_is_no_total_is_refused(scope: TenantScope) -> None:
    wrong: Any = "about"
    with pytest.raises(InvalidInput) as refused:
        list_records(scope, "deal", ListQuery(total=wrong))
    assert [error.pointer for error in refused.value.errors] == ["?total"]
