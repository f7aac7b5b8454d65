"""What the workspace's rules would refuse is told before an import begins: on the page and by a dry run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.datastructures import FileStorage

from tests.app.imports.test_pages import Visitor, chosen, visit
from tests.support.imports import import_file, query
from tests.support.shaping import change

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

__all__ = ["visit"]

_RULE = """
kind: rule
name: company.staff_of_technology
when: industry == "technology"
refuse_if: has(employees) && employees > 1000
message: So large a company is not in technology.
field: employees
required: [domain]
"""
_FILE = (
    "name,industry,employees,domain,external_id\n"
    "Small,technology,10,small.example,1\n"
    "Huge,technology,5000,huge.example,2\n"
    "Vast,technology,6000,vast.example,3\n"
    "Bare,technology,5,,4\n"
    "Other,retail,9000,,5\n"
)


def test_the_page_lists_rows_that_rules_will_refuse(
    runtime: Runtime, visit: Callable[[], tuple[Visitor, Tenant]]
) -> None:
    visitor, tenant = visit()
    change(runtime.databases, tenant, _RULE)
    visitor.get("/imports/new?object=company")
    file = FileStorage(io.BytesIO(_FILE.encode()), "companies.csv")
    sent = visitor.post("/imports/new", {"object": "company", "file": file})
    path = urlsplit(sent.headers["Location"]).path
    page = visitor.get(path).text
    assert "2 will be imported" in page
    assert "3 will be refused" in page
    assert "So large a company is not in technology." in page
    assert "3, 4" in page
    assert "Domain is required." in page
    assert query(runtime, tenant, "select count(*) from o_company") == [(0,)]


def test_the_page_judges_records_that_are_there_by_what_they_would_become(
    runtime: Runtime, visit: Callable[[], tuple[Visitor, Tenant]]
) -> None:
    visitor, tenant = visit()
    import_file(runtime, tenant, "name,external_id,industry\nHuge,2,technology\nOther,5,retail\n", object="company")
    change(runtime.databases, tenant, _RULE)
    visitor.get("/imports/new?object=company")
    file = FileStorage(io.BytesIO(b"external_id,employees\n2,5000\n5,5000\n9,5000\n"), "companies.csv")
    sent = visitor.post("/imports/new", {"object": "company", "file": file})
    path = urlsplit(sent.headers["Location"]).path
    values = chosen(visitor.get(path).text) | {"mode": "update", "match": "external_id"}
    page = visitor.post(f"{path}/preview", dict(values)).text
    assert "1 will be refused" in page
    assert "So large a company is not in technology." in page


def test_a_dry_run_names_row_field_and_reason(runtime: Runtime, new_tenant: NewTenant) -> None:
    workspace = new_tenant()
    change(runtime.databases, workspace, _RULE)
    result = import_file(runtime, workspace, _FILE, object="company", dry_run=True)
    assert (result["created"], result["failed"]) == (2, 3)
    told = query(
        runtime, workspace,
        "select row, errors from import_row where import_id = %s and status = 'failed' order by row",
        result["import"],
    )  # fmt: skip
    assert [row for row, _ in told] == [3, 4, 5]
    assert told[0][1][0]["column"] == "employees"
    assert told[0][1][0]["message"] == "So large a company is not in technology."
    assert told[2][1][0]["column"] == "domain"
    assert query(runtime, workspace, "select count(*) from o_company") == [(0,)]
