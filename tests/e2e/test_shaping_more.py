"""Currencies, option sets, links, calendars, translations in the browser: by mouse, by keyboard, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched

from .test_pages import LOOKS
from .test_shaping import apply, press_preview, shot

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def test_currencies_option_sets_links_and_calendars_are_made_in_the_browser(
    site: Site, new_context: NewContext
) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Sets and Sums", "Ann Admin")
    a_currency(page, origin)
    assert_sound(page, problems)
    an_option_set(page, origin)
    assert_sound(page, problems)
    pairs(page, origin)
    another_type(page, origin)
    a_calendar(page, origin)
    a_translation(page, origin)
    looked_at(page, origin, problems)


def a_currency(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects")
    page.get_by_role("link", name="Currencies").click()
    page.locator("#f-currency").select_option("CHF")
    page.locator("#f-rate").fill("1.05")
    press_preview(page)
    shot(page, "plan-currency")
    apply(page, "Currency CHF added", "At once")
    expect(page.get_by_role("cell", name="1.05", exact=True)).to_be_visible()
    page.locator("#f-day").fill("2026-01-01")
    page.locator("#f-way").select_option("from_own")
    page.locator("#f-rate").fill("0.8")
    press_preview(page)
    apply(page, "rate from 2026-01-01: 1.25")
    expect(page.get_by_role("cell", name="1.25", exact=True)).to_be_visible()
    shot(page, "currency")


def an_option_set(page: Page, origin: str) -> None:
    page.get_by_role("link", name="Option sets").click()
    page.get_by_role("link", name="New option set").click()
    page.locator("#f-label").fill("Regions")
    expect(page.get_by_label("Name in the API")).to_have_value("regions")
    for at, text in enumerate(("North", "South", "West")):
        option(page, "Label of the option").nth(at).fill(text)
    option(page, "Colour of the option").first.select_option("amber")
    press_preview(page)
    apply(page, "Option set Regions added")
    page.get_by_role("button", name="Move down").first.focus()
    page.keyboard.press("Enter")
    expect(option(page, "Label of the option").first).to_have_value("South")
    option(page, "Whether the option is offered").nth(2).select_option("true")
    press_preview(page)
    apply(page, "Option West of Regions: retired", "moved")
    shot(page, "option-set")


def option(page: Page, label: str) -> Locator:
    return page.locator("main").get_by_label(label)


def pairs(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects/deal")
    page.get_by_role("link", name="Links", exact=True).click()
    page.get_by_role("link", name="Many to many").click()
    page.locator("#f-to").select_option("company")
    page.locator("#f-label").fill("Partners")
    page.get_by_label("Label of the field").fill("Part played")
    shot(page, "link-many")
    press_preview(page)
    apply(page, "Object Partners added")
    expect(page.get_by_role("link", name="Open the link Deal of Partners")).to_be_visible()
    shot(page, "links")


def another_type(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects/deal/fields/new?type=select")
    page.locator("#f-label").fill("Region")
    page.locator("#f-option_set").select_option("regions")
    press_preview(page)
    apply(page, "Field Region added to Deal")
    page.goto(f"{origin}/settings/objects/deal/fields/region")
    page.locator("#f-type").select_option("text")
    page.get_by_role("button", name="Preview", exact=True).nth(1).click()
    apply(page, "type select → text")
    expect(page.get_by_role("region", name="Text")).to_be_visible()


def a_calendar(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/calendars")
    press_preview(page)
    apply(page, "Calendar Office hours added")
    page.get_by_label("Monday, first span to").fill("12:00")
    press_preview(page)
    apply(page, "hours on Monday: 09:00-17:00 → 09:00-12:00")


def a_translation(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/translations")
    page.locator("#f-language").select_option("fr")
    page.get_by_role("button", name="Translate").click()
    page.locator("#t-2").fill("Entreprises")
    press_preview(page)
    apply(page, "Translation Fr")
    expect(page.locator("#t-2")).to_have_value("Entreprises")


def looked_at(page: Page, origin: str, problems: list[str]) -> None:
    """Every page with something on it."""
    places = ("currencies/CHF", "option-sets/regions", "calendars/default", "translations/fr", "objects/deal/links",
              "option-sets", "currencies", "calendars", "translations", "updates")  # fmt: skip
    wide = page.viewport_size
    assert wide is not None
    for place in places:
        page.goto(f"{origin}/settings/{place}")
        shot(page, f"full-{place.replace('/', '-')}")
        assert_sound(page, problems)
        page.set_viewport_size({"width": 390, "height": 844})
        shot(page, f"full-390-{place.replace('/', '-')}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        page.set_viewport_size(wide)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_without_anything_on_them_are_sound(
    look: str, new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    places = (
        "option-sets", "option-sets/new", "currencies", "calendars", "translations", "translations/de", "updates",
        "objects/deal/links", "objects/deal/links/new?shape=many", "objects/deal/links/new?shape=any",
    )  # fmt: skip
    for place in places:
        page.goto(f"{origin}/settings/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shot(page, f"{look}-{place.replace('/', '-').replace('?', '-')}")
        assert_sound(page, problems)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
