"""A member's own views: kept from a list as it stands, changed, deleted and brought back; nobody else's business."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api, make_key
from tests.support.desk import Desk
from tests.support.rights import make_person
from tests.support.shaping import change
from tests.support.tenants import PATIENT
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant
    from tests.support.web import Page

SHAPE = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, label: Serial, required: true}
  size: {type: select, label: Size, options: {small: {label: Small}, large: {label: Large}}}
  weight: {type: integer, label: Weight}
  price: {type: money, label: Price}
---
{kind: view, name: machine.heavy, label: Heavy ones, filter: weight > 100, columns: [{name: weight}]}
---
{kind: view, name: machine.sizes, label: By size, shape: board, group_by: size}
"""
_AT = "/records/machine"
HTMX = {"HX_Request": "true"}


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def tenant(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    tenant = new_tenant()
    change(runtime.databases, tenant, SHAPE)
    return tenant


@pytest.fixture
def api(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    found = Api(site, make_key(runtime.databases, tenant, "owner"))
    for serial, size, weight in (("Lathe", "small", 50), ("Mill", "large", 500), ("Press", "large", 5000)):
        found.post("/records/machine", {"serial": serial, "size": size, "weight": weight})
    return found


@pytest.fixture
def desk(site: Flask, runtime: Runtime, tenant: Tenant, api: Api) -> Desk:
    return Desk(site, runtime, tenant)


@pytest.fixture
def colleague(site: Flask, runtime: Runtime, tenant: Tenant) -> Desk:
    """A member who may read, and nothing else."""
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=PATIENT) as scope:
        person = make_person(scope, "read_only")
    return Desk(site, runtime, tenant, person)


def send(desk: Desk, path: str, **form: Any) -> Page:
    """A form as htmx sends it."""
    return desk.browser.post(f"http://{desk.tenant.host}:8000{_AT}/views{path}", form, **HTMX)


def keep(desk: Desk, label: str, query: str = "", shape: str = "list") -> str:
    """Keep what ``query`` shows; the id it got."""
    page = send(desk, f"/new?{query}&shape={shape}", label=label)
    assert page.status == 200, page.text
    found = re.fullmatch(rf"{_AT}(?:/board)?\?view=(own-[0-9a-f]+)", page.response.headers["HX-Redirect"])
    assert found
    return found[1]


def tabs(page: Page) -> list[tuple[str, bool]]:
    """The views' tabs: what they are called, and whether they are the reader's own."""
    line = page.text.split('aria-label="Views of machines"')[1].split("</nav>")[0] if "Views of" in page.text else ""
    found = [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<a [^>]*>(.*?)</a>", line, re.DOTALL)]
    return [(unescape(one).removesuffix("(your own view)"), one.endswith("(your own view)")) for one in found]


def rows(page: Page) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*><a[^>]*><bdi>([^<]+)', page.text)


def test_what_is_shown_is_kept_with_its_words_and_order_by_who_may_only_read(colleague: Desk, api: Api) -> None:
    listed = colleague.get(f"{_AT}?filter=weight+%3C+1000&q=l&sort=-weight")
    assert "Save as view" in listed.text
    dialog = colleague.get(f"{_AT}/views/new?filter=weight+%3C+1000&q=l&sort=-weight&shape=list")
    assert "Weight is less than 1000" in dialog.text
    assert "Everybody" not in dialog.text
    own = keep(colleague, "  Not   so heavy ", "filter=weight+%3C+1000&q=l&sort=-weight")
    page = colleague.get(f"{_AT}?view={own}")
    assert rows(page) == ["Mill", "Lathe"]
    assert tabs(page) == [("All machines", False), ("Heavy ones", False), ("By size", False), ("Not so heavy", True)]
    assert "Save changes" not in page.text
    assert rows(colleague.get(f"{_AT}?view={own}&q=lathe")) == ["Lathe"]


def test_only_who_shapes_the_workspace_can_choose_everybody(desk: Desk, colleague: Desk) -> None:
    query = "view=heavy&filter=size+%3D%3D+%22large%22&q=mill&sort=-weight&shape=list"
    assert "Everybody" in desk.get(f"{_AT}/views/new?{query}").text
    sent = send(desk, f"/new?{query}", label="Large", who="everybody")
    target = sent.response.headers["HX-Redirect"]
    assert target.startswith("/settings/objects/machine/views/new?")
    form = desk.get(target).text
    assert 'value="Large"' in form
    assert "weight &gt; 100" in form
    assert "serial.lower().contains" in form
    kept = send(colleague, f"/new?{query}", label="Large", who="everybody").response.headers["HX-Redirect"]
    assert kept.startswith(f"{_AT}?view=own-")


def test_a_view_of_ones_own_is_nobody_elses(desk: Desk, colleague: Desk) -> None:
    own = keep(desk, "Mine", "filter=weight+%3E+1000")
    assert rows(desk.get(f"{_AT}?view={own}")) == ["Press"]
    theirs = colleague.get(f"{_AT}?view={own}")
    assert sorted(rows(theirs)) == ["Lathe", "Mill", "Press"]
    assert "Mine" not in theirs.text
    assert colleague.get(f"{_AT}/views/{own}").status == 404
    for act in ("", "/shown?shape=list", "/delete", "/restore"):
        assert send(colleague, f"/{own}{act}", label="Theirs").status == 404
    assert ("Mine", True) in tabs(desk.get(_AT))
    send(desk, f"/{own}/delete")
    assert send(colleague, f"/{own}/restore").status == 404


def test_it_is_brought_to_what_is_shown_renamed_and_given_another_condition(desk: Desk) -> None:
    own = keep(desk, "Heavy", "filter=weight+%3E+100")
    narrower = desk.get(f"{_AT}?view={own}&q=press&sort=-weight")
    assert "Save changes" in narrower.text
    assert send(desk, f"/{own}/shown?view={own}&q=press&sort=-weight&shape=list").status == 200
    assert rows(desk.get(f"{_AT}?view={own}")) == ["Press"]
    dialog = desk.get(f"{_AT}/views/{own}").text
    assert "contains(&#34;press&#34;)" in dialog
    changed = send(desk, f"/{own}", label="Light", filter="weight < 100")
    assert changed.response.headers["HX-Redirect"] == f"{_AT}?view={own}"
    page = desk.get(f"{_AT}?view={own}")
    assert (rows(page), tabs(page)[-1]) == (["Lathe"], ("Light", True))
    model = '{"join": "all", "items": [{"field": "weight", "op": "gt", "value": {"form": "value", "text": "900"}}]}'
    send(desk, f"/{own}", label="Light", filter="weight < 100", **{"filter.rows": model})
    assert rows(desk.get(f"{_AT}?view={own}")) == ["Press"]


def test_a_view_is_deleted_and_brought_back_in_its_place(desk: Desk) -> None:
    first, second = keep(desk, "First", "q=mill"), keep(desk, "Second", "q=press")
    gone = send(desk, f"/{first}/delete").response.headers["HX-Redirect"]
    page = desk.get(gone)
    assert [label for label, own in tabs(page) if own] == ["Second"]
    assert "View First deleted" in page.text
    assert desk.get(f"{_AT}/views/{first}").status == 404
    back = send(desk, f"/{first}/restore").response.headers["HX-Redirect"]
    assert rows(desk.get(back)) == ["Mill"]
    assert [label for label, own in tabs(desk.get(_AT)) if own] == ["First", "Second"]
    assert "deleted" not in desk.get(gone).text
    send(desk, f"/{first}/delete")
    send(desk, f"/{second}/delete")
    assert send(desk, f"/{first}/restore").status == 404
    assert send(desk, f"/{second}/delete").status == 404


@pytest.mark.parametrize(
    ("label", "query", "message"),
    [
        ("  ", "q=x", "Give the view a name."),
        ("x" * 81, "q=x", "at most 80 characters"),
        ("HEAVY", "q=x", "You have a view called HEAVY already"),
        ("New", "filter=wieght+%3E+1", "Did you mean"),
        ("New", "sort=nothing", "nothing"),
        ("New", "filter=serial+%3D%3D+%22" + "x" * 4_000 + "%22", "4,000 characters"),
        ("New", "shape=board", "stage"),
        ("New", "filter=serial+%3D%3D+%22%00%22", ""),
    ],
)
def test_what_can_not_be_kept_is_said_and_nothing_is(desk: Desk, label: str, query: str, message: str) -> None:
    keep(desk, "Heavy", "filter=weight+%3E+100")
    page = send(desk, f"/new?{query}", label=label)
    assert page.status == 422
    assert message in unescape(page.text)
    assert [one for one, own in tabs(desk.get(_AT)) if own] == ["Heavy"]


def test_there_are_twenty_at_most(desk: Desk) -> None:
    kept = [keep(desk, f"View {at}", "q=x") for at in range(20)]
    page = send(desk, "/new?q=x&shape=list", label="One more")
    assert (page.status, "that is the most" in page.text) == (422, True)
    send(desk, f"/{kept[0]}/delete")
    keep(desk, "One more", "q=x")
    assert send(desk, f"/{kept[0]}/restore").status == 409


def test_boards_and_columns_are_kept_and_those_of_a_workspaces_view_with_it(desk: Desk) -> None:
    desk.post(f"{_AT}/columns", columns=["price", "size"])
    plain = keep(desk, "Chosen", "q=l")
    within = keep(desk, "Heavier", "view=heavy&filter=weight+%3E+1000")
    board = keep(desk, "Sizes", "view=sizes&q=l", shape="board")
    desk.post(f"{_AT}/columns", reset="1")
    heads = [re.findall(r'<th scope="col".*?</th>', desk.get(f"{_AT}?view={one}").text) for one in (plain, within)]
    assert [[name in "".join(one) for name in ("Price", "Size", "Weight")] for one in heads] == [
        [True, True, False], [False, False, True],
    ]  # fmt: skip
    assert rows(desk.get(f"{_AT}?view={within}")) == ["Press"]
    shown = desk.get(f"{_AT}/board?view={board}").text
    assert re.findall(r'data-board-target="list" data-value="([^"]*)"', shown) == ["small", "large", ""]
    assert re.findall(r"data-card [^>]*aria-label=\"([^\"]+)", shown.replace("\n", " ")) == ["Lathe", "Mill"]
    assert f'href="{_AT}/board?view={board}"' in shown


def test_columns_of_a_view_are_chosen_in_it(desk: Desk, colleague: Desk) -> None:
    own = keep(desk, "Chosen", "q=l")
    assert f"{_AT}/columns?view={own}" in desk.get(f"{_AT}?view={own}").text
    assert "Columns of Chosen" in desk.get(f"{_AT}/columns?view={own}").text
    desk.post(f"{_AT}/columns?view={own}", columns=["price", "nothing"])
    heads = [desk.get(_AT + asks).text.split("<thead>")[1].split("</thead>")[0] for asks in (f"?view={own}", "")]
    assert ["Size" in one for one in heads] == [False, True]
    assert colleague.get(f"{_AT}/columns?view={own}").status == 404


def test_its_condition_holds_on_records_pages_in_sums_and_in_exports(desk: Desk, api: Api) -> None:
    for at in range(60):
        api.post(
            "/records/machine", {"serial": f"Saw {at:02}", "weight": at, "price": {"amount": "2", "currency": "EUR"}}
        )
    desk.post(f"{_AT}/columns", columns=["price"])
    own = keep(desk, "Saws", "q=saw&sort=serial")
    page = desk.get(f"{_AT}?view={own}")
    assert "50 of 60" in page.text
    assert "· Price €120" in page.text
    second = re.findall(rf'href="({_AT}/[0-9a-f-]{{36}}\?view={own})"', page.text)[1]
    record = desk.get(second).text
    assert f'href="{_AT}?view={own}"' in record
    assert len(re.findall(rf'href="{_AT}/[0-9a-f-]{{36}}\?view={own}"', record)) == 2
    assert "2 of 60" in re.sub(r"<[^>]+>", "", record)
    assert "60 machines" in desk.get(f"{_AT}/export?view={own}").text


def test_a_view_that_can_not_be_used_any_more_says_so_and_can_be_mended(
    desk: Desk, runtime: Runtime, tenant: Tenant
) -> None:
    listed = keep(desk, "Heavy", "filter=weight+%3E+100&sort=-weight")
    board = keep(desk, "Sizes", "view=sizes&q=l", shape="board")
    gone = [f"{{kind: {kind}, remove: true}}" for kind in (
        "view, name: machine.heavy", "view, name: machine.sizes", "field, name: machine.weight",
        "field, name: machine.size",
    )]  # fmt: skip
    change(runtime.databases, tenant, "\n---\n".join(gone), confirm=True)
    for own, address in ((listed, f"{_AT}?view={listed}"), (board, f"{_AT}/board?view={board}")):
        page = desk.get(address)
        assert page.status == 422
        assert "can't be used any more" in unescape(page.text)
        assert "Delete view" in page.text
        assert [one for one, mine in tabs(page) if mine] == ["Heavy", "Sizes"]
        dialog = desk.get(f"{_AT}/views/{own}")
        assert (dialog.status, "can't be used any more" in unescape(dialog.text)) == (200, True)
    refused = send(desk, f"/{listed}", label="Heavy", filter="weight > 100")
    assert refused.status == 422
    mended = send(desk, f"/{listed}", label="Heavy", filter='serial == "Mill"').response.headers["HX-Redirect"]
    assert rows(desk.get(mended)) == ["Mill"]
    mended = send(desk, f"/{board}", label="Sizes", filter='serial == "Mill"').response.headers["HX-Redirect"]
    assert mended == f"{_AT}?view={board}"
    assert rows(desk.get(mended)) == ["Mill"]
