"""The worker's process: runs the jobs that the relay rings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app.core.jobs.queue import RapportWorker
from app.core.jobs.registry import registry

if TYPE_CHECKING:
    from app.core.ports import Runtime


def work(runtime: Runtime, *, burst: bool = False) -> None:
    """Run jobs until told to stop (SIGTERM: after the present one; twice: now). ``burst``: until there are none."""
    registry.close()
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    RapportWorker(runtime).work(burst=burst, logging_level="WARNING")
