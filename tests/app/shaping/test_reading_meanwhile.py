"""Who reads while the workspace is changed reads by the old catalog or the new one, and never an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from tests.support.shaping import change, sql

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api

FORMULA = "{kind: field, name: product.doubled, type: formula, label: Doubled, returns: integer, value: 3 * 2}"


def before_statement(monkeypatch: pytest.MonkeyPatch, part: str, act: Callable[[], object]) -> list[int]:
    """Have ``act`` done once, right before the first statement that holds ``part``; how many held it."""
    execute, met = psycopg.Cursor.execute, list[int]()

    def hooked(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query if isinstance(query, bytes) else str(query).encode()
        if part.encode() in text and b"generated always" not in text and not text.startswith(b"alter"):
            met.append(1)
            if len(met) == 1:
                act()
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", hooked)
    return met


def test_a_list_whose_calculated_column_goes_meanwhile_is_read_again(
    runtime: Runtime, fresh: tuple[Tenant, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, api = fresh
    databases = runtime.databases
    change(databases, tenant, FORMULA)
    api.post("/records/product", {"name": "One"})
    assert api.get("/records/product")["data"][0]["doubled"] == 6
    columns = "select attname from pg_attribute where attrelid = 'o_product'::regclass and attgenerated = 'v'"
    (name,) = {one for (one,) in sql(databases, tenant, columns)} - {"_title", "_title_key", "_search"}
    met = before_statement(
        monkeypatch,
        name,
        lambda: change(databases, tenant, "{kind: field, name: product.doubled, remove: true}", confirm=True),
    )
    (record,) = api.get("/records/product")["data"]
    assert record["name"] == "One"
    assert "doubled" not in record
    assert len(met) == 1
