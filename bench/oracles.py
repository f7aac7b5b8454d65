"""``python -m bench.oracles [PAIRS]``: whether the time of an answer tells what its text does not.

Two questions that must be answered alike are asked in turns, so that whatever slows the machine slows both. Told are
the medians and how often the first of a pair took longer: at 50 % there is nothing to learn from a single answer, and
little from thousands.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import msgspec
from werkzeug.test import Client

from app.access import policy
from app.factory.web import create_flask_app
from app.http import ratelimit
from bench.fill import Sizes
from bench.site import running
from tenants.identity.keys import create_key
from tenants.identity.passwords import hash_password
from tenants.scope import SYSTEM, Actor, enter_job
from tests.support.rights import WORKER, make_person, put_role, share_by_default
from tests.support.web import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.site import Site, Workspace

_PAIRS: Final = 1_000
_SLOW_PAIRS: Final = 60
_SIZES: Final = Sizes(2_000, 2_000, 20_000)
_BASE: Final = "http://localhost:8000"


def pairs(one: Callable[[], float], other: Callable[[], float], count: int) -> tuple[float, float, float]:
    """Median milliseconds of both, and the percentage of turns in which the first took longer."""
    for _ in range(20):
        one()
        other()
    first: list[float] = []
    second: list[float] = []
    for _ in range(count):
        if random.random() < 0.5:  # noqa: S311 (guards nothing)
            first.append(one())
            second.append(other())
        else:
            second.append(other())
            first.append(one())
    longer = sum(a > b for a, b in zip(first, second, strict=True)) / count
    return statistics.median(first), statistics.median(second), longer * 100


class Spy:
    """A member who owns no deal, deals being private, with a key."""

    def __init__(self, site: Site, work: Workspace) -> None:
        self.flask_app = create_flask_app(site.runtime)
        self.client = Client(self.flask_app, use_cookies=False)
        databases, tenant = site.runtime.databases, work.tenant
        role = put_role(databases, tenant, "spy", objects={"*": WORKER}, fields={"deal": {"amount": "none"}})
        with enter_job(databases, tenant.id, actor=SYSTEM, write=True, budget=60) as scope:
            share_by_default(scope, "deal", "private")
            person = make_person(scope, role)
            scope.execute("update o_deal set owner = %s", (work.owner,))
            scope.execute("update o_deal set description = 'quicksilver' where amount > 5000")
            row = scope.execute("select id, name from o_deal limit 1").fetchone()
            assert row is not None
            self.deal, self.title = str(row[0]), str(row[1])
            scope.execute("update o_deal set external_id = 'known' where id = %s", (row[0],))
            policy.changed(scope)
        with enter_job(databases, tenant.id, actor=Actor("member", person.id, ""), write=True) as scope:
            self.key = create_key(scope, "spy", role)[1]

    def ask(self, method: str, path: str, body: object = None) -> Callable[[], float]:
        """A request to be timed; its statuses are not looked at: they are the same, tests see to that."""
        headers = {"Authorization": f"Bearer {self.key}"}
        data = None if body is None else msgspec.json.encode(body)

        def asked() -> float:
            ratelimit.forget()
            started = time.perf_counter()
            answer = self.client.open(
                f"/api/v1{path}", method=method, headers=headers, data=data, content_type="application/json"
            )
            answer.get_data()
            return (time.perf_counter() - started) * 1000

        return asked

    def questions(self) -> Iterator[tuple[str, Any, Any]]:
        """What is compared: a name, about what is there but out of sight, about nothing."""
        there, nothing = self.deal, str(uuid.uuid4())
        for method, below, body in (
            ("GET", "", None), ("GET", "/events", None), ("PATCH", "", {"description": "x"}), ("DELETE", "", None),
            ("DELETE", "?destroy=true", None), ("POST", "/restore", None),
        ):  # fmt: skip
            path = "/records/deal/{}" + below
            yield (
                f"`{method} …/{{id}}{below}`",
                self.ask(method, path.format(there), body),
                self.ask(method, path.format(nothing), body),
            )
        for label, query, one, other in (
            ("filter by a unique value", "filter=external_id=='{}'", "known", "unknown"),
            ("filter by a title", "filter=name=='{}'", self.title, "x" * len(self.title)),
            ("filter by a hidden field", "filter={}>5", "amount", "amaunt"),
            ("sort by a hidden field", "sort={}", "amount", "amaunt"),
        ):
            path = f"/records/deal?{query}"
            yield label, self.ask("GET", path.format(one)), self.ask("GET", path.format(other))
        for label, one, other in (
            ("search for a word of one record", self.title.split()[-1], "zzyzx"),
            ("search for a word of thousands", "quicksilver", "zzyzx"),
        ):
            yield label, self.ask("GET", f"/search?q={one}"), self.ask("GET", f"/search?q={other}")


def signing_in(site: Site, spy: Spy) -> tuple[Callable[[], float], Callable[[], float]]:
    """A wrong password of somebody there is, and of nobody."""
    with site.runtime.databases.control.begin() as connection:
        connection.exec_driver_sql("update person set password_hash = %s", (hash_password("a green badger"),))
        email = connection.exec_driver_sql("select email from person_email limit 1").scalar_one()
    browser = Browser(spy.flask_app)
    token = browser.token(_BASE)

    def ask(address: str) -> Callable[[], float]:
        def asked() -> float:
            site.runtime.redis.flushdb()
            ratelimit.forget()
            form = {"email": address, "password": "not theirs at all", "csrf_token": token}
            started = time.perf_counter()
            browser.request("POST", f"{_BASE}/sign-in", data=form)
            return (time.perf_counter() - started) * 1000

        return asked

    return ask(str(email)), ask("nobody@example.test")


def main() -> None:
    """Measure and print the table."""
    with running() as site:
        work = site.workspace("oracles", _SIZES)
        spy = Spy(site, work)
        print("| asked | there, out of sight (ms) | nothing there (ms) | the first took longer |\n|---|---|---|---|")
        for name, one, other in spy.questions():
            a, b, longer = pairs(one, other, int(sys.argv[1]) if len(sys.argv) > 1 else _PAIRS)
            print(f"| {name} | {a:.2f} | {b:.2f} | {longer:.0f} % |", flush=True)
        a, b, longer = pairs(*signing_in(site, spy), _SLOW_PAIRS)
        print(f"| sign-in with a wrong password | {a:.1f} | {b:.1f} | {longer:.0f} % |")


if __name__ == "__main__":
    main()
