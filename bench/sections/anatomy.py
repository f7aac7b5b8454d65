"""Where the time of a request goes: milliseconds of processor time of each part, by calling the parts apart.

The product is measured as it is. A part's time is that of calling it alone (routing, scope, verb, its statements on
the driver, bytes), or what remains when the parts inside of something are taken from it: guards and headers from a
request without a server, the server from a served one.
"""

from __future__ import annotations

import statistics
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.factory.web import create_flask_app
from app.records.write import create_record
from bench import work
from bench.inside import call, environ
from bench.load import Connection, drive
from bench.measure import Cost, Meter
from bench.requests import Streams, contact
from bench.results import Part, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from bench.sections import Options
    from bench.site import Site, Workspace
    from tenants.scope import TenantScope

_TIMES: Final = 400
_OPS: Final = ("list", "get", "create")


@dataclass(frozen=True, slots=True)
class Parts:
    """Milliseconds of processor time a request."""

    server: float
    routing: float
    guard: float
    scope: float
    verb: float
    driver: float
    encode: float
    scope_sql: float
    verb_sql: float

    @property
    def cells(self) -> tuple[float, ...]:
        """In the order of the table."""
        mine = (self.server, self.routing, self.guard, self.scope, self.verb, self.driver, self.encode)
        return (*mine, self.scope_sql, self.verb_sql, sum(mine) + self.scope_sql + self.verb_sql)


_NAMES: Final = (
    "server: HTTP, threads (granian), by difference",
    "parse and routing: request object, URL map",
    "guards, rate limit, arguments, headers, response, by difference",
    "scope: pooled connection, enter (key, tenant, member: auth), assert, commit; our side",
    "verb: catalog, rights, condition, validation, rows to records; without the driver",
    "driver: sending the verb's statements, fetching typed rows",
    "records to bytes (msgspec)",
    "PostgreSQL: scope and auth",
    "PostgreSQL: the verb's statements",
    "**all**",
)


def run(site: Site, options: Options) -> Part:
    """Take list, get and create apart."""
    workspace = site.large()
    asked, _ = work.targets(site, workspace)
    streams = Streams(asked)
    flask_app = create_flask_app(site.runtime)
    count = options.times(_TIMES)
    found: list[Parts] = []
    for op in _OPS:
        found.append(_anatomy(site, workspace, flask_app, streams, op, count))
        print(f"  {op}: " + " ".join(f"{figure:.2f}" for figure in found[-1].cells), flush=True)
    columns = [parts.cells for parts in found]
    rows = [(name, *(f"{figures[place]:.2f}" for figures in columns)) for place, name in enumerate(_NAMES)]
    text = f"""Milliseconds of processor time a request, of those of the first table (create: with validation, event
and outbox).

{table(("part", *_OPS), rows)}"""
    return Part(text)


def _anatomy(
    site: Site, workspace: Workspace, flask_app: Flask, streams: Streams, op: str, count: int
) -> Parts:  # fmt: skip
    write, by_key = op == "create", op in work.BY_KEY
    verb = _verb(streams, op)
    served = _served(site, streams, op, count)
    whole = _median(lambda: call(flask_app, _environ(workspace, streams, op)), count)
    routing = _median(lambda: _route(flask_app, _environ(workspace, streams, op)), count)
    entered, scope_cost = _scopes(site, workspace, count, write=write, by_key=by_key)
    verb_ms, driver, encode = _inside(site, workspace, verb, count, write=write, by_key=by_key)
    guard = whole - routing - entered - verb_ms - encode
    return Parts(
        served.side - whole, routing, guard, entered, verb_ms - driver, driver, encode,
        scope_cost, served.postgres - scope_cost,
    )  # fmt: skip


def _verb(streams: Streams, op: str) -> Callable[[TenantScope], object]:
    if op == "create":
        return lambda scope: create_record(scope, "contact", contact(f"Inside {uuid.uuid4().hex[:8]}"))
    return work.verbs(streams.targets.contacts[0])[op]


def _served(site: Site, streams: Streams, op: str, count: int) -> Cost:
    """Of the web server's process and of PostgreSQL."""
    with site.web() as web:
        connection, stream = Connection(site.port), streams.of(op)
        drive([connection], [stream], count=max(20, count // 10))
        meter = Meter(web, site.postgres)
        meter.start()
        drive([connection], [stream], count=count)
        return meter.read(count)


def _median(call: Callable[[], float], count: int) -> float:
    """Milliseconds of a call that measures itself, once it is warm."""
    for _ in range(max(5, count // 10)):
        call()
    return statistics.median(call() for _ in range(count))


def _environ(workspace: Workspace, streams: Streams, op: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {workspace.key}", "Host": "localhost"}
    if op == "create":
        return environ("/api/v1/records/contact", headers, "POST", contact("In process"))
    return environ(f"/api/v1{streams.read_path(op)}", headers)


def _route(flask_app: Flask, environ: dict[str, Any]) -> float:
    """The request object and the URL map alone."""
    started = time.thread_time()
    context = flask_app.request_context(environ)
    context.push()
    spent = (time.thread_time() - started) * 1000
    context.pop()
    return spent


def _scopes(site: Site, workspace: Workspace, count: int, *, write: bool, by_key: bool) -> tuple[float, float]:
    """Entering and leaving a scope with nothing inside: our side, PostgreSQL's."""

    def enter() -> float:
        started = time.thread_time()
        with site.scope(workspace, write=write, by_key=by_key):
            pass
        return (time.thread_time() - started) * 1000

    enter()
    meter = Meter(site.postgres, site.postgres)
    meter.start()
    spent = [enter() for _ in range(count)]
    return statistics.median(spent), meter.read(count).postgres


def _inside(
    site: Site, workspace: Workspace, verb: Callable[[TenantScope], object], count: int, *, write: bool, by_key: bool
) -> tuple[float, float, float]:
    """The verb inside its scope, its statements on the driver alone, and its answer as bytes."""
    sent = work.statements(site, workspace, verb, write=write, by_key=by_key)
    verbs, drivers, encodes = [], [], []
    for _ in range(count):
        with site.scope(workspace, write=write, by_key=by_key) as scope:
            again = [(text, _fresh(scope, params) if write else params) for text, params in sent]
            started = time.thread_time()
            answer = verb(scope)
            done = time.thread_time()
            msgspec.json.encode(answer)
            encoded = time.thread_time()
            for text, params in again:
                scope.cursor_text().execute(text, params).fetchall()
            drivers.append((time.thread_time() - encoded) * 1000)
            verbs.append((done - started) * 1000)
            encodes.append((encoded - done) * 1000)
    return statistics.median(verbs), statistics.median(drivers), statistics.median(encodes)


def _fresh(scope: TenantScope, params: dict[str, Any]) -> dict[str, Any]:
    """The same parameters for another record: every id new but those of who asks."""
    asking = {scope.actor.id, scope.credential, scope.member.id if scope.member else None}
    made: dict[uuid.UUID, uuid.UUID] = {}

    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [other(one) for one in value]
        if not isinstance(value, uuid.UUID) or value in asking:
            return value
        return made.setdefault(value, uuid.uuid4())

    return {name: other(value) for name, value in params.items()}
