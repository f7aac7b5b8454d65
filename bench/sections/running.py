"""What running it costs: new tenants, the log, the memory of an idle installation."""

from __future__ import annotations

import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from app.events.append import event_params, one_event_ctes
from app.records.write import update_record
from bench.measure import Cost, Meter, pss_of, tree
from bench.results import Budget, Part, table
from bench.site import free_port, new_person, temporary_home, wait_for
from tenants.provisioning.lifecycle import create_tenant
from tenants.provisioning.spares import keep_spares

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.sections import Options
    from bench.site import Site, Workspace
    from tenants.scope import TenantScope

_SPARES: Final = 5
_WRITES: Final = 400
#: What an installation is left alone before its memory is read.
_IDLE_SECONDS: Final = 30.0
_INSERT: Final = (
    "insert into o_contact (id, first_name, last_name, job_title, department, lifecycle, birthday, language)"
    " values (%(id)s, 'Logged', 'Or not', 'Engineer', 'R&D', 'customer', '1980-01-02', 'de') returning id, version"
)
_LOGGED: Final = f"with w as ({_INSERT}), {one_event_ctes('w', 'created', 'contact')} select id from w"
_UPDATE: Final = (
    "update o_deal set next_step = %(step)s, version = version + 1, updated_at = clock_timestamp() where id = %(id)s"
)


def run(site: Site, options: Options) -> Part:
    """Measure."""
    made, made_budgets = _tenants(site)
    written, write_budgets = _writes(site, options)
    idle, idle_budget = _idle(max(5.0, _IDLE_SECONDS * options.effort))
    text = f"""{made}

Writes in a scope, without HTTP: an INSERT with and without its log (the event and the outbox row in the same
statement, as the product writes them), and a plain UPDATE beside the product's change. Milliseconds of processor time
a transaction, scope included, medians of {options.rounds} alternated rounds.

{written}

`rapport up`, left alone after its start, memory as PSS:

{idle}"""
    return Part(text, [*made_budgets, *write_budgets, idle_budget])


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


def _writes(site: Site, options: Options) -> tuple[str, list[Budget]]:
    """What the log adds to an insert, and what the product's change adds to an UPDATE, without HTTP."""
    workspace = site.large()
    with site.scope(workspace) as scope:
        rows = scope.execute("select id, version from o_deal order by id desc limit 500").fetchall()
    deals = itertools.cycle([(uuid.UUID(str(row[0])), int(row[1])) for row in rows])
    versions: dict[uuid.UUID, int] = {}

    def change(scope: TenantScope) -> None:
        deal, version = next(deals)
        seen = versions.get(deal, version)
        update_record(scope, "deal", deal, {"next_step": f"Step {seen}"}, if_match=seen)
        versions[deal] = seen + 1

    def update(scope: TenantScope) -> None:
        deal, version = next(deals)
        scope.execute(_UPDATE, {"id": deal, "step": f"Bare {uuid.uuid4()}"})
        versions[deal] = versions.get(deal, version) + 1

    kinds: dict[str, Callable[[TenantScope], object]] = {
        "INSERT": lambda scope: scope.connection.execute(_INSERT.encode(), _params(scope)),
        "INSERT with event and outbox": lambda scope: scope.connection.execute(_LOGGED.encode(), _params(scope)),
        "UPDATE": update,
        "change: rules, version check, event and outbox": change,
    }
    found: dict[str, list[tuple[Cost, float]]] = {name: [] for name in kinds}
    for turn in range(options.rounds + 1):
        for name, act in kinds.items():
            measured = _transactions(site, workspace, act, options.times(_WRITES))
            if turn:
                found[name].append(measured)
    medians = {name: _median(kept) for name, kept in found.items()}
    lines = [
        (name, f"{cost.side:.2f}", f"{cost.postgres:.2f}", f"{cost.sum:.2f}", f"{rate:,.0f}")
        for name, (cost, rate) in medians.items()
    ]
    (plain, plain_rate), (logged, logged_rate), (bare, _), (ours, _) = medians.values()
    share, times = logged.sum / plain.sum - 1, ours.sum / bare.sum
    lost = 1 - logged_rate / plain_rate
    print(f"  log {share:+.0%}, rate {-lost:+.0%}; change {times:.2f} times", flush=True)
    return table(("in a scope", "our side", "PostgreSQL", "sum", "transactions a second"), lines), [
        Budget(
            "log: what event and outbox take from the rate of inserts", "≤ 10%",
            f"{lost:.0%} of the rate, {share:+.0%} processor time", lost <= 0.1,
        ),
        Budget(
            "the same change without HTTP, in a scope", "≤ 1.5 times a plain UPDATE", f"{times:.2f} times", times <= 1.5
        ),
    ]  # fmt: skip


def _params(scope: TenantScope) -> dict[str, Any]:
    return event_params(scope) | {"id": uuid.uuid4()}


def _median(found: list[tuple[Cost, float]]) -> tuple[Cost, float]:
    costs = sorted((cost for cost, _ in found), key=lambda cost: cost.sum)
    return costs[len(costs) // 2], statistics.median(rate for _, rate in found)


def _transactions(
    site: Site, workspace: Workspace, act: Callable[[TenantScope], object], count: int
) -> tuple[Cost, float]:
    meter = Meter(os.getpid(), site.postgres, inside=True)
    meter.start()
    started = time.perf_counter()
    for _ in range(count):
        with site.scope(workspace, write=True, by_key=True) as scope:
            act(scope)
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
