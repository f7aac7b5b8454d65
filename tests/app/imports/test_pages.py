"""The way through the browser: a file, its mapping guessed and corrected, progress, what came of it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.access.rights import require
from app.factory.web import create_flask_app
from app.imports.tasks import run
from tests.support.imports import DATA, import_file, needs_data, query
from tests.support.sessions import open_session
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse

    from app.core.ports import Runtime
    from tenants.scope import Tenant

_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_CONTROL = re.compile(r'<(input|select)[^>]* name="([^"]+)"[^>]*?(?: value="([^"]*)")?[^>]*>')


class Visitor:
    """A member's browser at the workspace's host, as far as these pages need one."""

    def __init__(self, runtime: Runtime, tenant: Tenant) -> None:
        self._client = create_flask_app(runtime).test_client(use_cookies=False)
        self._base = f"http://{tenant.host}:8000"
        self._cookie = open_session(runtime.databases, tenant, owner_of(runtime.databases, tenant))
        self.token = ""

    def get(self, path: str) -> TestResponse:
        answer = self._client.get(path, base_url=self._base, headers={"Cookie": self._cookie})
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, object]) -> TestResponse:
        headers = {"Cookie": self._cookie, "Origin": self._base}
        # Encoded here: the test client leaves the temporary file of a large body open.
        boundary, body = encode_multipart({"csrf_token": self.token, **data})
        kind = f"multipart/form-data; boundary={boundary}"
        return self._client.post(path, base_url=self._base, headers=headers, data=body, content_type=kind)


@pytest.fixture
def visit(runtime: Runtime, new_tenant: NewTenant) -> Callable[[], tuple[Visitor, Tenant]]:
    runtime.ports.authorise = require

    def arrive() -> tuple[Visitor, Tenant]:
        tenant = new_tenant(currency="USD")
        return Visitor(runtime, tenant), tenant

    return arrive


def chosen(page: str) -> dict[str, str]:
    """The form's values as a browser would send them."""
    values = {name: value for kind, name, value in _CONTROL.findall(page) if kind == "input" and name != "csrf_token"}
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        picked = re.search(r'<option value="([^"]*)" selected', options)
        values[name] = picked[1] if picked else re.findall(r'<option value="([^"]*)"', options)[0]
    return values


@needs_data
def test_deals_arrive_through_the_pages(runtime: Runtime, visit: Callable[[], tuple[Visitor, Tenant]]) -> None:
    visitor, tenant = visit()
    maven = DATA / "crm" / "maven"
    import_file(runtime, tenant, maven / "accounts.csv", object="company", map=["account=name"])
    products = ["product=name", "product=code"]
    import_file(runtime, tenant, maven / "products.csv", object="product", map=products)
    assert visitor.get("/imports/new?object=deal").status_code == 200
    content = (maven / "sales_pipeline.csv").read_bytes()
    sent = visitor.post("/imports/new", {"object": "deal", "file": FileStorage(io.BytesIO(content), "sales.csv")})
    assert sent.status_code == 303, sent.text
    path = urlsplit(sent.headers["Location"]).path

    values = chosen(visitor.get(path).text)
    guessed = {values[f"header-{number}"]: values[f"column-{number}"] for number in range(8)}
    assert guessed == {
        "opportunity_id": "external_id", "sales_agent": "owner", "product": "product", "account": "company",
        "deal_stage": "stage", "engage_date": "opened_on", "close_date": "close_on", "close_value": "amount",
    }  # fmt: skip
    assert (values["also-column-1"], values["also-1"]) == ("opportunity_id", "name")
    values |= {"policy-1": "create", "policy-2": "empty"}
    values |= {"value-1": "new", "value-2": "new"}
    again = visitor.post(f"{path}/preview", dict(values))
    assert "There is no product called" in again.text
    assert "Import 8,800 rows" in again.text
    started = visitor.post(f"{path}/start", {**chosen(again.text)})
    assert started.status_code == 303, started.text
    assert "every 1s" in visitor.get(f"{path}/progress").text

    run(runtime, tenant.id, {"import": path.rpartition("/")[2]})
    done = visitor.get(path).text
    assert "All rows were imported, 1,480 of them with a warning." in done
    assert "Take it back" in done
    assert "being taken back" not in done
    assert "every 1s" not in done
    assert "8,800" in done
    assert "1,480" in done
    assert visitor.get(f"{path}/errors.csv").text.count("\n") == 1_481
    assert query(runtime, tenant, "select count(*) from o_deal where stage = 'new'") == [(2_089,)]
    ((deal,),) = query(runtime, tenant, "select id from o_deal where external_id = '1C1I7A6R'")
    assert "<bdi>sales.csv</bdi></a> by <bdi>" in visitor.get(f"/records/deal/{deal}").text


def test_what_is_missing_is_said_and_a_draft_can_be_discarded(visit: Callable[[], tuple[Visitor, Tenant]]) -> None:
    visitor, _ = visit()
    visitor.get("/imports/new")
    nothing = visitor.post("/imports/new", {"object": "company"})
    assert nothing.status_code == 422
    assert "Choose a file first." in nothing.text
    sent = visitor.post(
        "/imports/new", {"object": "deal", "file": FileStorage(io.BytesIO(b"when\n03/04/2017\n"), "a.csv")}
    )
    path = urlsplit(sent.headers["Location"]).path
    page = visitor.get(path).text
    assert "No column feeds Name" in page
    unclear = visitor.post(f"{path}/preview", chosen(page) | {"column-0": "opened_on"})
    assert "Day and month can be told apart only by you." in unclear.text
    refused = visitor.post(f"{path}/start", chosen(unclear.text))
    assert refused.status_code == 422
    assert visitor.post(f"{path}/discard", {}).status_code == 303
    assert visitor.get(path).status_code == 404
