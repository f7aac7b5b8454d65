"""What most commands begin with: settings, servers that run, the runtime."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from app.core.config import Config
from app.core.servers import embedded

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.core.ports import Runtime


@contextmanager
def open_runtime(config: Config | None = None, *, prepare: bool = True) -> Generator[Runtime]:
    """The runtime for the time of a command.

    Embedded servers that nobody runs are started for that time and, with ``prepare``, brought to this version first.
    """
    from app.factory import build_runtime

    config = Config.from_env() if config is None else config
    with embedded.running(config) as servers:
        runtime = build_runtime(config)
        try:
            if prepare and config.embedded and (servers is not None or not _is_set_up(runtime)):
                runtime.ports.prepare(runtime, config.superuser_url)
            yield runtime
        finally:
            runtime.databases.dispose()
            runtime.redis.close()


def _is_set_up(runtime: Runtime) -> bool:
    """Whether somebody else's servers have our databases already: that process may have just begun."""
    try:
        return bool(runtime.ports.pods(runtime))
    except exc.DBAPIError:
        return False
