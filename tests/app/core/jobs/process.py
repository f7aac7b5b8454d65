"""A worker or a relay of the tests as a process of its own: ``python -m … worker|relay CONTROL OWNER VALKEY``."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import Config
from app.core.db import Databases
from app.core.jobs import register
from app.core.mail import Outbox
from app.core.ports import Ports, Runtime
from app.core.relay import Relay
from app.core.storage import LocalDisk
from app.core.valkey import connect
from app.worker import work
from tenants.registry.pods import pod_loader
from tenants.scope import SYSTEM, enter_job
from tests.support.tenants import SECRET

if TYPE_CHECKING:
    from uuid import UUID


@register("test.mark", timeout=60)
def mark(runtime: Runtime, tenant: UUID, args: dict[str, Any]) -> None:
    """Leave one setting per job; a second run of the same job changes nothing. Each start is noted in Valkey."""
    runtime.redis.rpush("test:started", f"{args['key']} {os.getpid()}")
    time.sleep(args.get("seconds", 0))
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        scope.execute(
            "insert into setting (name, value) values (%s, '1') on conflict (name) do nothing", (args["key"],)
        )


@register("test.slow", timeout=1, max_attempts=2)
def slow(runtime: Runtime, tenant: UUID, args: dict[str, Any]) -> None:
    """Take longer than allowed."""
    runtime.redis.rpush("test:started", "slow")
    time.sleep(30)


def build(control: str, owner: str, valkey: str) -> Runtime:
    home = Path("/nonexistent")
    config = Config(
        home, 8000, "localhost", "http", "http://localhost:8000", control, owner, valkey, "file:///nonexistent", None,
        SECRET, "strict", embedded=True,
    )  # fmt: skip
    databases = Databases(control, owner)
    databases.use_loader(pod_loader(databases, SECRET))
    ports = Ports(pods=lambda _runtime: [1], pending=lambda _runtime: [], keep_spares=lambda _runtime, _n: 0)
    return Runtime(config, databases, LocalDisk(home), Outbox(home, "x@localhost"), connect(valkey), ports)


def main() -> None:
    role, *urls = sys.argv[1:]
    runtime = build(*urls)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if role == "worker":
        work(runtime)
    else:
        Relay(runtime).run(threading.Event())


if __name__ == "__main__":
    main()
