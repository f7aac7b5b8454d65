"""Rules in the browser: a form follows them as it is filled in, a gated stage asks for what it misses."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants.scope import SYSTEM, enter_job
from tests.e2e.conftest import SCREEN, NewContext, Site, assert_sound, drag, sign_up, watched
from tests.support.shaping import change

#: All stages of the board beside each other.
WIDE = SCREEN | {"viewport": {"width": 2400, "height": 900}}

RULES = """
kind: rule
name: deal.big
when: amount > 10000
required: [next_step]
visible: [description]
options: {source: [referral, website]}
---
{kind: rule, name: deal.small, refuse_if: amount < 0, message: An amount is never below nothing., field: amount}
---
{kind: rule, name: deal.closed, when: 'stage_status == "won"', read_only: [amount]}
---
kind: stage
name: deal.sales.won
enter_if: {when: "has(amount) && amount > 0 && has(next_step)", message: Enter the amount and the next step first.}
"""


@pytest.fixture(scope="module")
def ruled(site: Site, browser: Browser) -> tuple[str, dict]:
    """A workspace with rules about deals, and the browser state that is signed in to it."""
    context = browser.new_context(**SCREEN)
    origin = sign_up(context.new_page(), site, "Ruled Works", "Rita Rule")
    databases = site.runtime.databases
    with databases.control.connect() as connection:
        slug = origin.removeprefix("http://").partition(".")[0]
        tenant_id = connection.exec_driver_sql("select id from tenant where slug = %s", (slug,)).scalar_one()
    with enter_job(databases, tenant_id, actor=SYSTEM, write=False) as scope:
        tenant = scope.tenant
    change(databases, tenant, RULES)
    state = context.storage_state()
    context.close()
    return origin, state


def _new_deal(page: Page, origin: str, name: str) -> str:
    """A deal made by its form; its address."""
    page.goto(f"{origin}/records/deal")
    page.locator("main").get_by_role("button", name="New deal").first.click()
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_role("button", name="Create deal").click()
    page.wait_for_url("**/records/deal/0*")
    return page.url


def test_a_form_follows_the_rules_as_it_is_filled_in(new_context: NewContext, ruled: tuple[str, dict]) -> None:
    origin, state = ruled
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **SCREEN).new_page(), problems)
    page.goto(f"{origin}/records/deal")
    page.locator("main").get_by_role("button", name="New deal").first.click()
    dialog = page.get_by_role("dialog")
    amount, step = dialog.locator("#f-amount"), dialog.locator("#f-next_step")
    dialog.get_by_text("More fields").click()
    expect(step).to_be_visible()
    expect(step).not_to_have_attribute("aria-required", "true")
    expect(dialog.locator("#f-description")).to_be_hidden()
    dialog.locator("#f-name").fill("Big one")
    amount.fill("20000")
    expect(step).to_have_attribute("aria-required", "true")
    expect(dialog.locator("#f-description")).to_be_visible()
    expect(dialog.locator("[aria-live=polite]").filter(has_text="Next step is required")).to_have_count(1)
    expect(dialog.locator("#f-source option:not([hidden])")).to_have_text(["", "Website", "Referral"])
    assert_sound(page, problems)
    amount.fill("-1")
    expect(dialog.locator("#live-amount")).to_have_text("An amount is never below nothing.")
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(step).not_to_have_attribute("aria-required", "true")
    amount.fill("20000")
    expect(dialog.locator("#live-amount")).to_be_hidden()
    dialog.get_by_role("button", name="Create deal").click()
    expect(dialog).to_be_visible()
    step.fill("Call")
    dialog.get_by_role("button", name="Create deal").click()
    page.wait_for_url("**/records/deal/0*")
    assert_sound(page, problems)


def test_a_card_dropped_on_a_gated_stage_is_asked_for_what_is_missing(
    new_context: NewContext, ruled: tuple[str, dict]
) -> None:
    origin, state = ruled
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **WIDE).new_page(), problems)
    _new_deal(page, origin, "Gated deal")
    page.goto(f"{origin}/records/deal/board")
    card = page.locator("[data-card]", has_text="Gated deal")
    won = page.locator("ul[data-value=won]")
    drag(page, card, won)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Enter the amount and the next step first.")
    dialog.locator("#f-amount").fill("500")
    expect(dialog.locator("#f-next_step")).to_have_js_property("required", True)
    assert_sound(page, [one for one in problems if "422" not in one])
    dialog.locator("#f-next_step").fill("Invoice")
    expect(dialog.locator("[data-live-target=general]")).to_be_hidden()
    dialog.get_by_role("button", name="Move").click()
    expect(won.locator("[data-card]", has_text="Gated deal")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_a_gated_stage_that_is_left_puts_the_card_back(new_context: NewContext, ruled: tuple[str, dict]) -> None:
    origin, state = ruled
    page = new_context(storage_state=state, **WIDE).new_page()
    _new_deal(page, origin, "Stays here")
    page.goto(f"{origin}/records/deal/board")
    drag(page, page.locator("[data-card]", has_text="Stays here"), page.locator("ul[data-value=won]"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("ul[data-value=new] [data-card]", has_text="Stays here")).to_be_visible()


def test_the_path_of_a_record_opens_the_dialog_and_a_locked_value_says_so(
    new_context: NewContext, ruled: tuple[str, dict]
) -> None:
    origin, state = ruled
    page = new_context(storage_state=state, **SCREEN).new_page()
    _new_deal(page, origin, "By its page")
    page.get_by_role("button", name="Mark as won").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("#f-amount").fill("700")
    dialog.locator("#f-next_step").fill("Invoice")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Edit Next step")).to_contain_text("Invoice")
    page.get_by_role("button", name="Edit Amount").click()
    expect(page.locator("#f-amount")).to_have_js_property("readOnly", True)
    expect(page.locator("#live-amount")).to_have_text("Amount can't be changed any more.")
