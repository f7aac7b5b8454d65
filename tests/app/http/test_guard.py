"""Who may call what, on which host, with which credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http import seal
from app.http.install import UndeclaredRoute

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from .conftest import Gate

BASE = "http://localhost:8000"
ACME = "http://acme.localhost:8000"
GLOBEX = "http://globex.localhost:8000"


def cookie(client: FlaskClient, host: str, token: str, name: str = "__Host-rapport") -> None:
    client.set_cookie(name, token, domain=host, secure=True)


def session(client: FlaskClient, gate: Gate, tenant: str = "acme", role: str = "member") -> dict[str, str]:
    return {"Cookie": f"__Host-rapport={gate.add(f'token-{tenant}-{role}', tenant, role=role)}"}


def key(gate: Gate, tenant: str = "acme", role: str = "member") -> dict[str, str]:
    return {
        "Authorization": f"Bearer {gate.add(f'rap_{tenant}_{role}'.replace('read_only', 'ro'), tenant, 'key', role)}"
    }


def test_a_session_opens_its_own_workspace(client: FlaskClient, gate: Gate) -> None:
    assert client.get("/", base_url=ACME, headers=session(client, gate)).text == "home of acme"


def test_the_same_path_has_one_view_per_kind_of_host(client: FlaskClient, gate: Gate) -> None:
    assert client.get("/", base_url=BASE).text.startswith("front")


def test_another_tenants_session_finds_nothing_here(client: FlaskClient, gate: Gate) -> None:
    answer = client.get("/api/v1/things", base_url=GLOBEX, headers=session(client, gate, "acme"))
    assert answer.status_code == 404


def test_a_key_needs_no_host_but_must_agree_with_one(client: FlaskClient, gate: Gate) -> None:
    headers = key(gate)
    assert client.get("/api/v1/things", base_url=BASE, headers=headers).json["tenant"] == "acme"
    assert client.get("/api/v1/things", base_url="http://10.0.0.1", headers=headers).json["tenant"] == "acme"
    assert client.get("/api/v1/things", base_url=ACME, headers=headers).json["tenant"] == "acme"
    assert client.get("/api/v1/things", base_url=GLOBEX, headers=headers).status_code == 404
    assert client.get("/api/v1/things", base_url="http://far.localhost", headers=headers).status_code == 404


def test_without_a_credential_the_api_says_401_and_a_page_leads_to_the_door(client: FlaskClient) -> None:
    assert client.get("/api/v1/things", base_url=ACME).status_code == 401
    page = client.get("/?tab=mine", base_url=ACME)
    assert (page.status_code, page.headers["Location"]) == (303, "/session/start?next=/%3Ftab%3Dmine")


def test_htmx_without_a_session_reloads_at_the_door(client: FlaskClient) -> None:
    answer = client.get("/form", base_url=ACME, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/session/start")


@pytest.mark.parametrize("path", ["/", "/form", "/session/start", "/account"])
def test_an_unknown_host_has_no_pages(client: FlaskClient, path: str) -> None:
    assert client.get(path, base_url="http://nobody.localhost").status_code == 404


def test_workspace_pages_do_not_exist_on_the_base_host_nor_the_other_way(client: FlaskClient, gate: Gate) -> None:
    assert client.get("/form", base_url=BASE, headers=session(client, gate)).status_code == 404
    assert client.get("/session/start", base_url=BASE).status_code == 404
    assert client.get("/account", base_url=ACME, headers=session(client, gate)).status_code == 404


def test_the_machines_own_address_leads_to_the_base_host(client: FlaskClient) -> None:
    away = client.get("/account?x=1", base_url="http://127.0.0.1:8000")
    assert (away.status_code, away.headers["Location"]) == (302, "http://localhost:8000/account?x=1")
    assert client.get("/healthz", base_url="http://127.0.0.1:8000").status_code == 200


def test_a_session_is_no_bearer_key_and_a_key_no_cookie(client: FlaskClient, gate: Gate) -> None:
    gate.add("rap_acme_planted", "acme", "session")
    assert (
        client.get("/api/v1/things", base_url=ACME, headers={"Authorization": "Bearer rap_acme_planted"}).status_code
        == 401
    )
    gate.add("rap_acme_key", "acme", "key")
    assert (
        client.get("/api/v1/things", base_url=ACME, headers={"Cookie": "__Host-rapport=rap_acme_key"}).status_code
        == 401
    )


def test_a_role_without_the_right_gets_403(client: FlaskClient, gate: Gate) -> None:
    headers = key(gate, role="read_only")
    assert client.get("/api/v1/things", base_url=BASE, headers=headers).status_code == 200
    answer = client.post("/api/v1/things/x", base_url=BASE, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "access.denied")


def test_a_key_cannot_do_what_needs_a_person(client: FlaskClient, gate: Gate) -> None:
    assert client.get("/form", base_url=ACME, headers=key(gate)).status_code == 403


def test_reading_enters_a_read_scope_and_writing_a_write_scope(client: FlaskClient, gate: Gate) -> None:
    headers = key(gate)
    assert client.get("/api/v1/things", base_url=BASE, headers=headers).json["write"] is False
    assert client.post("/api/v1/things", base_url=BASE, headers=headers).json["write"] is True


def test_an_answer_with_an_error_status_is_not_committed(client: FlaskClient, gate: Gate) -> None:
    headers = key(gate)
    assert client.post("/api/v1/things/wrong", base_url=BASE, headers=headers).status_code == 422
    assert client.post("/api/v1/things/busy", base_url=BASE, headers=headers).status_code == 409
    assert client.post("/api/v1/things/right", base_url=BASE, headers=headers).status_code == 200
    assert gate.outcome == ["rollback", "rollback", "commit"]


def test_the_base_hosts_pages_for_people_need_a_session(client: FlaskClient, person: str) -> None:
    away = client.get("/account", base_url=BASE)
    assert (away.status_code, away.headers["Location"]) == (303, "/sign-in?next=/account")
    assert (
        client.get("/account", base_url=BASE, headers={"Cookie": f"__Host-rapport_person={person}"}).text
        == "ada@example.com"
    )


def test_a_route_without_a_declaration_stops_the_start(flask_app: Flask) -> None:
    flask_app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")
    with pytest.raises(UndeclaredRoute, match="forgotten"):
        seal(flask_app)
