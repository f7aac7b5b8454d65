"""From what a client sent to values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.metadata.catalog import platform
from app.metadata.environment import region_of
from app.metadata.fieldtypes.base import Coercion
from app.records.intake import take_in

CTX = Coercion(
    currency="EUR",
    timezone="Europe/Berlin",
    region="DE",
    now=datetime(2026, 11, 22, 12, tzinfo=UTC),
    today=date(2026, 11, 22),
)


@pytest.mark.parametrize(
    ("locale", "timezone", "region"),
    [
        ("de-AT", "Europe/Berlin", "AT"),
        ("en", "Europe/Berlin", "DE"),
        ("en_GB", "UTC", "GB"),
        ("fr", "UTC", "FR"),
        ("nonsense", "Etc/UTC", "US"),
    ],
)
def test_the_country_comes_from_the_locale_or_the_time_zone(locale: str, timezone: str, region: str) -> None:
    assert region_of(locale, timezone) == region


def test_a_local_phone_number_is_one_of_the_workspaces_country() -> None:
    intake = take_in(platform().objects["contact"], {"phone": "030 12345678"}, CTX)
    assert intake.errors == []
    assert intake.values["phone"].value == "+493012345678"


def test_a_pointer_escapes_what_a_json_pointer_must() -> None:
    intake = take_in(platform().objects["contact"], {"a/b~c": 1}, CTX)
    assert [error.pointer for error in intake.errors] == ["/a~1b~0c"]


def test_a_merge_needs_all_that_was_there() -> None:
    company = platform().objects["company"]
    current = {"annual_revenue": {"amount": "5.00", "currency": "USD"}}
    assert (
        take_in(company, {"annual_revenue": {"amount": "6"}}, CTX, current).values["annual_revenue"].currency == "USD"
    )
    assert take_in(company, {"annual_revenue": "6"}, CTX, current).values["annual_revenue"].currency == "EUR"
    assert take_in(company, {"annual_revenue": {"amount": None}}, CTX, current).values["annual_revenue"] is None
