"""Each page in light, dark and on a small screen: no violation, no accessibility problem, nothing sticking out."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewContext, Site, assert_sound, watched

#: A wide page is looked at in light and, where it stands, in dark (``assert_sound``); pictures are taken of each.
LOOKS = {
    "wide": {"color_scheme": "light"},
    **({"dark": {"color_scheme": "dark"}} if os.environ.get("RAPPORT_SHOTS") else {}),
    "small": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}
INSIDE = (
    "/",
    "/records/company",
    "/records/contact",
    "/records/deal?sort=-amount",
    "/records/deal?filter=amonut > 5",
    "/records/deal?q=nothing+like+it",
    "/records/product",
    "/records/deal/board",
    "/records/task",
    "/trash",
    "/settings/profile",
    "/imports/new?object=deal",
)
OUTSIDE = ("/", "/sign-up", "/sign-in", "/password/forgot", "/no-such-page")


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_a_workspace_are_sound(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    for path in INSIDE:
        page.goto(origin + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_sound(page, problems)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.mark.parametrize("look", LOOKS)
def test_records_and_dialogs_are_sound(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    for name in ("company", "contact", "lead", "deal"):
        page.goto(f"{origin}/records/{name}")
        page.locator("tbody th a").first.click()
        expect(page.get_by_role("heading", level=2, name="Activity")).to_be_visible()
        assert_sound(page, problems)
    page.get_by_role("button", name="Edit Amount").click()
    page.locator("#f-amount").wait_for()
    assert_sound(page, problems)
    page.goto(f"{origin}/records/contact")
    page.get_by_role("button", name="New contact").first.click()
    page.get_by_role("dialog", name="New contact").wait_for()
    assert_sound(page, problems)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    assert_sound(page, problems)
    page.keyboard.type("zzyzx quux")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    assert_sound(page, problems)


_CSV = b"name,amount,close_on,company\nTwo lathes,12500,2026-12-01,Nobody & Sons\nA mill,cheap,2026-12-24,\n"


@pytest.mark.parametrize("look", LOOKS)
def test_an_import_is_sound_from_file_to_mapping(
    look: str, new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/imports/new?object=deal")
    page.locator("input[type=file]").set_input_files({"name": "deals.csv", "mimeType": "text/csv", "buffer": _CSV})
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("will be refused")).to_be_visible()
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", level=1, name="Import")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_pages_before_a_workspace_are_sound(look: str, site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context(**LOOKS[look]).new_page(), problems)
    for path in OUTSIDE:
        page.goto(site.base + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_sound(page, problems)


def test_navigation_is_a_drawer_on_a_small_screen(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    page = new_context(storage_state=state, **LOOKS["small"]).new_page()
    page.goto(origin)
    rail = page.get_by_role("navigation", name="Main")
    expect(rail).to_be_hidden()
    page.get_by_role("button", name="Open navigation").click()
    expect(rail).to_be_visible()
    page.keyboard.press("Escape")
    expect(rail).to_be_hidden()
    page.get_by_role("button", name="Open navigation").click()
    rail.get_by_role("link", name="Deals").click()
    expect(page.get_by_role("heading", level=1, name="Deals")).to_be_visible()
