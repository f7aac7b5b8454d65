"""The CSRF matrix: token, Origin, Sec-Fetch-Site, on both kinds of host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from .conftest import Gate

BASE = "http://localhost:8000"
ACME = "http://acme.localhost:8000"


@pytest.fixture
def signed_in(client: FlaskClient, gate: Gate) -> dict[str, str]:
    headers = {"Cookie": f"__Host-rapport={gate.add('session-token', 'acme')}"}
    token = client.get("/form", base_url=ACME, headers=headers).text
    return {**headers, "X-CSRF-Token": token}


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({}, 200),
        ({"Origin": ACME, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": BASE}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://acme.localhost"}, 403),
        ({"Origin": "https://acme.localhost:8000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"X-CSRF-Token": ""}, 403),
        ({"X-CSRF-Token": "0" * 64}, 403),
    ],
)
def test_a_workspace_form_is_taken_from_its_own_page_only(
    client: FlaskClient, signed_in: dict[str, str], extra: dict[str, str], status: int
) -> None:
    answer = client.post("/form", base_url=ACME, headers={**signed_in, **extra})
    assert answer.status_code == status


def test_the_token_works_as_a_form_field_too(client: FlaskClient, signed_in: dict[str, str]) -> None:
    token = signed_in.pop("X-CSRF-Token")
    assert client.post("/form", base_url=ACME, headers=signed_in, data={"csrf_token": token}).status_code == 200


def test_a_token_of_another_session_is_refused(client: FlaskClient, gate: Gate, signed_in: dict[str, str]) -> None:
    other = {"Cookie": f"__Host-rapport={gate.add('other-token', 'acme')}", "X-CSRF-Token": signed_in["X-CSRF-Token"]}
    assert client.post("/form", base_url=ACME, headers=other).status_code == 403


def test_a_key_needs_no_token_because_browsers_never_send_it_by_themselves(client: FlaskClient, gate: Gate) -> None:
    headers = {"Authorization": f"Bearer {gate.add('rap_acme_k', 'acme', 'key')}", "Origin": "https://other.example"}
    assert client.post("/api/v1/things", base_url=BASE, headers=headers).status_code == 200


def test_forms_before_sign_in_are_bound_to_a_visit_cookie(client: FlaskClient) -> None:
    page = client.get("/", base_url=BASE)
    token = page.text.split()[1]
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-rapport_visit=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    visit = {"Cookie": cookie.split(";")[0]}
    assert client.post("/act", base_url=BASE, headers=visit, data={"csrf_token": token}).text == "acted"
    assert client.post("/act", base_url=BASE, headers=visit).status_code == 403
    assert client.post("/act", base_url=BASE, data={"csrf_token": token}).status_code == 403


def test_reading_never_asks_for_a_token(client: FlaskClient, signed_in: dict[str, str]) -> None:
    signed_in.pop("X-CSRF-Token")
    assert client.get("/form", base_url=ACME, headers={**signed_in, "Sec-Fetch-Site": "cross-site"}).status_code == 200
