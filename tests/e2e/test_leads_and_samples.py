"""Sample data comes and goes, and a lead becomes company, contact and deal."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched


def test_a_lead_is_converted_and_sample_data_leaves_no_trace(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Fjord Supply", "Finn Fjord")
    page.goto(f"{origin}/records/lead")
    page.get_by_role("button", name="New lead").first.click()
    dialog = page.get_by_role("dialog", name="New lead")
    dialog.locator("[name=first_name]").fill("Piet")
    dialog.locator("[name=last_name]").fill("de Vries")
    dialog.locator("[name=company_name]").fill("Polder Foods")
    dialog.get_by_role("button", name="Create lead").click()
    expect(page.get_by_role("heading", level=1, name="Piet de Vries")).to_be_visible()
    page.get_by_role("button", name="Convert").click()
    dialog = page.get_by_role("dialog", name="Convert Piet de Vries")
    assert_sound(page, problems)
    dialog.get_by_label("Name of the deal").fill("Cold chain")
    dialog.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("heading", level=1, name="Cold chain")).to_be_visible()
    expect(page.locator("#highlights")).to_contain_text("Polder Foods")
    expect(page.locator("#highlights")).to_contain_text("Piet de Vries")

    page.goto(origin)
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_role("button", name="Remove sample data").click()
    page.get_by_role("button", name="Load sample data").wait_for()
    page.goto(f"{origin}/records/company")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(origin)
    page.get_by_role("button", name="Put the checklist away").click()
    expect(page.get_by_text("Make it yours")).to_have_count(0)
    assert problems == []


def test_pages_mirror_for_a_language_written_from_the_right(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/settings/profile")
    page.locator("select[name=locale]").select_option("ar")
    page.locator("main form button[type=submit]").first.click()
    page.goto(f"{origin}/records/deal")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    rail = page.get_by_role("complementary", name="Sidebar").bounding_box()
    assert rail is not None
    assert rail["x"] > 720
    assert_sound(page, problems)
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=2, name="Details")).to_be_visible()
    assert_sound(page, problems)
    page.goto(f"{origin}/settings/profile")
    page.locator("select[name=locale]").select_option("")
    page.locator("main form button[type=submit]").first.click()
