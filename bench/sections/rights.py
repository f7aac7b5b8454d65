"""What rights cost: the same requests by who sees everything and by members whose records are narrowed.

Whole requests without a server (routing, guards, scope, verb, bytes) and PostgreSQL, in turns; and the verb's
statements alone, replayed in one scope. Processor time, so that a busy machine disturbs little.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from app.access.closures import rebuild_managers, rebuild_teams
from app.factory.web import create_flask_app
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from bench import work
from bench.inside import call, environ
from bench.measure import Cost, Meter
from bench.people import ADMIN, DEALS, KINDS, LEAD, TEAMS, Asking, fill_people
from bench.requests import FIGURES
from bench.results import Budget, Part, table
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from bench.sections import Options
    from bench.site import Site
    from tenants.scope import TenantScope

#: Of the list of 50, and of whoever was given thousands of records.
_MOST: Final = 1.5
_CONDITION: Final = 'stage != "lost" && amount > 1000'
#: One of eight; a list walks until it has 50, so whoever reaches a sixth walks six times as far.
_RARE: Final = 'stage == "proposal" && amount > 1000'
_GROUPS: Final = ("stage", "close_on:quarter")
_QUESTION: Final = "deal ab"
#: Requests a turn of what takes a few milliseconds, tens of them, hundreds.
_MANY, _SOME, _FEW = 30, 6, 2
_BULK: Final = 500
_LISTS: Final = {
    "list of 50, newest first": ("", "-created_at"),
    "list of 50, by title": ("", "title"),
    "list of 50 with a condition that most meet": (_CONDITION, "-created_at"),
    "list of 50 with a condition that one in eight meets": (_RARE, "-created_at"),
    "list of 50 by amount, which has no index": ("", "-amount"),
}
#: What the others are asked, who are more: enough to see where reach costs.
_ALSO: Final = (*_LISTS, "get", "board")


@dataclass(frozen=True, slots=True)
class Read:
    """Something asked: its address, whether it is a page, the verb behind it, how often a turn."""

    path: str
    verb: Callable[[TenantScope], object] | None
    count: int
    by_key: bool = False
    page: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measures need."""

    site: Site
    options: Options
    flask_app: Flask
    people: Mapping[str, Asking]

    def compare(self, acts: Mapping[str, Callable[[], float]], count: int) -> dict[str, Cost]:
        """The medians of each, in turns, once warm; an act answers our side's milliseconds."""
        count = max(1, int(count * self.options.effort))
        found: dict[str, list[Cost]] = {name: [] for name in acts}
        for act in acts.values():
            act()
            act()
        for _ in range(self.options.rounds):
            for name, act in acts.items():
                meter = Meter(self.site.postgres, self.site.postgres)
                meter.start()
                spent = [act() for _ in range(count)]
                found[name].append(Cost(statistics.median(spent), meter.read(count).postgres))
        return {name: sorted(costs, key=lambda cost: cost.sum)[len(costs) // 2] for name, costs in found.items()}


def run(site: Site, options: Options) -> Part:
    """Measure."""
    started = time.monotonic()
    bench = Bench(site, options, create_flask_app(site.runtime), fill_people(site))
    print(f"  filled in {time.monotonic() - started:.0f} s", flush=True)
    reads = _reads(bench)
    asked, requests = _requests(bench, reads)
    alone = _statements(bench, reads)
    others, given = _others(bench, reads)
    writes = _writes(bench)
    deals = max(100, int(DEALS * site.scale))
    text = f"""{deals:,} deals, open to teams and managers, with a sharing rule for a team. An admin sees all of them; a
lead reaches {bench.people[LEAD].reaches:,}: those of the teams below, of the people below, by a sharing rule, by a
condition of the role in CEL, and two given by hand. Milliseconds of processor time a request, our side (the whole
application, without a server) and PostgreSQL, in turns, medians of {options.rounds} rounds.

{table(("asked", "admin", "lead", "lead: ours + PostgreSQL", "lead / admin"), requests)}

PostgreSQL's time for the statements of the verb alone, without entering the workspace and without the one statement
that reads whom one reaches, which is sent only when that changed:

{table(("statements of", "admin", "lead", "lead / admin"), alone)}

Other members, milliseconds a request and times the admin's:

{table(("member", "deals in reach", *_ALSO), others)}

Writes, milliseconds a request and times the admin's:

{table(("written", *KINDS_WRITING.values()), writes)}

The tables of whom one reaches, {TEAMS:,} teams in a tree (ten below each) and two managers of 1,000 people each, one
of them on 100 levels; PostgreSQL's processor time:

{table(("rebuilt", "rows", "ms"), _closures(bench))}"""
    return Part(text, [*asked, given])


def _reads(bench: Bench) -> dict[str, Read]:
    found = {
        name: Read(_records("", filter=condition, sort=sort), _list_verb(condition, sort), _MANY)
        for name, (condition, sort) in _LISTS.items()
    }
    amount = "list of 50 by amount, which has no index"
    found[amount] = Read(found[amount].path, found[amount].verb, _SOME)
    deal = _deals_of(bench, LEAD, 1)[0]
    return found | {
        "get": Read(f"/api/v1/records/deal/{deal}", lambda scope: get_record(scope, "deal", deal), _MANY, by_key=True),
        "search": Read(
            f"/api/v1/search?{urlencode({'q': _QUESTION})}", lambda s: search(s, _QUESTION), _SOME, by_key=True
        ),
        "aggregate": Read(
            _records("/aggregate", group_by=",".join(_GROUPS), metrics=",".join(FIGURES)),
            lambda scope: aggregate(scope, "deal", AggregateQuery(group_by=_GROUPS, metrics=FIGURES)),
            _FEW,
        ),
        "board": Read(
            _records("/board", metrics=",".join(FIGURES)),
            lambda scope: board(scope, "deal", BoardQuery(metrics=FIGURES)),
            _FEW,
        ),
        "page of the list": Read("/records/deal", None, _SOME, page=True),
    }


def _records(path: str, **arguments: str) -> str:
    return f"/api/v1/records/deal{path}?{urlencode({name: value for name, value in arguments.items() if value})}"


def _list_verb(condition: str, sort: str) -> Callable[[TenantScope], object]:
    return lambda scope: list_records(scope, "deal", ListQuery(filter=condition, sort=sort))


def _deals_of(bench: Bench, name: str, count: int) -> list[str]:
    """Deals somebody may change."""
    with bench.site.scope(bench.people[name].workspace) as scope:
        query = ListQuery(fields=("id",), filter="amount < 8000", sort="-created_at", limit=min(count, 200))
        found: list[str] = []
        while len(found) < count:
            page = list_records(scope, "deal", query)
            found += [str(row["id"]) for row in page.rows]
            if page.next is None:
                break
            query = ListQuery(
                fields=query.fields, filter=query.filter, sort=query.sort, limit=query.limit, cursor=page.next
            )
    return found[:count]


def _asking(bench: Bench, who: Asking, read: Read) -> Callable[[], float]:
    """A request of somebody's, as often as wanted."""
    if read.page:
        headers = {"Cookie": who.cookie, "Host": who.workspace.tenant.host}
    else:
        headers = {"Authorization": f"Bearer {who.workspace.key}", "Host": "localhost"}
    return lambda: call(bench.flask_app, environ(read.path, headers))


def _requests(bench: Bench, reads: Mapping[str, Read]) -> tuple[list[Budget], list[tuple[str, ...]]]:
    """Each read by the admin and by the lead."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for name, read in reads.items():
        found = bench.compare({who: _asking(bench, bench.people[who], read) for who in (ADMIN, LEAD)}, read.count)
        admin, lead = found[ADMIN], found[LEAD]
        factor = lead.sum / admin.sum
        rows.append(
            (name, f"{admin.sum:.2f}", f"{lead.sum:.2f}", f"{lead.side:.2f} + {lead.postgres:.2f}", f"{factor:.2f}")
        )
        print("  " + " | ".join(rows[-1]), flush=True)
        if name in _LISTS:
            what = f"{name}, {DEALS:,} deals, narrowed five ways"
            budgets.append(Budget(what, f"≤ {_MOST} times the same without", f"{factor:.2f} times", factor <= _MOST))
    return budgets, rows


def _statements(bench: Bench, reads: Mapping[str, Read]) -> list[tuple[str, ...]]:
    """PostgreSQL's time for the statements alone."""
    rows: list[tuple[str, ...]] = []
    for name, read in reads.items():
        if read.verb is None:
            continue
        found = {who: _alone(bench, bench.people[who], read, read.verb) for who in (ADMIN, LEAD)}
        rows.append((name, f"{found[ADMIN]:.2f}", f"{found[LEAD]:.2f}", f"{found[LEAD] / found[ADMIN]:.2f}"))
        print("  alone: " + " | ".join(rows[-1]), flush=True)
    return rows


def _alone(bench: Bench, who: Asking, read: Read, verb: Callable[[TenantScope], object]) -> float:
    """Milliseconds of PostgreSQL for what the verb sends, many times in one scope."""
    sent = work.statements(bench.site, who.workspace, verb, by_key=read.by_key)
    count = max(2, int(read.count * bench.options.effort) * 2)
    found: list[float] = []
    with bench.site.scope(who.workspace, by_key=read.by_key) as scope:
        for turn in range(bench.options.rounds + 1):
            meter = Meter(bench.site.postgres, bench.site.postgres)
            meter.start()
            for _ in range(count):
                for text, params in sent:
                    scope.cursor_text().execute(text, params).fetchall()
            if turn:
                found.append(meter.read(count).postgres)
    return statistics.median(found)


def _others(bench: Bench, reads: Mapping[str, Read]) -> tuple[list[tuple[str, ...]], Budget]:
    """What members of other kinds pay; and the budget of many single shares."""
    costs: dict[str, dict[str, float]] = {name: {} for name in KINDS}
    for what in _ALSO:
        read = reads[what]
        if what == "get":
            acts = {name: _own_get(bench, name, read) for name in KINDS if bench.people[name].reaches}
        else:
            acts = {name: _asking(bench, bench.people[name], read) for name in KINDS}
        for name, cost in bench.compare(acts, max(1, read.count // 2)).items():
            costs[name][what] = cost.sum
    rows: list[tuple[str, ...]] = []
    for name, label in KINDS.items():
        cells = [_beside(costs[name].get(what), costs[ADMIN][what]) for what in _ALSO]
        rows.append((label, f"{bench.people[name].reaches:,}", *cells))
        print("  " + " | ".join(rows[-1]), flush=True)
    newest = next(iter(_LISTS))
    factor = costs["given"][newest] / costs[ADMIN][newest]
    words = f"{newest}, {KINDS['given']}"
    return rows, Budget(words, f"≤ {_MOST} times the same without", f"{factor:.2f} times", factor <= _MOST)


def _own_get(bench: Bench, name: str, read: Read) -> Callable[[], float]:
    """A record within reach of whoever asks for it."""
    [deal, *_] = _deals_of(bench, name, 1)
    own = Read(f"/api/v1/records/deal/{deal}", read.verb, read.count, by_key=True)
    return _asking(bench, bench.people[name], own)


def _beside(cost: float | None, admin: float) -> str:
    return "-" if cost is None else f"{cost:.2f} ({cost / admin:.2f})"


#: Who writes.
KINDS_WRITING: Final = {ADMIN: "admin", LEAD: "lead", "given": "given 5,000 deals"}


def _writes(bench: Bench) -> list[tuple[str, ...]]:
    """Records made and changed one by one, and by hundreds."""
    deals = {name: _deals_of(bench, name, _BULK) for name in KINDS_WRITING}
    turn = iter(range(10_000_000))

    def made() -> dict[str, Any]:
        return {"name": f"Made {next(turn)}", "amount": {"amount": "10.00", "currency": "EUR"}, "stage": "new"}

    def changed(deal: str) -> dict[str, Any]:
        return {"id": deal, "next_step": f"Step {next(turn)}"}

    kinds: dict[str, tuple[int, Callable[[str], tuple[str, str, object]]]] = {
        "create a deal": (_MANY, lambda _name: ("/records/deal", "POST", made())),
        "change a deal": (
            _MANY,
            lambda name: (f"/records/deal/{deals[name][0]}", "PATCH", {"next_step": f"Step {next(turn)}"}),
        ),
        f"bulk: {_BULK} deals made": (1, lambda _n: ("/records/deal/bulk", "POST", [made() for _ in range(_BULK)])),
        f"bulk: {_BULK} deals changed": (
            1,
            lambda name: ("/records/deal/bulk?mode=update", "POST", [changed(deal) for deal in deals[name]]),
        ),
    }
    rows: list[tuple[str, ...]] = []
    for what, (count, asked) in kinds.items():
        found = bench.compare({name: _writing(bench, name, asked) for name in KINDS_WRITING}, count)
        rows.append((what, *(_beside(found[name].sum, found[ADMIN].sum) for name in KINDS_WRITING)))
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows


def _writing(bench: Bench, name: str, asked: Callable[[str], tuple[str, str, object]]) -> Callable[[], float]:
    headers = {"Authorization": f"Bearer {bench.people[name].workspace.key}", "Host": "localhost"}

    def act() -> float:
        path, method, body = asked(name)
        return call(bench.flask_app, environ(f"/api/v1{path}", headers, method, body))

    return act


def _closures(bench: Bench) -> list[tuple[str, ...]]:
    """How long the tables of whom one reaches take: from nothing, and after one change. Nothing of it stays."""
    tenant = bench.people[ADMIN].workspace.tenant
    rows: list[tuple[str, ...]] = []
    leaf = "update team set parent = (select id from team where name = 'Team 3') where name = 'Team 999'"
    middle = "update member set manager = (select id from member where name = 'wide') where name = 'Chain 501'"
    teams, managers = ("teams", "team_reach", rebuild_teams), ("managers", "manager_reach", rebuild_managers)
    for (what, name, rebuild), how, before in (
        (teams, "from nothing", "delete from team_reach"),
        (teams, "one team moved", leaf),
        (managers, "from nothing", "delete from manager_reach"),
        (managers, "the middle of the chain moved", middle),
    ):
        with (
            enter_job(bench.site.runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=120) as scope,
            scope.connection.transaction(force_rollback=True),
        ):
            scope.connection.execute(before.encode())
            meter = Meter(bench.site.postgres, bench.site.postgres)
            meter.start()
            rebuild(scope)
            milliseconds = meter.read(1).postgres
            count = scope.connection.execute(f"select count(*) from {name}".encode()).fetchone()
        rows.append((f"{what}, {how}", f"{count[0] if count else 0:,}", f"{milliseconds:,.0f}"))
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows
