"""Roles by objects by fields by routes: what the product answers is what a table made of the roles' documents says.

Every route of the URL map is in it. A part goes with every run of the suite, all of it with ``-m scale``.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from app.access import catalogs
from app.http import ratelimit
from app.records.write import create_record
from tenants.identity.keys import create_key
from tenants.scope import Actor, enter_job
from tests.isolation.conftest import call, csrf_token
from tests.isolation.routes import Route, all_routes
from tests.support.matrix import DETAILS, EVERYBODY, ROLES, STANDARD, Table, Who, declared_as, right_of
from tests.support.rights import put_role
from tests.support.sessions import open_session
from tests.support.shaping import NAMES
from tests.support.tenants import PATIENT, make_tenant, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime
    from app.metadata.model import Catalog
    from tenants.scope import Tenant, TenantScope

ROUTES = [r for r in all_routes() if r.access.audience == "workspace" and r.access.credential]
#: These end what the test works with, or fill it: whoever may is not tried.
NOT_TRIED = ("/sign-out", "/samples/load", "/samples/remove")
#: Rights asked inside, besides the one of the route.
ALSO = {
    "PUT /api/v1/records/<object_name>/by/<unique_field>/<path:value>": "edit",
    "GET /records/<object_name>/<uuid:record_id>/fields/<field_name>/move": "edit",
}
USES = ("read", "filter", "sort", "group", "figure", "write")


@dataclass
class World:
    """A workspace with somebody for each set of roles, and a record of each object that its owner owns."""

    site: Flask
    tenant: Tenant
    catalog: Catalog
    records: dict[str, dict[str, Any]]
    values: dict[str, str]
    table: Table = field(default_factory=Table)
    sessions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def ask(self, who: Who, method: str, path: str, **more: Any) -> TestResponse:
        """As somebody, by their key or their session."""
        ratelimit.forget()
        if who.key:
            return call(self.site, method, self.url, path, key=self.keys[who.name], **more)
        safe = method == "GET"
        token = "" if safe else self.tokens[who.name]
        return call(self.site, method, self.url, path, session=self.sessions[who.name], token=token, **more)


@pytest.fixture(scope="module")
def world(runtime: Runtime) -> World:
    tenant = make_tenant(runtime, name="Matrix")
    owner = owner_of(runtime.databases, tenant)
    members: dict[str, Actor] = {"owner": owner}
    site = build_site(runtime)
    for name, (objects, fields, special) in ROLES.items():
        if name not in STANDARD:
            spec = {"objects": objects, "fields": fields, "special": list(special)}
            put_role(runtime.databases, tenant, name, **spec)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        records = _records(scope)
        for who in EVERYBODY:
            name = "+".join(who.roles)
            if name not in members:
                members[name] = _member(scope, who.roles)
        catalog = catalogs.whole(scope)
    values = {name: str(uuid.uuid4()) for name in _NAMED} | NAMES | _TEXTS
    made = World(site, tenant, catalog, records, values)
    for who in EVERYBODY:
        actor = members["+".join(who.roles)]
        if who.key:
            with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
                made.keys[who.name] = create_key(scope, who.name, who.key)[1]
            continue
        cookie = open_session(runtime.databases, tenant, actor)
        made.sessions[who.name] = cookie.partition("=")[2]
        made.tokens[who.name] = csrf_token(site, made.url, cookie)
    return made


_NAMED = (
    "import_id", "export_id", "file_id", "member", "key", "session", "team", "rule", "share", "invitation", "grant",
    "change",
)  # fmt: skip
_TEXTS = {
    "unique_field": "external_id", "value": "X-9", "field_name": "owner", "role": "nothing", "filename": "x.svg",
    "own_view_name": "own-nothing",
}  # fmt: skip


def _member(scope: TenantScope, roles: tuple[str, ...]) -> Actor:
    name = " ".join(roles)
    row = scope.execute(
        "insert into member (name, email, role, roles, status) values (%s, %s, %s, %s, 'active') returning id",
        (name, f"{'.'.join(roles)}@example.test", roles[0], list(roles[1:])),
    ).fetchone()
    assert row is not None
    return Actor("member", row[0], name)


def _records(scope: TenantScope) -> dict[str, dict[str, Any]]:
    """One of each object, the owner's."""
    made: dict[str, dict[str, Any]] = {}

    def make(object_name: str, /, **values: Any) -> str:
        made[object_name] = create_record(scope, object_name, values)
        return str(made[object_name]["id"])

    company = make("company", name="Acme", annual_revenue="5", domain="acme.example", external_id="A-1")
    contact = make("contact", last_name="Lovelace", emails=["ada@acme.example"], company=company)
    deal = make("deal", name="Big", amount="100", company=company, contact=contact)
    note, product = make("note", body="<p>Said</p>"), make("product", name="Wheel", code="W")
    make("lead", last_name="Hopper", status="new")
    make("task", title="Call")
    make("interaction", channel="call", starts_at="2026-01-05T10:00:00Z")
    make("deal_line", deal=deal, product=product, quantity="1", unit_price="5")
    make("deal_contact", deal=deal, contact=contact)
    make("affiliation", contact=contact, company=company)
    other = create_record(scope, "company", {"name": "Other"})
    make("company_relation", company=company, related=str(other["id"]), kind="partner")
    make("record_link", **{"from": {"object": "note", "id": note}, "to": {"object": "company", "id": company}})
    return made


# routes


def test_each_route_needs_the_right_the_table_says() -> None:
    declared = {f"{r.method} {r.rule}": r.access.right for r in ROUTES}
    wanted = {f"{r.method} {r.rule}": right_of(r.method, r.rule) for r in ROUTES}
    assert [name for name, right in wanted.items() if right is None] == [], "add it to tests/support/matrix.py"
    assert declared == {name: declared_as(right or "") for name, right in wanted.items()}


def test_the_table_names_every_object_and_detail(world: World) -> None:
    assert set(world.records) == set(world.catalog.objects)
    assert set(DETAILS) == {name for name, obj in world.catalog.objects.items() if not obj.navigation}


def test_a_third_of_routes_and_roles_answers_as_the_table_says(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = 0
    wrong: list[str] = []
    for at, route in enumerate(ROUTES):
        objects = _objects(route, world)
        for number, who in enumerate(EVERYBODY):
            if (at + number) % 3 == 0:
                cells += 1
                wrong += _compare(world, route, who, objects[(at + number) // 3 % len(objects)])
    assert wrong == [], "\n".join(wrong)
    _say(capsys, f"{cells} cells of {len(ROUTES)} routes by {len(EVERYBODY)} sets of roles")


@pytest.mark.scale
def test_every_route_answers_every_role_with_every_object_as_the_table_says(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = 0
    wrong: list[str] = []
    for route in ROUTES:
        for who in EVERYBODY:
            for name in _objects(route, world):
                cells += 1
                wrong += _compare(world, route, who, name)
    assert wrong == [], "\n".join(wrong)
    _say(capsys, f"{cells} cells of {len(ROUTES)} routes by {len(EVERYBODY)} sets of roles by objects")


def _objects(route: Route, world: World) -> list[str]:
    if route.access.object:
        return [route.access.object]
    if route.rule.endswith("/done"):
        return ["task"]  # nothing else can be done
    return sorted(world.records) if "object_name" in route.arguments else [""]


def _compare(world: World, route: Route, who: Who, object_name: str) -> list[str]:
    """[] when the answer is as the table says, else what is wrong, in a list."""
    right, table = right_of(route.method, route.rule) or "", world.table
    about_records = right and right not in ("members", "rights", "keys", "support")
    passes = table.passes(who, right, object_name if about_records else "")
    passes = passes and not (who.key and route.access.member)
    if passes and route.rule in NOT_TRIED:
        return []
    values = world.values | {"object_name": object_name}
    # A write aims at nothing; what there is, is looked at.
    values["record_id"] = str(world.records[object_name]["id"] if object_name and route.safe else uuid.uuid4())
    path = route.url(values) + ("?q=acme" if route.rule.endswith("/search") else "")
    body: dict[str, Any] = {} if route.safe else {"json": {}} if route.api else {"data": {}}
    if route.rule.endswith("/bulk") and "records" in route.rule:
        body = {"json": []}
    status = world.ask(who, route.method, path, **body).status_code
    expected = _expected(world, route, who, object_name, passes=passes, right=right if about_records else "")
    if status < 500 and (status == expected or (expected == 0 and status not in (401, 403))):
        return []
    return [f"{who.name}: {route.method} {route.rule} {object_name}: {status}, not {expected or 'let in'}"]


def _expected(world: World, route: Route, who: Who, object_name: str, *, passes: bool, right: str) -> int:
    """403, 404, or 0 for being let in."""
    table = world.table
    if not passes:
        return 403
    if not object_name or not right:
        return 0
    if table.level(who, object_name, "read") == "none":
        return 404
    also = ALSO.get(f"{route.method} {route.rule}")
    if also and not table.passes(who, also, object_name):
        return 403
    if route.safe and "record_id" in route.arguments:
        return 0 if table.reaches_the_owners(who, object_name) else 404
    return 0


# fields


def test_fields_of_three_roles_answer_as_the_table_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    some = [who for who in EVERYBODY if who.name in ("seller", "keeper", "owner/seller key")]
    _check_fields(world, some, ("company", "deal"), capsys)


@pytest.mark.scale
def test_every_field_answers_every_role_as_the_table_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _check_fields(world, list(EVERYBODY), tuple(sorted(world.records)), capsys)


def _check_fields(
    world: World, people: list[Who], objects: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    cells = 0
    wrong: list[str] = []
    for name in objects:
        usual = {(one, use): _use(world, EVERYBODY[0], name, one, use) for one in _fields(world, name) for use in USES}
        for who in people:
            if world.table.level(who, name, "read") == "none":
                continue
            wrong += _check_shown(world, who, name)
            for (one, use), ordinary in usual.items():
                cells += 1
                found = _use(world, who, name, one, use)
                expected = _expected_of_field(world, who, name, one, use, ordinary)
                if found != expected:
                    wrong.append(f"{who.name}: {use} {name}.{one}: {found}, not {expected}")
    assert wrong == [], "\n".join(wrong)
    _say(capsys, f"{cells} cells of fields: {len(people)} sets of roles by {len(objects)} objects by fields by {USES}")


def _fields(world: World, name: str) -> list[str]:
    return list(world.catalog.objects[name].fields)


def _use(world: World, who: Who, object_name: str, name: str, use: str) -> int:
    """The status of the answer to one use of a field."""
    path = f"/api/v1/records/{object_name}"
    if use == "write":
        record = world.records[object_name]
        more: dict[str, Any] = {"json": {name: record[name]}}
        return world.ask(who, "PATCH", f"{path}/{record['id']}", **more).status_code
    query = {
        "read": f"?fields={name}&limit=1",
        "filter": f"?filter=has({name})&limit=1",
        "sort": f"?sort={name}&limit=1",
        "group": f"/aggregate?group_by={name}&limit=1",
        "figure": f"/aggregate?metrics=min:{name}&limit=1",
    }[use]
    return world.ask(who, "GET", path + query).status_code


def _expected_of_field(world: World, who: Who, object_name: str, name: str, use: str, ordinary: int) -> int:
    table = world.table
    level = table.field(who, object_name, name, _targets(world, object_name, name))
    if use != "write":
        by_title = (use, name) == ("sort", "title")  # every record has a title; a hidden one is told by its id
        return 422 if level == "none" and not by_title else ordinary
    if table.level(who, object_name, "edit") == "none":
        return 403
    if not table.reaches_the_owners(who, object_name):
        return 404
    if not table.reaches_the_owners(who, object_name, "edit"):
        return 403
    return 422 if level != "edit" else ordinary


def _targets(world: World, object_name: str, name: str) -> tuple[str, ...]:
    """What a field links to, of objects that roles know."""
    to = world.catalog.objects[object_name].fields[name].to
    return to if to and set(to) <= set(world.records) else ()


def _check_shown(world: World, who: Who, object_name: str) -> list[str]:
    """Which fields a list shows when none is asked for."""
    rows = world.ask(who, "GET", f"/api/v1/records/{object_name}?limit=1").get_json()["data"]
    hidden = {
        name
        for name in _fields(world, object_name)
        if world.table.field(who, object_name, name, _targets(world, object_name, name)) == "none"
    }
    if not rows or set(rows[0]) == set(_fields(world, object_name)) - hidden:
        return []
    return [f"{who.name}: {object_name} shows {sorted(set(rows[0]) ^ (set(_fields(world, object_name)) - hidden))}"]


def _say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Said aloud, so that a shrinking proof is seen."""
    with capsys.disabled():
        sys.stdout.write(f"\nrights: {text}, each as the table says\n")
