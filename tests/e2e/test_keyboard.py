"""Work by keyboard, on a record's page and in a list, and what a member chooses for themselves."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched


def _heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_letters_walk_lists_and_records_until_they_are_switched_off(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Key House", "Kay Keys")
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_role("button", name="Remove sample data").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(f"{origin}/records/deal")
    rows = page.locator("#list tbody tr")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1).locator("th a")).to_be_focused()
    page.keyboard.press("x")
    expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("x")
    second = rows.nth(1).locator("th a").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(second)
    page.keyboard.press("j")
    expect(page.get_by_text("3 of 6")).to_be_visible()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_text("2 of 6")).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_placeholder("What is to be done?")).to_be_focused()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert_sound(page, problems)
    _switch_letters_off(page, origin)
    assert problems == []


def _switch_letters_off(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/profile")
    page.get_by_role("group", name="Shortcuts of a single letter").get_by_role("radio", name="Off").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("settings/profile"))
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or run a command")).to_be_focused()
    page.keyboard.type("sample")
    expect(page.get_by_role("group", name="Records").get_by_role("option").first).to_contain_text("Sample")


def test_a_deal_is_won_by_one_button_and_its_right_column_follows_a_task(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f'{origin}/records/deal?filter=stage_status == "open"&sort=title')
    page.locator("tbody th a").first.click()
    for label in ("People", "Company", "Open tasks", "Line items"):
        expect(page.get_by_role("region", name=label, exact=True)).to_be_visible()
    page.get_by_role("button", name="Add to Open tasks").click()
    page.get_by_placeholder("What is to be done?").fill("Call the buyer back")
    page.get_by_role("button", name="Add task").click()
    expect(page.get_by_role("region", name="Open tasks")).to_contain_text("Call the buyer back")
    page.get_by_role("button", name="Mark as won").click()
    expect(page.get_by_role("button", name="Mark as won")).to_have_count(0)
    expect(page.locator("#timeline")).to_contain_text("to Won")
    page.get_by_role("status").filter(has_text="Moved to Won").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Mark as won")).to_be_visible()
    assert problems == []


def test_columns_are_chosen_ordered_and_kept(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/lead")
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns of leads")
    dialog.get_by_label("Tags", exact=True).check()
    dialog.get_by_label("Owner", exact=True).uncheck()
    first = dialog.locator("li label").first.inner_text().strip()
    dialog.get_by_role("button", name=f"Move {first} down").click()
    assert_sound(page, problems)
    dialog.get_by_role("button", name="Save").click()
    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="Tags")).to_have_count(1)
    expect(heads.filter(has_text="Owner")).to_have_count(0)
    page.reload()
    expect(heads.filter(has_text="Tags")).to_have_count(1)
    assert heads.all_inner_texts().index(first) > 2
    page.get_by_role("button", name="Columns").click()
    dialog.get_by_role("button", name="Back to standard").click()
    expect(heads.filter(has_text="Owner")).to_have_count(1)
    assert problems == []


def test_a_note_keeps_its_form_when_it_is_edited_in_place(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/note")
    page.get_by_role("button", name="New note").first.click()
    box = page.get_by_role("textbox", name="Text")
    expect(box).to_be_focused()
    page.keyboard.type("Delivery")
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="Bold").click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bold").click()
    page.get_by_role("button", name="List", exact=True).click()
    page.keyboard.type("by lorry <script>")
    page.get_by_role("button", name="Create note").click()
    shown = page.locator("#field-body")
    expect(shown.locator(".prose-note :is(b, strong)")).to_have_text("Delivery")
    expect(shown.locator(".prose-note li")).to_have_text("by lorry <script>")
    page.get_by_role("button", name="Edit Text").click()
    assert_sound(page, problems)
    expect(box).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" at noon")
    page.keyboard.press("Control+Enter")
    expect(shown.locator(".prose-note li")).to_have_text("by lorry <script> at noon")
    expect(shown.locator(".prose-note :is(b, strong)")).to_have_text("Delivery")
    assert_sound(page, problems)


def test_nothing_at_an_address_keeps_the_rail_and_a_lost_connection_is_told(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    page = new_context(storage_state=state).new_page()
    for path in ("/records/deal/01900000-0000-7000-8000-000000000000", "/no-such-page"):
        page.goto(origin + path)
        expect(page.get_by_role("heading", level=1, name="Not found")).to_be_visible()
        expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Deals")).to_be_visible()
    page.goto(f"{origin}/records/deal")
    page.route("**/records/deal?**", lambda route: route.abort())
    page.get_by_role("columnheader", name="Amount").get_by_role("link").click()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the server")
