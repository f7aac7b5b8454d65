"""Several fields at once: written a line each or pasted from a sheet, by keyboard, in each look, with mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewContext, assert_sound, watched
from tests.e2e.test_pages import LOOKS
from tests.e2e.test_shaping import apply, press_preview, shot

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WRITTEN = "Serial number\nWarranty until: Date\nPrize: Mony\nGrade: One choice (A, B)\nMaker: Link (Nowhere)"
PASTE = """(box, text) => { const data = new DataTransfer(); data.setData('text/plain', text)
  box.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})) }"""


def labels(page: Page) -> Locator:
    return page.get_by_role("group", name="Fields").get_by_label("Label of the field")


def values(page: Page) -> list[str]:
    return [one.input_value() for one in labels(page).all()]


@pytest.mark.parametrize("look", LOOKS)
def test_lines_become_rows_and_what_is_not_understood_says_why(
    look: str, new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/settings/objects/new")
    labels(page).first.fill("Already here")
    opener = page.get_by_role("button", name="Add several at once")
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.press("Enter")
    box = page.get_by_label("Fields, one a line")
    expect(box).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    shot(page, f"{look}-several")
    page.keyboard.insert_text(WRITTEN)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="3 fields added. 2 lines can't be read yet.")).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value("Prize: Mony\nMaker: Link (Nowhere)")
    assert "Did you mean Money?" in (box.evaluate("one => document.getElementById('f-written-error').innerText"))
    expect(box).to_have_attribute("aria-invalid", "true")
    assert values(page) == ["Already here", "Serial number", "Warranty until", "Grade", ""]
    shot(page, f"{look}-several-wrong")
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box.fill("Prize: Money")
    page.keyboard.press("Control+Enter")
    expect(box).to_be_hidden()
    expect(labels(page).nth(4)).to_be_focused()
    assert values(page) == ["Already here", "Serial number", "Warranty until", "Grade", "Prize", ""]
    shot(page, f"{look}-several-added")
    assert_sound(page, problems)


def test_rows_of_a_sheet_pasted_into_a_row_become_fields_of_an_object(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/settings/objects/product")
    page.get_by_role("link", name="Add several fields").click()
    expect(labels(page).first).to_be_focused()
    box = page.get_by_label("Fields, one a line")
    expect(box).to_be_hidden()
    opener = page.get_by_role("button", name="Write or paste a list")
    opener.press("Enter")
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(opener).to_be_focused()
    labels(page).first.evaluate(PASTE, "Width\tDecimal number\r\nFinish\tOne choice\tMatt, Glossy\r\n")
    expect(labels(page).first).to_have_value("Width")
    assert values(page) == ["Width", "Finish", ""]
    expect(page.get_by_label("Its options").nth(1)).to_have_value("Matt, Glossy")
    opener.click()
    box.fill("Area: Formula (width * 2)")
    press_preview(page)
    apply(page, "Field Width added to Product", "Field Finish added", "Field Area added to Product")
    expect(page.get_by_role("link", name="Finish")).to_be_visible()
    assert_sound(page, problems)


def test_a_roll_up_that_counts_no_more_is_not_called_a_number(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/settings/objects/deal/links")
    page.get_by_role("link", name="Add roll-up over Company of Deal").click()
    label = page.get_by_label("Label", exact=False).first
    expect(label).to_have_value("Number of deals")
    page.get_by_label("Work out").select_option(label="Sum of")
    expect(label).to_have_value("")
    label.fill("Volume")
    page.get_by_label("Work out").select_option(label="Average of")
    expect(page.get_by_label("Work out")).to_have_value("avg")
    page.wait_for_load_state("networkidle")
    expect(label).to_have_value("Volume")
    assert_sound(page, problems)
