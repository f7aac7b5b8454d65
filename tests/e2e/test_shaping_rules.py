"""Rules and stage gates made by rows of conditions, tried with a record, changed as text, by keyboard alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, choose, sign_up, watched

from .test_pages import LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def box(page: Page, label: str) -> Locator:
    """A condition's box."""
    return page.get_by_role("group", name=label, exact=True).first


def add_row(place: Locator, field: str, op: str) -> Locator:
    """A new row at the end: its field and operator chosen."""
    place.get_by_role("button", name="Add condition").last.click()
    line = place.locator(".cond-line").last
    expect(line.get_by_label("Field", exact=True)).to_be_focused()
    line.get_by_label("Field", exact=True).select_option(field)
    expect(line.get_by_label("Field", exact=True)).to_be_focused()
    line.locator("[data-key=op]").focus()
    line.locator("[data-key=op]").select_option(op)
    expect(place.locator("[data-condition-target=builder]")).not_to_have_attribute("aria-busy", "true")
    return place.locator(".cond-line").last


def apply(page: Page, *words: str) -> None:
    """Agree to the plan of the open dialog, which says ``words``."""
    dialog = page.locator("#plan-dialog")
    for text in words:
        expect(dialog).to_contain_text(text)
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog).to_have_count(0)


def preview(page: Page) -> None:
    page.locator("main").get_by_role("button", name="Preview", exact=True).first.click()
    page.locator("#plan-dialog").wait_for()


def make_timed(page: Page) -> None:
    """Deals have a time of day and a length of time."""
    page.evaluate(
        """async () => { const answer = await fetch('/api/v1/metadata/apply', {method: 'POST', body: JSON.stringify({
          components: [{kind: 'object', name: 'deal', fields: {opens: {type: 'time', label: 'Opens'},
            took: {type: 'duration', label: 'Took'}}}]}), headers: {'Content-Type': 'application/json',
          'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})
          if (!answer.ok) throw new Error(await answer.text()) }"""
    )


@pytest.fixture
def admin(site: Site, new_context: NewContext) -> Iterator[tuple[Page, str]]:
    """An admin's page of a workspace of their own; sound to the end."""
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Rule Works", "Ann Admin")
    yield page, origin
    assert_sound(page, problems)


def make_deals(page: Page) -> None:
    page.evaluate(
        """async () => { for (const [name, amount] of [['Small', '50'], ['Large', '5000'], ['Bare', null]])
          await fetch('/api/v1/records/deal', {method: 'POST', body: JSON.stringify({name,
            amount: amount && {amount, currency: 'EUR'}}), headers: {'Content-Type': 'application/json',
            'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}}) }"""
    )


def test_a_rule_is_made_of_rows_tried_with_records_and_holds(admin: tuple[Page, str]) -> None:
    page, origin = admin
    make_deals(page)
    page.goto(f"{origin}/settings/objects/deal/rules")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Label").fill("Large deals need a next step")
    when = page.get_by_role("group", name="When", exact=True).first
    add_row(when, "amount", "gt").get_by_label("Value for Amount").fill("1000")
    add_row(when, "stage", "is").get_by_label("Value for Stage").select_option("new")
    expect(when.locator("[data-condition-target=note]")).to_have_text('amount > 1000 && stage == "new"')
    for name, told in (("Large", "meets it"), ("Small", "does not meet it"), ("Bare", "Unknown")):
        choose(when, "Try with a record", name)
        expect(when.locator("[data-condition-whole]")).to_contain_text(told)
    shot(page, "rule-tried")
    page.get_by_role("button", name="Add what follows").click()
    effect = page.locator("ol .cond-line").last
    effect.get_by_label("Field", exact=True).select_option("next_step")
    expect(effect.get_by_label("What follows for Next step", exact=True)).to_have_value("required")
    preview(page)
    apply(page, "Add the rule Large deals need a next step")
    expect(page.get_by_text("When Amount is more than 1000 EUR and Stage is New:")).to_be_visible()
    expect(page.get_by_text("Next step must be filled in.")).to_be_visible()
    shot(page, "rules")
    answer = page.evaluate(
        """async () => (await fetch('/api/v1/records/deal', {method: 'POST', body: JSON.stringify({name: 'Other',
          amount: {amount: '5000', currency: 'EUR'}}), headers: {'Content-Type': 'application/json',
          'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})).json()"""
    )
    assert [one["pointer"] for one in answer["errors"]] == ["/next_step"]


def test_what_rows_can_not_say_stays_and_text_and_rows_say_the_same(admin: tuple[Page, str]) -> None:
    page, origin = admin
    page.goto(f"{origin}/settings/objects/deal/rules/new")
    when = page.get_by_role("group", name="When", exact=True).first
    when.get_by_role("button", name="Write as text").click()
    text = when.get_by_label("When, as text")
    text.fill("amont > 1")
    expect(when.locator("[data-condition-target=problem]")).to_contain_text("Did you mean")
    when.get_by_role("button", name="Show as rows").click()
    expect(text).to_be_visible()
    text.fill('amount*2 > 100 || (company.industry == "technology" && close_on <= addMonths(today(), 3))')
    when.get_by_role("button", name="Show as rows").click()
    expect(when.get_by_label("Condition as text")).to_have_value("amount * 2 > 100")
    expect(when.get_by_text("it stays as text")).to_be_visible()
    inner = when.get_by_role("group", name="Group of conditions")
    expect(inner.locator(".cond-line")).to_have_count(2)
    inner.get_by_label("How many").last.fill("6")
    expect(when.locator("[data-condition-target=note]")).to_contain_text("addMonths(today(), 6)")
    shot(page, "rows-nested")
    inner.get_by_role("button", name="Remove the condition on Company").click()
    expect(inner).to_have_count(1)
    when.get_by_role("button", name="Write as text").click()
    expect(text).to_have_value("amount * 2 > 100 || close_on <= addMonths(today(), 6)")


def test_values_are_chosen_by_the_type_of_their_field(admin: tuple[Page, str]) -> None:
    page, origin = admin
    page.goto(f"{origin}/settings/objects/deal/rules/new")
    when = page.get_by_role("group", name="When", exact=True).first
    note = when.locator("[data-condition-target=note]")
    line = add_row(when, "owner", "is")
    choose(line, "Value for Owner", "Ann Admin")
    expect(note).to_contain_text("owner == ")
    line.get_by_label("Compared with").select_option("me")
    expect(note).to_have_text("owner == me")
    line = add_row(when, "created_at", "ge")
    line.get_by_label("Compared with").select_option("ago")
    line.get_by_label("How many").fill("7")
    expect(note).to_contain_text("date(created_at) >= addDays(today(), -7)")
    add_row(when, "source", "in").get_by_label("Referral").check()
    expect(note).to_contain_text('source in ["referral"]')
    line = add_row(when, "close_on", "lt")
    line.get_by_label("Compared with").select_option("field")
    line.get_by_label("Field to compare").select_option("opened_on")
    expect(note).to_contain_text("close_on < opened_on")
    add_row(when, "tags", "any_of").get_by_label("Value for Tags").fill("vip\nkey account")
    expect(note).to_contain_text('hasAny(tags, ["vip", "key account"])')
    add_row(when, "company.name", "starts").get_by_label("Value for Company").fill("Ac")
    expect(note).to_contain_text('company.name.startsWith("Ac")')
    add_row(when, "probability", "ge").get_by_label("Value for Probability").fill("x")
    expect(when.locator("[data-condition-error]").filter(has_text="Enter a number.")).to_be_visible()
    when.get_by_label("How many must hold").first.select_option("none")
    when.get_by_label("Value for Probability").fill("0.5")
    expect(note).to_contain_text("!(owner == me || ")
    shot(page, "rows-types")


def test_a_gate_is_made_of_rows_by_keyboard_alone(admin: tuple[Page, str]) -> None:
    page, origin = admin
    page.goto(f"{origin}/settings/objects/deal/pipelines")
    stage = page.get_by_role("listitem").filter(has=page.locator("input[name='stage.name'][value=won]")).first
    stage.locator("summary").focus()
    page.keyboard.press("Enter")
    gate = stage.get_by_role("group", name="May enter only if", exact=True).first
    expect(gate.get_by_text("Whatever the record holds.")).to_be_visible()
    gate.get_by_role("button", name="Add condition").focus()
    page.keyboard.press("Enter")
    field = gate.get_by_label("Field", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("Next step")
    expect(gate.get_by_label("What is asked of Next step")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("is filled")
    expect(gate.locator("[data-condition-target=note]")).to_have_text("has(next_step)")
    stage.get_by_label("Else people read").first.fill("Say what comes next.")
    page.keyboard.press("Enter")
    apply(page, "enter if has(next_step)", "message on entering Say what comes next.")
    stage = page.get_by_role("listitem").filter(has=page.locator("input[name='stage.name'][value=won]")).first
    line = stage.locator(".cond-line").first
    expect(line.get_by_label("Field", exact=True)).to_have_value("next_step")
    line.get_by_role("button", name="Remove the condition").focus()
    page.keyboard.press("Enter")
    expect(stage.locator(".cond-line")).to_have_count(0)
    page.get_by_role("button", name="Preview", exact=True).first.click()
    apply(page, "enter if has(next_step) taken away")


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_rules_are_sound(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    page.goto(f"{origin}/settings/objects/deal/rules")
    shot(page, f"{look}-rules")
    assert_sound(page, problems)
    make_timed(page)
    page.goto(f"{origin}/settings/objects/deal/rules/new")
    when = page.get_by_role("group", name="When", exact=True).first
    when.get_by_role("button", name="Write as text").click()
    when.get_by_label("When, as text").fill(
        "amount > 1000 && (close_on < addDays(today(), 7) || has(source) || amount * 2 > 1) && !(active(1))"
    )
    expect(when.locator("[data-condition-target=problem]")).to_be_visible()
    assert_sound(page, problems)
    when.get_by_label("When, as text").fill(
        'amount > 1000 && (close_on < addDays(today(), 7) || source in ["website"] || amount * 2 > 1) && owner == me'
        ' && took > duration("1h30m") && opens < time("09:30")'
    )
    when.get_by_role("button", name="Show as rows").click()
    expect(when.locator(".cond-line")).to_have_count(7)
    expect(when.get_by_label("Value for Took")).to_have_value("1h 30m")
    when.get_by_label("Value for Took").fill("90 min")
    when.get_by_label("Value for Opens").fill("10:15")
    expect(when.locator("[data-condition-target=note]")).to_contain_text(
        'took > duration("90m") && opens < time("10:15")'
    )
    page.get_by_label("is refused if").check()
    decides = page.get_by_role("group", name="Condition", exact=True).first
    expect(decides.get_by_role("button", name="Add condition")).to_be_visible()
    page.get_by_role("button", name="Add what follows").click()
    page.locator("ol .cond-line").last.get_by_label("Field", exact=True).select_option("source")
    page.locator("ol .cond-line").last.get_by_label("What follows for Source", exact=True).select_option("options")
    expect(page.locator("ol .cond-line").last.get_by_label("Referral")).to_be_visible()
    page.wait_for_load_state("networkidle")
    shot(page, f"{look}-rule-new")
    assert_sound(page, problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
