"""Limits of rates as nobody has used them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http import ratelimit

if TYPE_CHECKING:
    from app.core.ports import Runtime


@pytest.fixture(autouse=True)
def open_limits(runtime: Runtime) -> None:
    """What the tests before asked counts for nothing; for every test beside the conftest that imports it."""
    runtime.redis.flushdb()
    ratelimit.forget()
