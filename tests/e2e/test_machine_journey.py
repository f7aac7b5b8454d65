"""The whole of shaping in one sitting, no code: an object with ten field types, used, taken back, brought back."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched
from tests.e2e.test_shaping import shot

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)
#: As an admin has them in a list; the title is a text besides.
FIELDS = """\
Price: Money
Axes: Whole number
Weight: Decimal number
Bought: Date
Serviced: Date and time
Leased: Yes or no
Condition: One choice (New, Used, Scrap)
Company: Link (Company)
Worth: Formula (price.amount * 0.8)
"""
#: What an admin may spend on all of it: shaped, used, taken back step by step, brought back.
MOST = 60


@dataclass
class Hand:
    """A person at the page; ``acts`` counts clicks and fields. Nobody types an address."""

    page: Page
    acts: int = 0
    told: dict[str, int] = field(default_factory=dict)

    def click(self, place: Locator) -> None:
        self.acts += 1
        place.click()

    def fill(self, place: Locator, text: str) -> None:
        self.acts += 1
        place.fill(text)

    def choose(self, place: Locator, label: str) -> None:
        self.acts += 1
        place.select_option(label=label)

    def button(self, name: str) -> None:
        self.click(self.page.locator("main").get_by_role("button", name=name, exact=True).first)

    def links(self, *names: str) -> None:
        """Follow one link after the other."""
        for name in names:
            self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def apply(self, *words: str) -> None:
        """Agree to the plan, which says ``words``."""
        dialog = self.page.locator("#plan-dialog")
        dialog.wait_for()
        for text in words:
            expect(dialog).to_contain_text(text)
        agree = dialog.get_by_label("Yes, take these values away")
        if agree.count():
            self.click(agree)
        self.click(dialog.get_by_role("button", name="Apply"))
        expect(dialog).to_have_count(0)

    def chapter(self, name: str) -> None:
        """What was done since the last one is told apart."""
        self.told[name] = self.acts - sum(self.told.values())


def test_an_object_is_shaped_used_taken_back_and_brought_back(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Mill Journey", "Ann Admin")
    hand = Hand(page)
    enter_company(hand)
    company = page.url
    steps: tuple[Callable[[Hand], None], ...] = (make_object, add_gate, add_layout, add_rule, add_roll_up)
    for step in steps:
        step(hand)
        hand.chapter(step.__name__)
        assert_sound(page, problems)
    enter_machine(hand)
    hand.chapter("records")
    assert_sound(page, problems)
    machine = page.url
    follow_the_rules(page, machine)
    seen = read_by_api(page, company, machine)
    back = take_back(hand, len(steps))
    hand.chapter("taken back")
    nothing_is_left(page.context.new_page(), origin, machine)
    bring_back(hand, back)
    hand.chapter("brought back")
    LOG.info("clicks and fields: %s %s", hand.acts, hand.told)
    assert hand.acts <= MOST, hand.told
    assert read_by_api(page, company, machine) == seen
    page.goto(machine)
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    assert_sound(page, problems)


def enter_company(hand: Hand) -> None:
    page = hand.page
    hand.click(page.get_by_role("button", name="Start: Add your first company"))
    dialog = page.get_by_role("dialog", name="New company")
    hand.fill(dialog.locator("[name=name]"), "Kestrel")
    hand.click(dialog.get_by_role("button", name="Create company"))
    expect(page.get_by_role("heading", level=1, name="Kestrel")).to_be_visible()


def make_object(hand: Hand) -> None:
    page = hand.page
    hand.links("Settings", "Objects", "New object")
    hand.fill(page.get_by_label("One is called"), "Machine")
    expect(page.get_by_label("Several are called")).to_have_value("Machines")
    hand.button("Add several at once")
    expect(page.get_by_label("Fields, one a line")).to_be_focused()
    hand.fill(page.get_by_label("Fields, one a line"), FIELDS)
    hand.button("Add fields")
    labels = page.get_by_role("group", name="Fields").get_by_label("Label of the field")
    expect(labels).to_have_count(10)
    expect(labels.first).to_be_focused()
    hand.fill(page.get_by_label("Stages its records move through"), "Planned, Running, Scrapped")
    shot(page, "journey-object")
    hand.button("Preview")
    hand.apply("Object Machine added")
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()


def add_gate(hand: Hand) -> None:
    """Only a machine with a price runs."""
    page = hand.page
    hand.links("Pipelines")
    stage = page.get_by_role("listitem").filter(has=page.locator("input[name='stage.name'][value=running]")).first
    hand.click(stage.locator("summary"))
    gate = stage.get_by_role("group", name="May enter only if", exact=True).first
    hand.click(gate.get_by_role("button", name="Write as text"))
    hand.fill(gate.get_by_label("May enter only if, as text"), "has(price)")
    hand.fill(stage.get_by_label("Else people read").first, "Enter the price first.")
    hand.button("Preview")
    hand.apply("enter if has(price)")


def add_layout(hand: Hand) -> None:
    """A page of its own; weight is not on it."""
    page = hand.page
    hand.links("Layouts", "New layout")
    weight = page.locator("[data-part=field]").filter(has=page.locator("[data-part-name]", has_text="Weight")).first
    hand.click(weight.get_by_role("button", name="Take Weight out"))
    hand.button("Preview new layout")
    hand.apply("Layout")


def add_rule(hand: Hand) -> None:
    """One that is leased says how many axes it has."""
    page = hand.page
    hand.links("Rules", "New rule")
    hand.fill(page.get_by_label("Label", exact=False).first, "Leased ones have axes")
    when = page.get_by_role("group", name="When", exact=True).first
    hand.click(when.get_by_role("button", name="Add condition").last)
    hand.choose(when.locator(".cond-line").last.get_by_label("Field", exact=True), "Leased")
    expect(when.locator("[data-condition-target=note]")).to_contain_text("leased")
    hand.choose(page.locator("ol .cond-line").last.get_by_label("Field", exact=True), "Axes")
    hand.button("Preview")
    hand.apply("Add the rule Leased ones have axes")


def add_roll_up(hand: Hand) -> None:
    """Where the link is listed; its label is what a count is called."""
    page = hand.page
    hand.links("Links", "Add roll-up over Company of Machine")
    expect(page.get_by_label("Label", exact=False).first).to_have_value("Number of machines")
    hand.button("Preview")
    hand.apply("Field Number of machines added to Company")


def enter_machine(hand: Hand) -> None:
    """From its company's page."""
    page = hand.page
    hand.links("Companies", "Kestrel")
    shot(page, "journey-company")
    hand.click(page.get_by_role("button", name="Add to Machines"))
    dialog = page.get_by_role("dialog", name="New machine")
    hand.fill(dialog.locator("[name=name]"), "M-1")
    hand.fill(dialog.get_by_role("textbox", name="Price", exact=True), "1000")
    hand.click(dialog.get_by_role("button", name="Create machine"))
    hand.click(page.get_by_role("status").filter(has_text="Machine created").get_by_role("link", name="Open"))
    expect(page.get_by_role("heading", level=1, name="M-1")).to_be_visible()
    shot(page, "journey-machine")


SEND = """async ([method, path, values]) => (await fetch(`/api/v1/records/${path}`, {method,
  body: values && JSON.stringify(values), headers: {'Content-Type': 'application/json',
  'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})).json()"""


def send(page: Page, method: str, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the API in the person's own session."""
    return page.evaluate(SEND, [method, path, values])


def id_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


def follow_the_rules(page: Page, machine: str) -> None:
    """The layout arranges, the rule and the gate hold, on the page and for the API."""
    expect(page.get_by_role("tab", name="All fields")).to_be_visible()
    expect(page.locator("#field-weight")).to_be_hidden()
    path = f"machine/{id_of(machine)}"
    assert [one["pointer"] for one in send(page, "PATCH", path, {"leased": True})["errors"]] == ["/axes"]
    refused = send(page, "PATCH", path, {"price": None, "stage": "running"})
    assert "Enter the price first." in str(refused["errors"])
    assert send(page, "PATCH", path, {"stage": "running", "leased": True, "axes": 5})["stage"] == "running"


def read_by_api(page: Page, company: str, machine: str) -> tuple[Any, ...]:
    """What the API shows: the machine with its formula, the company with its roll-up."""
    one = send(page, "GET", f"machine/{id_of(machine)}")
    assert (one["price"]["amount"], one["worth"], one["company"]) == ("1000.00", "800", id_of(company))
    other = send(page, "GET", f"company/{id_of(company)}")
    assert other["number_of_machines"] == 1
    return one, other


def nothing_is_left(page: Page, origin: str, machine: str) -> None:
    """The object is gone, and its records with it."""
    page.goto(f"{origin}/settings/objects")
    expect(page.get_by_role("link", name="Open the object Company", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Open the object Machine")).to_have_count(0)
    gone = page.goto(machine)
    assert gone is not None
    assert gone.status == 404
    page.close()


def take_back(hand: Hand, count: int) -> list[str]:
    """Every change, newest first, each by itself; the changes that did it."""
    page, made = hand.page, []
    hand.links("Settings", "History")
    for _ in range(count):
        ours = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Take back"))
        hand.click(ours.filter(has_not_text="Took a change back").first.get_by_role("button", name="Take back"))
        hand.apply()
        expect(page).to_have_url(re.compile("change="))
        made.append(page.url.rpartition("change=")[2])
    return made


def bring_back(hand: Hand, made: list[str]) -> None:
    """All of that undone in one."""
    page = hand.page
    first = page.get_by_role("listitem").filter(has=page.locator(f"a[href$='{made[0]}']"))
    hand.click(first.get_by_role("button", name="Go back to before"))
    hand.apply("Object Machine added")
