"""An admin shapes a workspace in the browser: an object with fields of many types, looked at, used; gates, order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, choose, sign_up, watched

from .test_pages import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def apply(page: Page, *words: str, confirm: bool = False, note: str = "") -> None:
    """Agree to the plan of the open dialog, which says ``words``."""
    dialog = page.locator("#plan-dialog")
    for text in words:
        expect(dialog).to_contain_text(text)
    if note:
        dialog.get_by_label("Why").fill(note)
    if confirm:
        dialog.get_by_label("Yes, take these values away").check()
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog).to_have_count(0)


def press_preview(page: Page) -> None:
    page.locator("main").get_by_role("button", name="Preview", exact=True).first.click()
    page.locator("#plan-dialog").wait_for()


def add_field(page: Page, origin: str, card: str, label: str, fill: Callable[[Locator], None] | None = None) -> None:
    """Choose a card, fill in the form, agree to the plan."""
    page.goto(f"{origin}/settings/objects/machine/fields/new")
    page.get_by_role("link", name=card).first.click()
    page.get_by_label("Label", exact=False).first.fill(label)
    if fill is not None:
        fill(page.locator("main"))
    press_preview(page)
    apply(page, f"Field {label} added to Machine")
    expect(page.get_by_role("link", name=label).first).to_be_visible()


def make_machine(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects")
    page.get_by_role("link", name="New object").click()
    page.get_by_label("One is called").fill("Machine")
    expect(page.get_by_label("Several are called")).to_have_value("Machines")
    expect(page.get_by_label("Name in the API")).to_have_value("machine")
    page.get_by_label("Its title is called").fill("Serial")
    page.get_by_role("radio", name="factory").check(force=True)
    press_preview(page)
    shot(page, "plan-new-object")
    apply(page, "Object Machine added", "At once", note="We maintain machines")
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()


def fill_options(form: Locator) -> None:
    for at, text in enumerate(("New", "Used", "Scrap")):
        form.get_by_label("Label of the option").nth(at).fill(text)


def fill_link(form: Locator) -> None:
    form.get_by_label("Leads to").select_option("company")
    form.get_by_label("Called there").fill("machines")


def fill_formula(form: Locator) -> None:
    form.get_by_label("Gives").select_option("money")
    box = form.get_by_role("textbox", name="Formula", exact=True)
    box.fill("prize * 0.8")
    expect(form.locator("#checked")).to_contain_text("prize")
    box.fill("price * 0.8")
    expect(form.locator("#checked")).to_contain_text("It can be calculated")


def test_an_admin_makes_an_object_field_by_field_and_uses_it(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Mill Works", "Ann Admin")
    make_machine(page, origin)
    assert_sound(page, problems)
    add_field(page, origin, "Money", "Price")
    add_field(page, origin, "Date A day", "Bought")
    add_field(page, origin, "Whole number", "Axes")
    add_field(page, origin, "One choice", "Condition", fill_options)
    add_field(page, origin, "Yes or no", "Leased")
    add_field(page, origin, "Link Leads to one", "Company", fill_link)
    add_field(page, origin, "Formula", "Worth", fill_formula)
    shot(page, "object")
    page.goto(f"{origin}/settings/objects/company/fields/new?type=rollup")
    page.get_by_label("Label", exact=False).first.fill("Price of machines")
    page.get_by_label("Look at").select_option("machines")
    page.get_by_label("Work out").select_option("sum")
    page.get_by_label("Of their field").select_option("price")
    assert_sound(page, problems)
    shot(page, "rollup")
    press_preview(page)
    apply(page, "Field Price of machines added to Company")
    use_it(page, origin)
    page.goto(f"{origin}/settings/objects/machine/fields/worth")
    choose(page, "Try with", "M-1")
    expect(page.locator("#checked")).to_contain_text("800")
    assert_sound(page, problems)
    shot(page, "formula")
    blocked(page, origin)
    assert_sound(page, problems)


def use_it(page: Page, origin: str) -> None:
    """A company with a machine, by the API of the admin's own session."""
    made = page.evaluate(
        """async () => {
          const send = async (object, values) => (await (await fetch(`/api/v1/records/${object}`, {method: 'POST',
            body: JSON.stringify(values), headers: {'Content-Type': 'application/json',
            'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})).json())
          const company = await send('company', {name: 'Kestrel'})
          const machine = await send('machine', {serial: 'M-1', price: {amount: '1000', currency: 'EUR'},
            condition: 'used', axes: 5, company: company.id})
          const read = await (await fetch(`/api/v1/records/company/${company.id}`)).json()
          return [company.id, machine.id, machine.worth.amount, read.price_of_machines.amount] }"""
    )
    assert all(made), made
    assert float(made[2]) == 800, made
    assert float(made[3]) == 1000, made
    page.goto(f"{origin}/records/machine")
    expect(page.get_by_role("link", name="M-1")).to_be_visible()


def blocked(page: Page, origin: str) -> None:
    """What a formula needs can't be removed: it is named, and the page of the one that needs it is a click away."""
    page.goto(f"{origin}/settings/objects/machine/fields/price")
    expect(page.get_by_role("link", name="Field Worth of Machine")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    dialog = page.locator("#plan-dialog")
    expect(dialog).to_contain_text("This would stop working")
    expect(dialog.get_by_role("link", name="Field Worth of Machine")).to_be_visible()
    expect(dialog.get_by_role("button", name="Apply")).to_have_count(0)
    shot(page, "blocked")


def test_order_names_options_and_gates_by_keyboard_and_in_two_windows(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    context = new_context()
    page = watched(context.new_page(), problems)
    origin = sign_up(page, site, "Gate Works", "Ann Admin")
    page.goto(f"{origin}/settings/objects/deal")
    page.get_by_role("button", name="Move Amount up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Move Amount up")).to_be_focused()
    page.get_by_role("button", name="Preview new order").click()
    apply(page, "Field Amount of Deal: moved")
    expect(page.locator("[data-lines-name]").first).to_have_text("Amount")
    rename_remove_and_bring_back(page, origin)
    page.goto(f"{origin}/settings/objects/deal/fields/source")
    form = page.locator("main")
    form.get_by_role("button", name="Add option").click()
    expect(form.get_by_label("Label of the option").last).to_be_focused()
    page.keyboard.type("Trade fair")
    press_preview(page)
    apply(page, "Option Trade fair added to Source of Deal")
    set_a_gate(page, origin)
    other = watched(context.new_page(), problems)
    two_windows(page, other, origin)
    assert_sound(page, problems)


def rename_remove_and_bring_back(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects/deal/fields/new?type=text")
    page.get_by_label("Label", exact=False).first.fill("Order number")
    expect(page.get_by_label("Name in the API")).to_have_value("order_number")
    press_preview(page)
    apply(page, "Field Order number added to Deal (text)")
    lines = page.locator("[data-lines-name]")
    expect(lines.last).to_have_text("Order number")
    page.goto(f"{origin}/settings/objects/deal/fields/order_number")
    page.get_by_label("Name in the API").fill("order_no")
    page.get_by_role("button", name="Rename").click()
    apply(page, "name order_number → order_no")
    page.get_by_role("button", name="Remove").click()
    apply(page, "Field Order number removed from Deal")
    expect(page.get_by_role("link", name="Order number")).to_have_count(0)
    page.get_by_role("button", name="Bring back Order number").click()
    apply(page, "Field Order number added to Deal")
    expect(page.get_by_role("heading", name="Order number")).to_be_visible()


def set_a_gate(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/objects/deal/pipelines")
    shot(page, "pipelines")
    stage = page.get_by_role("listitem").filter(has=page.locator("input[name='stage.name'][value=won]")).first
    stage.locator("summary").click()
    gate = stage.get_by_role("group", name="May enter only if", exact=True).first
    gate.get_by_role("button", name="Write as text").click()
    condition = gate.get_by_label("May enter only if, as text")
    expect(condition).to_be_focused()
    condition.fill("amont > 0")
    expect(gate.locator(".field-error").last).to_contain_text("amont")
    condition.fill("has(amount)")
    expect(gate.locator("[data-condition-target=problem]")).to_be_hidden()
    stage.get_by_label("Else people read").first.fill("Enter the amount first.")
    page.get_by_role("button", name="Preview", exact=True).first.click()
    apply(page, "enter if has(amount)")


def two_windows(page: Page, other: Page, origin: str) -> None:
    """The second to change a label is told what the first one said, and decides."""
    for one in (page, other):
        one.goto(f"{origin}/settings/objects/deal/fields/amount")
    other.get_by_label("Label").fill("Value")
    press_preview(other)
    apply(other, "label Amount → Value")
    page.get_by_label("Label").fill("Volume")
    press_preview(page)
    shot(page, "conflict")
    apply(page, "Changed by somebody else", "Ann Admin changed", "label Value → Volume")
    expect(page.get_by_text("Changed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Reset label").click()
    apply(page, "label Volume → Amount")


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_objects_are_sound(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    places = (
        "objects", "objects/new", "objects/deal", "objects/deal/more-fields", "objects/deal/fields/new",
        "objects/deal/fields/new?type=select", "objects/deal/fields/new?type=formula",
        "objects/company/fields/new?type=rollup", "objects/deal/fields/amount",
        "objects/deal/pipelines", "history",
    )  # fmt: skip
    for place in places:
        page.goto(f"{origin}/settings/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shot(page, f"{look}-{place.replace('/', '-').replace('?', '-')}")
        assert_sound(page, problems)
        fits = "[html.scrollWidth <= innerWidth, html.scrollHeight <= innerHeight]"
        assert page.evaluate(f"(html => {fits})(document.documentElement)") == [True, True], place
