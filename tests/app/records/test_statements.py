"""Statement text is written once per shape: literals, pages and tenants share it, and the cache is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from app.records import read
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.statements import ShapeCache, compile_statement
from tenants.scope import SYSTEM, enter_job
from tests.support.records import make_deal

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements written while the test runs."""
    found: list[str] = []
    original = read.compile_statement

    def compile_(statement: sa.ClauseElement) -> object:
        made = original(statement)
        found.append(made.text.decode())
        return made

    monkeypatch.setattr(read, "compile_statement", compile_)
    monkeypatch.setattr(read, "_STATEMENTS", ShapeCache())
    return found


def test_conditions_that_differ_in_literals_share_a_statement(scope: TenantScope, written: list[str]) -> None:
    for name, amount in (("a", 1), ("b", 2), ("it's; drop", 3)):
        make_deal(scope, name, amount=str(amount))
        page = list_records(scope, "deal", ListQuery(filter=f'name == "{name}" && amount >= {amount}'))
        assert [row["name"] for row in page.rows] == [name]
    assert len(written) == 1
    assert "drop" not in written[0]


def test_pages_share_one_statement_after_the_first(scope: TenantScope, written: list[str]) -> None:
    for number in range(6):
        make_deal(scope, f"d{number}")
    cursor: str | None = ""
    while cursor is not None:
        cursor = list_records(scope, "deal", ListQuery(sort="name", limit=1, cursor=cursor)).next
    assert len(written) == 2


def test_workspaces_with_the_same_objects_share_statements(
    databases: Databases, new_tenant: NewTenant, written: list[str]
) -> None:
    for currency, zone in (("EUR", "Europe/Berlin"), ("USD", "America/New_York")):
        made = new_tenant(currency=currency, timezone=zone)
        with enter_job(databases, made.id, actor=SYSTEM, write=False) as scope:
            list_records(scope, "deal", ListQuery(filter="amount > 5 && date(created_at) < today()"))
    assert len(written) == 1
    assert "o_deal" in written[0]
    assert "Berlin" not in written[0]
    assert "EUR" not in written[0]


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache = ShapeCache(kept=2)
    made: list[str] = []

    def get(key: str) -> str:
        return cache.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_constants_become_parameters() -> None:
    statement = compile_statement(sa.select(sa.literal("x'y")))
    assert b"x'y" not in statement.text
    assert list(statement.constants.values()) == ["x'y"]
