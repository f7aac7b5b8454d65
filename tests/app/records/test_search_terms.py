"""What a typed search is understood as."""

from __future__ import annotations

import pytest

from app.records.search.snippets import snippet
from app.records.search.terms import fold, understand


def raws(q: str) -> list[str]:
    return [term.raw for term in understand(q, "DE").terms]


def test_only_the_last_word_may_be_unfinished() -> None:
    assert raws("Big Ac") == ["'big'", "'ac':*"]


def test_a_single_letter_beside_words_is_left_out() -> None:
    assert raws("united d") == ["'united'"]
    assert raws("d") == ["'d'"]


def test_words_with_hyphens_are_several_words_and_codes_are_one() -> None:
    assert [term.words for term in understand("high-speed DR-77", "DE").terms] == [("high",), ("speed",), ("dr", "77")]
    assert raws("DR-77") == ["'dr-77':*"]


def test_a_web_address_is_also_its_host_and_its_domain() -> None:
    raw = raws("https://www.shop.acme.example/a/")[0]
    for form in ("'shop.acme.example'", "'www.shop.acme.example'", "'acme.example'", "'shop.acme.example/a':*"):
        assert form in raw


@pytest.mark.parametrize(
    ("q", "form"),
    [
        ("030 901820", "'+4930901820':*"),
        ("901820", "'~028109':*"),
        ("0049 30 9018", "'+49309018':*"),
        ("12.500,50 €", "'12500.5'"),
        ("12,500.50", "'12500.5'"),
        ("USD 40", "'40':*"),
    ],
)
def test_numbers_are_read_in_every_form_they_may_be_stored_in(q: str, form: str) -> None:
    asked = understand(q, "DE")
    assert asked.identifier
    assert form in asked.terms[0].raw.split(" | ")


def test_quotes_and_backslashes_stay_inside_the_lexeme() -> None:
    assert raws("o'b\\c") == ["'o''b\\\\c':*"]


def test_phrases_are_taken_out_of_their_quotes() -> None:
    asked = understand('"Red Engine" stopped', "DE")
    assert asked.phrases == ("red engine",)
    assert asked.words == ("red", "engine", "stopped")


@pytest.mark.parametrize("text", ["", "Plain", "Straße", "ÀÉÎ"])
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_snippet_marks_other_forms_of_the_word_and_escapes_the_rest() -> None:
    assert snippet("Two <b>deliveries</b> &amp; &lt;1 more", ["delivery"]) == (
        "Two <mark>deliveries</mark> &amp; &lt;1 more"
    )
    assert snippet("Große Straße 1", ["strasse"]) == "Große <mark>Straße</mark> 1"
    assert snippet("", ["x"]) == ""
