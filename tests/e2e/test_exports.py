"""Records into a file through the browser: the list as it stands, the chosen rows, with the keyboard, on a phone."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from app.exports.run import run_export
from tenants.scope import SYSTEM, enter_job
from tests.e2e.conftest import NewContext, Site, assert_sound, watched


def run_waiting(site: Site, origin: str) -> None:
    """As a worker would."""
    databases = site.runtime.databases
    with databases.control.connect() as connection:
        slug = origin.removeprefix("http://").partition(".")[0]
        tenant = connection.exec_driver_sql("select id from tenant where slug = %s", (slug,)).scalar_one()
    with enter_job(databases, tenant, actor=SYSTEM, write=False) as scope:
        waiting = scope.execute("select id from export where state = 'queued'").fetchall()
    assert waiting
    for (export_id,) in waiting:
        run_export(site.runtime, tenant, export_id)


def saved(page: Page) -> list[str]:
    """The lines of the newest file."""
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").first.click()
    return Path(started.value.path()).read_text(encoding="utf-8-sig").splitlines()


def test_what_the_list_shows_becomes_a_file(site: Site, workspace: tuple[str, dict], new_context: NewContext) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state, accept_downloads=True).new_page(), problems)
    page.goto(f"{origin}/exports")
    expect(page.get_by_text("No exports yet")).to_be_visible()
    assert_sound(page, problems)
    page.goto(f"{origin}/records/company")
    names = page.locator("tbody th a").all_text_contents()
    word = names[-1].split()[0].lower()
    wanted = [name for name in names if word in name.lower()]
    page.get_by_label("Quick search in Companies").fill(word)
    page.wait_for_url(f"**q={word}*")
    expect(page.locator("tbody th a")).to_have_count(len(wanted))
    page.get_by_role("button", name="Export", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Export companies")
    expect(dialog).to_contain_text("that fit the present filter")
    expect(dialog).to_contain_text(f"{len(wanted)} compan")
    assert_sound(page, problems)
    dialog.get_by_label("All columns").check()
    dialog.get_by_label("All columns").uncheck()
    dialog.get_by_label("Name", exact=True).check()
    dialog.get_by_role("button", name="Export").click()
    expect(page.get_by_text("Waiting")).to_be_visible()
    assert_sound(page, problems)
    run_waiting(site, origin)
    expect(page.get_by_text("Done")).to_be_visible()
    assert saved(page) == ["name", *wanted]
    assert_sound(page, problems)


def test_chosen_rows_become_a_file_on_a_phone_in_the_dark(
    site: Site, workspace: tuple[str, dict], new_context: NewContext
) -> None:
    origin, state = workspace
    problems: list[str] = []
    context = new_context(storage_state=state, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = watched(context.new_page(), problems)
    page.goto(f"{origin}/records/company")
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Export what is selected").click()
    dialog = page.get_by_role("dialog", name="Export companies")
    expect(dialog).to_contain_text("2 companies chosen in the list")
    assert_sound(page, problems)
    dialog.get_by_role("button", name="Export").click()
    page.wait_for_url("**/exports")
    run_waiting(site, origin)
    expect(page.get_by_role("link", name="Download Companies, 2 records")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_sound(page, problems)
    page.get_by_role("button", name="Delete the export of Companies, 2 records").first.click()
    expect(page.get_by_role("link", name="Download Companies, 2 records")).to_have_count(0)
