"""Every route as support that was let in by the role that holds most: what it may never do, and where it is nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.access.rights import NAMES
from tenants.identity import support
from tenants.identity.sessions import Visitor
from tenants.registry.directory import find_tenant
from tenants.scope import enter_job
from tests.support.tenants import owner_of

from .conftest import House, call, csrf_token
from .test_routes import WORKSPACE, each, refused, silent

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime

    from .routes import Route

#: What support may hold, by a role that holds it; a right that is added is refused until it is written here.
MAY = frozenset({
    "record.read", "record.create", "record.edit", "record.delete", "record.destroy", "record.bulk", "record.merge",
    "metadata.edit",
})  # fmt: skip


def is_closed(route: Route) -> bool:
    """Whether the route is a member's own, or names a right that support never holds."""
    access = route.access
    return (access.member and not access.support) or (access.right is not None and access.right not in MAY)


CLOSED = [route for route in WORKSPACE if is_closed(route)]
OPEN = [route for route in WORKSPACE if not is_closed(route) and route.safe]


@pytest.fixture(scope="module")
def visitors(runtime: Runtime, houses: tuple[House, House]) -> tuple[str, str]:
    """Sessions of support in both workspaces, by an admin's role."""
    return _let_in(runtime, houses[0]), _let_in(runtime, houses[1])


def _let_in(runtime: Runtime, house: House) -> str:
    owner = owner_of(runtime.databases, house.tenant)
    with enter_job(runtime.databases, house.tenant.id, actor=owner, write=True) as scope:
        grant = support.put_grant(scope, "admin", 168, "Isolation").id
    row = find_tenant(runtime.databases, str(house.tenant.id))
    assert row is not None
    way = support.ask(runtime, row, name="Dana", email="dana@rapport.example", reason="Isolation", grant=grant)
    ticket = way.link.partition("#")[2]
    return support.redeem(runtime, pod=house.tenant.pod, host=house.tenant.host, ticket=ticket, visitor=Visitor())


def test_there_are_routes_of_both_sorts_and_every_right_is_told() -> None:
    assert len(CLOSED) > 50
    assert len(OPEN) > 20
    assert MAY < NAMES


@each(CLOSED)
def test_what_gives_rights_takes_files_or_is_a_members_own_is_closed_to_support(
    route: Route, site: Flask, houses: tuple[House, House], visitors: tuple[str, str]
) -> None:
    ours, _ = houses
    token = csrf_token(site, ours.url, f"__Host-rapport={visitors[0]}")
    answer = call(site, route.method, ours.url, route.url(ours.values), session=visitors[0], token=token, json={})
    refused(answer, 403)


@each(OPEN)
def test_what_shows_records_is_open_to_support(
    route: Route, site: Flask, houses: tuple[House, House], visitors: tuple[str, str]
) -> None:
    """The positive control of the refusals above."""
    ours, theirs = houses
    query = "?q=canary" if route.rule.endswith("/search") else ""
    query = "?group_by=owner" if route.rule.endswith("/aggregate") else query
    answer = call(site, route.method, ours.url, route.url(ours.values) + query, session=visitors[0])
    assert answer.status_code not in {401, 403}, answer.text[:400]
    assert answer.status_code < 500, answer.text[:400]
    silent(answer, theirs)


@each(WORKSPACE)
def test_support_let_into_one_workspace_is_nobody_in_another(
    route: Route, site: Flask, houses: tuple[House, House], visitors: tuple[str, str]
) -> None:
    _, theirs = houses
    answer = call(site, route.method, theirs.url, route.url(theirs.values), session=visitors[0], json={})
    refused(answer, 404)
    silent(answer, theirs)
