"""Export in the browser's words: the dialog over the list as it stands, the chosen rows, one's files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.exports import run

if TYPE_CHECKING:
    from tests.support.web import Browser

    from .conftest import Firm

_HIDDEN = re.compile(r'<input type="hidden" name="(filter|sort|chosen)" value="([^"]*)"')


def opened(firm: Firm, browser: Browser, query: str) -> str:
    """The dialog as the list at this address opens it."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies[firm.tenant.host].items())
    headers = {"Cookie": cookie, "HX-Request": "true", "HX-Current-URL": f"{firm.url}/records/company{query}"}
    client = firm.site.test_client(use_cookies=False)
    answer = client.get("/records/company/export", base_url=firm.url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_list_as_it_stands_is_exported(firm: Firm) -> None:
    firm.companies(12)
    browser = firm.browser(firm.owner)
    text = opened(firm, browser, "?filter=employees+%3E+2&q=company+0000&sort=-employees")
    assert "7 companies that fit the present filter" in text
    values = dict(_HIDDEN.findall(text))
    assert values["sort"] == "-employees"
    condition = values["filter"].replace("&gt;", ">").replace("&#34;", '"').replace("&amp;", "&")
    assert condition.startswith("(employees > 2) && (")
    form = {"format": "csv", "fields": ["name"], "filter": condition, "sort": "-employees", "chosen": "0"}
    page = browser.post(f"{firm.url}/records/company/export", form)
    assert page.path == "/exports"
    assert "Waiting" in page.text
    ((export_id,),) = firm.write("select id from export")
    run.run_export(firm.runtime, firm.tenant.id, export_id)
    page = browser.get(f"{firm.url}/exports")
    assert f"/exports/{export_id}/file" in page.text
    file = browser.get(f"{firm.url}/exports/{export_id}/file").response
    assert file.text.splitlines() == ["name", *(f"Company {n:05}" for n in range(9, 2, -1))]
    assert browser.post(f"{firm.url}/exports/{export_id}/delete", {}).path == "/exports"
    assert "No exports yet" in browser.get(f"{firm.url}/exports").text


def test_a_list_nobody_narrowed_is_exported_whole(firm: Firm) -> None:
    firm.companies(2)
    browser = firm.browser(firm.owner)
    assert "2 companies, in the present order" in opened(firm, browser, "")
    assert "2 companies, in the present order" in opened(firm, browser, "?" + "a=1&" * 60)


def test_the_chosen_rows_are_exported(firm: Firm) -> None:
    firm.companies(3)
    ids = [str(row[0]) for row in firm.write("select id from o_company order by name desc limit 2")]
    browser = firm.browser(firm.owner)
    page = browser.post(f"{firm.url}/records/company/export/chosen", {"ids": ids})
    assert "2 companies chosen in the list" in page.text
    values = dict(_HIDDEN.findall(page.text))
    form = {"fields": ["name"], "format": "csv;", "filter": values["filter"].replace("&#34;", '"')}
    assert browser.post(f"{firm.url}/records/company/export", form).path == "/exports"
    ((export_id,),) = firm.write("select id from export")
    run.run_export(firm.runtime, firm.tenant.id, export_id)
    content = browser.get(f"{firm.url}/exports/{export_id}/file").response.data
    assert content.decode("utf-8-sig").splitlines() == ["name", "Company 00001", "Company 00002"]
    for wrong in ([], ["x"]):
        assert browser.post(f"{firm.url}/records/company/export/chosen", {"ids": wrong}).status == 422


def test_what_is_wrong_is_said_in_the_dialog(firm: Firm) -> None:
    browser = firm.browser(firm.owner)
    assert "can&#39;t be used" in (text := opened(firm, browser, "?filter=nme+%3D%3D+1")) or "nme" in text
    page = browser.post(f"{firm.url}/records/company/export", {"format": "csv", "filter": "", "sort": "name"})
    assert "Choose at least one column." in page.text
    page = browser.post(f"{firm.url}/records/company/export", {"format": "xlsx", "fields": ["name"]})
    assert "The format is csv or ndjson" in page.text
    assert firm.write("select id from export") == []


def test_one_under_way_is_cancelled_on_the_page(firm: Firm) -> None:
    browser = firm.browser(firm.owner)
    browser.post(f"{firm.url}/records/company/export", {"format": "ndjson", "fields": ["name"]})
    ((export_id,),) = firm.write("select id from export")
    assert "every 1s" in browser.get(f"{firm.url}/exports").text
    page = browser.post(f"{firm.url}/exports/{export_id}/cancel", {})
    assert "Cancelled" in page.text
    assert "every 1s" not in page.text


def test_an_export_one_may_no_longer_take_offers_no_file(firm: Firm) -> None:
    seller = firm.member(firm.role("seller"))
    browser = firm.browser(seller)
    browser.post(f"{firm.url}/records/company/export", {"format": "ndjson", "fields": ["name", "employees"]})
    ((export_id,),) = firm.write("select id from export")
    run.run_export(firm.runtime, firm.tenant.id, export_id)
    assert "Download" in browser.get(f"{firm.url}/exports").text
    firm.role("seller", fields={"company": {"employees": "none"}})
    page = browser.get(f"{firm.url}/exports")
    assert "Download" not in page.text
    assert "What you may export has changed since." in page.text
