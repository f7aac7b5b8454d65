"""For every route: another tenant's caller, no tenant, no credential, no right. Generated from the declarations.

A route without a declaration, or with a URL value nobody knows how to fill, fails here. Each rejection has its positive
control: the same call with the right credential is let in.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tenants.scope import SYSTEM, enter_job

from .conftest import House, call, csrf_token
from .routes import OWNED, SHARED, Route, all_routes

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime

ROUTES = all_routes()
BASE = "http://localhost:8000"
NOWHERE = "http://nobody.localhost:8000"

#: Entered without a session by design: this is where one begins. Told apart in test_the_door_of_a_workspace.
DOOR = [route for route in ROUTES if route.access.audience == "workspace" and not route.access.credential]
WORKSPACE = [route for route in ROUTES if route.access.audience == "workspace" and route.access.credential]
BASE_HOST = [route for route in ROUTES if route.access.audience == "base"]
PUBLIC = [route for route in ROUTES if route.access.audience == "public"]
RIGHTS = [route for route in WORKSPACE if route.access.right is not None]
UNSAFE = [route for route in WORKSPACE if not route.safe]
KEYED = [route for route in WORKSPACE if not route.access.member]
PERSONAL = [route for route in BASE_HOST if route.access.person]
TWINS = {(route.rule, route.method) for route in WORKSPACE} & {(route.rule, route.method) for route in BASE_HOST}


def each(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=lambda route: route.id)


def refused(answer: TestResponse, *codes: int) -> None:
    assert answer.status_code in codes, f"{answer.status_code}: {answer.text[:400]}"


def silent(answer: TestResponse, house: House, *, visitor: str = "") -> None:
    """Nothing of the house shows, in body or headers, but the visitor's own name and address in the frame."""
    text = answer.text
    for own in (f"{visitor}-{house.canary}@example.com", f"{visitor} {house.canary}") if visitor else ():
        text = text.replace(own, "")
    assert house.canary not in text
    assert house.canary not in str(answer.headers)


def test_each_route_is_in_one_class_and_its_url_can_be_filled() -> None:
    classes = Counter(id(route) for part in (DOOR, WORKSPACE, BASE_HOST, PUBLIC) for route in part)
    assert [route.id for route in ROUTES if classes[id(route)] != 1] == []
    assert {name: route.id for route in ROUTES for name in route.arguments - OWNED - SHARED} == {}


@each(WORKSPACE)
def test_another_tenants_session_is_nothing_here(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, theirs = houses
    path = route.url(theirs.values)
    answer = call(site, route.method, theirs.url, path, session=ours.sessions["owner"], json={})
    refused(answer, 404)
    silent(answer, theirs)


@each(KEYED)
def test_another_tenants_key_is_nothing_here(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, theirs = houses
    answer = call(site, route.method, theirs.url, route.url(theirs.values), key=ours.keys["owner"], json={})
    refused(answer, 404)
    silent(answer, theirs)


@each([route for route in WORKSPACE if route.arguments & OWNED])
def test_another_tenants_ids_are_not_found_at_home(
    route: Route, site: Flask, houses: tuple[House, House], runtime: Runtime
) -> None:
    ours, theirs = houses
    before = _state(runtime, theirs)
    token = csrf_token(site, ours.url, f"__Host-rapport={ours.sessions['owner']}")
    body = {"json": _body(route)} if route.api else {"data": _form(route)}
    answer = call(
        site, route.method, ours.url, route.url(theirs.values), session=ours.sessions["owner"], token=token, **body
    )
    refused(answer, 404)
    silent(answer, theirs)
    assert _state(runtime, theirs) == before


@each([route for route in WORKSPACE if route.safe and not route.arguments & OWNED])
def test_reading_at_home_shows_our_things_and_none_of_theirs(
    route: Route, site: Flask, houses: tuple[House, House]
) -> None:
    ours, theirs = houses
    query = "?q=canary" if route.rule.endswith("/search") else ""
    query = "?group_by=owner" if route.rule.endswith("/aggregate") else query
    answer = call(site, route.method, ours.url, route.url(ours.values) + query, session=ours.sessions["owner"])
    assert answer.status_code < 500, answer.text[:400]
    silent(answer, theirs)


@each(WORKSPACE)
def test_a_host_of_nobody_has_no_routes(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    answer = call(site, route.method, NOWHERE, route.url(theirs.values), session=theirs.sessions["owner"], json={})
    refused(answer, 404)
    silent(answer, theirs)


@each([route for route in WORKSPACE if (route.rule, route.method) not in TWINS])
def test_the_base_host_names_no_tenant(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    answer = call(site, route.method, BASE, route.url(theirs.values), session=theirs.sessions["owner"], json={})
    refused(answer, 401 if route.api else 404)
    silent(answer, theirs)


@each(WORKSPACE)
def test_without_a_credential_nothing_is_shown(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    for session in ("", "made-up"):
        answer = call(site, route.method, theirs.url, route.url(theirs.values), session=session, json={})
        refused(answer, 401 if route.api else 303)
        assert route.api or answer.headers["Location"].startswith("/session/start")
        silent(answer, theirs)


@each(RIGHTS)
def test_a_role_without_the_right_is_refused(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    for role in ["nobody"] if route.access.right == "record.read" else ["nobody", "read_only"]:
        session = theirs.sessions[role]
        token = csrf_token(site, theirs.url, f"__Host-rapport={session}")
        answer = call(site, route.method, theirs.url, route.url(theirs.values), session=session, token=token, json={})
        refused(answer, 403)
        silent(answer, theirs, visitor=role)
        if not route.access.member and (route.rule, route.method) not in TWINS:
            refused(call(site, route.method, BASE, route.url(theirs.values), key=theirs.keys[role], json={}), 403)


@each(UNSAFE)
def test_a_page_of_another_site_can_do_nothing(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, _ = houses
    session = ours.sessions["owner"]
    token = csrf_token(site, ours.url, f"__Host-rapport={session}")
    path = route.url(ours.values)
    refused(call(site, route.method, ours.url, path, session=session, json={}), 403)
    elsewhere = {"Origin": "https://evil.example"}
    refused(call(site, route.method, ours.url, path, session=session, token=token, headers=elsewhere, json={}), 403)


@each([route for route in WORKSPACE if route.access.member])
def test_a_key_does_nothing_that_needs_a_person(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, _ = houses
    refused(call(site, route.method, ours.url, route.url(ours.values), key=ours.keys["owner"], json={}), 403)


@each([route for route in WORKSPACE if route.safe])
def test_the_owner_is_let_in(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    """The positive control of every rejection above."""
    _, theirs = houses
    query = "?q=canary" if route.rule.endswith("/search") else ""
    query = "?group_by=owner" if route.rule.endswith("/aggregate") else query
    path = route.url(theirs.values) + query
    answer = call(site, route.method, theirs.url, path, session=theirs.sessions["owner"])
    assert answer.status_code not in {401, 403}, answer.text[:400]
    assert answer.status_code < 500, answer.text[:400]


@each(PERSONAL)
def test_the_base_hosts_personal_pages_need_the_person(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    token = csrf_token(site, BASE, "__Host-rapport_person=made-up")
    for person in ("", "made-up"):
        answer = call(
            site, route.method, BASE, route.url(theirs.values), person=person, token=token if person else "", data={}
        )
        refused(answer, 303 if route.safe or person else 403)
        silent(answer, theirs)


@each([route for route in PERSONAL if route.arguments & OWNED])
def test_another_persons_things_are_not_found(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, theirs = houses
    token = csrf_token(site, BASE, f"__Host-rapport_person={ours.person}")
    answer = call(site, route.method, BASE, route.url(theirs.values), person=ours.person, token=token, data={})
    refused(answer, 404)
    silent(answer, theirs)


@each([route for route in BASE_HOST if (route.rule, route.method) not in TWINS])
def test_the_base_hosts_routes_exist_there_only(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    for host in (theirs.url, NOWHERE):
        answer = call(site, route.method, host, route.url(theirs.values), person=theirs.person, data={})
        refused(answer, 404)


@each([route for route in BASE_HOST if not route.safe])
def test_forms_of_the_base_host_need_their_token(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, _ = houses
    refused(call(site, route.method, BASE, route.url(ours.values), person=ours.person, data={}), 403)


@each(DOOR)
def test_the_door_of_a_workspace_gives_nothing_away(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    _, theirs = houses
    for host in (BASE, NOWHERE):
        refused(call(site, route.method, host, route.url(theirs.values), data={}), 404)
    answer = call(site, route.method, theirs.url, route.url(theirs.values), data={})
    refused(answer, 303, 403)
    silent(answer, theirs)
    assert "__Host-rapport=" not in str(answer.headers)


@each(PUBLIC)
def test_public_routes_show_nothing_of_anybody(route: Route, site: Flask, houses: tuple[House, House]) -> None:
    ours, theirs = houses
    for host in (BASE, NOWHERE, theirs.url):
        answer = call(site, route.method, host, route.url(theirs.values))
        refused(answer, 200)
        silent(answer, theirs)
        silent(answer, ours)


def test_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Said aloud, so that a shrinking suite is seen."""
    tests = {
        "wrong tenant (session)": len(WORKSPACE),
        "wrong tenant (key)": len(KEYED),
        "wrong tenant (ids at home)": sum(1 for route in WORKSPACE if route.arguments & OWNED),
        "no tenant": 2 * len(WORKSPACE) - len([r for r in WORKSPACE if (r.rule, r.method) in TWINS]),
        "no credential": len(WORKSPACE) + len(PERSONAL),
        "no right": len(RIGHTS),
        "cross-site": len(UNSAFE),
    }
    counted = ", ".join(f"{name} {number}" for name, number in tests.items())
    hosts = (
        f"{len(WORKSPACE)} of workspaces, {len(BASE_HOST)} of the base host, {len(DOOR)} doors, {len(PUBLIC)} public"
    )
    with capsys.disabled():
        sys.stdout.write(f"\nisolation: {len(ROUTES)} routes ({hosts}); {counted}\n")
    assert all(tests.values())


def _body(route: Route) -> dict[str, object]:
    """What a body must hold to come as far as the look-up."""
    return {"role": "member"} if route.rule == "/api/v1/members/<uuid:member>" else {}


def _form(route: Route) -> dict[str, str]:
    return {"role": "member", "stage": "won", "value": "x", "name": "x"}


def _state(runtime: Runtime, house: House) -> tuple[object, ...]:
    """What would show that somebody was at it: the number of events, the members, the keys."""
    with enter_job(runtime.databases, house.tenant.id, actor=SYSTEM, write=False) as scope:
        return (
            scope.execute(
                "select (select count(*) from event), (select string_agg(m::text, '|' order by id) from member m), "
                "(select string_agg(k::text, '|' order by id) from api_key k), "
                "(select string_agg(i::text, '|') from import i), (select string_agg(x::text, '|') from export x)"
            ).fetchone()
            or ()
        )
