"""What happened lately, on the start page."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from app.records import trash, write
from app.records.bulk import bulk
from app.records.pages.timeline import lately
from tenants.scope import enter_job
from tests.support.imports import import_file
from tests.support.records import make_company, make_deal, record_id
from tests.support.sessions import open_session
from tests.support.tenants import owner_of
from tests.support.web import Browser, build_site

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


def plain(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def lines(scope: TenantScope) -> list[str]:
    return [plain(f"{entry.who} {entry.what} {entry.title}") for entry in lately(scope)]


def test_each_line_says_who_did_what_to_which_record(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    import_file(runtime, tenant, "name\nImported one\nImported two\n", object="company")
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=30) as scope:
        bulk(scope, "company", [{"name": "Bulk"}] * 3)
        company = record_id(make_company(scope, "Acme"))
        deal = record_id(make_deal(scope, "Two lathes", company=str(company)))
        write.update_record(scope, "deal", deal, {"stage": "won"})
        trash.trash_record(scope, "deal", deal)
        assert lines(scope) == [
            f"{owner.name} deleted the deal Two lathes",
            f"{owner.name} moved the deal from New to Won Two lathes",
            f"{owner.name} created the deal Two lathes",
            f"{owner.name} created the company Acme",
            f"{owner.name} changed many companies at once",
            f"{owner.name} imported file.csv into companies",
        ]
        assert [entry.href for entry in lately(scope)][:4] == ["", "", "", f"/records/company/{company}"]
        trash.destroy_record(scope, "deal", deal)
        assert lines(scope)[0] == f"{owner.name} created the company Acme", "nothing of what is gone"
    browser = Browser(build_site(runtime))
    name, _, token = open_session(runtime.databases, tenant, owner).partition("=")
    browser.cookies[tenant.host][name] = token
    page = browser.get(f"http://{tenant.host}:8000/")
    assert page.status == 200
    assert "Lately" in page.text
    assert f'href="/records/company/{company}"' in page.text


def test_a_new_workspace_has_no_news(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        assert lately(scope) == []
