"""The board of a million deals: what is read for it is a fixed number of pages, in the index alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from app.records.board import board
from app.records.query import BoardQuery
from tenants.scope import SYSTEM, enter_job
from tests.support.tenants import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

pytestmark = pytest.mark.scale

_DEALS: Final = 1_000_000
_CARDS: Final = 20
_STAGES: Final = ("new", "qualified", "meeting", "proposal", "won", "won", "won", "lost", "lost", "lost")
#: Nobody entered negotiation for long: its deals are the oldest.
_OLD: Final = 1_000
#: Indexes a board has no use for and which take a minute to fill.
_IDLE: Final = ("o_deal__search__idx", "o_deal__title__idx", "o_deal__title_part__idx")


@pytest.fixture(scope="module")
def million(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A million deals with a description each, in three currencies, a fifth of them not the workspace's."""
    made = new_tenant(currency="EUR")
    with databases.pod_owner(1).begin() as connection:
        for name in _IDLE:
            connection.exec_driver_sql(f'drop index "{made.schema}"."{name}"')
        connection.exec_driver_sql(
            f'insert into "{made.schema}".rate (currency, day, rate)'
            " select c, date '2024-01-01' + 7 * n, 0.9 + 0.001 * n from generate_series(0, 110) n,"
            " unnest(array['USD', 'GBP']) c"
        )
    with enter_job(databases, made.id, actor=SYSTEM, write=True, budget=600) as opened:
        opened.execute(
            "insert into o_deal (name, description, pipeline, stage, amount, amount__currency, probability, close_on,"
            " deal_type)"
            " select 'Deal ' || i, repeat(md5(i::text), 10), 'sales',"
            " case when i <= %(old)s then 'negotiation' else (%(stages)s::text[])[mod(i, 10) + 1] end,"
            " mod(i * 37::bigint, 9000) + 0.25,"
            " (array['EUR','EUR','EUR','EUR','EUR','EUR','EUR','EUR','USD','GBP'])[mod(i / 10, 10) + 1], 0.4,"
            " date '2024-03-01' + mod(i, 700), (array['new_business', 'renewal'])[mod(i / 7, 2) + 1]"
            " from generate_series(1, %(deals)s) i",
            {"old": _OLD, "stages": list(_STAGES), "deals": _DEALS},
        )
    with databases.pod_owner(1).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'analyze "{made.schema}".rate')
        _settle(connection, f'"{made.schema}".o_deal')
    return made


def _settle(connection: sa.Connection, table: str) -> None:
    """Vacuum until every page is known to be visible to all; an older snapshot of anybody keeps some from it."""
    for _ in range(50):
        connection.exec_driver_sql(f"vacuum analyze {table}")
        pages = connection.exec_driver_sql(
            "select relpages - relallvisible from pg_class where oid = %s::regclass", (table,)
        ).scalar_one()
        if pages == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"{pages} pages of {table} are not visible to all")


@pytest.fixture
def million_scope(databases: Databases, million: Tenant) -> Iterator[TenantScope]:
    with enter_job(databases, million.id, actor=SYSTEM, write=False, budget=PATIENT) as opened:
        yield opened


def explained(scope: TenantScope, statement: tuple[bytes, Any]) -> dict[str, Any]:
    """What PostgreSQL really did for a statement."""
    text, params = statement
    row = scope.connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, params).fetchone()
    assert row is not None
    return row[0][0]["Plan"]


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes that read a table or an index."""
    if "Scan" in plan["Node Type"]:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


def pages(plan: dict[str, Any]) -> int:
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.parametrize("metrics", [("count",), ("count", "sum:amount"), ("count", "sum:amount", "weighted:amount")])
def test_totals_are_read_from_one_index_and_rates_once_a_currency_and_day(
    million_scope: TenantScope, sent: list[tuple[bytes, Any]], metrics: tuple[str, ...]
) -> None:
    groups: Any = board(million_scope, "deal", BoardQuery(metrics=metrics, limit=_CARDS))["groups"]
    assert sum(group["count"] for group in groups) == _DEALS
    plan = explained(million_scope, sent[-2])
    read = {scan.get("Index Name", scan["Node Type"]): scan for scan in scans(plan)}
    assert "o_deal__board__idx" in read, read
    assert read["o_deal__board__idx"]["Node Type"] == "Index Only Scan"
    assert read["o_deal__board__idx"]["Heap Fetches"] == 0
    assert set(read) <= {"o_deal__board__idx", "rate_pkey", "Subquery Scan"}
    looked_up = sum(scan["Actual Loops"] for scan in scans(plan) if scan.get("Index Name") == "rate_pkey")
    assert looked_up <= 2 * 700 * 7 * 2  # currencies, days, stages; the sum and what is missing
    whole = million_scope.execute("select pg_relation_size('o_deal__board__idx') / 8192").fetchone()
    assert whole is not None
    assert pages(plan) <= whole[0] + 2 * looked_up + 100
    heap = million_scope.execute("select pg_relation_size('o_deal') / 8192").fetchone()
    assert heap is not None
    assert pages(plan) < heap[0] / 2


def test_cards_are_read_in_order_however_long_ago_a_stage_had_its_last_deal(
    million_scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    groups: Any = board(million_scope, "deal", BoardQuery(limit=_CARDS, fields=("name", "company.name")))["groups"]
    assert [(group["key"], len(group["data"])) for group in groups] == [
        (stage, _CARDS) for stage in ("new", "qualified", "meeting", "proposal", "negotiation", "won", "lost")
    ]
    oldest = next(group for group in groups if group["key"] == "negotiation")
    assert [row["name"] for row in oldest["data"]] == [f"Deal {_OLD - at}" for at in range(_CARDS)]
    plan = explained(million_scope, sent[-1])
    deals = [scan for scan in scans(plan) if scan.get("Relation Name") == "o_deal"]
    assert [scan["Index Name"] for scan in deals] == ["o_deal__board__idx"]
    assert deals[0]["Actual Rows"] * deals[0]["Actual Loops"] == (_CARDS + 1) * 7
    assert deals[0].get("Rows Removed by Filter", 0) == 0
    assert pages(plan) <= 1_000


def test_columns_without_an_index_of_their_own_fill_from_the_newest_records(
    million_scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    groups: Any = board(million_scope, "deal", BoardQuery(group_by="deal_type", limit=_CARDS))["groups"]
    assert [(group["key"], len(group["data"])) for group in groups] == [
        ("new_business", _CARDS), ("existing_business", 0), ("renewal", _CARDS),
    ]  # fmt: skip
    plan = explained(million_scope, sent[-1])
    assert {scan["Node Type"] for scan in scans(plan)} == {"Function Scan", "Index Scan"}
    assert pages(plan) <= 1_000
