"""Many rows at once: the same result as one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import catalogs
from app.core.errors import InvalidInput, RapportError
from app.core.ids import uuid7
from app.records import store_many, write
from app.records.batch import PreparedRow, write_batch
from app.records.bulk import BulkRefused, bulk
from app.records.intake import coercion_of, take_in
from app.records.store import read_record
from tests.support.records import make_company, make_contact, make_deal, make_deal_line, record_id

if TYPE_CHECKING:
    from tenants.scope import TenantScope


@pytest.fixture(autouse=True, params=[0, 50], ids=["by COPY", "in one statement"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for both ways of inserting."""
    monkeypatch.setattr(store_many, "_FEW", request.param)


def shown(scope: TenantScope, name: str, record: object) -> dict[str, Any]:
    found = read_record(scope, catalogs.for_scope(scope).objects[name], record_id({"id": record}))
    assert found is not None
    return found


def test_each_row_gets_its_own_result(scope: TenantScope) -> None:
    body = bulk(scope, "company", [{"name": "A"}, {"nam": "B"}, {"name": "C", "tags": ["x", "y"]}, 7])
    assert [row["status"] for row in body["results"]] == ["created", "failed", "created", "failed"]
    assert {error["pointer"] for error in body["results"][1]["errors"]} == {"/nam", "/name"}
    assert (body["created"], body["failed"]) == (2, 2)
    assert shown(scope, "company", body["results"][2]["id"])["tags"] == ["x", "y"]


def test_an_atomic_bulk_writes_all_or_nothing(scope: TenantScope) -> None:
    with pytest.raises(BulkRefused) as caught:
        bulk(scope, "company", [{"name": "Fine"}, {"name": ""}], atomic=True)
    assert [error.pointer for error in caught.value.errors] == ["/1/name"]
    assert scope.execute("SELECT count(*) FROM o_company WHERE name = 'Fine'").fetchone() == (0,)


def test_rows_are_matched_by_a_unique_field_or_an_address(scope: TenantScope) -> None:
    acme = make_company(scope, domain="acme.example")
    ada = make_contact(scope, emails=["ada@example.test", "second@example.test"])
    body = bulk(
        scope, "company", [{"domain": "ACME.example", "name": "X"}, {"domain": "new.example", "name": "N"}],
        mode="upsert", match="domain",
    )  # fmt: skip
    assert [row["status"] for row in body["results"]] == ["updated", "created"]
    assert body["results"][0]["id"] == acme["id"]
    body = bulk(scope, "contact", [{"email": "second@example.test"}], mode="update", match="email")
    assert body["results"][0]["id"] == ada["id"]
    assert shown(scope, "contact", ada["id"])["email"] == "second@example.test"


def test_twins_in_one_upsert_make_one_record(scope: TenantScope) -> None:
    rows = [{"external_id": "T", "name": "First"}, {"external_id": "T", "name": "Last"}]
    body = bulk(scope, "company", rows, mode="upsert", match="external_id")
    assert [row["status"] for row in body["results"]] == ["created", "updated"]
    assert shown(scope, "company", body["results"][0]["id"])["name"] == "Last"


@pytest.mark.parametrize("wrong", [{"name": ""}, {"parent": str(UUID(int=7))}, {"domain": "taken.example"}])
def test_a_twin_of_a_row_that_fails_is_judged_by_itself(scope: TenantScope, wrong: dict[str, Any]) -> None:
    make_company(scope, domain="taken.example")
    first = {"external_id": "T", "name": "First", **wrong}
    rows = [first, first, {"external_id": "t", "name": "Other"}, *({"external_id": "T", "name": n} for n in "YZ")]
    body = bulk(scope, "company", rows, mode="upsert", match="external_id")
    assert [row["status"] for row in body["results"]] == ["failed", "failed", "created", "created", "updated"]
    assert shown(scope, "company", body["results"][3]["id"])["name"] == "Z"
    assert body["results"][3]["id"] == body["results"][4]["id"]


def test_a_value_used_twice_fails_the_later_row(scope: TenantScope) -> None:
    make_company(scope, domain="old.example")
    rows = [
        {"name": "A", "domain": "d.example"},
        {"name": "B", "domain": "D.example"},
        {"name": "C", "domain": "old.example"},
    ]
    body = bulk(scope, "company", rows)
    assert [row["status"] for row in body["results"]] == ["created", "failed", "failed"]
    assert body["results"][1]["errors"][0]["code"] == "record.unique"


def test_a_bulk_delete_moves_to_the_trash(scope: TenantScope) -> None:
    companies = [make_company(scope) for _ in range(3)]
    rows = [{"id": company["id"]} for company in companies] + [{"id": str(uuid4())}, {"id": "no id"}]
    body = bulk(scope, "company", rows, mode="delete")
    assert [row["status"] for row in body["results"]] == ["deleted"] * 3 + ["failed"] * 2
    write.restore_record(scope, "company", record_id(companies[0]))
    left = scope.execute(
        "SELECT count(*) FROM o_company WHERE deleted_at IS NOT NULL AND id = ANY(%s)", ([c["id"] for c in companies],)
    )
    assert left.fetchone() == (2,)


def test_wrong_requests_are_refused(scope: TenantScope) -> None:
    with pytest.raises(InvalidInput, match="mode"):
        bulk(scope, "company", [], mode="replace")
    with pytest.raises(InvalidInput, match="10,000"):
        bulk(scope, "company", [{}] * 10_001)
    with pytest.raises(InvalidInput, match="match="):
        bulk(scope, "company", [], mode="upsert")
    with pytest.raises(InvalidInput, match="not unique"):
        bulk(scope, "company", [], mode="upsert", match="name")


def test_one_event_a_record_and_one_that_sums_up(scope: TenantScope) -> None:
    body = bulk(scope, "company", [{"name": "A"}, {"name": "B"}])
    made = [row["id"] for row in body["results"]]
    rows = scope.execute("SELECT kind, record_version FROM event WHERE record_id = ANY(%s)", (made,)).fetchall()
    assert rows == [("created", 1), ("created", 1)]
    last = scope.execute("SELECT kind, object, diff FROM event ORDER BY id DESC LIMIT 1").fetchone()
    assert last == ("bulk", "company", {"mode": "create", "created": 2, "updated": 0, "deleted": 0, "failed": 0})


def test_amounts_and_affiliations_follow_a_batch(scope: TenantScope) -> None:
    deals = [make_deal(scope, amount_from_lines=True) for _ in range(2)]
    lines = [{"deal": deal["id"], "quantity": str(count), "unit_price": "2"} for deal in deals for count in (1, 2)]
    body = bulk(scope, "deal_line", lines)
    assert [shown(scope, "deal", deal["id"])["amount"]["amount"] for deal in deals] == ["6.00", "6.00"]
    bulk(scope, "deal_line", [{"id": body["results"][0]["id"], "deal": deals[1]["id"]}], mode="update")
    assert [shown(scope, "deal", deal["id"])["amount"]["amount"] for deal in deals] == ["4.00", "8.00"]
    company = make_company(scope)
    bulk(scope, "contact", [{"last_name": f"L{n}", "company": company["id"]} for n in range(3)])
    rows = scope.execute('SELECT count(*) FROM o_affiliation WHERE company = %s AND "primary"', (company["id"],))
    assert rows.fetchone() == (3,)


def test_an_import_gives_its_own_ids_and_can_say_who_made_the_rows(scope: TenantScope) -> None:
    contact = make_contact(scope)
    company_type = catalogs.for_scope(scope).objects["company"]
    values = take_in(company_type, {"name": "Imported"}, coercion_of(scope)).values
    new_id = uuid7()
    member = scope.execute("SELECT id FROM member LIMIT 1").fetchone()
    assert member is not None
    results = write_batch(
        scope, "company", [PreparedRow(0, values, new_id=new_id), PreparedRow(5, values, id=record_id(contact))],
        created_by=member[0],
    )  # fmt: skip
    assert [(result.index, result.status) for result in results] == [(0, "created"), (5, "failed")]
    assert results[0].id == new_id
    assert shown(scope, "company", new_id)["created_by"] == str(member[0])


_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["A", "B", "", None]),
        "stage": st.sampled_from(["new", "won", "lost", "proposal", "nowhere"]),
        "amount": st.sampled_from([None, 5, "1.5", {"amount": "2", "currency": "USD"}, {"amount": "x"}]),
        "probability": st.sampled_from(["0.5", None, "2"]),
        "close_on": st.sampled_from(["2026-05-05", None, "soon"]),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "amount_from_lines": st.booleans(),
        "unknown": st.just(1),
    },
)
_UNCOMPARED = {"id", "created_at", "updated_at", "stage_since", "closed_at"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROWS, min_size=1, max_size=4))
def test_a_bulk_create_equals_creating_one_by_one(scope: TenantScope, rows: list[dict[str, Any]]) -> None:
    body = bulk(scope, "deal", rows)
    for row, result in zip(rows, body["results"], strict=True):
        expected = _single(lambda row=row: write.create_record(scope, "deal", row))
        assert _result(scope, result) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROWS, min_size=1, max_size=3))
def test_a_bulk_update_equals_updating_one_by_one(scope: TenantScope, rows: list[dict[str, Any]]) -> None:
    first, second = make_deal(scope, "Same"), make_deal(scope, "Same")
    for deal in (first, second):
        make_deal_line(scope, deal)
    body = bulk(scope, "deal", [{"id": first["id"], **row} for row in rows], mode="update")
    for row, result in zip(rows, body["results"], strict=True):
        single = _single(lambda row=row: write.update_record(scope, "deal", record_id(second), row))
        if isinstance(single, set):
            assert {(error["pointer"], error["code"]) for error in result.get("errors", [])} == single
    assert _comparable(shown(scope, "deal", first["id"])) == _comparable(shown(scope, "deal", second["id"]))
    assert _diffs(scope, first) == _diffs(scope, second)


def _single(act: Any) -> dict[str, Any] | set[tuple[str, str]]:
    try:
        return _comparable(act())
    except RapportError as error:
        return {(problem.pointer, problem.code) for problem in error.errors}


def _result(scope: TenantScope, result: dict[str, Any]) -> dict[str, Any] | set[tuple[str, str]]:
    if result["status"] == "failed":
        return {(error["pointer"], error["code"]) for error in result["errors"]}
    return _comparable(shown(scope, "deal", result["id"]))


def _comparable(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _UNCOMPARED}


def _diffs(scope: TenantScope, record: dict[str, Any]) -> list[dict[str, Any]]:
    rows = scope.execute(
        "SELECT diff FROM event WHERE record_id = %s AND kind = 'updated' ORDER BY id", (record["id"],)
    ).fetchall()
    return [{name: pair for name, pair in row[0].items() if name not in _UNCOMPARED} for row in rows]


_PERSON = st.fixed_dictionaries(
    {},
    optional={
        "first_name": st.sampled_from(["Ada", "", None]),
        "last_name": st.sampled_from(["Lovelace", None, "  "]),
        "email": st.sampled_from(["a@x.example", "b@x.example", None, "no address"]),
        "emails": st.lists(st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]), max_size=3),
        "address": st.sampled_from([None, {"city": "Rome"}, {"line1": "Via 1", "city": None}, {"country": "Italy"}]),
        "company": st.sampled_from(["first", "second", None]),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_PERSON, min_size=1, max_size=3))
def test_people_changed_in_bulk_equal_people_changed_one_by_one(scope: TenantScope, rows: list[dict[str, Any]]) -> None:
    companies = {"first": make_company(scope)["id"], "second": make_company(scope)["id"], None: None}
    rows = [row | ({"company": companies[row["company"]]} if "company" in row else {}) for row in rows]
    bulked, single = (make_contact(scope, "Same", emails=["z@x.example"]) for _ in range(2))
    for row in rows:
        result = bulk(scope, "contact", [{"id": bulked["id"], **row}], mode="update")["results"][0]
        outcome = _single(lambda row=row: write.update_record(scope, "contact", record_id(single), row))
        if isinstance(outcome, set):
            assert {(error["pointer"], error["code"]) for error in result["errors"]} == outcome
    assert _comparable(shown(scope, "contact", bulked["id"])) == _comparable(shown(scope, "contact", single["id"]))
    assert _diffs(scope, bulked) == _diffs(scope, single)
    assert _affiliations(scope, bulked) == _affiliations(scope, single)


def _affiliations(scope: TenantScope, contact: dict[str, Any]) -> list[tuple[Any, ...]]:
    return scope.execute(
        'SELECT company, "primary", version FROM o_affiliation WHERE contact = %s ORDER BY company', (contact["id"],)
    ).fetchall()


def test_two_moves_of_one_call_close_no_circle(scope: TenantScope) -> None:
    one, two, three = (make_company(scope, name)["id"] for name in ("One", "Two", "Three"))
    moves = [{"id": one, "parent": two}, {"id": two, "parent": three}, {"id": three, "parent": one}]
    body = bulk(scope, "company", moves, mode="update")
    assert [row["status"] for row in body["results"]] == ["updated", "updated", "failed"]
    assert body["results"][2]["errors"][0]["code"] == "link.cycle"
    turned = bulk(scope, "company", [{"id": one, "parent": None}, {"id": two, "parent": one}], mode="update")
    assert turned["updated"] == 2
    assert bulk(scope, "company", [{"id": one, "parent": two}], mode="update")["failed"] == 1


def test_a_record_is_deleted_once(scope: TenantScope) -> None:
    one = make_company(scope, "Once")["id"]
    body = bulk(scope, "company", [{"id": one}, {"id": one}], mode="delete")
    assert [row["status"] for row in body["results"]] == ["deleted", "failed"]
    assert body["deleted"] == 1


def test_an_update_that_finds_no_record_says_just_that(scope: TenantScope) -> None:
    body = bulk(scope, "company", [{"external_id": "nobody's"}], mode="update", match="external_id")
    assert [error["code"] for error in body["results"][0]["errors"]] == ["record.not_found"]
