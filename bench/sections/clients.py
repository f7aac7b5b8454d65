"""Nine operations with eight clients, on what the peers of DESIGN §12 were measured with."""

from __future__ import annotations

import os
import pickle
import time
from typing import TYPE_CHECKING, Any, Final

from bench import work
from bench.measure import Meter, percentile
from bench.results import Budget, Part, table
from bench.talk import talking

if TYPE_CHECKING:
    from bench.sections import Options
    from bench.site import Site
    from bench.talk import Talker

CLIENTS: Final = 8
#: Writes first: they leave what the feed of events tells.
_OPS: Final = (
    "create", "patch", "bulk of 100", "list", "get", "search", "board", "aggregate", "events",
)  # fmt: skip
_SECONDS: Final = 8.0
#: Requests a connection of the bare side in its turn.
_BARE: Final = {"create": 400, "patch": 400, "list": 400, "get": 800, "search": 60, "board": 60, "aggregate": 60}
#: Requests a second on 2 cores with 8 clients (DESIGN §12): Odoo 18, Twenty 2.19, bare SQL.
_PEERS: Final = {
    "list": ("41", "18", "694"), "search": ("7", "7", "2,220"), "board": ("6", "12", "247"),
    "create": ("49", "22", "2,557"),
}  # fmt: skip


def run(site: Site, options: Options) -> Part:
    """Measure."""
    workspace = site.peers()
    jobs, told = site.home / "bare.pickle", site.home / "load.pickle"
    targets = work.write_jobs(site, workspace, jobs)
    told.write_bytes(pickle.dumps((site.port, CLIENTS, targets)))
    rows: list[tuple[str, ...]] = []
    rates: dict[str, float] = {}
    seconds = max(1.0, _SECONDS * options.effort)
    failed = 0
    with site.web(None) as web, talking("bench.load", told) as [load], talking("bench.raw", jobs, CLIENTS) as bare:
        for op in _OPS:
            if op == "events":
                assert site.runtime.ports.seal is not None
                site.runtime.ports.seal(site.runtime, workspace.tenant.id)
            seen, cost = _ours(site, web, load, op, seconds)
            rate = _bare_rate(bare, op, options)
            failed += seen["failed"]
            rates[f"8 clients {op}"] = len(seen["times"]) / seen["seconds"]
            if rate:
                rates[f"raw 8 connections {op}"] = rate
            rows.append(_cells(op, seen, cost, rate))
            print("  " + " | ".join(rows[-1]), flush=True)
            for error in seen["errors"]:
                print(f"    {error}")
    companies, contacts, deals, _ = workspace.sizes.as_tuple()
    head = (
        "operation", "Rapport a second", "p50 ms", "p95 ms", "errors", "processor ms a request",
        "raw.py, 8 connections", "Odoo 18", "Twenty 2.19", "bare SQL then",
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    text = f"""{CLIENTS} clients, each with its own key and kept-alive connection and one request at a time, from a
process of their own, on {companies:,} companies, {contacts:,} contacts, {deals:,} deals; the web server as
`rapport up` starts it ({cores} processes of 4 threads), everything on the same {cores} cores. Lists answer 50 records
by a condition, sorted by title; searches are of 239 different texts; the feed is read in pages of 50 events.

`raw.py` is the machine's limit in the same run, {CLIENTS} processes with a connection each. The last three columns are
references from another day (2 cores, the same data, 8 clients): what Odoo 18, Twenty 2.19 and bare SQL without
tenants, rights and log did.

{table(head, rows)}"""
    return Part(text, _budgets(rates, failed), rates)


def _ours(site: Site, web: int, load: Talker, op: str, seconds: float) -> tuple[dict[str, Any], float]:
    load.ask(op=op, seconds=min(1.0, seconds / 4))
    meter = Meter(web, site.postgres)
    meter.start()
    seen = load.ask(op=op, seconds=seconds)
    return seen, meter.read(len(seen["times"])).sum


def _bare_rate(bare: list[Talker], op: str, options: Options) -> float:
    """Requests a second of all connections together; 0 where raw.py has no counterpart."""
    if op not in _BARE:
        return 0.0
    count = options.times(_BARE[op])
    for warm in (True, False):
        started = time.perf_counter()
        for raw in bare:
            raw.tell(op=op, n=max(1, count // 10) if warm else count)
        for raw in bare:
            raw.wait()
    return len(bare) * count / (time.perf_counter() - started)


def _cells(op: str, seen: dict[str, Any], cost: float, bare: float) -> tuple[str, ...]:
    times = seen["times"]
    peers = _PEERS.get(op, ("-", "-", "-"))
    return (
        op, f"{len(times) / seen['seconds']:,.0f}", f"{percentile(times, 0.5):.1f}", f"{percentile(times, 0.95):.1f}",
        str(seen["failed"]), f"{cost:.2f}", f"{bare:,.0f}" if bare else "-", *peers,
    )  # fmt: skip


def _budgets(rates: dict[str, float], failed: int) -> list[Budget]:
    """Not a line of DESIGN §12, but what its peers are there for."""
    ahead = [
        f"{op} {rates[f'8 clients {op}'] / float(best):.1f} times"
        for op, peers in _PEERS.items()
        if (best := max(peers[:2], key=float))
    ]
    slower = [text for text in ahead if float(text.split()[-2]) < 1]
    return [
        Budget("8 clients beside the faster of Odoo and Twenty", "faster in each", ", ".join(ahead), not slower),
        Budget("8 clients, nine operations", "no errors", f"{failed} errors", failed == 0),
    ]
