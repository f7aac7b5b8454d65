"""The pages of the settings under their headings: a column beside them, on a narrow screen a list behind a button."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import NewContext, assert_sound, watched
from .test_pages import LOOKS


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_the_settings_stand_under_headings(
    look: str, new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/settings/currencies")
    pages = page.get_by_role("navigation", name="Settings")
    opener = page.get_by_role("button", name="Settings: Currencies")
    narrow = opener.is_visible()
    assert narrow == (page.evaluate("innerWidth") < 1280)
    if narrow:
        expect(pages).to_be_hidden()
        opener.press("Enter")
        expect(opener).to_have_attribute("aria-expanded", "true")
        expect(pages.get_by_role("link", name="Profile")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(pages.get_by_role("link", name="Sessions")).to_be_focused()
        assert_sound(page, problems)
        page.keyboard.press("Escape")
        expect(pages).to_be_hidden()
        expect(opener).to_be_focused()
        opener.click()
    expect(pages.get_by_role("list", name="Data").get_by_role("link", name="Currencies")).to_have_attribute(
        "aria-current", "page"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pages.get_by_role("list", name="People").get_by_role("link", name="Roles").click()
    page.wait_for_url("**/settings/roles")
    expect(page.locator("#side-nav [aria-current=page]")).to_have_text("Roles")
    assert_sound(page, problems)
