"""Search: by the start and inside of titles, by words, addresses and numbers; ranked; never what is in the trash."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.errors import UnknownObject
from app.records.search import fold, search
from app.records.titles import titles
from app.records.write import trash_record
from tenants.scope import enter_job
from tests.support.records import make_company, make_contact, make_deal, make_note, make_product, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


def found(scope: TenantScope, q: str, *objects: str, limit: int = 10) -> list[object]:
    return [hit["title"] for hit in search(scope, q, objects, limit)]


def test_titles_are_found_whatever_case_and_accents(scope: TenantScope) -> None:
    make_company(scope, "Ünîted Söhne")
    make_company(scope, "Großhandel Süd")
    assert found(scope, "united sohne") == ["Ünîted Söhne"]
    assert found(scope, "GROSSHANDEL") == ["Großhandel Süd"]
    assert found(scope, "söh") == ["Ünîted Söhne"]


def test_the_same_title_comes_before_its_start_before_its_middle_before_its_words(scope: TenantScope) -> None:
    make_company(scope, "Big Acme")
    make_company(scope, "Acme Corporation")
    make_company(scope, "Acme")
    make_company(scope, "Else", description="Formerly known as acme of Jena")
    hits = search(scope, "acme")
    assert [hit["title"] for hit in hits] == ["Acme", "Acme Corporation", "Big Acme", "Else"]
    assert [hit["score"] for hit in hits[:3]] == [1.0, 0.906, 0.812]
    assert 0.4 < float(str(hits[3]["score"])) < 0.8
    assert "Formerly known as <mark>acme</mark>" in str(hits[3]["snippet"])
    assert set(hits[0]) == {"object", "id", "title", "snippet", "score"}


def test_people_are_found_by_any_address_and_number(scope: TenantScope) -> None:
    make_contact(
        scope,
        "Two",
        emails=[{"value": "first@a.test", "primary": True}, {"value": "Second@B.test"}],
        phones=[{"value": "+49 30 901820"}],
    )
    assert found(scope, "second@b.test") == ["Ada Two"]
    assert found(scope, "+49 (30) 901820") == ["Ada Two"]
    assert found(scope, "ada tw") == ["Ada Two"]


def test_objects_limit_and_trash_narrow_what_is_found(scope: TenantScope) -> None:
    make_company(scope, "Narrow One")
    make_deal(scope, "Narrow Two")
    make_note(scope, "<p>something narrow inside</p>", title="Note")
    gone = make_company(scope, "Narrow Gone")
    trash_record(scope, "company", record_id(gone))
    assert found(scope, "narrow") == ["Narrow One", "Narrow Two", "Note"]
    assert found(scope, "narrow", "deal") == ["Narrow Two"]
    assert len(found(scope, "narrow", limit=1)) == 1


@pytest.mark.parametrize("q", ["%", "_", "'", "a' or true --", "\\", "a:*|b", "100%", "(&|!)", "<->", "ab & !cd"])
def test_no_text_breaks_the_statement(scope: TenantScope, q: str) -> None:
    make_company(scope, "Plain")
    with suppress(InvalidInput):
        assert "Plain" not in found(scope, q)


@pytest.mark.parametrize("q", ["", "  ", "!?", "x" * 501, "a\x00b"])
def test_nothing_to_look_for_is_refused(scope: TenantScope, q: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        search(scope, q)
    assert refused.value.errors[0].pointer == "?q"


def test_an_unknown_object_is_refused(scope: TenantScope) -> None:
    with pytest.raises(UnknownObject):
        search(scope, "a", ("nope",))


@pytest.mark.parametrize("text", ["Straße", "ÀÉÎõü", "İstanbul", "ﬁne", "Ω ω ς", "日本", "ǅ"])
def test_python_and_the_database_fold_alike(scope: TenantScope, text: str) -> None:
    company = make_company(scope, text)
    row = scope.execute("select _title_key from o_company where id = %s", (company["id"],)).fetchone()
    assert row == (fold(text),)


def test_titles_are_told_by_id_for_records_and_members(scope: TenantScope) -> None:
    company = make_company(scope, "Named")
    row = scope.execute("select id, name from member").fetchone()
    assert row is not None
    told = titles(scope, {"company": [company["id"]], "member": [row[0]], "deal": [], "nope": ["x"]})
    assert told == {("company", company["id"]): "Named", ("member", str(row[0])): row[1]}


def test_words_are_found_in_other_forms_of_the_workspace_s_language(
    scope: TenantScope, databases: Databases, new_tenant: NewTenant
) -> None:
    make_note(scope, "<p>The deliveries were delayed twice.</p>", title="Complaint")
    assert found(scope, "delivery delay") == ["Complaint"]
    german = new_tenant(locale="de-DE")
    with enter_job(databases, german.id, actor=owner_of(databases, german), write=True) as there:
        make_note(there, "<p>Die Lieferungen verspäteten sich in den Häusern.</p>", title="Beschwerde")
        assert found(there, "Lieferung verspätet") == ["Beschwerde"]
        assert found(there, "Haus") == ["Beschwerde"]
        assert there.execute("select _language from o_note").fetchall() == [("de",)]


def test_words_are_found_while_they_are_typed(scope: TenantScope) -> None:
    make_company(scope, "Northwind Development")
    make_note(scope, "<p>zeppelins over the harbour</p>", title="Air")
    for typed in ("no", "northw", "northwind de", "northwind developme", "northwind development", "development north"):
        assert found(scope, typed) == ["Northwind Development"], typed
    assert found(scope, "zepp") == ["Air"]
    assert found(scope, "harbour zeppelin") == ["Air"]


def test_titles_with_typing_errors_are_found(scope: TenantScope) -> None:
    make_company(scope, "Lindqvist Maskiner")
    make_company(scope, "Großhandel Süd")
    for typed in ("Lindquist", "lindqvst maskiner", "Lindqvist Maskinner", "linqvist"):
        assert found(scope, typed) == ["Lindqvist Maskiner"], typed
    assert found(scope, "handel") == ["Großhandel Süd"]


@pytest.mark.parametrize(
    "typed", ["+49 30 901820", "030 901820", "030/90 18-20", "tel:+4930901820", "0049 30 901820", "901820", "+49309018"]
)
def test_a_phone_number_is_found_in_any_form(scope: TenantScope, typed: str) -> None:
    make_contact(scope, "Phone", phones=[{"value": "+49 30 901820", "primary": True}])
    make_contact(scope, "Other", phones=[{"value": "+49 30 901821", "primary": True}])
    hits = found(scope, typed)
    assert hits == ["Ada Phone"] if typed != "+49309018" else sorted(map(str, hits)) == ["Ada Other", "Ada Phone"]


@pytest.mark.parametrize("typed", ["second@b.test", "SECOND@B.TEST", "second@b", "second@"])
def test_an_address_is_found_whole_and_while_typed(scope: TenantScope, typed: str) -> None:
    make_contact(scope, "Mail", emails=[{"value": "first@a.test", "primary": True}, {"value": "Second@b.test"}])
    assert found(scope, typed) == ["Ada Mail"]


@pytest.mark.parametrize("typed", ["12500", "12,500.00", "12.500,00 €", "EUR 12500", "12500.00"])
def test_a_deal_is_found_by_its_amount(scope: TenantScope, typed: str) -> None:
    make_deal(scope, "Big", amount="12500.00")
    make_deal(scope, "Small", amount="125")
    assert found(scope, typed) == ["Big"]


def test_codes_and_foreign_ids_are_found(scope: TenantScope) -> None:
    make_product(scope, "Drill", code="DR-77/a")
    make_company(scope, "Foreign", external_id="sf_0015x:09")
    assert found(scope, "dr-77/A") == ["Drill"]
    assert found(scope, "DR-77") == ["Drill"]
    assert found(scope, "sf_0015x:09") == ["Foreign"]


@pytest.mark.parametrize(
    "typed",
    ["shop.northwind.example", "northwind.example", "https://www.northwind.example/about?x=1", "www.northwind.example"],
)
def test_a_company_is_found_by_its_web_address(scope: TenantScope, typed: str) -> None:
    make_company(scope, "Winds", domain="northwind.example", website="https://shop.northwind.example/start")
    make_company(scope, "Others", domain="southwind.example")
    assert found(scope, typed) == ["Winds"]


def test_a_quoted_phrase_stands_in_this_order(scope: TenantScope) -> None:
    make_note(scope, "<p>the red engine stopped</p>", title="One")
    make_note(scope, "<p>the engine was painted red</p>", title="Two")
    assert sorted(map(str, found(scope, "red engine"))) == ["One", "Two"]
    assert found(scope, '"red engine"') == ["One"]
    assert found(scope, '"red engine" stopped') == ["One"]
    assert found(scope, '"engine red"') == []
    assert sorted(map(str, found(scope, '"the" engine'))) == ["One", "Two"]


def test_a_question_finds_what_has_most_of_its_rare_words(scope: TenantScope) -> None:
    make_note(scope, "<p>Open settings, choose security, press reset.</p>", title="Resetting a forgotten password")
    make_note(scope, "<p>We want to know how customers do it.</p>", title="Survey")
    for number in range(5):
        make_note(scope, f"<p>How customers work, part {number}.</p>", title=f"Report {number}")
    assert found(scope, "How can a customer reset the password he forgot?")[0] == "Resetting a forgotten password"


def test_one_s_own_and_newer_records_come_first_among_equals(scope: TenantScope) -> None:
    other = scope.execute(
        "insert into member (name, email, role, status) values ('O', 'o@x.test', 'member', 'active') returning id"
    ).fetchone()
    assert other is not None
    make_company(scope, "Equal A", owner=str(other[0]))
    make_company(scope, "Equal Mine")
    old = make_company(scope, "Equal", owner=str(other[0]))
    assert found(scope, "equa") == ["Equal Mine", "Equal", "Equal A"]
    scope.execute("update o_company set updated_at = now() - interval '300 days' where id = %s", (old["id"],))
    assert found(scope, "equa") == ["Equal Mine", "Equal A", "Equal"]


def test_snippets_are_safe_html_with_the_match_marked(scope: TenantScope) -> None:
    make_note(scope, f"<p>{'filler ' * 200}a &lt;script&gt; beside the quixotic plan {'more ' * 200}</p>", title="S")
    hit = search(scope, "quixotic")[0]
    assert "a &lt;script&gt; beside the <mark>quixotic</mark> plan" in str(hit["snippet"])
    assert str(hit["snippet"]).startswith("…")
    assert len(str(hit["snippet"])) < 300


def test_a_search_is_one_statement(scope: TenantScope, sent: list[tuple[bytes, Any]]) -> None:
    search(scope, "warm")
    sent.clear()
    search(scope, "how many round trips are there")
    assert len(sent) == 1


def test_as_many_are_found_as_asked_for(scope: TenantScope) -> None:
    for number in range(60):
        make_note(scope, f"<p>The plentiful harvest, part {number}.</p>", title=f"N {number}")
    assert len(found(scope, "plentiful", limit=55)) == 55
    assert len(found(scope, "what was the plentiful harvest of questions", limit=55)) == 55
