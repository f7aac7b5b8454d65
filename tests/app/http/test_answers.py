"""Error forms, security headers, cursors, ETags, limits."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import sha256
from app.core.errors import InvalidInput
from app.http import cursors, etag, ratelimit
from app.http.respond import link_next, query_arguments

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from .conftest import Gate

BASE = "http://localhost:8000"
ACME = "http://acme.localhost:8000"


def test_errors_of_the_api_are_problem_json_with_a_request_id(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing", base_url=BASE)
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 404
    assert (answer.json["code"], answer.json["title"]) == ("not_found", "Not found")
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_errors_of_pages_are_pages(client: FlaskClient) -> None:
    answer = client.get("/nothing", base_url=BASE)
    assert (answer.status_code, answer.content_type) == (404, "text/html; charset=utf-8")
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/things", base_url=BASE)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json["title"] == "Method not allowed"


def test_a_conflict_carries_its_extra_facts(client: FlaskClient, gate: Gate) -> None:
    headers = {"Authorization": f"Bearer {gate.add('rap_acme_k', 'acme', 'key')}"}
    assert client.post("/api/v1/things/busy", base_url=BASE, headers=headers).json["ids"] == [1]


def test_a_request_in_whose_way_somebody_was_is_made_again_once(client: FlaskClient, gate: Gate) -> None:
    token = gate.add("rap_acme_k", "acme", "key")
    headers, scope = {"Authorization": f"Bearer {token}"}, gate.credentials[sha256(token)]
    answer = client.post("/api/v1/queue/1", base_url=BASE, headers=headers, data=b"all of it")
    assert (answer.status_code, answer.json["tries"]) == (200, 2)
    assert scope.statements == [b"all of it"] * 2
    scope.statements.clear()
    answer = client.post("/api/v1/queue/2", base_url=BASE, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    assert len(scope.statements) == 2


def test_a_request_with_files_is_not_made_again(client: FlaskClient, gate: Gate) -> None:
    token = gate.add("rap_acme_k", "acme", "key")
    sent = {"file": (BytesIO(b"rows"), "rows.csv")}
    answer = client.post("/api/v1/queue/1", base_url=BASE, headers={"Authorization": f"Bearer {token}"}, data=sent)
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    assert len(gate.credentials[sha256(token)].statements) == 1


@pytest.mark.parametrize("path", ["/boom", "/api/v1/boom"])
def test_a_defect_shows_neither_trace_nor_message(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get(path, base_url=BASE)
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/v1/nothing", "/boom", "/healthz", "/form"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, base_url=BASE).headers
    policy = headers["Content-Security-Policy"]
    for part in ("'strict-dynamic'", "require-trusted-types-for 'script'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]
    assert "Strict-Transport-Security" not in headers


def test_https_answers_ask_for_https_for_two_years(client: FlaskClient, flask_app: Flask) -> None:
    flask_app.extensions["rapport"].config.scheme = "https"
    headers = client.get("/healthz", base_url="https://localhost").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000; includeSubDomains")


def test_the_nonce_is_new_for_each_answer(client: FlaskClient) -> None:
    policies = {client.get("/", base_url=BASE).headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_forms_of_the_base_host_may_lead_into_workspaces_and_nowhere_else(client: FlaskClient) -> None:
    policy = client.get("/", base_url=BASE).headers["Content-Security-Policy"]
    assert "form-action 'self' http://*.localhost:8000;" in policy


def test_cursors_come_back_as_they_went(flask_app: Flask) -> None:
    with flask_app.test_request_context(base_url=BASE):

        @given(st.lists(st.one_of(st.none(), st.text(), st.integers(-(2**53), 2**53), st.booleans())), st.text())
        def both_ways(values: list[object], context: str) -> None:
            assert cursors.decode(cursors.encode(values, context), context) == values

        both_ways()


def test_a_forged_cut_or_foreign_cursor_is_refused(flask_app: Flask) -> None:
    with flask_app.test_request_context(base_url=BASE):
        cursor = cursors.encode(["x", 1], "sort=name")
        for wrong, context in ((cursor, "sort=-name"), (cursor[:-1], "sort=name"), ("AAAA", ""), ("%%", ""), ("é", "")):
            with pytest.raises(cursors.BadCursor):
                cursors.decode(wrong, context)


@pytest.mark.parametrize(("given_value", "version"), [('"3"', 3), ('W/"12"', 12), ("*", None)])
def test_if_match_names_a_version(flask_app: Flask, given_value: str, version: int | None) -> None:
    with flask_app.test_request_context(headers={"If-Match": given_value}):
        assert etag.parse_if_match() == version
    assert etag.etag(3) == '"3"'


@pytest.mark.parametrize("given_value", ["3", ""])
def test_if_match_with_anything_else_is_an_error(flask_app: Flask, given_value: str) -> None:
    with flask_app.test_request_context(headers={"If-Match": given_value}), pytest.raises(InvalidInput):
        etag.parse_if_match()


def test_unknown_query_parameters_are_named(flask_app: Flask) -> None:
    with flask_app.test_request_context("/x?limit=5&lmit=6"), pytest.raises(InvalidInput, match="lmit"):
        query_arguments("limit")


def test_the_link_header_keeps_the_lists_own_parameters(flask_app: Flask) -> None:
    with flask_app.test_request_context("/api/v1/records/deal?filter=amount>1&cursor=old"):
        assert link_next("new") == {"Link": '</api/v1/records/deal?filter=amount%3E1&cursor=new>; rel="next"'}


def test_with_valkey_down_each_process_counts_for_itself(flask_app: Flask, client: FlaskClient) -> None:
    bucket = ratelimit.Bucket(3, 0.001)
    with flask_app.test_request_context(base_url=BASE):
        taken = [ratelimit.take("test", "somebody", bucket)[0] for _ in range(5)]
        other = ratelimit.take("test", "another", bucket)[0]
    assert taken == [True, True, True, False, False]
    assert other is True


def test_the_api_limit_answers_429_with_headers(
    client: FlaskClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "API", ratelimit.Bucket(2, 0.01))
    headers = {"Authorization": f"Bearer {gate.add('rap_acme_k', 'acme', 'key')}"}
    answers = [client.get("/api/v1/things", base_url=BASE, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Limit"] == "2"
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert answers[2].json["code"] == "rate_limited"


def test_health_answers_on_any_host(client: FlaskClient) -> None:
    assert client.get("/healthz", base_url="http://whoever.example").json == {"status": "ok"}
    metrics = client.get("/metrics", base_url="http://whoever.example")
    assert "rapport_http_requests_total" in metrics.text
