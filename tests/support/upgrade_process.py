"""Processes of upgrade tests: ``python -m … upgrade CONTROL OWNER VALKEY`` and ``… traffic … SECONDS FILE``.

``traffic`` is a web process: it reads lists and writes records in all workspaces of FILE (lines of id and key), and
prints what came of it.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.factory import bind_ports
from tenants.upgrades import Options, upgrade
from tests.app.core.jobs.process import build
from tests.support.api import Api
from tests.support.web import build_site


@dataclass
class Seen:
    """What a web process saw of a stream of requests."""

    requests: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_write: float = 0.0
    touched: set[str] = field(default_factory=set)


def drive(apis: list[tuple[str, Api]], seen: Seen, stop: threading.Event, seed: int) -> None:
    """Ask one workspace after the other, again and again: idle but for this."""
    order = random.Random(seed)  # noqa: S311 (no secret)
    while not stop.is_set():
        for tenant, api in order.sample(apis, len(apis)):
            if stop.is_set():
                return
            answers = [api.call("GET", "/records/deal", query={"limit": "5", "sort": "-amount"})]
            began = time.monotonic()
            answers.append(api.call("POST", "/records/deal", {"name": "Traffic", "amount": "10"}))
            took = time.monotonic() - began
            seen.requests += len(answers)
            seen.touched.add(tenant)
            seen.slowest_write = max(seen.slowest_write, took)
            seen.failed += [one.text[:300] for one in answers if one.status_code >= 400]


def main() -> None:
    what, control, owner, valkey, *rest = sys.argv[1:]
    runtime = build(control, owner, valkey)
    runtime.ports = bind_ports()
    if what == "upgrade":
        report = upgrade(runtime, Options(), lambda seen: print(seen.done, flush=True))  # noqa: T201
        print(json.dumps(report.document()))  # noqa: T201
        return
    site = build_site(runtime)
    lines = [line.split() for line in Path(rest[0]).read_text().splitlines()]
    apis = [(tenant, Api(site, key)) for tenant, key in lines]
    seen, stop = Seen(), threading.Event()
    threads = [threading.Thread(target=drive, args=(apis, seen, stop, seed)) for seed in range(2)]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {
        "requests": seen.requests, "failed": seen.failed, "slowest_write": seen.slowest_write,
        "touched": len(seen.touched), "peak_mb": peak,
    }  # fmt: skip
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
