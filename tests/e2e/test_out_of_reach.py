"""Whatever way a record would leave one's own reach, one is asked first; what may only be seen offers nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tenants.scope import SYSTEM, enter_job
from tests.e2e.conftest import NewContext, Site, assert_sound, choose, drag, sign_up, watched
from tests.support.records import make_deal

from .test_pages import LOOKS
from .test_people_and_rights import make_member, shot, sign_in, tenant_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tenants.scope import Tenant

_SEND = """async ([method, path, body]) => {
  const answer = await fetch('/api/v1' + path, {method, body: JSON.stringify(body), headers: {
    'Content-Type': 'application/json', 'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})
  return await answer.json() }"""
#: Sees and changes what is theirs or qualified, as far as sharing opens no more.
_ROLE = {
    "label": "Qualifier",
    "objects": {"*": {"read": "reach", "create": True, "edit": "reach", "delete": "own", "bulk": True}},
    "rows": {"deal": {"edit": 'stage == "qualified"'}},
}


@dataclass
class Desk:
    """A workspace with somebody (``me``) whose reach ends where a deal is another's and no longer qualified."""

    site: Site
    origin: str
    tenant: Tenant
    admin: Page
    me: UUID
    other: UUID
    problems: list[str] = field(default_factory=list)

    def api(self, method: str, path: str, body: object) -> Any:
        """A call of the owner's."""
        return self.admin.evaluate(_SEND, [method, path, body])

    def open_to(self, read: str) -> None:
        """Whom deals are open to for reading."""
        self.api("PUT", "/sharing/deal", {"read": read, "edit": "private", "inherit": None})

    def page(self, new_context: NewContext, **look: object) -> Page:
        """My browser."""
        return watched(sign_in(new_context(**look), self.site, self.origin, self.tenant, self.me), self.problems)

    def deal(self, name: str, *, mine: bool = False, stage: str = "qualified") -> str:
        """A deal's id."""
        owner = str(self.me if mine else self.other)
        with enter_job(self.site.runtime.databases, self.tenant.id, actor=SYSTEM, write=True) as scope:
            return str(make_deal(scope, name, owner=owner, stage=stage, pipeline="sales")["id"])

    def stage(self, deal: str) -> str:
        """Where a deal stands."""
        with enter_job(self.site.runtime.databases, self.tenant.id, actor=SYSTEM, write=False) as scope:
            row = scope.execute("select stage from o_deal where id = %s", (deal,)).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="module")
def desk(site: Site, browser: Browser) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-IE")
    admin = context.new_page()
    origin = sign_up(admin, site, "Reach Works", "Ann Admin")
    tenant = tenant_at(site, origin)
    role = admin.evaluate(_SEND, ["POST", "/roles", _ROLE])["name"]
    me, other = make_member(site, tenant, "Nora North", role), make_member(site, tenant, "Sven South")
    yield Desk(site, origin, tenant, admin, me, other)
    context.close()


def asking(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Out of your reach")


def lane(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_a_card_that_would_leave_reach_is_asked_about_by_mouse_and_by_keyboard(
    desk: Desk, new_context: NewContext
) -> None:
    desk.open_to("private")
    deal = desk.deal("Fjord deal")
    page = desk.page(new_context)
    page.goto(f"{desk.origin}/records/deal/board")
    page.wait_for_load_state("networkidle")  # dragging is loaded after the page
    card = page.locator(f"#card-{deal}")
    drag(page, card, lane(page, "Meeting").locator("ul"))
    expect(asking(page)).to_contain_text("After this you will no longer see this deal.")
    assert_sound(page, desk.problems)
    asking(page).get_by_role("button", name="Cancel").click()
    expect(lane(page, "Qualified").locator(f"#card-{deal}")).to_be_focused()
    assert desk.stage(deal) == "qualified"
    card.press("Alt+ArrowRight")
    expect(asking(page).get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(lane(page, "Qualified").locator(f"#card-{deal}")).to_be_visible()
    card.press("Alt+ArrowRight")
    expect(asking(page).get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(page.get_by_text("Moved to Meeting").last).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert desk.stage(deal) == "meeting"
    assert desk.problems == []


def test_the_stage_bar_its_dialog_and_a_value_in_place_ask_and_put_back_what_was(
    desk: Desk, new_context: NewContext
) -> None:
    desk.open_to("private")
    first, second, mine = desk.deal("Bar deal"), desk.deal("Lost deal"), desk.deal("My deal", mine=True)
    page = desk.page(new_context)
    page.goto(f"{desk.origin}/records/deal/{first}")
    page.get_by_role("button", name="Meeting", exact=True).click()
    asking(page).get_by_role("button", name="Cancel").click()
    expect(page.locator("[aria-current=step]")).to_contain_text("Qualified")
    page.get_by_role("button", name="Meeting", exact=True).click()
    asking(page).get_by_role("button", name="Go on").click()
    page.wait_for_url("**/records/deal")
    assert desk.stage(first) == "meeting"
    page.goto(f"{desk.origin}/records/deal/{second}")
    page.get_by_role("button", name="Mark as lost").click()
    dialog = page.get_by_role("dialog", name="Move to Lost")
    dialog.get_by_role("combobox").select_option(index=1)
    dialog.get_by_role("button", name="Move").click()
    asking(page).get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Move").click()
    asking(page).get_by_role("button", name="Go on").click()
    page.wait_for_url("**/records/deal")
    assert desk.stage(second) == "lost"
    page.goto(f"{desk.origin}/records/deal/{mine}")
    page.get_by_role("button", name="Meeting", exact=True).click()
    expect(page.locator("[aria-current=step]")).to_contain_text("Meeting")
    for answer in ("Cancel", "Go on"):
        page.get_by_role("button", name="Edit Owner").click()
        choose(page, "Owner", "Sven South")
        page.get_by_role("combobox", name="Owner").press("Enter")
        asking(page).get_by_role("button", name=answer).click()
        if answer == "Cancel":
            expect(page.get_by_role("button", name="Edit Owner")).to_contain_text("Nora North")
    page.wait_for_url("**/records/deal")
    assert desk.problems == []


def test_a_new_record_and_chosen_rows_given_away_are_asked_about(desk: Desk, new_context: NewContext) -> None:
    desk.open_to("private")
    names = ["Heap one", "Heap two"]
    for name in names:
        desk.deal(name, mine=True, stage="meeting")
    page = desk.page(new_context)
    page.goto(f"{desk.origin}/records/deal?q=heap")
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("button", name="Change owner").click()
    dialog = page.get_by_role("dialog", name="Change owner of 2 deals")
    choose(dialog, "Owner", "Sven South")
    assert_sound(page, desk.problems)
    dialog.get_by_role("button", name="Change owner").click()
    expect(asking(page)).to_contain_text("After this you will no longer see these 2 deals.")
    asking(page).get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Change owner").click()
    asking(page).get_by_role("button", name="Go on").click()
    expect(page.get_by_text("2 deals now belong to Sven South")).to_be_visible()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.goto(f"{desk.origin}/records/deal")
    page.get_by_role("button", name="New deal").first.click()
    dialog = page.get_by_role("dialog", name="New deal")
    dialog.get_by_label("Name").fill("For Sven")
    dialog.get_by_label("Stage").select_option(label="Meeting")
    if not dialog.get_by_role("combobox", name="Owner").is_visible():
        dialog.get_by_text("More fields").click()
    choose(dialog, "Owner", "Sven South")
    dialog.get_by_role("button", name="Create deal").click()
    asking(page).get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_label("Name")).to_have_value("For Sven")
    dialog.get_by_role("button", name="Create deal").click()
    asking(page).get_by_role("button", name="Go on").click()
    expect(dialog).to_have_count(0)
    assert desk.problems == []


@pytest.mark.parametrize("look", LOOKS)
def test_what_may_only_be_seen_is_locked_and_the_bar_counts(look: str, desk: Desk, new_context: NewContext) -> None:
    desk.open_to("everyone")
    names = [f"{look} {kind}" for kind in ("mine", "open", "closed")]
    desk.deal(names[0], mine=True)
    desk.deal(names[1])
    closed = desk.deal(names[2], stage="meeting")
    page = desk.page(new_context, **LOOKS[look])
    page.goto(f"{desk.origin}/records/deal?q={look}")
    expect(page.get_by_role("checkbox", name=f"Select {names[2]}")).to_have_count(0)
    expect(page.get_by_text("You may only see this one")).to_have_count(1)
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.get_by_role("status").filter(has_text="selected")).to_contain_text("2 selected")
    expect(page.get_by_role("button", name="Change owner", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Delete 1 of 2")).to_be_enabled()
    shot(page, f"{look}-reach-list")
    assert_sound(page, desk.problems)
    page.get_by_role("button", name="Change owner", exact=True).click()
    page.get_by_role("dialog", name="Change owner of 2 deals").get_by_role("combobox").press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    shot(page, f"{look}-reach-assign")
    assert_sound(page, desk.problems)
    page.goto(f"{desk.origin}/records/deal/board?q={look}")
    page.wait_for_load_state("networkidle")
    card = page.locator(f"#card-{closed}")
    expect(card.get_by_role("button")).to_have_count(0)
    card.press("Alt+ArrowRight")
    expect(page.get_by_text("You may see this deal, but not change it.")).to_be_visible()
    if look != "small":
        drag(page, card, lane(page, "Proposal").locator("ul"))
    expect(lane(page, "Meeting").locator(f"#card-{closed}")).to_be_visible()
    shot(page, f"{look}-reach-board")
    assert_sound(page, desk.problems)
    page.get_by_role("button", name=f"Actions for {names[1]}").click()
    page.locator("#card-menu").get_by_role("button", name="Meeting").click()
    asking(page).wait_for()
    shot(page, f"{look}-reach-asking")
    assert_sound(page, desk.problems)
    page.goto(f"{desk.origin}/records/deal/{closed}")
    expect(page.get_by_role("button", name="Edit Amount")).to_have_count(0)
    shot(page, f"{look}-reach-record")
    assert_sound(page, desk.problems)
