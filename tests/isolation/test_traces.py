"""What requests leave behind: no canary, no token, no password in logs, cache, jobs or error pages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app.core import crypto
from tests.support.web import BASE, Browser

from .conftest import House, call, csrf_token
from .routes import all_routes

if TYPE_CHECKING:
    import pytest
    from flask import Flask

    from app.core.ports import Runtime

WORKSPACE = [route for route in all_routes() if route.access.audience == "workspace" and route.access.credential]


def test_logs_and_error_pages_hold_neither_data_nor_secrets(
    site: Flask, houses: tuple[House, House], caplog: pytest.LogCaptureFixture
) -> None:
    """Every route with the owner's credentials and a body full of nonsense: whatever goes wrong says nothing."""
    ours, theirs = houses
    session = ours.sessions["owner"]
    token = csrf_token(site, ours.url, f"__Host-rapport={session}")
    secret = f"secret-{ours.canary}"
    with caplog.at_level(logging.DEBUG):
        for route in (route for route in WORKSPACE if route.rule != "/sign-out"):
            body = {"name": secret, "email": secret, "password": secret, "filter": f"name == '{secret}'"}
            answer = call(
                site, route.method, ours.url, route.url(theirs.values), session=session, token=token, json=body
            )
            assert answer.status_code != 500, (route.id, answer.text[:300])
            assert "Traceback" not in answer.text
            assert theirs.canary not in answer.text
    written = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records)
    for private in (ours.canary, theirs.canary, session, token, *ours.keys.values()):
        assert private not in written


def test_signing_up_and_in_writes_no_password_and_no_token_into_the_log(
    site: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(site)
    mark = crypto.token(6).lower().replace("_", "x").replace("-", "x")
    with caplog.at_level(logging.DEBUG):
        form = {
            "company": f"Log {mark}",
            "slug": f"log-{mark}",
            "email": f"{mark}@example.com",
            "password": f"pw {mark} pw",
        }
        assert browser.post(f"{BASE}/sign-up", form).path == "/"
        browser.post(f"{BASE}/sign-in", {"email": form["email"], "password": f"wrong {mark}"})
    written = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records)
    tokens = [value for jar in browser.cookies.values() for value in jar.values()]
    assert len(tokens) >= 2
    for private in (form["password"], f"wrong {mark}", *tokens):
        assert private not in written


def test_the_cache_holds_names_of_ours_and_no_data(site: Flask, houses: tuple[House, House], runtime: Runtime) -> None:
    ours, theirs = houses
    runtime.redis.flushdb()
    for house in houses:
        for route in WORKSPACE:
            if route.safe:
                call(site, route.method, house.url, route.url(house.values), session=house.sessions["owner"])
    names = [name.decode() for name in runtime.redis.keys("*")]
    assert names, "at least the rate limits are there"
    assert [name for name in names if not name.startswith(("rate:", "rq:", "rapport:"))] == []
    dump = "".join(names) + "".join(str(runtime.redis.dump(name)) for name in names)
    for private in (ours.canary, theirs.canary, *ours.sessions.values(), *theirs.keys.values()):
        assert private not in dump


def test_jobs_carry_ids_and_no_data(site: Flask, houses: tuple[House, House], runtime: Runtime) -> None:
    ours, theirs = houses
    token = csrf_token(site, ours.url, f"__Host-rapport={ours.sessions['owner']}")
    mail = f"{ours.canary}-job@example.com"
    answer = call(
        site,
        "POST",
        ours.url,
        "/api/v1/members/invitations",
        session=ours.sessions["owner"],
        token=token,
        json={"email": mail, "name": ours.canary},
    )
    assert answer.status_code == 201
    with runtime.databases.pod(ours.tenant.pod).connect() as connection:
        dump = str(connection.exec_driver_sql("select id, name, args, error from pod.list_jobs(null, 10000)").all())
    assert answer.json["invitation"]["id"] in dump
    assert ours.canary not in dump
    assert theirs.canary not in dump
