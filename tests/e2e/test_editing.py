"""What happens when two people, a lost connection or a missing right come between."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import NewContext, drag, watched


def _open_deal(page, origin: str) -> None:  # noqa: ANN001
    page.goto(f"{origin}/records/deal?sort=title")
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=2, name="Details")).to_be_visible()


def test_a_value_changed_by_another_asks_whose_holds(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    mine, theirs = (watched(new_context(storage_state=state).new_page(), problems) for _ in range(2))
    for page in (mine, theirs):
        _open_deal(page, origin)
        page.get_by_role("button", name="Edit Next step").click()
        page.locator("#f-next_step").wait_for()
    theirs.locator("#f-next_step").fill("Their step")
    theirs.locator("#f-next_step").press("Enter")
    expect(theirs.get_by_role("button", name="Edit Next step")).to_contain_text("Their step")
    mine.locator("#f-next_step").fill("My step")
    mine.locator("#f-next_step").press("Enter")
    asked = mine.get_by_role("alert").filter(has_text="changed this meanwhile")
    expect(asked).to_contain_text("Their step")
    expect(asked).to_contain_text("My step")
    asked.get_by_role("button", name="Keep mine").click()
    expect(mine.get_by_role("button", name="Edit Next step")).to_contain_text("My step")
    assert problems == []


def test_a_move_that_fails_puts_the_card_back_and_says_so(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    page = new_context(storage_state=state).new_page()
    page.goto(f"{origin}/records/deal/board")
    lane = page.get_by_role("region").filter(has=page.locator("[data-card]")).first
    card = lane.locator("[data-card]").first
    title = card.get_attribute("aria-label")
    page.route("**/fields/stage/move", lambda route: route.abort())
    card.focus()
    card.press("Alt+ArrowRight")
    expect(page.get_by_role("alert")).to_contain_text("back where it was")
    expect(lane.locator("[data-card]").first).to_have_attribute("aria-label", title or "")


def test_chosen_rows_are_deleted_and_brought_back(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    problems: list[str] = []
    page = watched(new_context(storage_state=state).new_page(), problems)
    page.goto(f"{origin}/records/task")
    rows = page.locator("tbody tr")
    before = rows.count()
    rows.first.get_by_role("checkbox").check()
    expect(page.get_by_role("status").filter(has_text="selected")).to_contain_text("1 selected")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(rows).to_have_count(before - 1)
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(before)
    assert problems == []


def test_sorting_and_searching_change_the_address_and_the_list(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    page = new_context(storage_state=state).new_page()
    page.goto(f"{origin}/records/deal")
    page.get_by_role("columnheader", name="Amount").get_by_role("link").click()
    page.wait_for_url("**sort=-amount*")
    expect(page.get_by_role("columnheader", name="Amount")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("searchbox").fill("renewal")
    page.wait_for_url("**q=renewal*")
    expect(page.locator("tbody tr").first).to_contain_text("renewal")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_theme_and_density_are_kept_with_the_member(new_context: NewContext, workspace: tuple[str, dict]) -> None:
    origin, state = workspace
    page = new_context(storage_state=state).new_page()
    page.goto(origin)
    page.get_by_role("button", name="Theme and density").click()
    with page.expect_response("**/preferences"):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Theme and density").click()
    with page.expect_response("**/preferences"):
        page.get_by_role("button", name="Same as device").click()


def test_a_refreshed_board_holds_one_board_whose_cards_still_drag(
    new_context: NewContext, workspace: tuple[str, dict]
) -> None:
    origin, state = workspace
    page = new_context(storage_state=state).new_page()
    page.goto(f"{origin}/records/deal/board")
    page.wait_for_load_state("networkidle")  # dragging is loaded after the page
    card = page.locator("[data-card]").first
    identity = f"#{card.get_attribute('id')}"
    # Other tests move cards too: begin where this one is not.
    stands_in_meeting = page.get_by_role("region", name="Meeting", exact=True).locator(identity).count()
    for stage in ("Proposal", "Meeting", "Proposal") if stands_in_meeting else ("Meeting", "Proposal", "Meeting"):
        with page.expect_response("**/moved?*"):
            drag(page, page.locator(identity), page.get_by_role("region", name=stage, exact=True).locator("ul"))
        expect(page.get_by_role("region", name=stage, exact=True).locator(identity)).to_be_visible()
        assert page.locator("#board").count() == 1
