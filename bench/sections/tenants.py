"""Two hundred tenants behind one web process: rate and memory beside one tenant, and what a cold one costs."""

from __future__ import annotations

import itertools
import statistics
import time
import tracemalloc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from app.metadata import catalog
from bench.fill import SMALL
from bench.load import Connection, drive
from bench.measure import Meter, percentile, pss_of
from bench.requests import contact, request
from bench.results import Budget, Part, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.sections import Options
    from bench.site import Site, Workspace

_TENANTS: Final = 200
_REQUESTS: Final = 4_000
#: Of ten requests of a tenant: single records, lists, a search, a board, and one that writes.
_ASKED: Final = ("list", "get", "search", "get", "board", "get", "list", "get", "list", "create")
_CATALOGS: Final = 10


@dataclass(frozen=True, slots=True)
class State:
    """What was found at one point."""

    name: str
    rate: float
    processor: float
    p50: float
    p95: float
    web: float
    backends: float
    count: int

    @property
    def cells(self) -> tuple[str, ...]:
        """As text."""
        figures = (f"{self.rate:,.0f}", f"{self.processor:.2f}", f"{self.p50:.1f}", f"{self.p95:.1f}")
        return (self.name, *figures, f"{self.web:.0f}", f"{self.backends:.0f} in {self.count}")


def run(site: Site, options: Options) -> Part:
    """Measure."""
    count = max(3, int(_TENANTS * min(1.0, site.scale)))
    started = time.perf_counter()
    workspaces = [site.workspace(f"shared-{number}", SMALL) for number in range(count)]
    print(f"  {count} tenants in {time.perf_counter() - started:.0f} s", flush=True)
    contacts = {workspace.key: _contacts(site, workspace) for workspace in workspaces}
    asked = options.times(_REQUESTS)
    with site.web() as web:
        connections = [Connection(site.port) for _ in range(2)]
        one = _state(site, web, connections, "one tenant", [workspaces[0]], contacts, asked)
        first = _state(site, web, connections, f"each of {count} for the first time", workspaces, contacts, count)
        all_ = _state(site, web, connections, f"{count} tenants, in turns", workspaces, contacts, asked)
    states = (one, first, all_)
    head = (
        "asked",
        "requests a second",
        "processor ms a request",
        "p50 ms",
        "p95 ms",
        "web process, MB",
        "PostgreSQL's backends, MB",
    )
    lines, budgets = _catalogs()
    text = f"""One web process of 4 threads, two kept-alive clients; each tenant has {SMALL.companies} companies,
{SMALL.contacts} contacts, {SMALL.deals} deals. Of ten requests four are single records, three lists,
one each a search, a board and a create. Memory is that of the process (PSS), of the backends what each has for
itself (USS).

{table(head, [state.cells for state in states])}

A catalog, built in this process from overrides that were read:

{table(("catalog of a tenant", "ms", "MB"), lines)}"""
    shared = all_.rate / one.rate
    budgets += [
        Budget(
            f"{count} tenants sharing one process, beside one",
            "none stated",
            f"{shared:.0%} of the rate, {all_.web - one.web:+.0f} MB",
        ),
    ]
    rates = {"one tenant, mixed": one.rate, f"{count} tenants, mixed": all_.rate}
    return Part(text, budgets, rates)


def _contacts(site: Site, workspace: Workspace) -> list[str]:
    with site.scope(workspace) as scope:
        return [str(row[0]) for row in scope.execute("select id from o_contact limit 20").fetchall()]


def _requests(workspaces: Sequence[Workspace], contacts: dict[str, list[str]]) -> Iterator[bytes]:
    """Each tenant in turn, with the next of the ten requests."""
    for turn in itertools.count():
        for place, workspace in enumerate(workspaces):
            op, known = _ASKED[(turn + place) % len(_ASKED)], contacts[workspace.key]
            if op == "create":
                yield request("/records/contact", workspace.key, "POST", contact(f"Shared {turn}"))
            else:
                path = {
                    "list": "/records/contact?sort=title&limit=50",
                    "board": "/records/deal/board",
                    "search": "/search?q=anna",
                    "get": f"/records/contact/{known[turn % len(known)]}",
                }[op]
                yield request(path, workspace.key)


def _state(
    site: Site, web: int, connections: list[Connection], name: str, workspaces: Sequence[Workspace],
    contacts: dict[str, list[str]], count: int,
) -> State:  # fmt: skip
    stream = _requests(workspaces, contacts)
    streams = [stream] * len(connections)
    if len(workspaces) == 1 or count > len(workspaces):
        drive(connections, streams, count=max(40, count // 10))
    meter = Meter(web, site.postgres)
    meter.start()
    seen = drive(connections, streams, count=count)
    assert not seen.errors, seen.errors[0]
    cost = meter.read(len(seen.times))
    backends = _backends(site.postgres)
    found = State(
        name, len(seen.times) / seen.seconds, cost.sum, statistics.median(seen.times), percentile(seen.times, 0.95),
        pss_of(web), sum(backends), len(backends),
    )  # fmt: skip
    print("  " + " | ".join(found.cells), flush=True)
    return found


def _backends(postgres: int) -> list[float]:
    """MB of each backend of the application's login, shared buffers apart."""
    return [
        process.memory_full_info().uss / 1e6
        for process in psutil.Process(postgres).children()
        if "rapport_app" in " ".join(process.cmdline())
    ]


def _catalogs() -> tuple[list[tuple[str, ...]], list[Budget]]:
    """Time and memory of catalogs: of a tenant like all others, with one object of its own, with all."""
    names = list(catalog.platform_leaves())
    catalog.platform()
    found = [
        (words, *_catalog(changed, place * 1_000))
        for place, (words, changed) in enumerate(
            (
                ("as every new one: shared", []),
                ("one object changed", names[:1]),
                (f"all {len(names)} objects changed", names),
            )
        )
    ]
    _, milliseconds, megabytes = found[-1]
    met = milliseconds <= 10 and megabytes <= 0.3
    budget = Budget(
        "catalog of a cold tenant, every object its own",
        "≤ 10 ms, ≤ 0.3 MB",
        f"{milliseconds:.1f} ms, {megabytes:.2f} MB",
        met,
    )
    return [(words, f"{ms:.2f}", f"{mb:.3f}") for words, ms, mb in found], [budget]


def _catalog(changed: list[str], salt: int) -> tuple[float, float]:
    """Median milliseconds to build, MB to keep; every one has another text, so that none is shared."""
    times: list[float] = []

    def build(number: int) -> object:
        overrides = [(f"object/{name}", "help", f"Changed {salt + number}") for name in changed]
        started = time.thread_time()
        built = catalog.build(1, overrides)
        times.append((time.thread_time() - started) * 1000)
        return built

    for number in range(_CATALOGS):
        build(number)
    milliseconds = statistics.median(times)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [build(_CATALOGS + number) for number in range(_CATALOGS)]
    megabytes = (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1e6
    tracemalloc.stop()
    return milliseconds, megabytes
