"""Ending somebody's access in the browser: at once, and their records follow while the page tells how far that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from app.records import handover
from tenants.scope import SYSTEM, Actor, enter_job
from tests.e2e.conftest import NewContext, Site, assert_sound, choose, sign_up, watched
from tests.support.records import make_company

from .test_pages import LOOKS
from .test_people_and_rights import make_member, shot, sign_in, tenant_at

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import Tenant


def _jobs(site: Site, tenant: Tenant, member: UUID) -> None:
    """What the worker does."""
    with enter_job(site.runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        asked = handover.get_latest(scope, member)
    handover.run(site.runtime, tenant.id, {"handover": str(asked.id)})


@pytest.mark.parametrize("look", LOOKS)
def test_a_leaving_members_records_go_to_a_team(look: str, site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context(**LOOKS[look]).new_page(), problems)
    origin = sign_up(page, site, f"Leaving {look}", "Ann Admin")
    tenant = tenant_at(site, origin)
    leaver = make_member(site, tenant, "Lea Leaver")
    with enter_job(site.runtime.databases, tenant.id, actor=Actor("member", leaver, "Lea"), write=True) as scope:
        scope.execute("insert into team (name, queue) values ('Inbox', true)")
        for _ in range(3):
            make_company(scope)
    theirs = sign_in(new_context(), site, origin, tenant, leaver)
    theirs.goto(f"{origin}/records/company")
    expect(theirs.get_by_role("heading", level=1, name="Companies")).to_be_visible()
    page.goto(f"{origin}/settings/members/{leaver}")
    choose(page, "Add a team", "Inbox")
    page.get_by_role("button", name="Save teams").click()
    expect(page.get_by_role("checkbox", name="Inbox")).to_be_checked()
    choose(page, "Manager", "Ann Admin")
    page.get_by_role("combobox", name="Hand records over to").press("ArrowDown")
    expect(page.get_by_role("group", name="Teams").get_by_role("option")).to_contain_text("Inbox")
    shot(page, f"{look}-handover-choose")
    assert_sound(page, problems)
    page.keyboard.press("Escape")
    choose(page, "Hand records over to", "Inbox")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("progressbar", name="Records handed over")).to_be_visible()
    shot(page, f"{look}-handover-going")
    assert_sound(page, problems)
    theirs.goto(f"{origin}/records/company")
    expect(theirs.get_by_role("heading", level=1, name="Companies")).to_have_count(0)
    _jobs(site, tenant, leaver)
    expect(page.get_by_text("3 records belong to Inbox now.")).to_be_visible()
    shot(page, f"{look}-handover-done")
    assert_sound(page, problems)
    page.get_by_role("button", name="Hand over", exact=True).click()
    assert page.locator("input:invalid").count() == 1
