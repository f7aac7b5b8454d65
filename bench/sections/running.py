"""What running it costs: new tenants, the log, the memory of an idle installation."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from app.events.append import event_ctes, event_params
from bench.measure import Cost, Meter, pss_of, tree
from bench.results import Budget, Part, table
from bench.site import free_port, new_person, temporary_home, wait_for
from tenants.provisioning.lifecycle import create_tenant
from tenants.provisioning.spares import keep_spares

if TYPE_CHECKING:
    from bench.sections import Options
    from bench.site import Site, Workspace

_SPARES: Final = 5
_WRITES: Final = 400
#: What an installation is left alone before its memory is read.
_IDLE_SECONDS: Final = 30.0
_INSERT: Final = (
    "insert into o_contact (id, first_name, last_name, job_title, department, lifecycle, birthday, language)"
    " values (%(id)s, 'Logged', 'Or not', 'Engineer', 'R&D', 'customer', '1980-01-02', 'de') returning id, version"
)


def run(site: Site, options: Options) -> Part:
    """Measure."""
    made, made_budgets = _tenants(site)
    logged, log_budget = _log(site, options)
    idle, idle_budget = _idle(max(5.0, _IDLE_SECONDS * options.effort))
    text = f"""{made}

A create with and without its log: the same INSERT in the same scope, then with the event and the outbox row in the
same statement, as the product writes them. Milliseconds of processor time a transaction, medians of
{options.rounds} alternated rounds.

{logged}

`rapport up`, left alone after its start, memory as PSS:

{idle}"""
    return Part(text, [*made_budgets, log_budget, idle_budget])


def _tenants(site: Site) -> tuple[str, list[Budget]]:
    """Milliseconds until a workspace is ready, from a spare and without one."""
    keep_spares(site.runtime, 0)
    keep_spares(site.runtime, _SPARES)
    spared = sorted(_make_tenant(site, f"spared-{uuid.uuid4().hex[:8]}") for _ in range(_SPARES))
    fresh = sorted(_make_tenant(site, f"fresh-{uuid.uuid4().hex[:8]}") for _ in range(_SPARES))
    quick, slow = statistics.median(spared), statistics.median(fresh)
    rows = [
        ("from a spare", f"{quick:.0f}", f"{spared[0]:.0f} to {spared[-1]:.0f}"),
        ("without", f"{slow:.0f}", f"{fresh[0]:.0f} to {fresh[-1]:.0f}"),
    ]
    print(f"  new tenant {quick:.0f} ms, {slow:.0f} ms without a spare", flush=True)
    return table(("new tenant", "median ms", f"of {_SPARES}"), rows), [
        Budget("new tenant ready, from a spare", "≤ 50 ms", f"{quick:.0f} ms", quick <= 50),
        Budget("new tenant ready, without a spare", "≤ 0.5 s", f"{slow / 1000:.2f} s", slow <= 500),
    ]


def _make_tenant(site: Site, slug: str) -> float:
    owner = new_person(site.runtime, slug)
    started = time.perf_counter()
    create_tenant(site.runtime, slug=slug, name=slug, owner=owner)
    return (time.perf_counter() - started) * 1000


def _log(site: Site, options: Options) -> tuple[str, Budget]:
    """What event and outbox add to an insert, and to a whole transaction of the product's."""
    workspace = site.large()
    with_log = f"with w as ({_INSERT}), {event_ctes('w', 'created', 'contact')} select id from w"
    found: dict[str, list[tuple[Cost, float]]] = {_INSERT: [], with_log: []}
    for text in found:
        _write(site, workspace, text, 20)
    for _ in range(options.rounds):
        for text, kept in found.items():
            kept.append(_write(site, workspace, text, options.times(_WRITES)))
    (plain, plain_rate), (logged, logged_rate) = (
        (
            sorted((cost for cost, _ in kept), key=lambda cost: cost.sum)[len(kept) // 2],
            statistics.median(rate for _, rate in kept),
        )
        for kept in found.values()
    )
    share = logged.sum / plain.sum - 1
    rows = [
        (name, f"{cost.side:.2f}", f"{cost.postgres:.2f}", f"{rate:,.0f}")
        for name, cost, rate in (("without", plain, plain_rate), ("with event and outbox", logged, logged_rate))
    ]
    print(f"  log {share:+.0%}, rate {logged_rate / plain_rate - 1:+.0%}", flush=True)
    return table(("create", "our side", "PostgreSQL", "transactions a second"), rows), Budget(
        "log: what event and outbox add to a transaction that inserts a record",
        "≤ 10 % of the rate",
        f"{1 - logged_rate / plain_rate:.0%} of the rate, {share:.0%} of the processor time",
        logged_rate >= 0.9 * plain_rate,
    )


def _write(site: Site, workspace: Workspace, text: str, count: int) -> tuple[Cost, float]:
    meter = Meter(os.getpid(), site.postgres, inside=True)
    meter.start()
    started = time.perf_counter()
    for _ in range(count):
        with site.scope(workspace, write=True) as scope:
            params: dict[str, Any] = event_params(scope) | {"id": uuid.uuid4(), "event_cause": Jsonb({"bench": 1})}
            scope.connection.execute(text.encode(), params)
    return meter.read(count), count / (time.perf_counter() - started)


def _idle(seconds: float) -> tuple[str, Budget]:
    """MB of a whole installation that nobody uses, by kind of process."""
    with temporary_home() as home:
        port = free_port()
        settings = {**os.environ, "RAPPORT_HOME": str(home), "PORT": str(port)}
        up = subprocess.Popen([sys.executable, "-m", "app.cli", "up"], env=settings, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", 300)
            time.sleep(seconds)
            kinds: dict[str, tuple[int, float]] = {}
            for process in tree(up.pid):
                kind = _kind(process.name(), process.cmdline())
                count, size = kinds.get(kind, (0, 0.0))
                kinds[kind] = (count + 1, size + process.memory_full_info().pss / 1e6)
            total = pss_of(up.pid)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)
    rows = [(kind, str(count), f"{size:.0f}") for kind, (count, size) in kinds.items()]
    rows.append(("**all**", str(sum(count for count, _ in kinds.values())), f"{total:.0f}"))
    print(f"  idle {total:.0f} MB", flush=True)
    return table(("processes", "number", "MB"), rows), Budget(
        "idle memory of `rapport up`, sum of PSS", "≤ 500 MB", f"{total:.0f} MB", total <= 500
    )


def _kind(name: str, command: list[str]) -> str:
    if name.startswith("postgres"):
        return "PostgreSQL"
    if "valkey" in name or "redis" in name:
        return "Valkey"
    return "Rapport: web, workers, relay, `up`" if "python" in " ".join(command) or not command else name
