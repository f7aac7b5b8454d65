"""An admin makes a sales team by region and an auditor in the browser; each sees what they should, and why is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from app.http.context import WORKSPACE_COOKIE
from tenants.scope import SYSTEM, Actor, enter_job
from tests.e2e.conftest import NewContext, Site, assert_sound, choose, sign_up, watched
from tests.support.sessions import open_session

from .test_pages import LOOKS

if TYPE_CHECKING:
    from uuid import UUID

    from playwright.sync_api import BrowserContext

    from tenants.scope import Tenant

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")


def tenant_at(site: Site, origin: str) -> Tenant:
    slug = origin.removeprefix("http://").partition(".")[0]
    with site.runtime.databases.control.connect() as connection:
        tenant = connection.exec_driver_sql("select id from tenant where slug = %s", (slug,)).scalar_one()
    with enter_job(site.runtime.databases, tenant, actor=SYSTEM, write=False) as scope:
        return scope.tenant


def make_member(site: Site, tenant: Tenant, name: str, role: str = "member") -> UUID:
    with enter_job(site.runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        row = scope.execute(
            "insert into member (name, email, role, status) values (%s, %s, %s, 'active') returning id",
            (name, f"{name.split(maxsplit=1)[0].lower()}@example.test", role),
        ).fetchone()
    assert row is not None
    return row[0]


def sign_in(context: BrowserContext, site: Site, origin: str, tenant: Tenant, member: UUID) -> Page:
    cookie = open_session(site.runtime.databases, tenant, Actor("member", member, ""))
    context.add_cookies(
        [
            {
                "name": WORKSPACE_COOKIE,
                "value": cookie.partition("=")[2],
                "url": origin.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
            }
        ]
    )
    return context.new_page()


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=False)


def share_deal(page: Page, origin: str, name: str, owner: str, team: str) -> str:
    """A deal of somebody's through the API of the admin's own session; its id."""
    made = page.evaluate(
        """async ([name, owner, team]) => {
          const answer = await fetch('/api/v1/records/deal', {method: 'POST', body: JSON.stringify({name, owner, team}),
            headers: {'Content-Type': 'application/json',
              'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})
          return (await answer.json()).id }""",
        [name, owner, team],
    )
    assert made, origin
    return str(made)


def make_team(page: Page, origin: str, name: str, below: str = "", manager: str = "", member: str = "") -> str:
    page.goto(f"{origin}/settings/teams")
    page.get_by_label("Name").fill(name)
    if below:
        choose(page, "Below", below)
    if manager:
        choose(page, "Manager", manager)
    page.get_by_role("button", name="Make team").click()
    page.get_by_role("heading", level=2, name=name).wait_for()
    if member:
        choose(page, "Add a member", member)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("button", name=f"Remove {member} from the team")).to_be_visible()
    return page.url.rpartition("/")[2]


def share_the_large(page: Page) -> None:
    """A rule whose condition is chosen in rows; taken away again."""
    page.locator("#rule").get_by_label("Name").fill("Large")
    choose(page, "Open to", "Nora North")
    meets = page.get_by_role("group", name="Records that meet").first
    meets.get_by_label("Field", exact=True).select_option("amount")
    meets.get_by_label("What is asked of Amount").select_option("gt")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("Enter a number.").first).to_be_visible()
    meets.get_by_label("Value for Amount").fill("100000")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("Amount is more than 100000 EUR")).to_be_visible()
    page.get_by_role("button", name="Delete the rule Large").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()


def test_a_sales_team_by_region_its_manager_and_an_auditor(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Harbour Trade", "Ann Admin")
    tenant = tenant_at(site, origin)
    nora, sven = make_member(site, tenant, "Nora North"), make_member(site, tenant, "Sven South")
    mary, otto = make_member(site, tenant, "Mary Manager", "manager"), make_member(site, tenant, "Otto Auditor")
    make_team(page, origin, "Sales", manager="Mary Manager")
    north = make_team(page, origin, "North", below="Sales", member="Nora North")
    south = make_team(page, origin, "South", below="Sales", member="Sven South")
    page.goto(f"{origin}/settings/sharing/deal")
    page.get_by_label("Reading", exact=True).select_option(label="Team of the record")
    page.get_by_label("Changing", exact=True).select_option(label="Team of the record")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    share_the_large(page)
    page.goto(f"{origin}/settings/roles")
    page.get_by_label("Name").fill("Auditor")
    page.get_by_label("Copy of").select_option(label="Read only")
    page.get_by_role("button", name="Make role").click()
    page.get_by_label("Every other object: Read").select_option(label="All")
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert_sound(page, problems)
    page.goto(f"{origin}/settings/members/{otto}")
    page.get_by_label("Main role").select_option(label="Auditor")
    page.get_by_role("button", name="Save roles").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    in_north = share_deal(page, origin, "Fjord deal", str(nora), north)
    share_deal(page, origin, "Delta deal", str(sven), south)

    def deals_of(member: UUID) -> tuple[Page, set[str]]:
        seen = watched(sign_in(new_context(), site, origin, tenant, member), problems)
        seen.goto(f"{origin}/records/deal")
        expect(seen.get_by_role("heading", level=1, name="Deals")).to_be_visible()
        return seen, set(seen.locator("tbody th a").all_inner_texts())

    assert deals_of(nora)[1] == {"Fjord deal"}
    south_page, southern = deals_of(sven)
    assert southern == {"Delta deal"}
    south_page.goto(f"{origin}/records/deal/{in_north}")
    expect(south_page.get_by_role("heading", name="Not found")).to_be_visible()
    assert deals_of(mary)[1] == {"Fjord deal", "Delta deal"}
    audit_page, audited = deals_of(otto)
    assert audited == {"Fjord deal", "Delta deal"}
    expect(audit_page.get_by_role("button", name="New deal")).to_have_count(0)
    assert_sound(audit_page, problems)
    _why_explains_three_cases(page, origin, in_north, {"Nora North": nora, "Sven South": sven, "Otto Auditor": otto})
    assert_sound(page, problems)


def _why_explains_three_cases(page: Page, origin: str, deal: str, people: dict[str, UUID]) -> None:
    page.goto(f"{origin}/records/deal/{deal}")
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Why can or can").click()
    dialog = page.get_by_role("dialog", name="Why can or can")
    for name, action, verdict, reason in (
        ("Nora North", "edit", "Nora North may edit this.", "Nora North is in it."),
        ("Sven South", "see", "Sven South may not see this.", "Sven South is neither in it nor above it."),
        ("Otto Auditor", "edit", "Otto Auditor may not edit this.", "The role Auditor does not let them edit deals."),
    ):
        assert people[name]
        choose(dialog, "Member", name)
        dialog.get_by_label("May they").select_option(label=action)
        dialog.get_by_role("button", name="Ask").click()
        expect(dialog.get_by_text(verdict)).to_be_visible()
        expect(dialog.get_by_text(reason)).to_be_visible()
    shot(page, "why-dialog")


PAGES = (
    "members", "members/bulk", "teams", "roles", "roles/member", "roles/compare?one=member&other=admin",
    "roles/member/objects/deal", "sharing", "sharing/deal", "access", "audit",
)  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_people_and_rights_are_sound(look: str, new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, **LOOKS[look]).new_page(), problems)
    own = _furnish(page, origin, look)
    for path in (*PAGES, *own):
        page.goto(f"{origin}/settings/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shot(page, f"{look}-{path.replace('/', '_').partition('?')[0]}")
        assert_sound(page, problems)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto(f"{origin}/records/deal")
    page.locator("tbody th a").first.click()
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share")
    choose(dialog, "Share with", "Read only")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("button", name="Remove Read only")).to_be_visible()
    shot(page, f"{look}-share")
    assert_sound(page, problems)
    page.get_by_role("button", name="Why can or can").click()
    page.get_by_role("dialog", name="Why can or can").wait_for()
    shot(page, f"{look}-why")
    assert_sound(page, problems)


def _furnish(page: Page, origin: str, look: str) -> list[str]:
    """A team, a role and an invitation of this look's own; the pages of the first two."""
    team = make_team(page, origin, f"Team {look}")
    page.goto(f"{origin}/settings/roles")
    page.get_by_label("Name").fill(f"Role {look}")
    page.get_by_role("button", name="Make role").click()
    page.get_by_role("button", name="Save role").wait_for()
    role = page.url.rpartition("/")[2]
    page.goto(f"{origin}/settings/roles/{role}?adjust=deal")
    page.get_by_label("Deals: Edit").select_option(label="Own")
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(f"{origin}/settings/members")
    page.get_by_label("E-mail", exact=False).first.fill(f"{look}@example.test")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading", name="Invitation sent")).to_be_visible()
    member = page.get_by_role("link", name="Manage Kit Kestrel").get_attribute("href") or ""
    shot(page, f"{look}-invited")
    return [f"teams/{team}", f"roles/{role}", f"roles/{role}/objects/deal", member.removeprefix("/settings/")]
