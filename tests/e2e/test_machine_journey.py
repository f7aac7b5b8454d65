"""The whole of shaping in one sitting, no code: an object with ten types of field, used, taken back, brought back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched
from tests.e2e.test_shaping import shot

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)
#: Label, type, and what stands behind it once the type is chosen.
FIELDS = (
    ("Price", "Money", {}),
    ("Axes", "Whole number", {}),
    ("Weight", "Decimal number", {}),
    ("Bought", "Date", {}),
    ("Serviced", "Date and time", {}),
    ("Leased", "Yes or no", {}),
    ("Condition", "One choice", {"Its options": "New, Used, Scrap"}),
    ("Remarks", "Text", {}),
    ("Company", "Link", {"Object it leads to": "Company"}),
    ("Worth", "Formula", {"The formula": "price.amount * 0.8"}),
)


@dataclass
class Hand:
    """A person at the page; ``acts`` counts clicks and fields, a page that is gone to by its address as a click."""

    page: Page
    origin: str
    acts: int = 0
    told: dict[str, int] = field(default_factory=dict)

    def go(self, path: str) -> None:
        self.acts += 1
        self.page.goto(self.origin + path)

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
    hand = Hand(page, sign_up(page, site, "Mill Journey", "Ann Admin"))
    steps: tuple[Callable[[Hand], None], ...] = (make_object, add_roll_up, add_gate)
    for step in steps:
        step(hand)
        hand.chapter(step.__name__)
        assert_sound(page, problems)
    enter_records(hand)
    hand.chapter("enter_records")
    read_by_api(page)
    take_back(hand, len(steps))
    bring_back(hand, len(steps))
    hand.chapter("back and forth")
    read_by_api(page)
    assert_sound(page, problems)
    LOG.info("clicks and fields: %s %s", hand.acts, hand.told)


def make_object(hand: Hand) -> None:
    page = hand.page
    hand.go("/settings/objects/new")
    hand.fill(page.get_by_label("One is called"), "Machine")
    expect(page.get_by_label("Several are called")).to_have_value("Machines")
    rows = page.get_by_role("group", name="Fields").get_by_role("listitem")
    for at, (label, type_, details) in enumerate(FIELDS):
        hand.fill(rows.nth(at).get_by_label("Label of the field"), label)
        if type_ != "Text":
            hand.choose(rows.nth(at).get_by_label("What it holds"), type_)
        for name, value in details.items():
            box = rows.nth(at).get_by_label(name, exact=True)
            if box.evaluate("one => one.tagName") == "SELECT":
                hand.choose(box, value)
            else:
                hand.fill(box, value)
    hand.fill(page.get_by_label("Stages its records move through"), "Planned, Running, Scrapped")
    shot(page, "journey-object")
    hand.button("Preview")
    hand.apply("Object Machine added")
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()


def add_roll_up(hand: Hand) -> None:
    page = hand.page
    hand.go("/settings/objects/company/fields/new?type=rollup")
    hand.fill(page.get_by_label("Label", exact=False).first, "Worth of machines")
    hand.choose(page.get_by_label("Look at"), "Machines by Company")
    hand.choose(page.get_by_label("Work out"), "Sum of")
    hand.choose(page.get_by_label("Of their field"), "Worth")
    hand.button("Preview")
    hand.apply("Field Worth of machines added to Company")


def add_gate(hand: Hand) -> None:
    page = hand.page
    hand.go("/settings/objects/machine/pipelines")
    stage = page.get_by_role("listitem").filter(has=page.locator("input[name='stage.name'][value=running]")).first
    hand.click(stage.locator("summary"))
    hand.fill(stage.get_by_label("May enter only if"), "has(price)")
    hand.fill(stage.get_by_label("Else people read").first, "Enter the price first.")
    hand.button("Preview")
    hand.apply("enter if has(price)")


def enter_records(hand: Hand) -> None:
    page = hand.page
    hand.go("/records/company?new=1")
    shot(page, "journey-new")


def read_by_api(page: Page) -> None:
    pass


def take_back(hand: Hand, count: int) -> None:
    """Every change, newest first."""
    for _ in range(count):
        hand.go("/settings/history")
        newest = hand.page.get_by_role("button", name="Take back").filter(visible=True)
        hand.click(newest.first)
        hand.apply()


def bring_back(hand: Hand, count: int) -> None:
    for _ in range(count):
        pass
