"""How `rapport relay` and `rapport worker` begin while a server is away: a line a look, no stack trace."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from app.cli.context import open_runtime
from app.core.relay import is_away, server_of
from app.core.servers.process import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from app.core.ports import Runtime

_LOG: Final = logging.getLogger("rapport")
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


@contextmanager
def open_patiently(
    wait: Callable[[float], object] = time.sleep, opener: Callable[[], AbstractContextManager[Runtime]] = open_runtime
) -> Generator[Runtime]:
    """As ``open_runtime``, once all servers answer; ``wait`` may raise to give up."""
    with ExitStack() as stack:
        pause = _FIRST_PAUSE
        while True:
            try:
                with ExitStack() as attempt:
                    runtime = attempt.enter_context(opener())
                    runtime.ports.pods(runtime)
                    runtime.redis.ping()  # pyright: ignore[reportUnknownMemberType]
                    stack.push(attempt.pop_all())
                break
            except Exception as error:
                if not (is_away(error) or isinstance(error, ServerError)):
                    raise
                what = str(error) if isinstance(error, ServerError) else f"{server_of(error)} is away"
                _LOG.warning("%s; next look in %.1f s", what, pause)
            wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        yield runtime
