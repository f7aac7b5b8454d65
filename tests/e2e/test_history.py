"""The history of a field by keyboard, and an import that is stopped, in light, dark and on a small screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, assert_sound, watched
from tests.e2e.test_pages import LOOKS


def shot(page: Page, name: str) -> None:
    """A picture for people, where RAPPORT_PICTURES names a folder."""
    folder = os.environ.get("RAPPORT_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.parametrize("look", LOOKS)
def test_the_history_of_a_field_is_a_key_away(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/records/deal")
    page.get_by_role("button", name="New deal").first.click()
    dialog = page.get_by_role("dialog", name="New deal")
    dialog.locator("[name=name]").fill(f"History ({look})")
    dialog.get_by_role("button", name="Create deal").click()
    expect(page.get_by_role("heading", level=1, name=f"History ({look})")).to_be_visible()
    for text in (f"Call them ({look})", f"Send the offer ({look})"):
        page.get_by_role("button", name="Edit Next step").click()
        page.locator("#f-next_step").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("#field-next_step")).to_contain_text(text)
    page.get_by_role("button", name="History of Next step").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="History of Next step")
    expect(dialog).to_contain_text("Kit Kestrel")
    expect(dialog.get_by_role("listitem").first).to_contain_text(f"Send the offer ({look})")
    expect(dialog.get_by_role("listitem").first).to_contain_text(f"Call them ({look})")
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"history-{look}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    shot(page, f"record-{look}")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="History of Stage").click()
    expect(page.get_by_role("dialog", name="History of Stage")).to_contain_text("Nobody has changed it")
    assert_sound(page, problems)


@pytest.mark.parametrize("look", LOOKS)
def test_a_waiting_import_can_be_stopped(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/imports/new?object=company")
    content = b"name\nOne Ltd\nTwo Ltd\n"
    page.locator("input[type=file]").set_input_files({"name": "two.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Import 2 rows").or_(page.get_by_role("button", name="Start")).first.click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible()
    expect(page.get_by_role("button", name="Stop and take back")).to_be_visible()
    assert_sound(page, problems)
    shot(page, f"import-{look}")
    stop.click()
    expect(page.get_by_text("what it has written stays")).to_be_visible()
    expect(stop).to_be_hidden()
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"import-stopped-{look}")
