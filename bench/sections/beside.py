"""One client beside bare SQL: every operation in alternated rounds, processor time of server and PostgreSQL."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench import work
from bench.fill import Sizes
from bench.load import Connection, drive
from bench.measure import Cost, Meter
from bench.requests import BULK_ROWS, Streams
from bench.results import Budget, Part, table
from bench.talk import talking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.sections import Options
    from bench.site import Site, Workspace
    from bench.talk import Talker

#: Operation → requests a round.
_OPS: Final = {"list": 200, "get": 400, "board": 50, "search": 50, "aggregate": 50, "create": 200, "patch": 200}
_WORDS: Final = {
    "list": "list 50 of {contacts:,} contacts: condition, sort by title, all fields",
    "get": "get a contact",
    "board": "board of {deals:,} deals: counts, sums, 20 cards a stage",
    "search": "search over {records:,} records",
    "aggregate": "aggregate {deals:,} deals by stage and quarter",
    "create": "create a contact",
    "patch": "change a deal, its version checked",
    "bulk": f"bulk of {BULK_ROWS:,} contacts, a row",
    "import": "import, 12 columns, a link among them, a row",
}
#: Operation → (line of DESIGN §12, share of bare that is asked for).
_ASKED: Final = {
    "list": ("list 50 of 100,000 with condition, sort, rights", 0.50),
    "create": ("create with validation, rights, event, outbox", 0.40),
    "patch": ("update with version check and event", 1 / 1.5),
    "import": ("import, 12 columns, links, rules, events", 0.50),
    "board": ("board of 20,000 deals", 0.50),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An operation: medians of processor time a request, and the rate of the median round."""

    op: str
    bare: Cost
    ours: Cost
    bare_rate: float
    ours_rate: float

    @property
    def share(self) -> float:
        """Bare processor time beside ours: how near the limit."""
        return self.bare.sum / self.ours.sum

    def cells(self, words: dict[str, int]) -> tuple[str, ...]:
        """As text."""
        per = 3 if self.op in ("bulk", "import") else 2
        return (
            _WORDS[self.op].format(**words),
            f"{self.bare.sum:.{per}f}",
            f"{self.ours.sum:.{per}f}",
            f"{self.ours.side:.{per}f} + {self.ours.postgres:.{per}f}",
            f"{self.share:.0%}",
            f"{self.bare_rate:,.0f}",
            f"{self.ours_rate:,.0f}",
        )


#: A side of the comparison: its process, whether that one started PostgreSQL, and what does it so many times.
_Side = tuple[int, bool, "Callable[[int], None]"]


def run(site: Site, options: Options) -> Part:
    """Measure."""
    large = site.large()
    lines = _requests(site, large, options) + _rows(site, options)
    companies, contacts, deals, notes = large.sizes.as_tuple()
    words = {"contacts": contacts, "deals": deals, "records": companies + contacts + deals + notes}
    head = (
        "what",
        "bare ms",
        "Rapport ms",
        "server + PostgreSQL",
        "bare / Rapport",
        "bare a second",
        "Rapport a second",
    )
    text = f"""Milliseconds of processor time a request: the web server (one process, kept-alive HTTP, API key) with
PostgreSQL, beside `bench/raw.py`: bare psycopg with the same statements in the same scope and transaction, rows
fetched. A bare create is an insert of row and event, a bare change a plain UPDATE, a bare bulk or import COPY of the
same rows, links known and the affiliations they make among them, into the same tables and indexes. In turns, medians
of {options.rounds} rounds; rates are of wall time with one client.

{table(head, [line.cells(words) for line in lines])}"""
    rates = {f"raw {line.op}": line.bare_rate for line in lines} | {
        f"one client {line.op}": line.ours_rate for line in lines
    }
    return Part(text, [_budget(line) for line in lines if line.op in _ASKED], rates)


def _budget(line: Line) -> Budget:
    what, share = _ASKED[line.op]
    if line.op in ("patch", "board"):
        times = "1.5 times a plain UPDATE" if line.op == "patch" else "2 times the bare SQL"
        return Budget(what, f"≤ {times}", f"{1 / line.share:.2f} times", line.share >= share)
    return Budget(what, f"≥ {share:.0%} of bare", f"{line.share:.0%}", line.share >= share)


def _requests(site: Site, workspace: Workspace, options: Options) -> list[Line]:
    """What is asked one at a time."""
    jobs = site.home / "jobs.pickle"
    streams = Streams(work.write_jobs(site, workspace, jobs))
    with talking("bench.raw", jobs) as [raw], site.web() as web:
        connection = Connection(site.port)
        return [
            _compare(
                site, op, options.times(count), options.rounds,
                ((raw.pid, False, _bare(raw, op)), (web, False, _ours(connection, streams.of(op)))),
            )
            for op, count in _OPS.items()
        ]  # fmt: skip


def _rows(site: Site, options: Options) -> list[Line]:
    """What is written by thousands; in a workspace of its own, which grows by it."""
    workspace = site.workspace("writes", Sizes(10_000, 20_000, 0).scaled(site.scale))
    copies, imported = work.copies(site, workspace, options.rows)
    jobs = site.home / "copies.pickle"
    streams = Streams(work.write_jobs(site, workspace, jobs, copies))
    rounds = min(3, options.rounds)
    turn = iter(range(1_000))

    def import_(_count: int) -> None:
        work.import_seconds(site, workspace, imported, next(turn))

    with talking("bench.raw", jobs) as [raw], site.web() as web:
        connection = Connection(site.port)
        bulk = _ours(connection, streams.of("bulk"))
        sides: dict[str, tuple[int, _Side]] = {
            "bulk": (BULK_ROWS, (web, False, lambda _count: bulk(1))),
            "import": (options.rows, (os.getpid(), True, import_)),
        }
        return [
            _compare(
                site, op, rows, rounds, ((raw.pid, False, lambda _count, op=op: _bare(raw, op)(1)), ours), warm=False
            )
            for op, (rows, ours) in sides.items()
        ]


def _bare(raw: Talker, op: str) -> Callable[[int], None]:
    return lambda count: raw.ask(op=op, n=count)


def _ours(connection: Connection, stream: Iterator[bytes]) -> Callable[[int], None]:
    def ask(count: int) -> None:
        seen = drive([connection], [stream], count=count)
        assert not seen.errors, seen.errors[0]

    return ask


def _compare(site: Site, op: str, count: int, rounds: int, sides: tuple[_Side, _Side], *, warm: bool = True) -> Line:
    """Both sides in turns; medians by processor time, and of the rates."""
    if warm:
        for _, _, act in sides:
            act(max(5, count // 10))
    found: list[list[tuple[Cost, float]]] = [[], []]
    for _ in range(rounds):
        for (pid, inside, act), kept in zip(sides, found, strict=True):
            meter = Meter(pid, site.postgres, inside)
            meter.start()
            started = time.perf_counter()
            act(count)
            seconds = time.perf_counter() - started
            kept.append((meter.read(count), count / seconds))
    (bare, bare_rate), (ours, ours_rate) = (_median(kept) for kept in found)
    line = Line(op, bare, ours, bare_rate, ours_rate)
    print(f"  {op}: {bare.sum:.3f} {ours.sum:.3f} ms, {line.share:.0%}", flush=True)
    return line


def _median(found: list[tuple[Cost, float]]) -> tuple[Cost, float]:
    costs = sorted((cost for cost, _ in found), key=lambda cost: cost.sum)
    return costs[len(costs) // 2], statistics.median(rate for _, rate in found)
