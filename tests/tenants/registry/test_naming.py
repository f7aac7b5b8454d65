"""Workspace names: what becomes a host, what is suggested for a company."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from tenants.registry.naming import check_settings, check_slug, suggest_slug


@pytest.mark.parametrize(
    ("company", "slug"),
    [
        ("Acme Ltd", "acme-ltd"),
        ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
        ("Weiß AG", "weiss-ag"),
        ("  --Spaces--  and ... dots ", "spaces-and-dots"),
        ("API", "api-crm"),
        ("X", "x-crm"),
        ("株式会社", "crm"),
    ],
)
def test_a_company_name_becomes_an_address(company: str, slug: str) -> None:
    assert suggest_slug(company) == slug


@settings(deadline=None)
@example("ﷺ" * 3)
@given(st.text(min_size=1, max_size=80))
def test_every_suggestion_is_acceptable(company: str) -> None:
    assert check_slug(suggest_slug(company))


@pytest.mark.parametrize("locale", ["en", "de-AT", "pt_BR", "zh-Hant-TW"])
def test_locales_are_those_of_cldr(locale: str) -> None:
    assert check_settings("X", "eur", "Europe/Berlin", locale).currency == "EUR"


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "x" * 121])
def test_a_name_is_one_line_of_text(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_settings(name, "EUR", "UTC", "en")
