"""A list narrowed in the browser: conditions chosen in rows, shown as chips, changed and taken out; the board alike."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, asked, assert_sound, watched

from .test_pages import LOOKS

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"filter-{name}.png"))


def opened(page: Page, of: str) -> Locator:
    page.get_by_role("button", name="Filter", exact=True).click()
    panel = page.get_by_role("form", name=f"Conditions on {of}")
    expect(panel.get_by_label("Field", exact=True).first).to_be_focused()
    return panel


def test_conditions_are_chosen_in_rows_and_taken_out_as_chips(
    workspace: tuple[str, dict], new_context: NewContext
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/deal")
    everything = page.locator("tbody tr").count()
    page.keyboard.press("f")
    panel = page.get_by_role("form", name="Conditions on deals")
    panel.get_by_label("Field", exact=True).select_option("stage_status")
    panel.get_by_label("Value for").select_option("open")
    panel.get_by_role("button", name="Add condition").click()
    line = panel.locator(".cond-line").nth(1)
    line.get_by_label("Field", exact=True).select_option("amount")
    line.get_by_label("What is asked of Amount").select_option("gt")
    expect(line.locator("[data-condition-error]")).to_be_hidden()
    line.get_by_label("Value for Amount").fill("10")
    shot(page, "panel")
    assert_sound(page, problems)
    line.get_by_label("Value for Amount").press("Enter")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Filter", exact=True)).to_be_focused()
    chips = page.get_by_role("list", name="Conditions in force")
    expect(chips.get_by_role("listitem")).to_have_count(3)
    expect(chips).to_contain_text("Amount is more than 10")
    assert asked(page) == {"filter": 'stage_status == "open" && amount > 10'}
    assert 0 < page.locator("tbody tr").count() < everything
    shot(page, "chips")
    assert_sound(page, problems)

    page.get_by_role("link", name="Name").click()
    page.wait_for_url("**sort=**")
    chips.get_by_role("link", name="Take out: Amount is more than 10").click()
    expect(chips.get_by_role("listitem")).to_have_count(1)
    assert asked(page) == {"filter": 'stage_status == "open"', "sort": "title"}
    page.get_by_label("Quick search in Deals").fill("no such deal")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    assert asked(page) == {"filter": 'stage_status == "open"', "sort": "title", "q": "no such deal"}
    page.go_back()
    expect(chips.get_by_role("listitem")).to_have_count(1)

    chips.get_by_role("button").first.click()
    expect(panel.get_by_label("Field", exact=True)).to_have_value("stage_status")
    panel.get_by_role("button", name="Remove the condition").click()
    panel.get_by_role("button", name="Apply").click()
    expect(chips).to_be_hidden()
    assert "filter" not in asked(page)


def test_what_is_not_complete_is_said_and_text_does_as_well(
    workspace: tuple[str, dict], new_context: NewContext
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/deal/board")
    panel = opened(page, "deals")
    panel.get_by_label("Field", exact=True).select_option("owner")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.locator("[data-condition-error]")).to_be_visible()
    assert asked(page) == {}
    panel.get_by_role("combobox", name="Value for Owner").click()
    panel.get_by_role("listbox").get_by_role("option", name="Kit Kestrel").click()
    panel.get_by_role("button", name="Apply").click()
    chips = page.get_by_role("list", name="Conditions in force")
    expect(chips).to_contain_text("Owner is Kit Kestrel")
    assert urlsplit(page.url).path == "/records/deal/board"
    shot(page, "board")
    assert_sound(page, problems)
    chips.get_by_role("button").first.click()
    panel.get_by_role("button", name="Write as text").click()
    panel.get_by_role("textbox").fill("amonut > 1")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.locator("[data-condition-target=problem]")).to_contain_text("Did you mean")
    panel.get_by_role("textbox").fill("amount > 1 || !has(amount)")
    panel.get_by_role("button", name="Apply").click()
    expect(chips).to_contain_text("Amount is more than 1")
    assert asked(page) == {"filter": "amount > 1 || !has(amount)"}
    opened(page, "deals").press("Escape")
    expect(panel).to_be_hidden()


@pytest.mark.parametrize("look", LOOKS)
def test_panel_and_chips_look_right(look: str, workspace: tuple[str, dict], new_context: NewContext) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f'{origin}/records/deal?filter=stage_status == "open" %26%26 (amount > 10 || owner == me)')
    expect(page.get_by_role("list", name="Conditions in force")).to_contain_text("Owner is me")
    shot(page, f"chips-{look}")
    opened(page, "deals")
    shot(page, f"panel-{look}")
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
