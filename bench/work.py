"""What the bare side is told: the statements the product sends, written down, and the rows both sides import."""

from __future__ import annotations

import csv
import pickle
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from app.imports.local import import_here
from app.imports.options import ImportOptions
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from bench.requests import BULK_ROWS, FIGURES, FILTER, GROUPS, QUESTION, Targets, contact
from tenants.registry.directory import find_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from uuid import UUID

    from bench.site import Site, Workspace
    from tenants.scope import TenantScope

#: Of the import: twelve columns, a link among them.
COLUMNS: Final = (
    "first_name", "last_name", "job_title", "department", "lifecycle", "birthday", "language", "description",
    "address__city", "address__country", "source_system", "company",
)  # fmt: skip
#: What is done in a scope that lets PostgreSQL keep its plans, as the routes and the job of an import say (``by_key``).
BY_KEY: Final = ("get", "create", "patch", "search", "bulk", "import")
#: A contact's link to a company is the primary one of its affiliations: the import makes that row too, and its event.
_AFFILIATIONS: Final = 'copy o_affiliation (id, contact, company, "primary") from stdin'
_HEADER: Final = tuple(name.replace("__", ".") for name in COLUMNS)
_BULK_COLUMNS: Final = tuple(contact(""))


def verbs(record: str) -> dict[str, Callable[[TenantScope], object]]:
    """The verb behind each read."""
    return {
        "list": lambda scope: list_records(scope, "contact", ListQuery(filter=FILTER, sort="title")),
        "get": lambda scope: get_record(scope, "contact", record),
        "board": lambda scope: board(scope, "deal", BoardQuery(metrics=FIGURES)),
        "search": lambda scope: search(scope, QUESTION),
        "aggregate": lambda scope: aggregate(scope, "deal", AggregateQuery(group_by=GROUPS, metrics=FIGURES)),
    }


def targets(site: Site, workspace: Workspace) -> tuple[Targets, list[UUID]]:
    """Whom the product is asked for, and the deals the bare side changes, which are others."""
    with site.scope(workspace) as scope:
        contacts = scope.execute("select id from o_contact order by id limit 5000 offset 5").fetchall()
        deals = scope.execute("select id, version from o_deal order by id limit 4000").fetchall()
    half = len(deals) // 2
    asked = Targets(workspace.keys, [str(row[0]) for row in contacts], [(str(row[0]), row[1]) for row in deals[:half]])
    return asked, [row[0] for row in deals[half:]]


def write_jobs(site: Site, workspace: Workspace, path: Path, copies: dict[str, Any] | None = None) -> Targets:
    """Write what the bare side needs to a file; answers what the product is to be asked."""
    asked, deals = targets(site, workspace)
    reads = verbs(asked.contacts[0])
    jobs = {
        "dsn": site.runtime.databases.pod(1).url.set(drivername="postgresql").render_as_string(hide_password=False),
        "credential": workspace.credential,
        "reads": {
            name: statements(site, workspace, verb, by_key=name in BY_KEY) for name, verb in reads.items()
        },
        "by_key": BY_KEY,
        "deals": deals,
        "copies": copies or {},
    }  # fmt: skip
    path.write_bytes(pickle.dumps(jobs))
    return asked


def statements(
    site: Site,
    workspace: Workspace,
    verb: Callable[[TenantScope], object],
    *,
    write: bool = False,
    by_key: bool = False,
) -> list[tuple[bytes, Any]]:
    """Texts and parameters a verb sends inside its scope, once its caches are warm."""
    with site.scope(workspace, write=write, by_key=by_key) as scope:
        verb(scope)
        with _recorded() as sent:
            verb(scope)
        assert sent, "the verb sent nothing through psycopg.Cursor.execute: the bare side would have nothing to do"
        return [(_bytes(text, scope), params) for text, params in sent]


def copies(site: Site, workspace: Workspace, rows: int) -> tuple[dict[str, Any], list[tuple[object, ...]]]:
    """What the bare side copies (import, bulk), and the rows of the import with the companies' names for ours."""
    with site.scope(workspace) as scope:
        companies = scope.execute("select id, name from o_company order by id limit 5000").fetchall()
    plain = [
        (f"First {i}", f"Imported {i}", f"Engineer {i % 50}", "Research", "customer", "1980-02-03", "de", "Some text",
         "Jena", "DE", "bench")
        for i in range(rows)
    ]  # fmt: skip
    linked = [(row, companies[i % len(companies)]) for i, row in enumerate(plain)]
    made = [tuple(contact(f"Bulk {i}").values()) for i in range(BULK_ROWS)]
    return {
        "import": (
            _copy_text(COLUMNS),
            [(*row, company) for row, (company, _) in linked],
            workspace.credential,
            _AFFILIATIONS,
        ),
        "bulk": (_copy_text(_BULK_COLUMNS), made, workspace.credential, None),
    }, [(*row, name) for row, (_, name) in linked]


def import_seconds(site: Site, workspace: Workspace, rows: list[tuple[object, ...]], round_: int) -> float:
    """How long the product takes for the rows as a file."""
    path = site.home / f"import-{round_}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows(rows)
    options = ImportOptions(object="contact", map=[f"{name}={name}" for name in _HEADER])
    found = find_tenant(site.runtime.databases, workspace.tenant.slug)
    assert found is not None
    started = time.perf_counter()
    with path.open("rb") as stream:
        done = import_here(site.runtime, found, options, path.name, stream, lambda _row: None)
    seconds = time.perf_counter() - started
    assert done.created == len(rows), f"{done.created} of {len(rows)} rows were created"
    return seconds


def _copy_text(columns: tuple[str, ...]) -> str:
    names = sql.SQL(", ").join(map(sql.Identifier, ("id", *columns)))
    return sql.SQL("copy o_contact ({}) from stdin").format(names).as_string(None)


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
