"""Durations, times, places, ratings and JSON in the browser: made, filled in, refused in words, shown, changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched
from tests.e2e.test_pages import LOOKS
from tests.e2e.test_shaping import add_field, make_machine, shot

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def seven_stars(form: Locator) -> None:
    form.get_by_label("Stars").select_option("7")


def make_fields(page: Page, origin: str) -> None:
    make_machine(page, origin)
    add_field(page, origin, "Duration", "Set-up")
    add_field(page, origin, "Time of day", "Starts")
    add_field(page, origin, "Place", "Site")
    add_field(page, origin, "Rating", "Condition", seven_stars)
    add_field(page, origin, "JSON", "Readings")


def fill_in(page: Page, origin: str) -> None:
    """The form of a new record: what can't be read is told at its field, the rest stays as it was typed."""
    page.goto(f"{origin}/records/machine")
    page.get_by_role("button", name="New machine").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Serial").fill("M-1")
    dialog.get_by_text("More fields").click()
    dialog.get_by_label("Set-up").fill("90")
    dialog.get_by_label("Starts").fill("07:30")
    dialog.get_by_label("Site").fill("52,52; 13,40")
    dialog.get_by_role("radio", name="5 of 7").check(force=True)
    dialog.get_by_label("Readings").fill('{"oil": 3,\n "old": no}')
    dialog.get_by_role("button", name="Create machine").click()
    expect(dialog).to_contain_text("has no unit; write it like 1:30, 1h 30m")
    expect(dialog).to_contain_text("Line 2, character 9")
    expect(dialog.get_by_label("Readings")).to_have_value('{"oil": 3,\n "old": no}')
    expect(dialog.get_by_role("radio", name="5 of 7")).to_be_checked()
    shot(page, "measures-wrong")
    dialog.get_by_label("Set-up").fill("90 min")
    dialog.get_by_label("Readings").fill('{"oil": 3, "old": false, "by": ["Ann", "Bo"]}')
    dialog.get_by_role("button", name="Create machine").click()
    page.wait_for_url(re.compile(r"/records/machine/[0-9a-f-]{36}"))


def change_by_keyboard(page: Page) -> None:
    """Inline: the duration is typed, stars are chosen by arrows, JSON is told where it is wrong."""
    page.get_by_role("button", name="Edit Set-up").press("F2")
    box = page.get_by_label("Set-up", exact=True)
    expect(box).to_have_value("1:30")
    box.fill("1h 45m")
    box.press("Enter")
    expect(page.locator("#field-set_up")).to_contain_text("1h 45m")
    page.get_by_role("button", name="Edit Condition").press("F2")
    expect(page.get_by_role("radio", name="5 of 7")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="6 of 7 stars")).to_be_visible()
    page.get_by_role("button", name="Edit Readings").press("F2")
    box = page.get_by_label("Readings", exact=True)
    box.fill("[1, 2")
    box.press("Control+Enter")
    expect(page.locator(".field-error")).to_contain_text("Line 1, character 6")
    page.get_by_label("Readings", exact=True).fill("[1, 2]")
    page.get_by_label("Readings", exact=True).press("Control+Enter")
    expect(page.locator("#field-readings code")).to_contain_text("2\n]")


def test_new_kinds_of_values_are_made_filled_in_and_changed(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Measure Works", "Ann Admin")
    page.goto(f"{origin}/settings")
    make_fields(page, origin)
    shot(page, "measures-object")
    fill_in(page, origin)
    for words in ("1h 30m", "52.52, 13.4", '"old": false'):
        expect(page.locator("main")).to_contain_text(words)
    assert_sound(page, problems)
    shot(page, "measures-record")
    page.get_by_role("button", name="Edit Condition").click()
    expect(page.get_by_role("radio", name="5 of 7")).to_be_focused()
    shot(page, "measures-stars")
    assert_sound(page, problems)
    page.keyboard.press("Escape")
    change_by_keyboard(page)
    asked = 'set_up > duration("1h") && starts < time("08:00") && site.lat > 50 && condition == 6 && has(readings)'
    page.goto(f"{origin}/records/machine?{urlencode({'filter': asked})}")
    expect(page.get_by_role("row", name="M-1")).to_contain_text("1h 45m")
    assert_sound(page, problems)
    shot(page, "measures-list")
    state = page.context.storage_state()
    for look in LOOKS:
        other = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
        for path in (page.url, f"{origin}{page.locator('tbody th a').first.get_attribute('href')}"):
            other.goto(path)
            expect(other.get_by_role("img", name="6 of 7 stars").first).to_be_visible()
            assert_sound(other, problems)
            assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
            shot(other, f"measures-{look}-{'list' if path == page.url else 'record'}")
        other.goto(f"{origin}/records/machine")
        other.get_by_role("button", name="New machine").first.click()
        other.get_by_role("dialog").get_by_label("Set-up").wait_for()
        assert_sound(other, problems)
        shot(other, f"measures-{look}-new")
