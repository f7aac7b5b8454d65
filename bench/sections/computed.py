"""Formulas and roll-ups: reading and writing an object of 20 fields with three formulas and a roll-up, and without."""

from __future__ import annotations

import itertools
import random
import statistics
from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.metadata import document
from app.metadata.apply import Request, apply
from app.metadata.changeset import desired
from app.records import folding
from app.records.bulk import bulk
from bench.fill import Sizes
from bench.load import Connection, drive
from bench.measure import Meter
from bench.requests import request
from bench.results import Budget, Part, table
from tenants.scope import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.sections import Options
    from bench.site import Site, Workspace

_RECORDS: Final = 2_000
_PIECES: Final = 5
_REQUESTS: Final = 400
#: Besides the name.
_FIELDS: Final = {
    **{f"note_{n}": "type: text" for n in range(6)}, **{f"count_{n}": "type: integer" for n in range(4)},
    "rate": "type: decimal", "weight": "type: decimal", "price": "type: money", "cost": "type: money",
    "begun": "type: date", "ended": "type: date", "seen": "type: datetime", "active": "type: boolean",
    "kind": "type: select, options: {a: A, b: B, c: C}",
}  # fmt: skip
_COMPUTED: Final = {
    "margin": 'type: formula, returns: percent, value: "(price - cost) / price"',
    "days_open": 'type: formula, returns: integer, value: "days(begun, ended)"',
    "summary": "type: formula, returns: text, value: \"concat(note_0, ' ', count_0)\"",
}
#: What the same values cost where they are simply stored.
_STORED: Final = {"margin": "percent", "days_open": "integer", "summary": "text", "pieces": "integer"}
_OBJECTS: Final = {
    "plain": {},
    "stored": {name: f"type: {kind}" for name, kind in _STORED.items()},
    "rich": {**_COMPUTED, "pieces": "type: rollup, over: pieces_of_rich, function: sum, field: amount"},
    "kept": {**_COMPUTED, "pieces": "type: rollup, over: pieces_of_kept, function: sum, field: amount, indexed: true"},
}
_WORDS: Final = {
    "plain": "without",
    "stored": "four stored fields more",
    "rich": "three formulas, a roll-up",
    "kept": "the roll-up indexed",
}
_OPS: Final = ("list of 50", "get", "create", "change")


def run(site: Site, options: Options) -> Part:
    """Measure in turns."""
    workspace = site.workspace("computed", Sizes(0, 0, 0, 0))
    ids = _prepare(site, workspace)
    count = options.times(_REQUESTS)
    found: dict[tuple[str, str], list[float]] = {}
    with site.web() as web:
        connection = Connection(site.port)
        for round_ in range(options.rounds + 1):
            for op, name in itertools.product(_OPS, _OBJECTS):
                stream = _stream(workspace, name, op, ids[name], round_)
                drive([connection], [stream], count=max(10, count // 20))
                meter = Meter(web, site.postgres)
                meter.start()
                seen = drive([connection], [stream], count=count)
                if seen.errors:
                    raise RuntimeError(seen.errors[0])
                if round_:
                    found.setdefault((op, name), []).append(meter.read(count).sum)
    return _part(found)


def _part(found: dict[tuple[str, str], list[float]]) -> Part:
    lines: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for op in _OPS:
        medians = {name: statistics.median(found[op, name]) for name in _OBJECTS}
        shares = {name: median / medians["plain"] - 1 for name, median in medians.items()}
        cells = [f"{medians[name]:.2f} ({shares[name]:+.0%})" if name != "plain" else f"{medians[name]:.2f}"
                 for name in _OBJECTS]  # fmt: skip
        lines.append((op, *cells))
        print(f"  {op}: {' '.join(cells)}", flush=True)
        worst = max(shares["rich"], shares["kept"])
        found_ = f"{worst:+.0%}; four stored fields more: {shares['stored']:+.0%}"
        budgets.append(Budget(f"{op}, three formulas and a roll-up against none", "≤ +10 %", found_, worst <= 0.1))
    text = f"""Milliseconds of processor time a request (server and PostgreSQL), median of rounds in turns: an object of
{len(_FIELDS) + 1} fields besides what every record has, and {_RECORDS:,} records, each with {_PIECES} that link to it.
A list reads two or three index entries more for each row's roll-up; nothing is kept in the row itself.

{table(("request", *_WORDS.values()), lines)}"""
    return Part(text, budgets)


def _prepare(site: Site, workspace: Workspace) -> dict[str, list[str]]:
    """The objects, their records, and what links to them."""
    text = "---".join(_object(name, computed) for name, computed in _OBJECTS.items())
    patches = document.read(text, "bench.yaml")
    request_ = Request(source="bench", by=SYSTEM)
    apply(site.runtime.databases, workspace.tenant, lambda state: desired(state, patches, source="bench"), request_)
    rng = random.Random(1)  # noqa: S311 - the same every time
    ids: dict[str, list[str]] = {}
    for name in _OBJECTS:
        with site.scope(workspace, write=True) as scope:
            made = bulk(scope, name, [_record(rng, number, name) for number in range(_RECORDS)])
        ids[name] = [result["id"] for result in made["results"]]
        pieces = [{"name": "p", f"of_{name}": one, "amount": n} for one in ids[name] for n in range(_PIECES)]
        for start in range(0, len(pieces), 5_000):
            with site.scope(workspace, write=True) as scope:
                bulk(scope, f"{name}_piece", pieces[start : start + 5_000])
    folding.fold_job(site.runtime, workspace.tenant.id, {})
    _vacuum(site, workspace)
    return ids


def _vacuum(site: Site, workspace: Workspace) -> None:
    """As autovacuum would."""
    with site.scope(workspace) as scope:
        objects = catalogs.whole(scope).objects
    tables = [objects[name].table for one in _OBJECTS for name in (one, f"{one}_piece")]
    with site.runtime.databases.pod_owner(1).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table_name in (*tables, "rollup", "rollup_delta"):
            connection.exec_driver_sql(f'vacuum analyze "{workspace.tenant.schema}"."{table_name}"')


def _object(name: str, computed: dict[str, str]) -> str:
    fields = "".join(f"  {field}: {{label: {field}, {spec}}}\n" for field, spec in {**_FIELDS, **computed}.items())
    label = f"label: {{one: {name}, other: {name}s}}\nicon: package\ntitle: [name]\n"
    piece = f"of_{name}: {{type: link, label: Of, to: {name}, inverse: pieces_of_{name}, on_delete: cascade}}"
    return (
        f"\nkind: object\nname: {name}\n{label}fields:\n  name: {{type: text, label: Name, required: true}}\n{fields}"
        f"---\nkind: object\nname: {name}_piece\n{label}fields:\n  name: {{type: text, label: Name}}\n"
        f"  amount: {{type: integer, label: Amount}}\n  {piece}\n"
    )


def _record(rng: random.Random, number: int, name: str) -> dict[str, object]:
    stored = {"margin": "0.75", "days_open": 30, "summary": f"Note {number}", "pieces": 10} if name == "stored" else {}
    return stored | {
        "name": f"Record {number}", **{f"note_{n}": f"Note {rng.randrange(1000)}" for n in range(6)},
        **{f"count_{n}": rng.randrange(1000) for n in range(4)}, "rate": "1.5", "weight": str(rng.randrange(100)),
        "price": str(rng.randrange(100, 900)), "cost": str(rng.randrange(10, 100)), "begun": "2024-01-31",
        "ended": "2024-03-01", "seen": "2024-03-01T10:00:00Z", "active": True, "kind": "b",
    }  # fmt: skip


def _stream(workspace: Workspace, name: str, op: str, ids: list[str], round_: int) -> Iterator[bytes]:
    rng, key = random.Random(round_), workspace.key  # noqa: S311 - the same every time
    for turn in itertools.count():
        one = ids[rng.randrange(len(ids))]
        match op:
            case "list of 50":
                yield request(f"/records/{name}?limit=50", key)
            case "get":
                yield request(f"/records/{name}/{one}", key)
            case "create":
                yield request(f"/records/{name}", key, "POST", _record(rng, turn, name))
            case _:
                price = str(rng.randrange(100, 900) + turn / 100)
                yield request(f"/records/{name}/{one}", key, "PATCH", {"price": price})
