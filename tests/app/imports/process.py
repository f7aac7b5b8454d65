"""The worker or relay of ``tests.app.core.jobs.process``, knowing imports and where files are."""

from __future__ import annotations

import sys
import threading

from app.core import storage
from app.core.relay import Relay
from app.imports import tasks
from app.worker import work
from tests.app.core.jobs.process import build


def main() -> None:
    role, *urls, storage_url = sys.argv[1:]
    runtime = build(*urls)
    runtime.storage = storage.from_url(storage_url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if role == "worker":
        work(runtime)
    else:
        Relay(runtime).run(threading.Event())


if __name__ == "__main__":
    assert tasks.run
    main()
