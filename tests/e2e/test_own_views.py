"""A list kept as a view of one's own in the browser: named, opened, changed, deleted and brought back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, asked, assert_sound, watched

from .test_pages import LOOKS

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"own-view-{name}.png"))


def test_a_list_is_kept_and_brought_to_what_is_shown(workspace: tuple[str, dict], new_context: NewContext) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/contact")
    everything = page.locator("tbody tr").count()
    keep = page.get_by_role("button", name="Save as view")
    expect(keep).to_have_count(0)
    page.get_by_label("Quick search in Contacts").fill("a")
    keep.click()
    dialog = page.get_by_role("dialog", name="Save as view")
    name = dialog.get_by_label("Name")
    expect(name).to_be_focused()
    assert_sound(page, problems)
    name.fill("With an A")
    name.press("Enter")
    page.wait_for_url("**view=own-**")
    tabs = page.get_by_role("navigation", name="Views of contacts")
    mine = tabs.get_by_role("link", name="With an A (your own view)")
    expect(mine).to_have_attribute("aria-current", "page")
    kept = page.locator("tbody tr").count()
    assert 0 < kept <= everything
    own = asked(page)
    assert list(own) == ["view"]
    save = page.get_by_role("button", name="Save changes")
    expect(save).to_have_count(0)

    page.get_by_role("link", name="Name").click()
    save.click()
    expect(save).to_have_count(0)
    assert asked(page) == own


def test_an_own_view_is_renamed_deleted_and_brought_back(workspace: tuple[str, dict], new_context: NewContext) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/contact?q=a")
    page.get_by_role("button", name="Save as view").click()
    page.get_by_role("dialog", name="Save as view").get_by_label("Name").fill("With an E")
    page.keyboard.press("Enter")
    page.wait_for_url("**view=own-**")
    own, kept = asked(page), page.locator("tbody tr").count()
    tabs = page.get_by_role("navigation", name="Views of contacts")
    page.get_by_role("button", name="Your view With an E").click()
    page.get_by_role("button", name="Change name and condition").click()
    dialog = page.get_by_role("dialog", name="Change your view")
    expect(dialog.locator(".cond-line").first).to_be_visible()
    assert_sound(page, problems)
    dialog.locator("#view-label").fill(" ")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Give the view a name.")).to_be_visible()
    dialog.locator("#view-label").fill("People")
    dialog.get_by_role("button", name="Save", exact=True).click()
    mine = tabs.get_by_role("link", name="People (your own view)")
    expect(mine).to_have_attribute("aria-current", "page")
    assert page.locator("tbody tr").count() == kept

    page.get_by_role("button", name="Your view People").click()
    page.get_by_role("button", name="Delete view").click()
    expect(page.get_by_text("View People deleted")).to_be_visible()
    expect(mine).to_have_count(0)
    assert_sound(page, problems)
    page.get_by_role("button", name="Undo").click()
    expect(mine).to_have_attribute("aria-current", "page")
    assert asked(page) == own
    page.get_by_role("button", name="Your view People").click()
    page.get_by_role("button", name="Delete view").click()
    expect(page.get_by_text("View People deleted")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_own_views_look_right(look: str, workspace: tuple[str, dict], new_context: NewContext) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)

    def looked_at(name: str) -> None:
        shot(page, f"{name}-{look}")
        assert_sound(page, problems)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto(f'{origin}/records/deal?filter=stage_status == "open"&sort=-amount')
    looked_at("offer")
    page.get_by_role("button", name="Save as view").click()
    dialog = page.get_by_role("dialog", name="Save as view")
    expect(dialog.get_by_label("Name")).to_be_focused()
    looked_at("new")
    dialog.get_by_label("Name").fill(f"Open deals, the largest first ({look})")
    dialog.get_by_role("button", name="Save view").click()
    page.wait_for_url("**view=own-**")
    own = asked(page)["view"]
    expect(page.get_by_role("button", name="Your view Open deals")).to_be_visible()
    looked_at("list")
    page.goto(f"{origin}/records/deal/board?view={own}&filter=amount > 10")
    looked_at("board")
    page.get_by_role("button", name="Your view Open deals").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    looked_at("menu")
    page.get_by_role("button", name="Change name and condition").click()
    expect(page.get_by_role("dialog", name="Change your view").locator(".cond-line").first).to_be_visible()
    looked_at("change")
    page.get_by_role("dialog").get_by_role("button", name="Delete view").click()
    expect(page.get_by_text("deleted")).to_be_visible()
    looked_at("deleted")
