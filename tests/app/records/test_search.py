"""Search: by the start and inside of titles, by words, addresses and numbers; ranked; never what is in the trash."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidInput
from app.records.errors import UnknownObject
from app.records.search import fold, search
from app.records.titles import titles
from app.records.write import trash_record
from tests.support.records import make_company, make_contact, make_deal, make_note, record_id

if TYPE_CHECKING:
    from tenants.scope import TenantScope


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
    assert [hit["score"] for hit in hits] == [1.0, 0.9, 0.6, 0.4]
    assert "Formerly known as acme" in str(hits[3]["snippet"])
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


@pytest.mark.parametrize("q", ["", "  ", "!?", "x" * 201, "a\x00b"])
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
