"""``python -m bench [--scale 0.1] [--rounds 5]``: the product beside bare SQL, in turns, as a table."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.core import clock
from bench import work
from bench.measure import Cost, Meter
from bench.site import Site, running
from tenants.provisioning.lifecycle import PersonRef, create_tenant
from tenants.provisioning.spares import keep_spares

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "performance.md"
#: Operation → requests a round.
_OPS: Final = {"list": 200, "get": 400, "board": 50, "search": 50, "aggregate": 50, "create": 200, "patch": 200}
_IMPORTED: Final = "| import, 11 columns with validation and events, rows a second"
_WORDS: Final = {
    "list": "list 50 of {contacts:,} contacts: condition, sort by title, all fields",
    "get": "get a contact",
    "board": "board of {deals:,} deals: counts, sums, 20 cards a stage",
    "search": "search over {records:,} records",
    "aggregate": "aggregate {deals:,} deals by stage and quarter",
    "create": "create a contact",
    "patch": "change a deal",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    name: str
    bare: Cost
    ours: Cost

    def cells(self) -> tuple[str, ...]:
        """As text: totals, parts, share."""
        return (
            self.name,
            f"{self.bare.sum:.2f}",
            f"{self.ours.sum:.2f}",
            f"{self.ours.side:.2f} + {self.ours.postgres:.2f}",
            f"{self.bare.sum / self.ours.sum:.0%}",
        )


@contextmanager
def raw_process(jobs: Path) -> Generator[subprocess.Popen[str]]:
    """Run the bare side."""
    arguments = [sys.executable, "-m", "bench.raw", str(jobs)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 (our own module)
        _answer(process)
        yield process
        process.terminate()


def _answer(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise SystemExit("the bare side ended")


def ask(process: subprocess.Popen[str], op: str, n: int) -> None:
    """Have the bare side do something and wait."""
    assert process.stdin is not None
    process.stdin.write(json.dumps({"op": op, "n": n}) + "\n")
    process.stdin.flush()
    _answer(process)


def compare(site: Site, raw: subprocess.Popen[str], client: work.Client, rounds: int) -> list[Line]:
    """Every operation in alternated rounds; medians of the cost of one request."""
    lines: list[Line] = []
    words = {"contacts": work_size(site, "contact"), "deals": work_size(site, "deal")}
    words["records"] = words["contacts"] + words["deals"] + work_size(site, "company") + work_size(site, "note")
    for op, n in _OPS.items():
        sides: tuple[tuple[int, Callable[[int], None]], ...] = (
            (raw.pid, lambda count, op=op: ask(raw, op, count)),
            (site.web, lambda count, op=op: client.run(op, count)),
        )
        for _, act in sides:
            act(max(5, n // 10))
        costs: tuple[list[Cost], list[Cost]] = ([], [])
        for _ in range(rounds):
            for (pid, act), found in zip(sides, costs, strict=True):
                meter = Meter(pid, site.postgres)
                meter.start()
                act(n)
                found.append(meter.read(n))
        bare, ours = (sorted(found, key=lambda cost: cost.sum)[len(found) // 2] for found in costs)
        lines.append(Line(_WORDS[op].format(**words), bare, ours))
        print("  " + " | ".join(lines[-1].cells()), flush=True)
    return lines


def work_size(site: Site, object_name: str) -> int:
    """How many records the workspace holds."""
    with site.runtime.databases.pod_owner(1).connect() as connection:
        counted = f'select count(*) from "{site.tenant.schema}"."o_{object_name}"'
        return connection.exec_driver_sql(counted).scalar_one()


def compare_import(
    site: Site, raw: subprocess.Popen[str], rows: list[tuple[object, ...]], rounds: int
) -> tuple[float, float]:
    """Rows a second: bare COPY into record and event, and the product's import of the same rows."""
    bare, ours = [], []
    for round_ in range(rounds):
        started = time.perf_counter()
        ask(raw, "import", 1)
        bare.append(time.perf_counter() - started)
        ours.append(work.import_seconds(site, rows, round_))
    return len(rows) / statistics.median(bare), len(rows) / statistics.median(ours)


def make_tenants(site: Site) -> tuple[float, float]:
    """Milliseconds until a workspace is ready: from a spare, and without one (medians of 3)."""
    keep_spares(site.runtime, 3)
    spared = [_make_tenant(site, f"spared-{number}") for number in range(3)]
    return statistics.median(spared), statistics.median([_make_tenant(site, f"fresh-{number}") for number in range(3)])


def _make_tenant(site: Site, slug: str) -> float:
    owner = PersonRef(uuid.uuid4(), "Olivia Owner", f"{slug}@example.com", new=True)
    with site.runtime.databases.control.begin() as connection:
        connection.exec_driver_sql("insert into person (id, name) values (%s, %s)", (owner.id, owner.name))
        connection.exec_driver_sql(
            "insert into person_email (person, email, verified_at) values (%s, %s, now())", (owner.id, owner.email)
        )
    started = time.perf_counter()
    create_tenant(site.runtime, slug=slug, name=slug, owner=owner)
    return (time.perf_counter() - started) * 1000


def write_page(lines: list[Line], imported: tuple[float, float], made: tuple[float, float], rounds: int) -> str:
    """The table as the generated page."""
    table = "\n".join(f"| {' | '.join(line.cells())} |" for line in lines)
    text = f"""# Performance

<!-- Generated by `make bench`; figures are of one machine and one moment, shares are what to compare. -->

{clock.now():%Y-%m-%d}, {platform.machine()}, {platform.python_implementation()} {platform.python_version()}.
Milliseconds of processor time a request: our web server (one process, kept-alive HTTP, API key) with PostgreSQL,
beside `bench/raw.py`: bare psycopg with the same statements in the same scope and transaction, rows fetched; create and
change beside a plain statement without validation, history or outbox. Alternated, medians of {rounds} rounds.

| what | bare | Rapport | server + PostgreSQL | bare / Rapport |
|---|---|---|---|---|
{table}

| what | bare | Rapport | share |
|---|---|---|---|
{_IMPORTED} | {imported[0]:,.0f} | {imported[1]:,.0f} | {imported[1] / imported[0]:.0%} |

| what | ms |
|---|---|
| new workspace from a spare | {made[0]:.0f} |
| new workspace without a spare | {made[1]:.0f} |
"""
    PAGE.write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--scale", type=float, default=1.0, help="1 = 10,000 companies, 100,000 contacts, 20,000 deals")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the import")
    given = parser.parse_args()
    with running(given.scale) as site:
        rows = work.import_rows(given.rows)
        jobs = site.home / "jobs.pickle"
        contact, deals = work.write_jobs(site, jobs, rows)
        with raw_process(jobs) as raw:
            lines = compare(site, raw, work.Client(site, deals, contact), given.rounds)
            imported = compare_import(site, raw, rows, min(3, given.rounds))
        made = make_tenants(site)
    print(write_page(lines, imported, made, given.rounds))


if __name__ == "__main__":
    main()
