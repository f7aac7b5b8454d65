"""Every kind of search over a workspace of 180,000 records: milliseconds of the verb on the server.

Processor time of the asking process and of PostgreSQL stand beside, so that a busy machine can be told from a slow
statement.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING, Final

from app.records.search import search
from bench.measure import Cost, Meter, percentile
from bench.results import Budget, Part, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.sections import Options
    from bench.site import Site, Workspace

_ROUNDS: Final = 40
_BUDGET: Final = 20.0


def run(site: Site, options: Options) -> Part:
    """Ask every kind of question."""
    workspace = site.large()
    rows: list[tuple[str, ...]] = []
    all_times: list[float] = []
    for kind, text in questions(site, workspace):
        times, cost, hits = measure(site, workspace, text, options.times(_ROUNDS))
        all_times += times
        figures = (statistics.median(times), percentile(times, 0.95), max(times), cost.side, cost.postgres)
        rows.append((kind, str(hits), *(f"{figure:.1f}" for figure in figures)))
        print("  " + " | ".join(rows[-1]), flush=True)
    p50, p95 = statistics.median(all_times), percentile(all_times, 0.95)
    rows.append(("**all**", "", f"{p50:.1f}", f"{p95:.1f}", f"{max(all_times):.1f}", "", ""))
    companies, contacts, deals, notes = workspace.sizes.as_tuple()
    text = f"""{companies:,} companies, {contacts:,} contacts, {deals:,} deals, {notes:,} notes. Milliseconds of the
verb inside its scope, and milliseconds of processor time a search, of the server's side and of PostgreSQL.

{table(("search", "hits", "p50", "p95", "longest", "server's processor ms", "PostgreSQL's"), rows)}"""
    asked = Budget(
        f"search at {workspace.sizes.all:,} records, mix of {len(rows) - 1} questions",
        "p95 ≤ 20 ms",
        f"{p95:.1f} ms",
        p95 <= _BUDGET,
    )
    return Part(text, [asked])


def questions(site: Site, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Kind and text of each search."""
    with site.scope(workspace) as scope:
        contact = scope.execute("select last_name, email from o_contact order by id limit 1 offset 500").fetchone()
        note = scope.execute(
            "select string_agg(regexp_replace(body, '<[^>]*>', '', 'g'), ' ')"
            " from (select body from o_note order by id limit 3) as n"
        ).fetchone()
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
    yield "a word of every contact", "engineer"
    yield "words of several objects", "engineer customer company deal"
    yield "a syllable inside of words", "jan"
    yield "two words mistyped", "engneer custmer"
    yield "a long question", f"how do i {' '.join(words[40:52])} of the customer"
    yield "thirty words", " ".join(words[:30])
    yield "a question with rare words", f"where is the {words[30]} {words[31]} {words[32]} of the customer"
    yield "what is nowhere", "zyxomma quorl"


def measure(site: Site, workspace: Workspace, text: str, rounds: int) -> tuple[list[float], Cost, int]:
    """Milliseconds of the verb each time, processor time here and in PostgreSQL, hits."""
    times: list[float] = []
    hits = 0
    meter = Meter(os.getpid(), site.postgres, inside=True)
    for round_ in range(-3, rounds):
        if round_ == 0:
            times.clear()
            meter.start()
        with site.scope(workspace, by_key=True) as scope:
            started = time.perf_counter()
            hits = len(search(scope, text))
            times.append((time.perf_counter() - started) * 1000)
    return times, meter.read(rounds), hits
