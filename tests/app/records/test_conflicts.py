"""Two writers, one record: nobody's change is lost, and who comes second learns what the first one did."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.factory import bind_ports
from app.factory.web import create_flask_app
from app.records import write
from app.records.bulk import bulk
from app.records.errors import StaleVersion
from app.records.read import get_record
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.records import make_company, make_contact, make_deal, record_id
from tests.support.sessions import open_session
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

_WRITERS = 4
_ROUNDS = 6
_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')


def stale(scope: TenantScope, object_name: str, record: dict[str, Any], patch: dict[str, Any]) -> StaleVersion:
    with pytest.raises(StaleVersion) as caught:
        write.update_record(scope, object_name, record_id(record), patch, if_match=int(record["version"]))
    return caught.value


def conflicts(error: StaleVersion) -> list[dict[str, Any]]:
    return error.extra["conflicts"]  # type: ignore[return-value]


def test_a_conflict_shows_all_three_values_who_and_when(scope: TenantScope) -> None:
    company = make_company(scope, "First", employees=10)
    write.update_record(scope, "company", record_id(company), {"name": "Theirs"})
    last = write.update_record(scope, "company", record_id(company), {"name": "Theirs again", "employees": 12})
    error = stale(scope, "company", company, {"name": "Mine", "employees": 12, "domain": "mine.example"})
    (conflict,) = conflicts(error)
    assert (conflict["field"], conflict["base"], conflict["theirs"], conflict["yours"]) == (
        "name", "First", "Theirs again", "Mine",
    )  # fmt: skip
    assert conflict["by"] == {"kind": "member", "id": str(scope.actor.id), "name": scope.actor.name}
    assert conflict["at"] == error.extra["at"] >= last["updated_at"]
    assert (error.extra["version"], error.extra["changed"]) == (3, ["employees", "name"])
    assert [(one.pointer, one.code) for one in error.errors] == [("/name", "record.stale")]
    assert get_record(scope, "company", company["id"])["domain"] is None


def test_fields_only_one_of_them_changed_are_no_conflict(scope: TenantScope) -> None:
    company = make_company(scope, "First", employees=10)
    write.update_record(scope, "company", record_id(company), {"employees": 12})
    error = stale(scope, "company", company, {"name": "Mine"})
    assert (conflicts(error), error.errors, error.extra["changed"]) == ([], [], ["employees"])


@pytest.mark.parametrize(
    ("object_name", "field", "before", "theirs", "yours", "shown"),
    [
        ("deal", "amount", "10", "20", 30, {"amount": "30.0000", "currency": "EUR"}),
        ("deal", "close_on", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-03"),
        ("deal", "stage", "new", "meeting", "won", "won"),
        ("deal", "tags", ["a"], ["b"], ["c"], ["c"]),
        (
            "contact",
            "address",
            {"city": "Jena"},
            {"city": "Kiel"},
            {"country": "DE"},
            {"city": "Kiel", "country": "DE"},
        ),
    ],
)
def test_values_show_as_the_record_would_hold_them(
    scope: TenantScope, object_name: str, field: str, before: Any, theirs: Any, yours: Any, shown: Any
) -> None:
    make = make_deal if object_name == "deal" else make_contact
    record = make(scope, **{field: before})
    after = write.update_record(scope, object_name, record_id(record), {field: theirs})
    (conflict,) = conflicts(stale(scope, object_name, record, {field: yours}))
    assert (conflict["base"], conflict["theirs"]) == (record[field], after[field])
    if isinstance(shown, dict):
        assert {name: value for name, value in conflict["yours"].items() if value is not None} == shown | (
            {"amount": conflict["yours"]["amount"]} if field == "amount" else {}
        )
    else:
        assert conflict["yours"] == shown


def test_changes_by_a_bulk_count_like_any_other(scope: TenantScope) -> None:
    company = make_company(scope, "First")
    bulk(scope, "company", [{"id": company["id"], "name": "By bulk"}], mode="update")
    (conflict,) = conflicts(stale(scope, "company", company, {"name": "Mine"}))
    assert (conflict["base"], conflict["theirs"]) == ("First", "By bulk")


def test_a_version_that_never_was_or_is_out_of_the_logs_reach_gives_no_base(scope: TenantScope) -> None:
    company = make_company(scope, "First")
    write.update_record(scope, "company", record_id(company), {"name": "Second"})
    (conflict,) = conflicts(stale(scope, "company", {**company, "version": -5}, {"name": "Mine"}))
    assert "base" not in conflict
    assert conflict["theirs"] == "Second"
    assert stale(scope, "company", {**company, "version": 10**17}, {"name": "Mine"}).extra["version"] == 2


def test_deleting_a_record_that_changed_says_who_changed_it(scope: TenantScope) -> None:
    company = make_company(scope, "First")
    write.update_record(scope, "company", record_id(company), {"name": "Second"})
    for delete in (write.trash_record, write.destroy_record):
        with pytest.raises(StaleVersion) as caught:
            delete(scope, "company", record_id(company), if_match=1)
        assert caught.value.extra["by"] == {"kind": "member", "id": str(scope.actor.id), "name": scope.actor.name}
        assert caught.value.extra["changed"] == ["name"]


def test_restoring_a_live_record_leaves_it_as_it_is(scope: TenantScope) -> None:
    company = make_company(scope)
    assert write.restore_record(scope, "company", record_id(company)) == company


def test_no_change_is_lost_between_writers_that_read_change_and_write(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
        company = record_id(make_company(scope, employees=0))

    def count_up(_: int) -> int:
        refused = 0
        for _ in range(_ROUNDS):
            while True:
                with enter_job(databases, tenant.id, actor=actor, write=False) as scope:
                    read: Any = get_record(scope, "company", company, fields=("employees", "version"))
                change = {"employees": int(read["employees"]) + 1}
                try:
                    with enter_job(databases, tenant.id, actor=actor, write=True, budget=20) as scope:
                        write.update_record(scope, "company", company, change, if_match=read["version"])
                    break
                except StaleVersion as error:
                    for conflict in conflicts(error):  # none where another one wrote the same number
                        assert (conflict["base"], conflict["yours"]) == (read["employees"], change["employees"])
                    refused += 1
        return refused

    with ThreadPoolExecutor(_WRITERS) as pool:
        assert sum(pool.map(count_up, range(_WRITERS))) > 0
    with enter_job(databases, tenant.id, actor=actor, write=False) as scope:
        assert get_record(scope, "company", company)["employees"] == _WRITERS * _ROUNDS


@pytest.fixture(scope="module")
def api(runtime: Runtime, databases: Databases, tenant: Tenant) -> Api:
    runtime.ports.authorise = bind_ports().authorise
    return Api(create_flask_app(runtime), make_key(databases, tenant))


def test_the_api_answers_a_stale_patch_with_both_values(api: Api) -> None:
    made = api.post("/records/company", {"name": "First"})
    path = f"/records/company/{made['id']}"
    assert api.call("PATCH", path, {"name": "Theirs"}, If_Match='"1"').status_code == 200
    late = api.call("PATCH", path, {"name": "Mine"}, If_Match='"1"')
    assert (late.status_code, late.json["code"], late.json["version"]) == (412, "record.stale", 2)
    (conflict,) = late.json["conflicts"]
    assert (conflict["base"], conflict["theirs"], conflict["yours"]) == ("First", "Theirs", "Mine")
    assert conflict["by"]["name"] == "Test admin"
    assert late.json["errors"][0]["pointer"] == "/name"


def test_a_wrong_method_on_a_verb_is_405_and_says_which_one_is_right(api: Api) -> None:
    for verb, allowed in (("bulk", "POST"), ("board", "GET"), ("aggregate", "GET")):
        for method in {"GET", "PATCH", "DELETE", "PUT", "POST"} - {allowed}:
            answer = api.call(method, f"/records/company/{verb}", {})
            assert answer.status_code == 405, (verb, method, answer.text)
            assert allowed in answer.headers["Allow"], (verb, method)
            assert answer.json["code"] == "method_not_allowed"


class Browser:
    """A member's browser on a record's page."""

    def __init__(self, runtime: Runtime, tenant: Tenant) -> None:
        self.client = create_flask_app(runtime).test_client(use_cookies=False)
        self.base = f"http://{tenant.host}:8000"
        self.cookie = open_session(runtime.databases, tenant, owner_of(runtime.databases, tenant))
        found = _TOKEN.search(
            self.client.get("/records/deal", base_url=self.base, headers={"Cookie": self.cookie}).text
        )
        assert found is not None
        self.token = found[1]

    def save(self, path: str, **data: str) -> tuple[int, str]:
        headers = {"Cookie": self.cookie, "Origin": self.base, "HX-Request": "true"}
        answer = self.client.post(path, base_url=self.base, headers=headers, data={"csrf_token": self.token, **data})
        return answer.status_code, re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_the_page_shows_all_values_and_keeps_mine_or_takes_theirs(
    runtime: Runtime, databases: Databases, tenant: Tenant, api: Api
) -> None:
    browser = Browser(runtime, tenant)
    made = api.post("/records/deal", {"name": "Engine", "next_step": "Call"})
    api.call("PATCH", f"/records/deal/{made['id']}", {"next_step": "Write"})
    path = f"/records/deal/{made['id']}/fields/next_step"
    status, text = browser.save(path, next_step="Visit", version="1")
    assert status == 409
    assert re.search(r"Test admin changed this meanwhile · .* Before Call Now Write Yours Visit", text), text
    assert "Keep mine" in text
    assert "Take theirs" in text
    assert browser.save(path, next_step="Visit", version="2")[0] == 200
    assert api.get(f"/records/deal/{made['id']}")["next_step"] == "Visit"


def test_a_change_of_another_field_is_not_in_the_way_of_an_edit_or_a_move(
    runtime: Runtime, databases: Databases, tenant: Tenant, api: Api
) -> None:
    browser = Browser(runtime, tenant)
    made = api.post("/records/deal", {"name": "Engine", "next_step": "Call"})
    path = f"/records/deal/{made['id']}"
    api.call("PATCH", path, {"next_step": "Write"})
    assert browser.save(f"{path}/fields/name", name="Difference engine", version="1")[0] == 200
    assert browser.save(f"{path}/fields/stage/move", stage="meeting", version="1")[0] == 200
    record = api.get(path)
    assert (record["name"], record["next_step"], record["stage"]) == ("Difference engine", "Write", "meeting")
    assert browser.save(f"{path}/fields/stage/move", stage="won", version="1")[0] == 412


def test_of_many_versions_the_value_of_the_one_read_is_the_base(scope: TenantScope) -> None:
    company = make_company(scope, "0")
    for number in range(1, 9):
        write.update_record(scope, "company", UUID(company["id"]), {"name": str(number)})
    for version in range(1, 9):
        (conflict,) = conflicts(stale(scope, "company", {**company, "version": version}, {"name": "Mine"}))
        assert conflict["base"] == str(version - 1)
