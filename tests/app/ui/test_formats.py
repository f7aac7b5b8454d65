"""Numbers, money and moments as people read and type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.ui import formats


@pytest.mark.parametrize(
    ("text", "locale", "plain"),
    [
        ("1.234", "de", "1234"),
        ("1.234,50", "de", "1234.50"),
        ("18500.5", "de", "18500.5"),
        ("1,234.50", "en", "1234.50"),
        ("1 234,5", "fr", "1234.5"),
        ("1'234.5", "de-CH", "1234.5"),
        ("-12", "en-ie", "-12"),
    ],
)
def test_a_typed_number_is_read_by_the_rules_of_its_place(text: str, locale: str, plain: str) -> None:
    assert formats.read_number(text, locale) == plain


def test_what_is_no_number_stays_as_it_was_typed() -> None:
    assert formats.read_number("a lot", "en") == "a lot"
    assert formats.read_number("1234,5", "en") == "1234,5"


@pytest.mark.parametrize("locale", ["en", "de", "fr", "de-CH", "sv-SE", "ar", "fa-IR", "hi-IN"])
def test_a_number_shown_for_typing_is_read_back_as_the_same(locale: str) -> None:
    for number in ("0", "1234", "1234567.89", "-0.5", "1000"):
        assert formats.read_number(formats.typed_number(number, locale), locale) == number


def test_whole_amounts_leave_minor_digits_away_and_broken_ones_keep_them() -> None:
    assert formats.money({"amount": "18500.00", "currency": "EUR"}, "en") == "€18,500"
    assert formats.money({"amount": "18500.50", "currency": "EUR"}, "en") == "€18,500.50"
    assert formats.money({"amount": "18500", "currency": "JPY"}, "en") == "¥18,500"
    assert formats.money({"amount": "1.00", "currency": "EUR"}, "de").replace("\u00a0", " ") == "1 €"
    assert formats.money(None, "en") == ""


def test_large_sums_are_shortened_where_space_is_short() -> None:
    assert formats.short_money({"amount": "10005534.00", "currency": "EUR"}, "en") == "€10.01M"
    assert formats.short_money({"amount": "999999.00", "currency": "EUR"}, "en") == "€999,999"


def test_a_moment_is_a_clock_time_today_and_a_date_after_a_week() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert formats.ago("2026-11-22T11:04:56.123456Z", "de", "Europe/Berlin", now) == "12:04"
    assert formats.ago("2026-11-19T11:00:00Z", "en", "UTC", now) == "3 days ago"
    assert formats.ago("2026-10-01T11:00:00Z", "en", "UTC", now) == "Oct 1, 2026"


def test_initials_come_from_the_first_and_the_last_word() -> None:
    assert formats.initials("Mira Anna Kovač") == "MK"
    assert formats.initials("Northwind") == "NO"
    assert formats.initials("") == "?"


def test_an_unknown_locale_falls_back_to_english() -> None:
    assert str(formats.locale_of("xx-unknown")) == "en"
    assert formats.text_direction("ar") == "rtl"
    assert formats.text_direction("en") == "ltr"
