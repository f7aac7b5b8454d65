"""What tests of records look at beside their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.shaping import put_rates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date
    from typing import TypeAlias

    from app.core.db import Databases
    from tenants.scope import Tenant

    SetRates: TypeAlias = Callable[[Mapping[tuple[str, str | date], object]], None]


@pytest.fixture
def set_rates(databases: Databases, tenant: Tenant) -> Iterator[SetRates]:
    """Says what currencies are worth in ``tenant``; none is worth anything after the test."""
    yield lambda rates: put_rates(databases, tenant, rates)
    put_rates(databases, tenant, {})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, Any]]:
    """The statements sent while the test runs, with their parameters; they run as they would."""
    found: list[tuple[bytes, Any]] = []
    original = psycopg.Cursor.execute

    def execute(self: psycopg.Cursor[Any], query: Any, params: Any = None, **kwargs: Any) -> Any:
        found.append((query if isinstance(query, bytes) else str(query).encode(), params))
        return original(self, query, params, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    return found
