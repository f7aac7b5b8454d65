"""Lists and single records: fields, links, conditions, trash, totals, plans, what is refused and how."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput, RapportError
from app.records.board import board
from app.records.errors import RecordNotFound, UnknownObject
from app.records.query import BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.write import trash_record
from tenants.scope import SYSTEM, enter_job
from tests.support.records import make_company, make_contact, make_deal, record_id
from tests.support.tenants import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope
    from tests.app.records.conftest import SetRates
    from tests.support.tenants import NewTenant


def names(scope: TenantScope, object_name: str = "company", **query: Any) -> list[object]:
    return [row["name"] for row in list_records(scope, object_name, ListQuery(sort="name", **query)).rows]


def test_a_created_record_reads_back_as_it_was_answered(scope: TenantScope) -> None:
    company = make_company(scope, "Ümlaut & Söhne", employees=12, annual_revenue={"amount": "1.50", "currency": "CHF"})
    contact = make_contact(scope, "Noether", company=company["id"], emails=[{"value": "Emmy@Example.org"}])
    for name, made in (("company", company), ("contact", contact)):
        read = get_record(scope, name, record_id(made))
        assert read == made
        assert next(iter(read)) == "id"
        assert list_records(scope, name, ListQuery(filter=f'id == "{made["id"]}"')).rows == [read]


def test_a_list_is_one_statement_however_many_links_it_looks_into(
    scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    company = make_company(scope, "Linked")
    for number in range(3):
        make_deal(scope, f"Deal {number}", company=company["id"])
    query = ListQuery(
        fields=("name", "company.name", "owner.name"), filter='company.name == "Linked"', sort="-company.name,name"
    )
    list_records(scope, "deal", query)
    sent.clear()
    page = list_records(scope, "deal", query)
    assert len(sent) == 1
    assert [(row["name"], row["company.name"]) for row in page.rows] == [(f"Deal {n}", "Linked") for n in range(3)]


def test_only_the_fields_asked_for_are_answered_and_the_id(scope: TenantScope) -> None:
    make_company(scope, "Lean", billing_address={"city": "Jena", "country": "DE"})
    page = list_records(scope, "company", ListQuery(fields=("name", "billing_address.city"), filter='name == "Lean"'))
    assert [list(row) for row in page.rows] == [["id", "name", "billing_address.city"]]
    assert page.rows[0]["billing_address.city"] == "Jena"


def test_conditions_choose_records_also_over_a_link_and_by_every_address(scope: TenantScope) -> None:
    school = make_company(scope, "School", industry="education")
    make_deal(scope, "Books", company=school["id"], amount="200")
    make_deal(scope, "Chalk", company=school["id"], amount="20")
    make_deal(scope, "None")
    assert names(scope, "deal", filter='company.industry == "education" && amount > 100') == ["Books"]
    assert names(scope, "deal", filter='name in ["Chalk", "None"] && !has(company)') == ["None"]
    make_contact(scope, "Two", emails=[{"value": "one@a.test", "primary": True}, {"value": "two@b.test"}])
    found = list_records(scope, "contact", ListQuery(filter='email == "Two@B.test"'))
    assert [row["last_name"] for row in found.rows] == ["Two"]


def test_conditions_know_who_asks_when_and_whose_a_record_is(scope: TenantScope) -> None:
    row = scope.execute("select id, name from member").fetchone()
    assert row is not None
    make_deal(scope, "Mine", owner=str(row[0]), close_on="2017-01-01")
    make_deal(scope, "Nobodys", owner=None, close_on="2999-01-01")
    assert names(scope, "deal", filter="owner == me") == ["Mine"]
    assert names(scope, "deal", filter=f'owner.name == "{row[1]}"') == ["Mine"]
    assert names(scope, "deal", filter="close_on < today()") == ["Mine"]
    assert names(scope, "deal", filter="created_at < now && owner == null") == ["Nobodys"]


def test_an_amount_in_another_currency_is_compared_by_its_rate(scope: TenantScope, set_rates: SetRates) -> None:
    set_rates({("USD", "2020-01-01"): 0.5})
    make_deal(scope, "Dollars", amount={"amount": "150", "currency": "USD"})
    make_deal(scope, "Euros", amount="100")
    make_deal(scope, "Yen", amount={"amount": "90000", "currency": "JPY"})
    assert names(scope, "deal", filter="amount >= 100") == ["Euros"]
    assert names(scope, "deal", filter="amount >= 75") == ["Dollars", "Euros"]


def test_an_amount_nobody_can_convert_is_there_all_the_same(scope: TenantScope) -> None:
    make_deal(scope, "Yen", amount={"amount": "90000", "currency": "JPY"})
    make_deal(scope, "Nothing")
    assert names(scope, "deal", filter="has(amount)") == ["Yen"]
    assert names(scope, "deal", filter="amount == null") == ["Nothing"]
    assert names(scope, "deal", filter="amount != null") == ["Yen"]
    assert names(scope, "deal", filter="amount > 0 || amount <= 0") == []


def test_trashed_records_are_left_out_unless_asked_for(scope: TenantScope) -> None:
    make_company(scope, "Kept")
    gone = make_company(scope, "Gone")
    trash_record(scope, "company", record_id(gone))
    assert names(scope) == ["Kept"]
    assert names(scope, trash="only") == ["Gone"]
    assert names(scope, trash="with") == ["Gone", "Kept"]
    with pytest.raises(RecordNotFound):
        get_record(scope, "company", record_id(gone))
    assert get_record(scope, "company", record_id(gone), trash=True)["deleted_at"]


def test_totals_are_counted_guessed_or_left_out(scope: TenantScope) -> None:
    for number in range(5):
        make_company(scope, f"C{number}")
    scope.execute("insert into o_company (name) select 'bulk ' || i from generate_series(1, 2000) i")
    assert list_records(scope, "company", ListQuery(limit=2)).total is None
    assert list_records(scope, "company", ListQuery(limit=2, total="exact")).total == 2005
    assert list_records(scope, "company", ListQuery(limit=2, total="exact", filter='name == "C1"')).total == 1
    guess = list_records(scope, "company", ListQuery(limit=2, total="estimate")).total
    assert guess is not None
    assert 1 <= guess <= 100_000


@pytest.mark.parametrize(
    ("query", "pointer", "hint"),
    [
        (ListQuery(sort="nmae"), "?sort", "name"),
        (ListQuery(sort="name,,"), "?sort", ""),
        (ListQuery(sort="name,-name"), "?sort", "twice"),
        (ListQuery(sort="billing_address"), "?sort", "can't be sorted"),
        (ListQuery(sort="tags"), "?sort", "can't be sorted"),
        (ListQuery(fields=("nam",)), "?fields", "name"),
        (ListQuery(fields=("parent.parent.parent.parent.name",)), "?fields", ""),
        (ListQuery(fields=("trash_id",)), "?fields", ""),
        (ListQuery(filter="nmae == 1"), "?filter", ""),
        (ListQuery(filter="name =="), "?filter", ""),
        (ListQuery(limit=0), "?limit", "200"),
        (ListQuery(limit=201), "?limit", "200"),
        (ListQuery(total="all"), "?total", "exact"),  # pyright: ignore[reportArgumentType]
        (ListQuery(trash="both"), "?trash", "only"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_is_wrong_with_a_question_is_said_where(
    scope: TenantScope, query: ListQuery, pointer: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        list_records(scope, "company", query)
    assert refused.value.status == 422
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert hint in refused.value.errors[0].message


def test_unknown_objects_and_ids_are_not_found(scope: TenantScope) -> None:
    with pytest.raises(UnknownObject):
        list_records(scope, "companies", ListQuery())
    for wrong in (uuid.uuid4(), "x", "'; drop table o_company --"):
        with pytest.raises(RecordNotFound) as missing:
            get_record(scope, "company", wrong)
        assert missing.value.status == 404


@pytest.mark.parametrize(
    "text",
    [
        "name = 'x'; drop table o_deal",
        'name == "x" || pg_sleep(1)',
        '_title_key == "x"',
        "deleted_at in (select 1)",
        'name == "\x00"',
    ],
)
def test_a_filter_is_never_sql(scope: TenantScope, text: str) -> None:
    with pytest.raises(RapportError) as refused:
        list_records(scope, "deal", ListQuery(filter=text))
    assert refused.value.status == 422


@pytest.fixture(scope="module")
def large(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A workspace of 20,000 deals, one in a hundred won, that PostgreSQL has figures about."""
    made = new_tenant()
    with enter_job(databases, made.id, actor=SYSTEM, write=True, budget=PATIENT) as opened:
        opened.execute(
            "insert into o_deal (name, pipeline, stage, amount, amount__currency)"
            " select 'Deal ' || md5(i::text), 'sales', case when mod(i, 100) = 0 then 'won' else 'new' end, i, 'EUR'"
            " from generate_series(1, 20000) i"
        )
    with databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(f'analyze "{made.schema}".o_deal')
    return made


@pytest.fixture
def large_scope(databases: Databases, large: Tenant) -> Iterator[TenantScope]:
    with enter_job(databases, large.id, actor=SYSTEM, write=False, budget=PATIENT) as opened:
        yield opened


def plan_of(scope: TenantScope, sent: list[tuple[bytes, Any]], query: ListQuery) -> str:
    """EXPLAIN of the statement a list of deals sends."""
    sent.clear()
    list_records(scope, "deal", query)
    text, params = sent[-1]
    rows = scope.connection.execute(b"EXPLAIN (COSTS OFF) " + text, params).fetchall()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("sort", ["title", "name", "-name", "-created_at"])
def test_a_long_list_in_order_is_read_from_its_index(
    large_scope: TenantScope, sent: list[tuple[bytes, Any]], sort: str
) -> None:
    first = list_records(large_scope, "deal", ListQuery(sort=sort))
    for cursor in ("", first.next or ""):
        plan = plan_of(large_scope, sent, ListQuery(sort=sort, cursor=cursor))
        assert "Index Scan" in plan
        assert "Seq Scan" not in plan
    assert first.next


def test_a_stage_is_read_from_the_index_of_the_board(large_scope: TenantScope, sent: list[tuple[bytes, Any]]) -> None:
    plan = plan_of(large_scope, sent, ListQuery(filter='pipeline == "sales" && stage == "won"', sort="-id"))
    assert "o_deal__board__idx" in plan
    assert "Seq Scan" not in plan


def test_the_cards_of_a_board_are_read_in_order_from_an_index(
    large_scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    board(large_scope, "deal", BoardQuery())
    text, params = sent[-1]
    rows = large_scope.connection.execute(b"EXPLAIN (COSTS OFF) " + text, params).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
