"""The cyclic garbage collector, out of the way of work that makes many objects at once.

A batch of rows is some hundred thousand objects that live until it is written and die by their counts. The collector
walks all of them again and again meanwhile: a third of an import's time in Python.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_lock: Final = Lock()
_pausing: set[object] = set()


@contextmanager
def collector_paused() -> Generator[None]:
    """No automatic collection in this process during the block, which is to be short: a batch, a bulk call.

    Blocks of several threads may overlap; the last to end switches it on again, unless it was off before the first.
    """
    mine = object()
    with _lock:
        if not _pausing and not gc.isenabled():
            mine = None
        else:
            gc.disable()
            _pausing.add(mine)
    try:
        yield
    finally:
        with _lock:
            _pausing.discard(mine)
            if mine is not None and not _pausing:
                gc.enable()
