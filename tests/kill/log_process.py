"""A worker or a relay with a counting consumer: ``python -m … worker|relay CONTROL OWNER VALKEY``."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from app.core.ports import Ports
from app.core.relay import Relay
from app.events import consumers
from app.events.seal import seal_tenant
from app.worker import work
from tenants import scope as scopes
from tests.app.core.jobs.process import build

if TYPE_CHECKING:
    from tenants.scope import TenantScope

#: A setting for each event, worth how often it was handled.
PREFIX = "handled "


def count(scope: TenantScope, events: list[dict[str, Any]]) -> None:
    """The effect: a row an event, in the tenant's own tables."""
    scope.execute(
        "INSERT INTO setting (name, value) SELECT %s || x, '1' FROM unnest(%s::text[]) AS x"
        " ON CONFLICT (name) DO UPDATE SET value = to_jsonb((setting.value)::int + 1)",
        (PREFIX, [event["id"] for event in events]),
    )


def main() -> None:
    role, *urls = sys.argv[1:]
    consumers.registry.add(consumers.Consumer("test.count", count))
    runtime = build(*urls)
    runtime.ports = Ports(
        pods=lambda _runtime: [1],
        pending=lambda runtime: scopes.pending(runtime.databases, 1),
        seal=seal_tenant,
        keep_spares=lambda _runtime, _n: 0,
    )
    sys.stdout.write(f"ready {os.getpid()}\n")
    sys.stdout.flush()
    if role == "worker":
        work(runtime)
    else:
        Relay(runtime).run(threading.Event())


if __name__ == "__main__":
    main()
