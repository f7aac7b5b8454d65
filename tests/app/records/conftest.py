"""What tests of records look at beside their answers."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest


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
