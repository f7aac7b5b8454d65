"""The record's page tells the chain of causes, and the history of one field in a dialog."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from app.records import write
from app.records.pages import timeline
from tenants.scope import enter_job
from tests.support.imports import import_file, query
from tests.support.records import make_company, make_deal, record_id
from tests.support.sessions import open_session
from tests.support.tenants import owner_of
from tests.support.web import Browser, build_site

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@pytest.fixture
def visit(runtime: Runtime, new_tenant: NewTenant) -> tuple[Browser, Tenant, str]:
    """A browser with the owner's session, the workspace and its address."""
    tenant = new_tenant(locale="de")
    browser = Browser(build_site(runtime))
    name, _, token = open_session(runtime.databases, tenant, owner_of(runtime.databases, tenant)).partition("=")
    browser.cookies[tenant.host][name] = token
    return browser, tenant, f"http://{tenant.host}:8000"


def plain(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def test_an_imported_record_says_from_which_file_and_by_whom(
    runtime: Runtime, visit: tuple[Browser, Tenant, str]
) -> None:
    browser, tenant, here = visit
    started = import_file(runtime, tenant, "name\nAcme\n", object="company")["import"]
    (row,) = query(runtime, tenant, "select id from o_company")
    page = browser.get(f"{here}/records/company/{row[0]}")
    assert page.status == 200
    owner = owner_of(runtime.databases, tenant)
    assert f"Imported from file.csv by {owner.name}" in plain(page.text)
    assert f'href="/imports/{started}"' in page.text


def test_the_history_of_a_field_names_who_changed_it_from_what_to_what(
    runtime: Runtime, visit: tuple[Browser, Tenant, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, tenant, here = visit
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
        first, second = (record_id(make_company(scope, name)) for name in ("First Ltd", "Second Ltd"))
        deal = record_id(make_deal(scope, company=str(first), amount={"amount": "1234.5", "currency": "EUR"}))
        write.update_record(scope, "deal", deal, {"company": str(second)})
        write.update_record(scope, "deal", deal, {"amount": {"amount": "2000", "currency": "EUR"}})
        write.update_record(scope, "deal", deal, {"company": str(first)})
    address = f"{here}/records/deal/{deal}/fields"
    dialog = browser.get(f"{address}/company/history")
    assert dialog.status == 200
    said = plain(dialog.text)
    assert said.index("from Second Ltd → to First Ltd") < said.index("from First Ltd → to Second Ltd")
    assert said.count(owner.name) == 2
    assert "1.234,50" in plain(browser.get(f"{address}/amount/history").text)
    assert "Nobody has changed it" in plain(browser.get(f"{address}/next_step/history").text)
    nothing, gone = browser.get(f"{address}/nothing/history"), browser.get(f"{here}/records/deal/{tenant.id}")
    assert (nothing.status, gone.status) == (404, 404)
    assert "Look in the trash" not in nothing.text
    assert "Look in the trash" in gone.text
    monkeypatch.setattr(timeline, "_CHANGES", 1)
    first_page = browser.get(f"{address}/company/history").text
    following = re.search(r"history\?after=([0-9a-f-]+)", first_page)
    assert following is not None
    assert "First Ltd → to" not in plain(first_page)
    older = browser.get(f"{address}/company/history?after={following[1]}")
    assert "from First Ltd → to Second Ltd" in plain(older.text)
    assert "<dialog" not in older.text
    assert browser.get(f"{address}/company/history?after=x").status == 422


def test_each_field_on_the_page_opens_its_history(runtime: Runtime, visit: tuple[Browser, Tenant, str]) -> None:
    browser, tenant, here = visit
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        company = record_id(make_company(scope, "Acme"))
    text = browser.get(f"{here}/records/company/{company}").text
    buttons = re.findall(r'<button[^>]*hx-get="/records/company/[^"]*/fields/(\w+)/history"', text)
    assert "name" in buttons
    assert len(buttons) == len(set(buttons)) == text.count('<dt class="muted flex min-h-8')
