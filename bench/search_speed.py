"""``python -m bench.search_speed [--scale 1] [--rounds 40]``: every kind of search over a workspace of 180,000 records.

Milliseconds of the verb inside its scope, and processor time of the asking process and of PostgreSQL, so that a busy
machine can be told from a slow statement.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING

from app.records.search import search
from bench.measure import Meter
from bench.site import running
from tenants.scope import enter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.site import Site


def questions(site: Site) -> Iterator[tuple[str, str]]:
    """Kind and text of each search."""
    with enter(site.runtime.databases, pod=1, host=None, credential=site.credential, write=False) as scope:
        contact = scope.execute("select last_name, email from o_contact order by id limit 1 offset 500").fetchone()
        note = scope.execute("select regexp_replace(body, '<[^>]*>', '', 'g') from o_note limit 1 offset 70").fetchone()
    assert contact is not None
    assert note is not None
    name, email = contact
    words = note[0].split()
    yield "a name thousands have", "anna"
    yield "a full name", f"bernd {name}"
    yield "a letter", "d"
    yield "the start of a name", name[:4]
    yield "the start of a title", "company ab"
    yield "a name mistyped", f"{name[:5]}x{name[5:]}"
    yield "an e-mail address", email
    yield "the start of one", email[:6]
    yield "a phone number nobody has", "+49 30 901820"
    yield "an amount", "8954"
    yield "a domain", "d77.example"
    yield "a web address", "https://www.d77.example/about"
    yield "a job title", "engineer 77"
    yield "a word thousands of notes have", "customer"
    yield "three common words", "customer invoice renewal"
    yield "a phrase", f'"{words[8]} {words[9]} {words[10]}"'
    yield "words of one note", " ".join(words[20:24])
    yield "a question of common words", "how do i get a refund for the machine warranty of a customer"
    yield "a question with rare words", f"where is the {words[30]} {words[31]} {words[32]} of the customer"
    yield "what is nowhere", "zyxomma quorl"


def measure(site: Site, text: str, rounds: int) -> tuple[float, float, float, float, int]:
    """Median and p95 of the verb, processor time here and in PostgreSQL, hits."""
    times: list[float] = []
    hits = 0
    meter = Meter(os.getpid(), site.postgres)
    for round_ in range(-3, rounds):
        if round_ == 0:
            times.clear()
            meter.start()
        with enter(site.runtime.databases, pod=1, host=None, credential=site.credential, write=False) as scope:
            started = time.perf_counter()
            hits = len(search(scope, text))
            times.append((time.perf_counter() - started) * 1000)
    cost = meter.read(rounds)
    # PostgreSQL is a child of this process.
    here = cost.side - cost.postgres
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], here, cost.postgres, hits


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.search_speed")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    with running(given.scale) as site:
        print("| search | hits | median ms | p95 ms | processor ms here | in PostgreSQL |\n|---|---|---|---|---|---|")
        for kind, text in questions(site):
            median, p95, here, postgres, hits = measure(site, text, given.rounds)
            print(f"| {kind} | {hits} | {median:.1f} | {p95:.1f} | {here:.1f} | {postgres:.1f} |", flush=True)


if __name__ == "__main__":
    main()
