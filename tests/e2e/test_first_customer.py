"""The path of the first customer through the browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, drag, sign_up, watched


def test_a_company_signs_up_and_works_a_deal_to_the_end(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Acme Robotics", "Demo Person")
    assert_sound(page, problems)

    company = _create_company(page)
    assert_sound(page, problems)
    _create_deal(page, origin, company)
    _edit_in_place(page)
    assert_sound(page, problems)
    _write_activity(page)
    _move_on_the_board(page, origin)
    assert_sound(page, problems)
    _find_with_the_palette(page, origin)
    _delete_and_restore(page, origin)
    assert_sound(page, problems)


def _create_company(page: Page) -> str:
    page.get_by_role("button", name="Start: Add your first company").click()
    dialog = page.get_by_role("dialog", name="New company")
    dialog.get_by_role("button", name="Create company").click()
    dialog.locator("[name=name]").fill("Northwind Foundry")
    dialog.get_by_role("button", name="Create company").click()
    expect(page.get_by_role("heading", level=1, name="Northwind Foundry")).to_be_visible()
    return "Northwind Foundry"


def _create_deal(page: Page, origin: str, company: str) -> None:
    page.goto(f"{origin}/records/deal")
    page.get_by_role("button", name="New deal").first.click()
    dialog = page.get_by_role("dialog", name="New deal")
    dialog.locator("[name=name]").fill("Cobot line retrofit")
    box = dialog.get_by_role("combobox", name="Company")
    box.fill("north")
    dialog.get_by_role("option", name=company).wait_for()
    box.press("Enter")
    expect(box).to_have_value(company)
    dialog.get_by_role("textbox", name="Amount", exact=True).fill("184000")
    dialog.get_by_role("button", name="Create deal").click()
    expect(page.get_by_role("heading", level=1, name="Cobot line retrofit")).to_be_visible()
    expect(page.locator("#highlights")).to_contain_text("€184,000")
    expect(page.locator("#highlights")).to_contain_text(company)


def _edit_in_place(page: Page) -> None:
    value = page.get_by_role("button", name="Edit Next step")
    value.focus()
    value.press("F2")
    page.locator("#f-next_step").fill("Site visit on Thursday")
    page.locator("#f-next_step").press("Enter")
    expect(page.get_by_role("button", name="Edit Next step")).to_contain_text("Site visit on Thursday")
    page.get_by_role("button", name="Edit Amount").click()
    page.locator("#f-amount").fill("a lot")
    page.locator("#f-amount").press("Enter")
    expect(page.locator("#f-amount-error")).to_be_visible()
    expect(page.locator("#f-amount")).to_have_attribute("aria-describedby", re.compile("f-amount-error"))
    page.locator("#f-amount").press("Escape")
    expect(page.get_by_role("button", name="Edit Amount")).to_contain_text("€184,000")
    expect(page.locator("#timeline")).to_contain_text("set Next step to Site visit on Thursday")


def _write_activity(page: Page) -> None:
    page.get_by_placeholder("Write a note…").fill("Budget holder is the COO.")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#timeline")).to_contain_text("Budget holder is the COO.")
    expect(page.get_by_placeholder("Write a note…")).to_have_value("")
    page.get_by_role("tab", name="Task").click()
    page.get_by_placeholder("What is to be done?").fill("Send the CE documents")
    page.get_by_role("button", name="Add task").click()
    expect(page.locator("#timeline")).to_contain_text("Send the CE documents")
    page.get_by_role("button", name="Done: Send the CE documents").click()
    expect(page.get_by_role("button", name="Done: task")).to_have_attribute("aria-pressed", "true")


def _lane(page: Page, label: str):  # noqa: ANN202
    return page.get_by_role("region", name=label, exact=True)


def _move_on_the_board(page: Page, origin: str) -> None:
    page.goto(f"{origin}/records/deal/board")
    card = page.locator("[data-card]", has_text="Cobot line retrofit")
    card.focus()
    card.press("Alt+ArrowRight")
    expect(_lane(page, "Qualified").locator("[data-card]")).to_contain_text("Cobot line retrofit")
    expect(page.get_by_role("status").filter(has_text="moved to Qualified")).to_be_visible()
    expect(_lane(page, "Qualified").locator("header")).to_contain_text("€184,000")
    drag(page, card, _lane(page, "Proposal").locator("ul"))
    expect(_lane(page, "Proposal").locator("[data-card]")).to_contain_text("Cobot line retrofit")
    expect(page.get_by_role("status").filter(has_text="moved to Proposal")).to_be_visible()
    page.get_by_role("status").filter(has_text="moved to Proposal").get_by_role("button", name="Undo").click()
    expect(_lane(page, "Qualified").locator("[data-card]")).to_contain_text("Cobot line retrofit")
    _lose(page)


def _lose(page: Page) -> None:
    page.get_by_role("button", name="Actions for Cobot line retrofit").click()
    page.get_by_role("button", name="Lost", exact=True).click()
    dialog = page.get_by_role("dialog", name="Move to Lost")
    dialog.get_by_role("button", name="Cancel").click()
    expect(_lane(page, "Qualified").locator("[data-card]")).to_contain_text("Cobot line retrofit")
    page.get_by_role("button", name="Actions for Cobot line retrofit").click()
    page.get_by_role("button", name="Lost", exact=True).click()
    page.get_by_role("dialog", name="Move to Lost").locator("select").select_option(index=1)
    page.get_by_role("dialog", name="Move to Lost").get_by_role("button", name="Move").click()
    expect(_lane(page, "Lost").locator("[data-card]")).to_contain_text("Cobot line retrofit")


def _find_with_the_palette(page: Page, origin: str) -> None:
    page.goto(f"{origin}/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or run a command")
    expect(page.get_by_role("group", name="Recent")).to_contain_text("Cobot line retrofit")
    box.fill("cobot")
    expect(page.get_by_role("group", name="Records")).to_contain_text("Cobot line retrofit")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Cobot line retrofit")).to_be_visible()


def _delete_and_restore(page: Page, origin: str) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Delete deal").click()
    page.wait_for_url(f"{origin}/records/deal?trashed=*")
    expect(page.get_by_role("status").filter(has_text="moved to the trash")).to_be_visible()
    page.goto(f"{origin}/trash")
    page.get_by_role("row", name="Cobot line retrofit").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    page.goto(f"{origin}/records/deal?q=cobot")
    expect(page.get_by_role("rowheader", name="Cobot line retrofit")).to_be_visible()


def _held_suggestion(page: Page, site: Site) -> list[Route]:
    """The answer to a company's name on the sign-up page, held until let go; there once something is waited for."""
    page.goto(f"{site.base}/sign-up")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/sign-up/address?**", hold)
    with page.expect_request("**/sign-up/address?**"):
        page.get_by_label("Company name").fill("Late Answer")
    return held


def test_a_late_suggestion_does_not_overwrite_the_address_being_typed(site: Site, new_context: NewContext) -> None:
    page = new_context().new_page()
    held = _held_suggestion(page, site)
    page.locator("input[name=slug]").fill("typed-by-hand")
    page.locator("input[name=email]").focus()
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert page.locator("input[name=slug]").input_value() == "typed-by-hand"
    page.unroute_all(behavior="ignoreErrors")


def test_typing_replaces_a_suggestion_that_comes_into_the_field_one_is_in(site: Site, new_context: NewContext) -> None:
    page = new_context().new_page()
    held = _held_suggestion(page, site)
    page.locator("input[name=slug]").focus()
    held[0].continue_()
    expect(page.locator("input[name=slug]")).to_have_value("late-answer")
    page.unroute_all(behavior="ignoreErrors")
    page.keyboard.type("by-hand")
    expect(page.locator("input[name=slug]")).to_have_value("by-hand")
