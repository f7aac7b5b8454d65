"""Boards by any choice in the browser: by mouse, keyboard and menu, with the way back; what is retired."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.records.write import create_record
from tenants.scope import SYSTEM, enter_job
from tests.e2e.conftest import SCREEN, NewContext, Site, assert_sound, drag, sign_up, watched
from tests.support.shaping import change
from tests.support.tenants import PATIENT

from .test_pages import LOOKS

SHOTS = os.environ.get("RAPPORT_SHOTS", "")
SHAPE = """
kind: field
name: deal.size
type: select
label: Size
options:
  small: {label: Small, color: teal}
  large: {label: Large, color: blue}
  wide: {label: Wide, color: amber}
---
{kind: view, name: deal.sizes, label: By size, shape: board, group_by: size}
---
{kind: view, name: deal.owners, label: By owner, shape: board, group_by: owner}
---
kind: rule
name: deal.large_ones
when: size == "large"
required: [next_step]
message: Say what comes next.
"""
RETIRED = """
{kind: stage, name: deal.sales.meeting, retired: true}
---
{kind: field, name: deal.size, options: {wide: {retired: true}}}
"""


@pytest.fixture(scope="module")
def sized(site: Site, browser: Browser) -> tuple[str, dict]:
    """A workspace whose deals have sizes, a stage and a size retired; the browser state signed in to it."""
    context = browser.new_context(**SCREEN)
    origin = sign_up(context.new_page(), site, "Sized Works", "Sina Size")
    databases = site.runtime.databases
    with databases.control.connect() as connection:
        slug = origin.removeprefix("http://").partition(".")[0]
        tenant_id = connection.exec_driver_sql("select id from tenant where slug = %s", (slug,)).scalar_one()
    with enter_job(databases, tenant_id, actor=SYSTEM, write=False) as scope:
        tenant = scope.tenant
    change(databases, tenant, SHAPE)
    with enter_job(databases, tenant_id, actor=SYSTEM, write=True, budget=PATIENT) as scope:
        create_record(scope, "deal", {"name": "Crane", "size": "small", "amount": "1200"})
        create_record(scope, "deal", {"name": "Press", "size": "wide", "stage": "meeting", "amount": "800"})
        create_record(scope, "deal", {"name": "Lathe"})
    change(databases, tenant, RETIRED)
    state = context.storage_state()
    context.close()
    return origin, state


def lane(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def card(place: Page | Locator, name: str) -> Locator:
    return place.locator("[data-card]", has_text=name)


def test_cards_move_between_options(new_context: NewContext, sized: tuple[str, dict]) -> None:
    origin, state = sized
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/deal/board?view=sizes")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#board section h2")).to_have_text(["Small", "Large", "Wide", "No size"])
    with page.expect_response("**/moved?*"):
        drag(page, card(page, "Lathe"), lane(page, "Small").locator("ul"))
    expect(card(lane(page, "Small"), "Lathe")).to_be_visible()
    toast = page.get_by_role("status").filter(has_text="Lathe moved to Small")
    toast.get_by_role("button", name="Undo").click()
    expect(card(lane(page, "No size"), "Lathe")).to_be_visible()

    card(page, "Lathe").focus()
    card(page, "Lathe").press("Alt+ArrowLeft")  # past the retired one, to one that asks
    dialog = page.get_by_role("dialog", name="Move to Large")
    expect(dialog).to_contain_text("Say what comes next.")
    assert_sound(page, [one for one in problems if "422" not in one])
    dialog.locator("#f-next_step").fill("Deliver")
    dialog.get_by_role("button", name="Move").click()
    expect(card(lane(page, "Large"), "Lathe")).to_be_visible()
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Actions for Lathe").click()
    menu = page.locator("#card-menu")
    expect(menu.locator(".menu-item:visible")).to_have_text(["Small", "No size"])
    menu.get_by_role("button", name="No size").click()
    expect(card(lane(page, "No size"), "Lathe")).to_be_visible()
    page.reload()
    expect(card(lane(page, "No size"), "Lathe")).to_be_visible()


def test_nothing_drops_into_what_is_retired_and_its_cards_leave_it(
    new_context: NewContext, sized: tuple[str, dict]
) -> None:
    origin, state = sized
    page = new_context(storage_state=state).new_page()
    page.goto(f"{origin}/records/deal/board")
    page.wait_for_load_state("networkidle")
    expect(lane(page, "Meeting")).to_contain_text("Retired")
    drag(page, card(page, "Crane"), lane(page, "Meeting").locator("ul"))
    expect(page.get_by_role("alert")).to_contain_text("Meeting is retired: nothing can be moved into it.")
    expect(card(lane(page, "New"), "Crane")).to_be_visible()
    card(page, "Press").focus()
    card(page, "Press").press("Alt+ArrowRight")
    expect(card(lane(page, "Proposal"), "Press")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Press moved to Proposal")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(lane(page, "Meeting")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_boards_are_sound_in_every_look(new_context: NewContext, sized: tuple[str, dict], look: str) -> None:
    origin, state = sized
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    for view in ("sizes", "owners", ""):
        page.goto(f"{origin}/records/deal/board?view={view}")
        expect(page.locator("#board section").first).to_be_visible()
        assert_sound(page, problems)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{look}-board-{view or 'stages'}.png")
