"""One table for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.expressions.table import Comparer, make_rows, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def comparer(superuser_url: str) -> Iterator[Comparer]:
    """Both back ends over the same 60 rows."""
    yield from make_table(superuser_url, make_rows(60))
