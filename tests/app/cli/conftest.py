"""The command line at the worker's real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from app.core.ports import Runtime


@pytest.fixture
def same_servers(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator sets for a command: it opens the worker's databases by itself."""
    config = runtime.config
    for name, value in {
        "RAPPORT_HOME": str(config.home),
        "RAPPORT_DATABASE_URL": config.database_url,
        "RAPPORT_OWNER_URL": config.owner_url,
        "RAPPORT_REDIS_URL": config.redis_url,
        "RAPPORT_STORAGE_URL": config.storage_url,
        "RAPPORT_SECRET_KEY": config.secret_key,
        "PORT": str(config.port),
    }.items():
        monkeypatch.setenv(name, value)
