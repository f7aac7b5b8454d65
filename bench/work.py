"""What the product is asked, and the statements it sends for it, written down for the bare side."""

from __future__ import annotations

import csv
import http.client
import itertools
import pickle
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
import psycopg
from psycopg import sql

from app.imports.local import import_here
from app.imports.options import ImportOptions
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from tenants.registry.directory import find_tenant
from tenants.scope import enter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from uuid import UUID

    from bench.site import Site
    from tenants.scope import TenantScope

FILTER: Final = 'lifecycle == "customer" && do_not_email != true'
FIGURES: Final = ("count", "sum:amount")
GROUPS: Final = ("stage", "close_on:quarter")
COLUMNS: Final = (
    "first_name", "last_name", "job_title", "department", "lifecycle", "birthday", "language", "description",
    "address__city", "address__country", "external_id", "source_system",
)  # fmt: skip
_HEADER: Final = (*COLUMNS[:8], "address.city", "address.country", *COLUMNS[10:])


def reads(contact: UUID) -> dict[str, tuple[str, Callable[[TenantScope], object]]]:
    """Path of each read and the verb behind it."""
    listed = urlencode({"filter": FILTER, "sort": "title"})
    figures = urlencode({"group_by": ",".join(GROUPS), "metrics": ",".join(FIGURES)})
    carded = urlencode({"metrics": ",".join(FIGURES)})
    return {
        "list": (
            f"/records/contact?{listed}",
            lambda scope: list_records(scope, "contact", ListQuery(filter=FILTER, sort="title")),
        ),
        "get": (f"/records/contact/{contact}", lambda scope: get_record(scope, "contact", contact)),
        "board": (f"/records/deal/board?{carded}", lambda scope: board(scope, "deal", BoardQuery(metrics=FIGURES))),
        "search": ("/search?q=company+ab", lambda scope: search(scope, "company ab")),
        "aggregate": (
            f"/records/deal/aggregate?{figures}",
            lambda scope: aggregate(scope, "deal", AggregateQuery(group_by=GROUPS, metrics=FIGURES)),
        ),
    }


def write_jobs(site: Site, path: Path, rows: list[tuple[object, ...]]) -> tuple[UUID, list[UUID]]:
    """Write what the bare side needs to a file; answers a contact and the deals to change."""
    with _entered(site) as scope:
        contact = scope.execute("select id from o_contact limit 1 offset 77").fetchall()[0][0]
        deals = [row[0] for row in scope.execute("select id from o_deal order by id limit 2000").fetchall()]
    sent: dict[str, list[tuple[bytes, Any]]] = {}
    for name, (_, verb) in reads(contact).items():
        with _entered(site) as scope:
            verb(scope)
            with _recorded() as statements:
                verb(scope)
            sent[name] = [(_bytes(text, scope), params) for text, params in statements]
    columns = sql.SQL(", ").join(map(sql.Identifier, ("id", *COLUMNS)))
    jobs = {
        "dsn": site.runtime.databases.pod(1).url.set(drivername="postgresql").render_as_string(hide_password=False),
        "credential": site.credential,
        "reads": sent,
        "deals": deals,
        "rows": rows,
        "copy_records": sql.SQL("copy o_contact ({}) from stdin").format(columns).as_string(None),
    }
    path.write_bytes(pickle.dumps(jobs))
    return contact, deals


def import_rows(count: int) -> list[tuple[object, ...]]:
    """Contacts of twelve columns."""
    return [
        (f"First {i}", f"Imported {i}", f"Engineer {i % 50}", "Research", "customer", "1980-02-03", "de", "Some text",
         "Jena", "DE", None, "bench")
        for i in range(count)
    ]  # fmt: skip


def import_seconds(site: Site, rows: list[tuple[object, ...]], round_: int) -> float:
    """How long the product takes for the rows as a file."""
    path = site.home / f"import-{round_}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name in _HEADER if name != "external_id"])
        writer.writerows([row[:10] + row[11:] for row in rows])
    mapping = [f"{name}={name}" for name in _HEADER if name != "external_id"]
    found = find_tenant(site.runtime.databases, "bench")
    assert found is not None
    started = time.perf_counter()
    with path.open("rb") as stream:
        done = import_here(
            site.runtime, found, ImportOptions(object="contact", map=mapping), path.name, stream, lambda _row: None
        )
    seconds = time.perf_counter() - started
    assert done.created == len(rows), f"{done.created} of {len(rows)} rows were created"
    return seconds


@dataclass(slots=True)
class Client:
    """One kept-alive connection to the web server."""

    site: Site
    deals: list[UUID]
    contact: UUID
    connection: http.client.HTTPConnection = field(init=False)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Connect."""
        self.connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)

    def run(self, op: str, n: int) -> None:
        """Do one operation ``n`` times."""
        paths = {name: path for name, (path, _) in reads(self.contact).items()}
        for _ in range(n):
            number = next(self.numbers)
            if op == "create":
                self._ask("POST", "/records/contact", _contact(number))
            elif op == "patch":
                deal = self.deals[number % len(self.deals)]
                self._ask("PATCH", f"/records/deal/{deal}", {"next_step": f"Step {number}"})
            else:
                self._ask("GET", paths[op])

    def _ask(self, method: str, path: str, body: object = None) -> None:
        headers = {"Host": "localhost", "Authorization": f"Bearer {self.site.key}", "Content-Type": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        self.connection.request(method, f"/api/v1{path}", data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text[:500]


def _contact(number: int) -> dict[str, object]:
    return {
        "first_name": "Created", "last_name": f"Number {number}", "job_title": "Engineer", "department": "R&D",
        "lifecycle": "customer", "birthday": "1980-01-02", "language": "de",
    }  # fmt: skip


@contextmanager
def _entered(site: Site) -> Generator[TenantScope]:
    with enter(site.runtime.databases, pod=1, host=None, credential=site.credential, write=False) as scope:
        yield scope


@contextmanager
def _recorded() -> Generator[list[tuple[Any, Any]]]:
    """The statements sent in the block."""
    found: list[tuple[Any, Any]] = []
    original = psycopg.Cursor.execute

    def execute(self: Any, query: Any, params: Any = None, **kwargs: Any) -> Any:
        found.append((query, params))
        return original(self, query, params, **kwargs)

    psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    try:
        yield found
    finally:
        psycopg.Cursor.execute = original  # type: ignore[method-assign]


def _bytes(text: Any, scope: TenantScope) -> bytes:
    if isinstance(text, sql.Composable):
        return text.as_bytes(scope.connection)
    return text if isinstance(text, bytes) else str(text).encode()
