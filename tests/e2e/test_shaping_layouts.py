"""Layouts and views in the browser: an editor by mouse and by keyboard, pages that follow, lists kept as views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, drag, sign_up, watched

from .test_pages import LOOKS
from .test_shaping import apply, press_preview, shot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: A window with room for the editor and its palette.
ROOMY = {"viewport": {"width": 1440, "height": 1000}}


#: A page and a view as an admin would have made them.
ARRANGED = """[
  {kind: 'layout', name: 'company.customers', label: 'Customers', tabs: {one: {label: 'Overview', sections: {
    a: {label: 'Size', fields: ['name', 'employees']}}, related: ['deals']}}},
  {kind: 'view', name: 'company.big_companies', label: 'Big companies', filter: 'employees > 100',
    columns: ['name', 'employees']}]"""


@pytest.fixture(scope="module")
def shaped(site: Site, browser: Browser) -> tuple[str, dict, str]:
    """A workspace with a company in it, signed in to: where it is, the browser's state, the company's address."""
    return furnished(site, browser, "Layout Works", "[]")


@pytest.fixture(scope="module")
def arranged(site: Site, browser: Browser) -> tuple[str, dict, str]:
    """The same with a layout and a view."""
    return furnished(site, browser, "Layout House", ARRANGED)


def furnished(site: Site, browser: Browser, name: str, components: str) -> tuple[str, dict, str]:
    """A workspace with companies, deals, a lead that became one of them, and what components say."""
    context = browser.new_context(**ROOMY)
    page = context.new_page()
    origin = sign_up(page, site, name, "Lea Layout")
    made = page.evaluate(
        """async () => {
          const send = async (path, values) => (await (await fetch(`/api/v1/${path}`, {method: 'POST',
            body: JSON.stringify(values), headers: {'Content-Type': 'application/json',
            'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})).json())
          const company = await send('records/company', {name: 'Kestrel Instruments', phone: '+49 30 901820',
            employees: 900, industry: 'energy', website: 'https://kestrel.example', description: 'Makes gauges.'})
          await send('records/company', {name: 'Small Mill', employees: 3})
          for (const name of ['Gauges for the north line', 'Spare parts'])
            await send('records/deal', {name, amount: '1200', company: company.id})
          const lead = await send('records/lead', {last_name: 'Bee', first_name: 'Ada'})
          await send(`records/lead/${lead.id}/convert`, {company: company.id})
          const components = COMPONENTS
          if (components.length) await send('metadata/apply', {components})
          return company.id }""".replace("COMPONENTS", components)
    )
    state = context.storage_state()
    context.close()
    return origin, state, f"{origin}/records/company/{made}"


def part(page: Page, label: str) -> Locator:
    """A field or related list in the editor."""
    return (
        page.locator("[data-part=field], [data-part=related]")
        .filter(has=page.locator("[data-part-name]", has_text=label))
        .first
    )


def names(place: Locator) -> list[str]:
    return [one.strip() for one in place.locator("> li [data-part-name]").all_text_contents()]


def test_an_admin_arranges_a_page_by_mouse_and_keyboard(new_context: NewContext, shaped: tuple[str, dict, str]) -> None:
    origin, state, company = shaped
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **ROOMY).new_page(), problems)
    page.goto(f"{origin}/settings/objects/company")
    page.get_by_role("link", name="Layouts").click()
    page.get_by_role("link", name="New layout").click()
    page.locator("#f-label").fill("Customers")
    fields = page.get_by_role("list", name="Fields of the section").first
    assert "Website" in names(fields)
    drag_to_palette_and_back(page)
    page.get_by_role("button", name="Add tab").click()
    expect(page.get_by_label("Label of the tab").last).to_be_focused()
    page.keyboard.type("Numbers")
    page.get_by_role("button", name="Add section").last.click()
    page.keyboard.type("Size")
    by_keyboard(page)
    numbers = page.locator("[data-part=tab]").last
    numbers.get_by_text("Always shown").first.click()
    numbers.get_by_role("group", name="Tab shown when").first.get_by_role("button", name="Write as text").click()
    numbers.get_by_label("Tab shown when, as text").fill('industry == "energy"')
    shot(page, "layout-editor")
    assert_sound(page, problems)
    look(page)
    page.locator("main").get_by_role("button", name="Preview new layout").click()
    apply(page, "Layout")
    follow(page, company)
    assert_sound(page, problems)


def drag_to_palette_and_back(page: Page) -> None:
    """By mouse: a field out of the page; another one into the section from the palette by its button."""
    palette = page.get_by_role("complementary", name="Not on the page")
    drag(page, part(page, "Shipping address").locator(".grip"), palette.get_by_role("list", name="Unused fields"))
    expect(palette.get_by_text("Shipping address")).to_be_visible()
    palette.get_by_role("button", name="Put Created on the page").click()
    placed = page.get_by_role("list", name="Fields of the section").first
    expect(placed.get_by_text("Created", exact=True)).to_be_visible()


def by_keyboard(page: Page) -> None:
    """Employees goes to the new section by saying where it stands, revenue by its arrows."""
    employees = part(page, "Employees")
    employees.locator("summary").focus()
    page.keyboard.press("Enter")
    employees.get_by_label("Stands in").select_option(label="Numbers / Size")
    size = page.get_by_role("list", name="Fields of the section").last
    expect(size.get_by_text("Employees")).to_be_visible()
    expect(page.locator("[data-layout-editor-target=live]")).to_have_text("Employees, 1 of 1 in Numbers / Size")
    up = part(page, "Industry").get_by_role("button", name="Move Industry up")
    before = names(page.get_by_role("list", name="Fields of the section").first).index("Industry")
    up.focus()
    page.keyboard.press("Enter")
    expect(up).to_be_focused()
    assert names(page.get_by_role("list", name="Fields of the section").first).index("Industry") == before - 1


def look(page: Page) -> None:
    box = page.get_by_role("combobox", name="Look at a record")
    box.fill("Kestrel")
    page.get_by_role("option", name="Kestrel").first.click()
    page.get_by_role("button", name="See how it looks").click()
    dialog = page.locator("#look-dialog")
    expect(dialog.get_by_role("tab", name="Numbers")).to_be_visible()
    shot(page, "layout-look")
    dialog.get_by_role("button", name="Back to the layout").click()
    expect(dialog).to_have_count(0)


def follow(page: Page, company: str) -> None:
    """The record's page has the tabs; the address keeps the one chosen; it changes as the record does."""
    page.goto(company)
    tabs = page.get_by_role("tablist", name="Parts of this company")
    expect(tabs.get_by_role("tab")).to_have_text(["Overview", "Numbers", "All fields", "All related"])
    expect(page.get_by_text("Gauges for the north line")).to_be_visible()
    shot(page, "layout-record")
    tabs.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.get_by_role("tab", name="Numbers")).to_be_focused()
    expect(page.locator("#field-employees")).to_be_visible()
    page.wait_for_url("**?tab=numbers")
    page.reload()
    expect(tabs.get_by_role("tab", name="Numbers")).to_have_attribute("aria-selected", "true")
    tabs.get_by_role("tab", name="All fields").click()
    expect(page.locator("#field-shipping_address")).to_be_visible()
    tabs.get_by_role("tab", name="All related").click()
    page.wait_for_url("**?tab=all-related")
    expect(page.locator("#related-all-related").get_by_role("heading", name="Made from")).to_be_visible()
    shot(page, "layout-all-related")
    page.reload()
    expect(page.locator("#related-all-related").get_by_role("heading", name="Made from")).to_be_visible()
    tabs.get_by_role("tab", name="Overview").click()
    page.locator("#field-industry button").click()
    page.locator("#f-industry").select_option("finance")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(tabs.get_by_role("tab")).to_have_text(["Overview", "All fields", "All related"])
    expect(page.locator("#field-industry")).to_contain_text("Finance")


def test_a_list_as_it_stands_is_kept_as_a_view(new_context: NewContext, shaped: tuple[str, dict, str]) -> None:
    origin, state, _ = shaped
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **ROOMY).new_page(), problems)
    page.goto(f"{origin}/records/company?filter=employees+%3E+100")
    page.get_by_role("button", name="Save as view").click()
    dialog = page.get_by_role("dialog", name="Save as view")
    dialog.get_by_label("Name").fill("Big companies")
    dialog.get_by_label("Everybody").check()
    dialog.get_by_role("button", name="Save view").click()
    expect(page.locator("#f-label")).to_have_value("Big companies")
    page.get_by_label("Column", exact=True).first.select_option(label="Employees")
    page.get_by_role("button", name="Add column").click()
    page.get_by_label("Column", exact=True).last.select_option(label="Industry")
    shot(page, "view-form")
    assert_sound(page, problems)
    press_preview(page)
    apply(page, "Big companies")
    page.goto(f"{origin}/records/company")
    page.get_by_role("navigation", name="Views of companies").get_by_role("link", name="Big companies").click()
    expect(page.get_by_role("link", name="Kestrel Instruments")).to_be_visible()
    expect(page.get_by_role("link", name="Small Mill")).to_have_count(0)
    expect(page.get_by_role("columnheader")).to_contain_text(["Name", "Employees", "Industry"])
    shot(page, "view-list")
    assert_sound(page, problems)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_layouts_and_views_are_sound(
    look: str, new_context: NewContext, arranged: tuple[str, dict, str]
) -> None:
    origin, state, company = arranged
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    places = ("layouts", "layouts/new", "layouts/customers", "views", "views/new", "views/big_companies")
    for address in (*(f"{origin}/settings/objects/company/{one}" for one in places), company):
        assert page.goto(address).status == 200, address
        expect(page.get_by_role("heading", level=1).or_(page.locator("#crumbs")).first).to_be_visible()
        shot(page, f"{look}-{address.rpartition('/objects/')[2].replace('/', '-')[-24:]}")
        assert_sound(page, problems)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    page.goto(f"{company}?tab=all-related")
    expect(page.get_by_role("heading", name="Made from")).to_be_visible()
    shot(page, f"{look}-all-related")
    assert_sound(page, problems)
