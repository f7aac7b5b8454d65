"""What a list's address means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.catalog import platform
from app.records.pages.asking import Asked, quick_condition
from app.records.query import ListQuery
from app.records.read import list_records
from tests.support.records import make_company, make_contact

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def test_quick_words_are_found_in_any_case_and_any_order(scope: TenantScope) -> None:
    made = make_contact(scope, first_name="Lucía", last_name="Ferrer", email="lucia@solis.example")
    make_contact(scope, first_name="Owen", last_name="Clarke")
    contact = platform().object("contact")
    for words in ("ferrer lucía", "FERRER", "solis.example"):
        rows = list_records(scope, "contact", ListQuery(filter=quick_condition(contact, words))).rows
        assert [row["id"] for row in rows] == [made["id"]]


def test_quotes_in_quick_words_are_only_text(scope: TenantScope) -> None:
    make_company(scope, name='The "Best" \\ Company')
    company = platform().object("company")
    for words in ('"best"', "\\", '") || true || ("'):
        condition = quick_condition(company, words)
        rows = list_records(scope, "company", ListQuery(filter=condition)).rows
        assert len(rows) == (0 if "true" in words else 1)


def test_filter_and_words_are_both_kept_and_a_new_question_starts_at_the_first_page() -> None:
    question = Asked("deal", filter="amount > 5", words="solis", cursor="abc")
    condition = question.condition(platform().object("deal"))
    assert condition.startswith("(amount > 5) && (")
    assert "cursor" not in question.href(sort="-amount")
    assert question.href(cursor="next").endswith("cursor=next")
