"""Files in the browser: fields made in settings, a file dropped and chosen, shown, replaced and taken out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tenants.registry.directory import find_tenant
from tenants.scope import SYSTEM, enter_job
from tests.app.files.conftest import png
from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched
from tests.support.shaping import change

from .test_pages import LOOKS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Route

#: Pictures of the pages land here when it is set.
SHOTS = os.environ.get("RAPPORT_SHOTS", "")
LOGO: FilePayload = {"name": "kestrel-logo.png", "mimeType": "image/png", "buffer": png(320, 200)}
TERMS: FilePayload = {"name": "Terms and conditions 2026.pdf", "mimeType": "application/pdf", "buffer": b"%PDF " * 9000}
FIELDS = """
- {kind: field, name: company.logo, type: image, label: Logo}
- {kind: field, name: company.terms, type: file, label: Terms}
- kind: object
  name: company
  list_columns: [logo, industry, terms, owner]
"""
_DROP = """
(zone, [name, text, times = 1]) => {
  const carried = new DataTransfer()
  carried.items.add(new File(Array(times).fill(text), name, { type: 'text/plain' }))
  zone.dispatchEvent(new DragEvent('dragover', { dataTransfer: carried, bubbles: true, cancelable: true }))
  zone.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }))
}
"""


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"files-{name}.png"))


def field_of(page: Page, name: str) -> Locator:
    return page.locator(f"#field-{name}")


def made(site: Site, context: BrowserContext) -> tuple[Page, str, list[str]]:
    """A workspace whose companies have a logo and terms, and a company with both."""
    problems: list[str] = []
    page = watched(context.new_page(), problems)
    origin = sign_up(page, site, "Paper Works", "Ann Admin")
    slug = origin.removeprefix("http://").partition(".")[0]
    found = find_tenant(site.runtime.databases, slug)
    assert found is not None
    with enter_job(site.runtime.databases, found.id, actor=SYSTEM, write=False) as scope:
        tenant = scope.tenant
    change(site.runtime.databases, tenant, FIELDS)
    page.goto(f"{origin}/records/company")
    page.get_by_role("button", name="New company").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").first.fill("Kestrel")
    more = dialog.get_by_text("More fields")
    if more.count():
        more.click()
    dialog.locator("#f-logo").set_input_files(LOGO)
    expect(dialog.get_by_text("kestrel-logo.png", exact=True)).to_be_visible()
    dialog.locator("#f-logo").scroll_into_view_if_needed()
    shot(page, "new")
    dialog.get_by_role("button", name="Create company").click()
    page.wait_for_url("**/records/company/*")
    return page, origin, problems


def test_files_are_chosen_dropped_replaced_and_taken_out(site: Site, new_context: NewContext) -> None:
    page, _, problems = made(site, new_context())
    expect(field_of(page, "logo").get_by_text("kestrel-logo.png")).to_be_visible()
    assert page.evaluate("[...document.querySelectorAll('#field-logo img')].every((one) => one.naturalWidth === 320)")
    page.get_by_role("button", name="Edit Terms").click()
    form = field_of(page, "terms")
    expect(form.locator("#f-terms")).to_be_focused()
    form.locator("#f-terms").set_input_files(TERMS)
    expect(form.get_by_role("status")).to_contain_text("save to keep it")
    assert_sound(page, problems)
    shot(page, "edit")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit Terms")).to_contain_text("Terms and conditions 2026.pdf")
    with page.expect_download() as download:
        field_of(page, "terms").get_by_role("link").click()
    assert download.value.suggested_filename == "Terms and conditions 2026.pdf"

    page.get_by_role("button", name="Edit Terms").click()
    form.locator("label.drop").evaluate(_DROP, ["notes.txt", "dropped"])
    expect(form.get_by_role("status")).to_contain_text("notes.txt is here")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit Terms")).to_contain_text("notes.txt")
    page.get_by_role("button", name="Edit Terms").press("F2")
    form.get_by_role("button", name="Remove the file").press("Enter")
    expect(form.locator("#f-terms")).to_be_focused()
    form.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("button", name="Edit Terms")).to_contain_text("empty")
    shot(page, "record")
    assert_sound(page, problems)


def test_what_is_wrong_with_a_file_is_said_where_it_was_chosen(site: Site, new_context: NewContext) -> None:
    page, _, problems = made(site, new_context())
    page.get_by_role("button", name="Edit Logo").click()
    form = field_of(page, "logo")
    page_of_html: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    form.locator("#f-logo").set_input_files(page_of_html)
    expect(form.get_by_role("alert")).to_contain_text("cat.png is no picture that can be shown.")
    form.locator("label.drop").evaluate(_DROP, ["large.bin", "0" * 1_000_000, 26])
    expect(form.get_by_role("alert")).to_contain_text("A file may have at most 25 MB.")
    shot(page, "wrong")
    assert_sound(page, problems)
    form.locator("#f-logo").press("Escape")
    expect(page.get_by_role("button", name="Edit Logo")).to_contain_text("kestrel-logo.png")


def test_a_form_saved_while_its_file_is_on_the_way_is_saved_when_the_file_has_come(
    site: Site, new_context: NewContext
) -> None:
    page, _, problems = made(site, new_context())
    on_the_way: list[Route] = []

    def hold(route: Route) -> None:
        on_the_way.append(route)

    page.route("**/api/v1/files", hold)
    page.get_by_role("button", name="Edit Terms").click()
    form = field_of(page, "terms")
    form.locator("#f-terms").set_input_files(TERMS)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Saved as soon as the file is here.").first).to_be_visible()
    shot(page, "waiting")
    assert_sound(page, problems)
    form.get_by_role("button", name="Stop").click()
    expect(form.locator("#f-terms")).to_be_focused()
    expect(form.get_by_role("button", name="Stop")).to_be_hidden()
    form.locator("#f-terms").set_input_files(TERMS)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Saved as soon as the file is here.").first).to_be_visible()
    on_the_way[-1].continue_()
    expect(page.get_by_role("button", name="Edit Terms")).to_contain_text("Terms and conditions 2026.pdf")
    assert len(on_the_way) == 2
    assert_sound(page, problems)


@pytest.mark.parametrize("look", LOOKS)
def test_files_look_right(look: str, site: Site, new_context: NewContext) -> None:
    page, origin, problems = made(site, new_context(**LOOKS[look]))
    field_of(page, "logo").scroll_into_view_if_needed()
    shot(page, f"record-{look}")
    assert_sound(page, problems)
    page.get_by_role("button", name="Edit Logo").click()
    expect(page.locator("#f-logo")).to_be_focused()
    page.locator("#f-logo").scroll_into_view_if_needed()
    shot(page, f"edit-{look}")
    assert_sound(page, problems)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit Logo")).to_be_visible()
    page.goto(f"{origin}/settings/objects/company/fields/new")
    shot(page, f"cards-{look}")
    page.goto(f"{origin}/records/company")
    shot(page, f"list-{look}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_sound(page, problems)
