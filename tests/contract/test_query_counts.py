"""Every route asks the database a number of questions that is written down and does not grow with what there is.

The numbers are in docs/reference/query-counts.md: a route that is not there fails, one that asks more too.
``RAPPORT_RENEW_QUERY_COUNTS=1 pytest -n0 -p no:randomly`` on this file writes it anew.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.exports.options import ExportOptions
from app.exports.service import start_export
from app.http import ratelimit
from app.records.handover import ask_to_hand_over
from app.records.write import trash_record
from app.samples.service import load_samples
from tests.isolation.conftest import call, csrf_token
from tests.isolation.routes import Route, all_routes
from tests.support.statements import counted
from tests.support.web import build_site

from .crowds import Crowd, furnish, make_crowd
from .requests import DONE, REQUESTS, Request, body_of

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime

TABLE = Path(__file__).parents[2] / "docs/reference/query-counts.md"
FEW, MANY = 1, 30
BASE = "http://localhost:8000"
ROUTES = [route for route in all_routes() if route.access.audience != "public"]
RENEW = "RAPPORT_RENEW_QUERY_COUNTS"
#: Which pod a host belongs to is known for a minute; whether it must be asked again is the clock's business.
_ADDRESS = re.compile(r"FROM tenant JOIN domain\b")
_LINE = re.compile(r"\| `(?P<route>[^`]+)` \| (?P<status>\d+) \| (?P<number>\d+) \|")
_HEAD = """# Statements of each route

<!-- Written by tests/contract/test_query_counts.py. -->

What one call of each route sends to PostgreSQL, beside the trip that enters the workspace and the one that checks and
commits. Each number was counted with 1 and with 30 of everything (records, links, members, keys, events, rows in the
body) and is the same: nothing is asked per row. A test holds every route to its number, and fails for a route that is
not listed. Answers other than 2xx and 303 are noted with their status. A file of invitations is counted
with one row: each row is an invitation for itself.

| route | status | statements |
|---|---|---|
"""


def name_of(route: Route) -> str:
    """As the table has it."""
    host = " (base host)" if route.access.audience == "base" else ""
    return f"{route.method} {re.sub(r'<string[(][^)]*[)]:', '<', route.rule)}{host}"


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


class Crowds:
    """Few and many of everything: for reads a pair for each object that nothing changes, one pair for all writes."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pairs: dict[str, tuple[Crowd, Crowd]] = {}

    def of(self, route: Route) -> tuple[Crowd, Crowd]:
        """The pair to call a route on, furnished."""
        about = REQUESTS.get(name_of(route), Request()).object_name or route.object_name
        name = about if route.safe else "written to"
        pair = self._pairs.get(name)
        if pair is None:
            pair = self._pairs[name] = make_crowd(self._runtime, FEW), make_crowd(self._runtime, MANY)
        for crowd in pair:
            if not route.safe or not crowd.values:
                furnish(crowd, about)
        return pair


@pytest.fixture(scope="module")
def crowds(runtime: Runtime, site: Flask) -> Crowds:
    return Crowds(runtime)


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[int, int]]:
    """Status and number of statements by route, as the tests find them."""
    return {}


@pytest.fixture(scope="module")
def known() -> dict[str, tuple[int, int]]:
    text = TABLE.read_text() if TABLE.exists() else ""
    return {found["route"]: (int(found["status"]), int(found["number"])) for found in _LINE.finditer(text)}


@pytest.mark.xdist_group("query-counts")
@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_the_number_of_statements_is_written_down_and_does_not_grow(
    route: Route,
    site: Flask,
    runtime: Runtime,
    crowds: Crowds,
    measured: dict[str, tuple[int, int]],
    known: dict[str, tuple[int, int]],
) -> None:
    found: list[tuple[int, list[str]]] = []
    for crowd in crowds.of(route):
        runtime.redis.flushdb()
        ratelimit.forget()
        found.append(_ask(site, route, crowd))
    (status, few), (status_of_many, many) = found
    assert status_of_many == status
    assert status < 500
    slack = REQUESTS.get(name_of(route), Request()).slack
    most = max(len(few), len(many))
    assert most - min(len(few), len(many)) <= slack, _difference(few, many)
    measured[name_of(route)] = (status, most)
    if not os.environ.get(RENEW):
        assert name_of(route) in known, f"{name_of(route)} is not in {TABLE.name}: {status}, {most} statements"
        assert status == known[name_of(route)][0]
        assert most in range(known[name_of(route)][1] - slack, known[name_of(route)][1] + 1), "\n".join(many)


def test_the_table_lists_the_routes_there_are(
    measured: dict[str, tuple[int, int]], known: dict[str, tuple[int, int]]
) -> None:
    if os.environ.get(RENEW):
        lines = [f"| `{name}` | {status} | {number} |\n" for name, (status, number) in measured.items()]
        TABLE.write_text(_HEAD + "".join(lines))
        return
    assert set(known) == {name_of(route) for route in ROUTES}
    assert set(REQUESTS) <= set(known)


def _ask(site: Flask, route: Route, crowd: Crowd) -> tuple[int, list[str]]:
    """Status and statements of one call; a first one warms what is cached, where asking twice is the same."""
    request = REQUESTS.get(name_of(route), Request())
    if request.importing:
        crowd.values["import_id"] = _import(site, crowd, request.importing)
    if "/export" in route.rule:
        crowd.values["export_id"] = _export(crowd, request.exporting or DONE)
    _add_values(crowd, request)
    if route.safe:
        _send(site, route, request, crowd)
    with counted() as statements:
        answer = _send(site, route, request, crowd)
    place = answer.headers.get("Location", "")
    assert not place.startswith(("/session/start", "/sign-in")) or "/session/start" in route.rule, place
    return answer.status_code, [text for text in statements.texts if not _ADDRESS.search(text)]


def _send(site: Flask, route: Route, request: Request, crowd: Crowd) -> TestResponse:
    base = BASE if route.access.audience == "base" else crowd.url
    cookie = f"__Host-rapport_person={crowd.person}" if base == BASE else f"__Host-rapport={crowd.session}"
    token = "" if route.safe else csrf_token(site, base, cookie)
    values = crowd.values | {name: _filled(text, crowd) for name, text in request.values.items()}
    values |= {"object_name": request.object_name} if request.object_name else {}
    if request.object_name:
        values["record_id"] = crowd.values[request.object_name]
    more: dict[str, Any] = {}
    if request.file:
        more["data"] = _file(crowd, api=route.api) | request.form
    elif request.text:
        more |= {"data": _filled(request.text, crowd), "content_type": "text/csv"}
    elif route.api:
        more["json"] = _filled(body_of(request, crowd), crowd) if not route.safe else None
    elif not route.safe:
        more["data"] = _filled(request.form, crowd)
    if name_of(route).startswith("PATCH"):
        more["headers"] = {"Content-Type": "application/merge-patch+json"}
    who = {"person": crowd.person} if base == BASE else {"session": crowd.session}
    return call(site, route.method, base, route.url(values) + request.query, token=token, **who, **more)


def _file(crowd: Crowd, *, api: bool) -> dict[str, Any]:
    text = "name\n" + "".join(f"Imported {number}\n" for number in range(crowd.size))
    part: dict[str, Any] = {"file": (io.BytesIO(text.encode()), "companies.csv", "text/csv")}
    return part | ({"options": '{"object": "company", "map": ["name=name"]}'} if api else {})


def _import(site: Flask, crowd: Crowd, state: str) -> str:
    """An import of the crowd that stands so."""
    api = state != "draft"
    token = csrf_token(site, crowd.url, f"__Host-rapport={crowd.session}")
    path = "/api/v1/imports" if api else "/imports/new"
    data = _file(crowd, api=api) | ({} if api else {"object": "company"})
    answer = call(site, "POST", crowd.url, path, session=crowd.session, token=token, data=data)
    assert answer.status_code < 400, answer.text
    target = answer.headers.get("Location") or answer.headers["HX-Redirect"]
    import_id = target.rstrip("/").rpartition("/")[2]
    if state == DONE:
        with crowd.write() as scope:
            scope.execute("update import set state = 'done' where id = %s", (import_id,))
    return import_id


def _export(crowd: Crowd, state: str) -> str:
    """The crowd's last export of as many as it is large; the others are done."""
    with crowd.write() as scope:
        scope.execute("delete from export")
        made = start_export(scope, ExportOptions(object="company")).id
        scope.execute("update export set state = %s where id = %s", (state, made))
        scope.execute(
            "insert into export (id, object, options, state, seen, by_kind, by_id) select uuidv7(), object, options,"
            " 'done', seen, by_kind, by_id from export, generate_series(2, %s)",
            (crowd.size,),
        )
    return str(made)


def _add_values(crowd: Crowd, request: Request) -> None:
    """What only some requests name."""
    crowd.values["owner"] = str(crowd.owner.id)
    wanted = f"{request.values}{request.form}"
    with crowd.write() as scope:
        if request.samples:
            load_samples(scope)
        if "{trashed}" in wanted:
            crowd.values["trashed"] = crowd.values["ids"]
            for one in crowd.values["ids"].split(","):
                trash_record(scope, "company", UUID(one))
        if "{a_trashed}" in wanted:
            crowd.values["a_trashed"] = crowd.values["company"]
            trash_record(scope, "company", UUID(crowd.values["company"]))
        if "{handed}" in wanted:
            handed = UUID(crowd.values["member"])
            ask_to_hand_over(scope, handed, "member", UUID(crowd.values["owner"]))
            crowd.values["handed"] = str(handed)
        if "{inactive}" in wanted:
            scope.execute("update member set status = 'inactive' where id = %s", (crowd.values["member"],))
            crowd.values["inactive"] = crowd.values["member"]


def _filled(given: Any, crowd: Crowd) -> Any:
    """``given`` with the crowd's values in the place of their names."""
    if isinstance(given, str):
        return re.sub(r"\{([a-z_]+)\}", lambda found: crowd.values[found[1]], given)
    if isinstance(given, dict):
        return {name: _filled(value, crowd) for name, value in given.items()}
    if isinstance(given, list):
        return [_filled(value, crowd) for value in given]
    return given


def _difference(few: list[str], many: list[str]) -> str:
    counts = {text: (few.count(text), many.count(text)) for text in dict.fromkeys([*few, *many])}
    return "\n".join(f"{a} → {b}: {text[:300]}" for text, (a, b) in counts.items() if a != b)
