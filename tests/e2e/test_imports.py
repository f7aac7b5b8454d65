"""A file through the pages to its end: guessed, corrected, foreseen, imported with progress, reported, taken back."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from playwright.sync_api import expect

from app.imports.run import run_import
from app.imports.undo import run_undo
from tests.e2e.conftest import NewContext, Site, assert_sound, sign_up, watched
from tests.e2e.test_people_and_rights import tenant_at

_DEALS = (
    "Opportunity,Account,Stage,Close date,Amount,Chance\n"
    'Harbour crane,Acme,Won,31.12.2026,"12,500.00",45\n'
    "Drill rig,Acme,Engaging,15.01.2027,900,10\n"
    "Nobody's,,Won,soon,5,20\n"
)


def test_a_file_goes_through_the_pages_to_its_end(site: Site, new_context: NewContext) -> None:
    problems: list[str] = []
    page = watched(new_context().new_page(), problems)
    origin = sign_up(page, site, "Importing Ltd", "Ida Import")
    tenant = tenant_at(site, origin)
    page.goto(f"{origin}/imports/new?object=deal")
    file = {"name": "deals.csv", "mimeType": "text/csv", "buffer": _DEALS.encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Field for Opportunity")).to_have_value("name")
    expect(page.get_by_label("Field for Account")).to_have_value("company")
    expect(page.get_by_label("Field for Close date")).to_have_value("close_on")
    page.get_by_label("Field for Chance").select_option("probability")
    page.get_by_label("When Account is not found").select_option("create")
    page.get_by_label("Stage “Engaging”").select_option("qualified")
    expect(page.get_by_text("2 will be imported")).to_be_visible()
    expect(page.get_by_text("1 will be refused")).to_be_visible()
    expect(page.get_by_role("table", name="Problems")).to_contain_text("'soon' is not a date")
    assert_sound(page, problems)

    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_role("progressbar", name="Rows done")).to_be_visible()
    import_id = UUID(urlsplit(page.url).path.rpartition("/")[2])
    run_import(site.runtime, tenant.id, import_id)
    expect(page.get_by_text("All rows were read; 1 could not be imported.")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    with page.expect_download() as kept:
        page.get_by_role("link", name="Error file").click()
    lines = Path(kept.value.path()).read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["row", "4"]
    assert_sound(page, problems)

    page.get_by_role("link", name="Show deals").click()
    expect(page.get_by_role("table").first).to_contain_text("45%")
    page.go_back()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("progressbar", name="Taken back")).to_be_visible()
    run_undo(site.runtime, tenant.id, import_id)
    expect(page.get_by_text("What this import created is in the trash")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert_sound(page, problems)
