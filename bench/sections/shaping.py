"""Shaping while people work: fields added to a large object, and what its writers wait for that."""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import time
import uuid
from typing import TYPE_CHECKING, Final

from app.core import clock
from app.metadata import document
from app.metadata.apply import Request, apply, look, owner_of
from app.metadata.changeset import desired
from app.metadata.plan import plan
from app.metadata.work import work
from app.records.write import update_record
from bench.results import Budget, Part, table
from tenants.scope import SYSTEM

if TYPE_CHECKING:
    from bench.sections import Options
    from bench.site import Site, Workspace

_FIELDS: Final = 20
_WRITERS: Final = 3
_KINDS: Final = {
    "a field": "type: text, label: New",
    "a field with an index, a key": "type: link, label: New, to: company",
    "a field that is searched": "type: text, label: New, searchable: true",
}


def run(site: Site, options: Options) -> Part:
    """Measure."""
    workspace = site.large()
    lines: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    with site.scope(workspace) as scope:
        count = scope.execute("select count(*) from o_contact").fetchone()
    rows = count[0] if count else 0
    for what, spec in _KINDS.items():
        alone = [_add(site, workspace, spec) for _ in range(options.times(_FIELDS))]
        work(site.runtime, workspace.tenant.id, {})
        taken, waits, written = _beside_writers(site, workspace, spec, options.times(_FIELDS))
        median, longest = statistics.median(alone), max(waits)
        lines.append((
            what, f"{median:.0f}", f"{statistics.median(taken):.0f}", f"{longest:.0f}",
            f"{statistics.median(waits):.1f}", f"{written:,}",
        ))  # fmt: skip
        print(f"  {what}: {median:.0f} ms, a writer waits {longest:.0f} ms at most", flush=True)
        budgets.append(Budget(
            f"add {what} to an object of {rows:,} records, plan + apply", "≤ 100 ms; a writer waits ≤ 0.5 s",
            f"{median:.0f} ms; {longest:.0f} ms", median <= 100 and longest <= 500,
        ))  # fmt: skip
    head = (
        "add",
        "plan + apply, median ms",
        "beside writers",
        "longest write, ms",
        "median write, ms",
        "writes meanwhile",
    )
    text = f"""Fields are added to contacts one after the other, alone and while {_WRITERS} processes change contacts as
fast as they can: then an apply waits for a gap between them rather than make them wait. Indexes and checks of keys are
made by the job behind it, which runs meanwhile too.

{table(head, lines)}"""
    return Part(text, budgets)


def _beside_writers(site: Site, workspace: Workspace, spec: str, times: int) -> tuple[list[float], list[float], int]:
    """Writers are processes of their own, as in life."""
    processes = multiprocessing.get_context("fork")
    stop, answers = processes.Event(), processes.Queue()

    def write(at: int) -> None:
        site.runtime.databases.forget()
        waits = list[float]()
        with site.scope(workspace) as scope:
            found = scope.execute("select id from o_contact order by id limit 100 offset %s", (at * 100,)).fetchall()
        for (contact,) in itertools.cycle(found):
            started = time.perf_counter()
            with site.scope(workspace, write=True) as scope:
                update_record(scope, "contact", contact, {"department": uuid.uuid4().hex})
            waits.append((time.perf_counter() - started) * 1000)
            if stop.is_set():
                break
        answers.put(waits)

    writers = [processes.Process(target=write, args=(at,)) for at in range(_WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    try:
        taken = [_add(site, workspace, spec) for _ in range(times)]
        work(site.runtime, workspace.tenant.id, {})
    finally:
        stop.set()
    waits = [one for _ in writers for one in answers.get(timeout=60)]
    for writer in writers:
        writer.join()
    return taken, waits, len(waits)


def _add(site: Site, workspace: Workspace, spec: str) -> float:
    tenant, databases = workspace.tenant, site.runtime.databases
    name = f"contact.f_{uuid.uuid4().hex[:8]}"
    patches = document.read(f"{{kind: field, name: {name}, {spec}}}")
    started = time.perf_counter()
    with owner_of(databases, tenant) as connection:
        given = look(connection, tenant)
        plan(given, desired(given.state, patches), clock.now())
    apply(databases, tenant, lambda state: desired(state, patches), Request(source="bench", by=SYSTEM))
    taken = (time.perf_counter() - started) * 1000
    time.sleep(0.1)
    return taken
