"""Support in a browser: let in by an admin, come by a link, seen and told, thrown out."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tenants.identity import support
from tenants.registry.directory import find_tenant
from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched


def _link(site: Site, origin: str) -> str:
    """What ``rapport support enter`` prints."""
    slug = origin.removeprefix("http://").partition(".")[0]
    row = find_tenant(site.runtime.databases, slug)
    assert row is not None
    who = {"name": "Dana Operator", "email": "dana@rapport.example", "reason": "Ticket 4711"}
    return support.ask(site.runtime, row, **who).link


def _let_in(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/support")
    expect(page.get_by_text("Support is not let in")).to_be_visible()
    page.get_by_label("What they may do").select_option("member")
    page.get_by_label("Why").fill("A company has two names")
    page.get_by_role("button", name="Let support in").click()
    expect(page.get_by_text("Nobody came so far.")).to_be_visible()


def _enter(page: Page, link: str, problems: list[str]) -> None:
    """By the link into the workspace, where the bar says until when in the reader's own time."""
    page.goto(link)
    expect(page.get_by_role("heading", name="Enter as support")).to_be_visible()
    assert "#" not in page.url
    assert_sound(page, problems)
    page.get_by_role("button", name="Enter the workspace").click()
    banner = page.get_by_role("region", name="Support session")
    expect(banner).to_contain_text("Dana Operator in Helped House until")
    zone = page.evaluate(
        "new Intl.DateTimeFormat(undefined, {timeZoneName: 'short'}).formatToParts(new Date())"
        ".find((part) => part.type === 'timeZoneName').value"
    )
    expect(banner.locator("time")).to_contain_text(zone)
    expect(page.get_by_role("link", name="Settings")).to_have_count(0)
    assert_sound(page, problems)


def test_support_is_let_in_comes_works_is_told_and_is_thrown_out(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    admin = watched(new_context(timezone_id="Europe/Berlin").new_page(), problems)
    origin = sign_up(admin, site, "Helped House", "Hal Helped")
    admin.get_by_role("button", name="Load sample data").click()
    admin.get_by_role("button", name="Remove sample data").wait_for()
    _let_in(admin, origin)
    assert_sound(admin, problems)

    operator = watched(new_context(timezone_id="America/New_York").new_page(), problems)
    _enter(operator, _link(site, origin), problems)
    banner = operator.get_by_role("region", name="Support session")

    operator.goto(f"{origin}/records/company")
    operator.locator("tbody th a").first.click()
    expect(banner).to_be_visible()
    expect(operator.get_by_role("button", name="Share")).to_have_count(0)
    operator.get_by_role("button", name="Edit Website").click()
    box = operator.get_by_role("textbox", name="Website")
    box.fill("https://helped.example")
    box.press("Enter")
    expect(operator.get_by_text("helped.example").first).to_be_visible()
    assert_sound(operator, problems)

    admin.goto(f"{origin}/settings/support")
    expect(admin.get_by_role("region", name="Support is inside")).to_contain_text("Dana Operator")
    assert_sound(admin, problems)
    admin.get_by_role("link", name="audit log", exact=True).click()
    first = admin.locator("main ol li").first
    expect(first).to_contain_text("Dana Operator")
    expect(first).to_contain_text("Support")
    expect(first).to_contain_text("helped.example")
    assert_sound(admin, problems)

    admin.goto(f"{origin}/settings/support")
    admin.get_by_role("button", name="Take back: A company has two names").click()
    expect(admin.get_by_text("Taken back", exact=True)).to_be_visible()
    operator.goto(f"{origin}/records/company")
    expect(operator.get_by_role("heading", name="Support access has ended")).to_be_visible()
    assert_sound(operator, problems)
