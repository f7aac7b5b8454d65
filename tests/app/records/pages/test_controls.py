"""Forms of records: what controls hold, and what a sent form means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from werkzeug.datastructures import MultiDict

from app.metadata.catalog import platform
from app.records.pages.controls import control, form_fields, paragraphs, read_form
from app.records.pages.values import Reader

if TYPE_CHECKING:
    from app.metadata.model import ObjectType

GERMAN = Reader("de", "Europe/Berlin")


@pytest.fixture
def deal() -> ObjectType:
    return platform().object("deal")


def test_the_form_begins_with_name_and_stage_and_leaves_the_engines_fields_out(deal: ObjectType) -> None:
    names = [field.name for field in form_fields(deal)]
    assert names[0] == "name"
    assert {"amount", "company", "stage"} <= set(names[:6])
    assert not {"id", "version", "created_at", "stage_status", "external_id", "pipeline", "emails"} & set(names)


def test_numbers_are_read_as_the_reader_types_them(deal: ObjectType) -> None:
    form = MultiDict({"amount.amount": "18.500,50", "amount.currency": "eur", "probability": "12,5 %"})
    sent = read_form(deal, ["amount", "probability"], form, "de")
    assert sent == {"amount": {"amount": "18500.50", "currency": "EUR"}, "probability": "0.125"}


def test_an_empty_control_means_no_value(deal: ObjectType) -> None:
    sent = read_form(deal, ["name", "amount", "company", "tags"], MultiDict({"name": " "}), "en")
    assert sent == {"name": None, "amount": None, "company": None, "tags": []}


def test_controls_show_values_the_way_they_are_typed(deal: ObjectType) -> None:
    held = {
        "amount": {"amount": "18500.50", "currency": "CHF"},
        "probability": "0.125",
        "tags": ["hot", "fair"],
    }
    controls = {n: control(deal, deal.fields[n], v, {}, GERMAN, currency="EUR") for n, v in held.items()}
    assert controls["amount"].value == {"amount": "18500,5", "currency": "CHF"}
    assert controls["amount"].currency == "CHF"
    assert controls["probability"].value == "12,5"
    assert controls["tags"].value == "hot, fair"


def test_what_was_typed_wrongly_comes_back_to_be_corrected(deal: ObjectType) -> None:
    for name, typed in (("probability", "a third"), ("close_on", "someday")):
        assert control(deal, deal.fields[name], typed, {}, GERMAN, currency="EUR").value == typed
    money = control(deal, deal.fields["amount"], {"amount": "a lot", "currency": "EUR"}, {}, GERMAN, currency="EUR")
    assert money.value["amount"] == "a lot"


def test_plain_text_becomes_paragraphs_and_never_markup() -> None:
    assert paragraphs("First <b>\n\nSecond & last") == "<p>First &lt;b&gt;</p><p>Second &amp; last</p>"
