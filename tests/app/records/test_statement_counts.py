"""How many statements each route of records sends, the scope's own included, and that more records mean no more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from app.factory import bind_ports
from app.factory.web import create_flask_app
from tests.support.api import Api, make_key

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

Counted = Callable[..., int]


@pytest.fixture(scope="module")
def home(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture(scope="module")
def api(runtime: Runtime, databases: Databases, home: Tenant) -> Api:
    runtime.ports.authorise = bind_ports().authorise
    return Api(create_flask_app(runtime), make_key(databases, home))


@pytest.fixture(params=[2, 30], ids=["few", "many"])
def deals(request: pytest.FixtureRequest, api: Api) -> list[str]:
    """Deals of a company and a contact each, as many as asked for."""
    made: list[str] = []
    for number in range(request.param):
        company = api.post("/records/company", {"name": f"C{number}"})["id"]
        contact = api.post("/records/contact", {"last_name": f"L{number}", "company": company})["id"]
        deal = {"name": f"D{number}", "company": company, "contact": contact, "amount": "5"}
        made.append(api.post("/records/deal", deal)["id"])
    return made


@pytest.fixture
def counted(api: Api, sent: list[tuple[bytes, Any]]) -> Counted:
    """Statements of one call, the second of two: the first one may fill caches."""

    def count(method: str, path: Callable[[], str] | str, body: Any = None, **query: str) -> int:
        for _ in range(2):
            place = path if isinstance(path, str) else path()
            what = body() if callable(body) else body
            sent.clear()
            answer = api.call(method, place, what, query=query)
            assert answer.status_code < 300, answer.text
        return len(sent)

    return count


def _named() -> dict[str, str]:
    return {"name": uuid.uuid4().hex}


#: Route → statements it may send at most, besides those that enter and leave the scope.
READS = {
    "list": (1, "/records/deal", {"fields": "name,company.name,contact.company.name", "limit": "100"}),
    "list in order under a condition": (1, "/records/deal", {"filter": 'company.name != "x"', "sort": "-amount,name"}),
    "list with its total": (2, "/records/deal", {"total": "exact", "limit": "1"}),
    "record": (1, "/records/deal/{id}", {"fields": "name,contact.company.name"}),
    "board": (2, "/records/deal/board", {"metrics": "count,sum:amount", "fields": "name,company.name"}),
    "figures": (1, "/records/deal/aggregate", {"group_by": "company.industry", "metrics": "count,sum:amount"}),
    "history": (1, "/records/deal/{id}/events", {}),
    "feed": (1, "/events", {}),
    "search": (1, "/search", {"q": "D1"}),
}


@pytest.mark.parametrize("name", READS)
def test_reading_takes_the_same_statements_for_few_and_many(deals: list[str], counted: Counted, name: str) -> None:
    most, path, query = READS[name]
    assert counted("GET", path.format(id=deals[0]), **query) <= most


def test_writing_one_record_takes_one_statement_where_no_rule_looks_at_it(
    api: Api, deals: list[str], counted: Counted
) -> None:
    company = api.post("/records/company", _named())["id"]
    stages = iter(("meeting", "proposal"))
    assert counted("POST", "/records/company", _named) == 1
    assert counted("POST", "/records/deal", _named) == 1
    assert counted("PATCH", f"/records/company/{company}", _named) == 1
    assert counted("PATCH", f"/records/deal/{deals[0]}", lambda: {"stage": next(stages)}) <= 2
    assert counted("PUT", f"/records/company/by/domain/{uuid.uuid4().hex}.example", _named) <= 3
    assert counted("POST", f"/records/company/{company}/restore") <= 2
    assert counted("DELETE", lambda: f"/records/deal/{api.post('/records/deal', _named())['id']}") <= 6


def test_writing_many_takes_no_more_statements_than_writing_few(deals: list[str], counted: Counted) -> None:
    def batch() -> dict[str, object]:
        return {"operations": [{"op": "create", "object": "company", "record": _named()} for _ in deals]}

    def changes() -> dict[str, object]:
        return {"operations": [{"op": "update", "object": "deal", "id": one, "record": _named()} for one in deals]}

    assert counted("POST", "/records/company/bulk", lambda: [_named() for _ in deals]) <= 2
    assert counted("POST", "/batch", batch) == 1
    assert counted("POST", "/batch", changes) <= 2


def test_a_batch_of_several_objects_in_turns_takes_no_more_statements_for_many(
    deals: list[str], counted: Counted
) -> None:
    def batch() -> dict[str, object]:
        operations: list[dict[str, object]] = []
        for at, deal in enumerate(deals):
            domain = f"{uuid.uuid4().hex}.example"
            operations += [
                {"op": "upsert", "object": "company", "match": "domain", "record": {"domain": domain}, "ref": f"c{at}"},
                {"op": "create", "object": "contact", "record": {"last_name": "x", "company": {"$ref": f"c{at}"}}},
                {"op": "update", "object": "deal", "id": deal, "record": {"company": {"$ref": f"c{at}"}}},
            ]
            operations[-3]["record"] = {"domain": domain, **_named()}
        return {"operations": operations}

    assert counted("POST", "/batch", batch) <= 10
