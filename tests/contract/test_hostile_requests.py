"""Requests no description covers: whatever arrives, the answer is an error of the caller's, in its form."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api

JSON = "application/json"
DEEP = 100_000
#: Bodies that are not what any route wants.
BODIES: list[bytes] = [
    b"",
    b"null",
    b"true",
    b"17",
    b'"text"',
    b"[]",
    b"{",
    b"[[",
    b"}{",
    b"NaN",
    b"[NaN]",
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"amount": 1e400}',
    b'{"amount": -1e-400}',
    b'{"amount": ' + b"9" * 5_000 + b"}",
    b'{"employees": 1e308}',
    b'{"name": "\x00"}',
    b'{"name": "\\u0000"}',
    b'{"\\u0000": 1}',
    b'{"name": "\\ud800"}',
    b'{"\\ud800": 1}',
    b'{"name": "\xff\xfe"}',
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b'{"name": "a", "name": "b"}',
    b'{"name": {"name": {"name": []}}}',
    b'{"": ""}',
    b'{"name": [[[[]]]]}',
    b'{"emails": {"value": {"value": []}}}',
    b'{"id": "x", "version": -1, "created_at": 0}',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"name": "' + b"x" * 900_000 + b'"}',
    b"[" + b"{}," * 20_000 + b"{}]",
    b"<xml/>",
    b"name=x&name=y",
]
TYPES = [
    JSON,
    "application/merge-patch+json",
    "application/x-ndjson",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=nothing",
    ";;;",
    "",
    "\x7f/\x7f",
    "application/" + "x" * 5_000,
]
QUERIES = [
    "",
    "?",
    "?&&&=&",
    "?limit=-1",
    "?limit=1e9",
    "?limit=" + "9" * 4_000,
    "?limit=%00",
    "?limit=1&limit=2",
    "?filter=%FF%FE",
    "?filter=" + "(" * 3_000,
    "?filter=" + "!" * 5_000 + "true",
    "?filter=name+in+[" + ",".join(["1"] * 2_000) + "]",
    "?filter=%ud800",
    "?filter=name==%22%00%22",
    "?filter=name.matches(%22(a%2B)%2B$%22)",
    "?sort=" + ",".join(["name"] * 2_000),
    "?fields=" + ",".join(["owner.name"] * 2_000),
    "?fields=owner.owner.owner.owner.name",
    "?cursor=%00%00",
    "?cursor=eyJhIjoxfQ",
    "?cursor=" + "A" * 5_000,
    "?q=" + "a" * 5_000,
    "?q=%00",
    "?q=%F0%9F%92%A9",
    "?object=%00",
    "?group_by=" + "created_at:day," * 500,
    "?metrics=" + "count," * 500,
    "?after=99999999999999999999",
    "?after=%2D1",
    "?mode[]=create",
    "?" + "a=1&" * 2_000,
    "?%00=%00",
    "?name=" + "%C0%80" * 500,
]
HEADERS: list[dict[str, str]] = [
    {},
    {"If-Match": '"' + "9" * 400 + '"'},
    {"If-Match": "W/"},
    {"If-None-Match": "x" * 5_000},
    {"If-Match": '"1", "2"'},
    {"Idempotency-Key": ""},
    {"Idempotency-Key": "k" * 5_000},
    {"Idempotency-Key": "\xff\xfe"},
    {"Accept": "*/*;q=x"},
    {"Accept-Language": "x" * 2_000},
    {"Accept-Language": "de-\xff,;q=2"},
    {"Content-Length": "-1"},
    {"Content-Length": "x"},
    {"Content-Encoding": "gzip"},
    {"Transfer-Encoding": "chunked"},
    {"Range": "bytes=0-0"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"HX-Request": "true"},
    {"Origin": "null"},
    {"Cookie": "__Host-rapport=\xff; =; ;;"},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer " + "x" * 5_000},
    {"Authorization": "Basic \xff\xff"},
    {"Authorization": "Bearer rap_a_\x7f"},
]
PATHS = [
    ("GET", "/records/company"),
    ("POST", "/records/company"),
    ("GET", "/records/company/{id}"),
    ("PATCH", "/records/company/{id}"),
    ("DELETE", "/records/company/01890000-0000-7000-8000-000000000000"),
    ("POST", "/records/company/{id}/restore"),
    ("PUT", "/records/company/by/external_id/x"),
    ("PUT", "/records/company/by/external_id/%00"),
    ("PUT", "/records/company/by/%FF/%FF"),
    ("PUT", "/records/company/by/name/" + "a/" * 500),
    ("POST", "/records/company/bulk"),
    ("GET", "/records/company/aggregate"),
    ("GET", "/records/deal/board"),
    ("GET", "/records/company/{id}/events"),
    ("GET", "/records/%00/" + "x" * 40),
    ("GET", "/records/company/%FF%FF%FF%FF%FF%FF%FF%FF%FF%FF"),
    ("POST", "/batch"),
    ("GET", "/search"),
    ("GET", "/events"),
    ("POST", "/records/lead/{id}/convert"),
    ("POST", "/imports"),
    ("GET", "/imports/%00"),
    ("POST", "/imports/{id}/undo"),
    ("POST", "/imports/{id}/cancel"),
    ("POST", "/exports"),
    ("GET", "/exports"),
    ("GET", "/exports/%00"),
    ("GET", "/exports/{id}/file"),
    ("POST", "/exports/{id}/cancel"),
    ("GET", "/me"),
    ("GET", "/members"),
    ("POST", "/members/invitations"),
    ("PATCH", "/members/{id}"),
    ("POST", "/members/{id}/deactivate"),
    ("POST", "/keys"),
    ("DELETE", "/keys/{id}"),
    ("GET", "/metadata"),
    ("GET", "/openapi.json"),
    ("TRACE", "/me"),
    ("OPTIONS", "/records/company"),
    ("HEAD", "/records/company"),
    ("PUT", "/keys"),
    ("PATCH", "/nothing/here"),
    ("GET", "/" + "x" * 5_000),
    ("GET", "//me"),
    ("GET", "/records/../me"),
]


@pytest.fixture(scope="module")
def known(api: Api) -> str:
    return str(api.get("/records/company", limit="1")["data"][0]["id"])


@pytest.mark.parametrize("seed", range(6))
def test_no_mixture_of_odd_parts_breaks_anything(api: Api, known: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a choice of tests, not a secret
    for _ in range(100):
        method, path = chance.choice(PATHS)
        body = chance.choice(BODIES) if method in {"POST", "PUT", "PATCH", "DELETE"} else b""
        headers = {"Content-Type": chance.choice([JSON, JSON, JSON, *TYPES]), **chance.choice([{}, *HEADERS])}
        query = chance.choice(["", "", *QUERIES])
        _sound(api, method, path.replace("{id}", known) + query, body, headers)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[:24]!r}{len(body)}")
def test_every_odd_body_is_refused_by_every_writing_route(api: Api, known: str, body: bytes) -> None:
    for method, path in PATHS:
        if method in {"POST", "PUT", "PATCH"}:
            _sound(api, method, path.replace("{id}", known), body, {"Content-Type": JSON})


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query[:24]}{len(query)}")
def test_every_odd_query_is_answered_by_every_reading_route(api: Api, known: str, query: str) -> None:
    for method, path in PATHS:
        if method == "GET":
            _sound(api, method, path.replace("{id}", known) + query, b"", {})


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_odd_headers_do_no_harm(api: Api, known: str, headers: dict[str, str]) -> None:
    _sound(api, "GET", f"/records/company/{known}", b"", headers)
    _sound(api, "PATCH", f"/records/company/{known}", b'{"description": "x"}', {"Content-Type": JSON, **headers})
    _sound(api, "POST", "/records/company", b'{"name": "Odd"}', {"Content-Type": JSON, **headers})


def _sound(api: Api, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    """Below 500, and an error is problem+json with the status it has."""
    sent: dict[str, Any] = {"Authorization": f"Bearer {api.key}", **headers}
    client = api.flask_app.test_client(use_cookies=False)
    answer = client.open(f"/api/v1{path}", method=method, data=body or None, headers=sent, base_url="http://localhost")
    shown = f"{method} {path[:200]} {headers} {body[:80]!r}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, shown
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.content_type == "application/problem+json", shown
        assert answer.json["status"] == answer.status_code, shown
        assert answer.json["code"], shown
        assert answer.json["detail"], shown
