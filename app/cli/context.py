"""What most commands begin with: settings, servers that run, the runtime."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.core.config import Config
from app.core.servers import embedded

if TYPE_CHECKING:
    from app.core.ports import Runtime


@contextmanager
def open_runtime(config: Config | None = None) -> Generator[Runtime]:
    """The runtime for the time of a command.

    Embedded servers that nobody runs are started for that time and brought to this version's schema first.
    """
    from app.factory import build_runtime

    config = Config.from_env() if config is None else config
    with embedded.running(config) as servers:
        runtime = build_runtime(config)
        try:
            if servers is not None:
                runtime.ports.prepare(runtime, config.superuser_url)
            yield runtime
        finally:
            runtime.databases.dispose()
            runtime.redis.close()
