"""Exports over HTTP: accepted, watched, fetched, cancelled, thrown away; what is wrong is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.exports import run
from app.exports.files import part_key
from tests.support.api import Api, make_key
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from .conftest import Firm


def test_an_export_is_accepted_run_fetched_and_thrown_away(firm: Firm) -> None:
    firm.companies(3)
    answer = firm.api.call("POST", "/exports", {"object": "company", "fields": ["name"], "delimiter": "semicolon"})
    assert answer.status_code == 202, answer.text
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/exports/{made['id']}"
    assert (made["status"], made["progress"], made["total"], made["file"]) == ("queued", 0.0, 3, None)
    early = firm.api.call("GET", f"/exports/{made['id']}/file")
    assert (early.status_code, early.json["code"]) == (409, "export.state")
    run.run_export(firm.runtime, firm.tenant.id, made["id"])
    done = firm.api.get(f"/exports/{made['id']}")
    assert (done["status"], done["progress"], done["rows"]) == ("done", 1.0, 3)
    file = firm.api.call("GET", done["file"].removeprefix("/api/v1"))
    assert file.data == b"name\r\nCompany 00000\r\nCompany 00001\r\nCompany 00002\r\n"
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"].startswith('attachment; filename="company-20')
    assert int(file.headers["Content-Length"]) == len(file.data) == done["bytes"]
    assert [one["id"] for one in firm.api.get("/exports")["data"]] == [made["id"]]
    assert firm.api.call("DELETE", f"/exports/{made['id']}").status_code == 204
    assert firm.api.call("GET", f"/exports/{made['id']}").status_code == 404


def test_a_repeated_request_starts_no_second_export(firm: Firm) -> None:
    first, again = (
        firm.api.call("POST", "/exports", {"object": "company"}, Idempotency_Key="once").json["id"] for _ in range(2)
    )
    assert first == again
    assert len(firm.api.get("/exports")["data"]) == 1


def test_one_under_way_is_cancelled_and_then_thrown_away(firm: Firm) -> None:
    made = firm.api.post("/exports", {"object": "company"}, 202)
    address = f"/exports/{made['id']}"
    assert firm.api.call("DELETE", address).status_code == 409
    assert firm.api.post(f"{address}/cancel", {}, 200)["status"] == "cancelled"
    assert firm.api.call("POST", f"{address}/cancel", {}).status_code == 409
    run.run_export(firm.runtime, firm.tenant.id, made["id"])
    assert not firm.runtime.storage.exists(part_key(firm.tenant.id, made["id"], 0))
    assert firm.api.call("GET", f"{address}/file").status_code == 409
    assert firm.api.call("DELETE", address).status_code == 204


def test_ones_exports_are_paged_newest_first_and_not_too_many_at_once(firm: Firm) -> None:
    ids = [firm.api.post("/exports", {"object": "company"}, 202)["id"] for _ in range(5)]
    assert firm.api.call("POST", "/exports", {"object": "company"}).json["code"] == "export.state"
    first = firm.api.get("/exports", limit="3")
    second = firm.api.get("/exports", limit="3", cursor=first["next"])
    assert [one["id"] for one in [*first["data"], *second["data"]]] == ids[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"object": "company", "format": "xlsx"}, "/format"),
        ({"object": "company", "delimiter": "x"}, "/delimiter"),
        ({"object": "nothing"}, "/object"),
        ({"object": "company", "fields": ["name", "nme"]}, "/fields"),
        ({"object": "company", "fields": ["deals"]}, "/fields"),
        ({"object": "company", "filter": "nme == 1"}, "/filter"),
        ({"object": "company", "filter": "\0"}, "/filter"),
        ({"object": "company", "sort": "tags"}, "/sort"),
        ({"object": "company", "trash": "all"}, ""),
        ({"object": "company", "fields": "name"}, ""),
        ({"object": "company", "colour": "red"}, ""),
        ({}, ""),
    ],
)
def test_what_is_wrong_is_named(firm: Firm, body: dict[str, object], pointer: str) -> None:
    answer = firm.api.call("POST", "/exports", body)
    assert answer.status_code == 422, answer.text
    assert not pointer or answer.json["errors"][0]["pointer"] == pointer, answer.text
    assert firm.api.get("/exports")["data"] == []


def test_wrong_addresses_and_parameters_are_told(firm: Firm) -> None:
    for path in ("/exports/nonsense", "/exports/nonsense/file", "/exports/00000000-0000-0000-0000-000000000005"):
        assert firm.api.call("GET", path).status_code == 404
    for query in ({"limit": "0"}, {"limit": "\u0664"}, {"limit": "9" * 5000}, {"cursor": "x"}, {"page": "2"}):
        assert firm.api.call("GET", "/exports", query=query).status_code == 422


def test_another_workspaces_key_finds_nothing(firm: Firm) -> None:
    made = firm.api.post("/exports", {"object": "company"}, 202)
    other = make_tenant(firm.runtime)
    stranger = Api(firm.site, make_key(firm.runtime.databases, other, "owner"))
    for method, path in (("GET", ""), ("GET", "/file"), ("POST", "/cancel"), ("DELETE", "")):
        assert stranger.call(method, f"/exports/{made['id']}{path}").status_code == 404
