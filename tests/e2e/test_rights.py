"""A member who may only read sees no control that changes anything."""

from __future__ import annotations

from playwright.sync_api import expect

from tenants.scope import SYSTEM, enter_job
from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched

_POST = """(path) => fetch(path, {method: 'POST', body: new URLSearchParams({name: 'Sneaked in'}),
  headers: {'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})
  .then((answer) => answer.status)"""


def _make_read_only(site: Site, slug: str) -> None:
    databases = site.runtime.databases
    with databases.control.connect() as connection:
        tenant = connection.exec_driver_sql("select id from tenant where slug = %s", (slug,)).scalar_one()
    with enter_job(databases, tenant, actor=SYSTEM, write=True) as scope:
        scope.execute("update member set role = 'read_only'")


def test_a_read_only_member_sees_records_but_no_way_to_change_them(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Reader House", "Rea Reader")
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_role("button", name="Remove sample data").wait_for()
    _make_read_only(site, origin.removeprefix("http://").partition(".")[0])
    page.goto(origin)
    expect(page.get_by_role("link", name="Import")).to_have_count(0)
    expect(page.get_by_role("link", name="Trash")).to_have_count(0)
    expect(page.get_by_text("sample data")).to_have_count(0)
    page.goto(f"{origin}/records/deal")
    expect(page.get_by_role("button", name="New deal")).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Export")).to_have_count(0)
    assert page.evaluate(_POST, "/records/deal/export") == 403
    assert page.evaluate(_POST, "/api/v1/exports") == 403
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=2, name="Details")).to_be_visible()
    for name in ("Edit Amount", "Save note", "Delete deal", "Qualified"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.get_by_role("button", name="More actions").click()
    expect(page.get_by_role("group", name="More actions").get_by_role("button")).to_have_text(["History of Stage"])
    assert_sound(page, problems)
    page.goto(f"{origin}/records/deal/board")
    expect(page.get_by_role("button", name="Actions for")).to_have_count(0)
    assert page.evaluate(_POST, "/records/deal/new") == 403
    page.keyboard.press("Control+k")
    expect(page.get_by_role("group", name="Go to")).to_be_visible()
    expect(page.get_by_role("group", name="Do")).to_have_count(0)
