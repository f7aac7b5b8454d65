"""Imports over HTTP: accepted, watched, reported, taken back."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.access.rights import require
from app.factory.web import create_flask_app
from app.imports.tasks import run, undo
from tenants.identity.keys import create_key
from tenants.scope import enter_job
from tests.support.imports import query
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime
    from tenants.scope import Tenant


@pytest.fixture(scope="module")
def workspace(runtime: Runtime, new_tenant: NewTenant) -> tuple[FlaskClient, Tenant, dict[str, str]]:
    runtime.ports.authorise = require
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        _, key = create_key(scope, "import", "owner")
    return create_flask_app(runtime).test_client(), tenant, {"Authorization": f"Bearer {key}"}


def send(client: FlaskClient, headers: dict[str, str], content: bytes, **options: Any) -> TestResponse:
    data = {
        "options": (io.BytesIO(json.dumps(options).encode()), "options.json", "application/json"),
        "file": (io.BytesIO(content), "companies.csv"),
    }
    return client.post("/api/v1/imports", headers=headers, data=data)


def test_a_file_is_accepted_run_reported_and_taken_back(
    runtime: Runtime, workspace: tuple[FlaskClient, Tenant, dict[str, str]]
) -> None:
    client, tenant, headers = workspace
    content = b"name,employees,other\nAcme,12,x\nBad,=many,x\nFine,,x\n"
    answer = send(client, headers, content, object="company")
    assert answer.status_code == 202, answer.text
    assert answer.json is not None
    assert (answer.json["status"], answer.json["progress"], answer.json["unmapped"]) == ("queued", 0.0, ["other"])
    address = answer.headers["Location"]
    run(runtime, tenant.id, {"import": answer.json["import"]})

    done = client.get(address, headers=headers).json
    assert done is not None
    assert (done["status"], done["progress"]) == ("done", 1.0)
    assert [done[name] for name in ("rows", "created", "updated", "skipped", "failed", "warnings")] == [
        3,
        2,
        0,
        0,
        1,
        0,
    ]
    lines = client.get(done["errors_file"], headers=headers).text.splitlines()
    assert lines[0] == "row,column,value,reason,result"
    assert lines[1].startswith("3,employees,'=many,")

    assert client.post(f"{address}/undo", headers=headers).status_code == 202
    undo(runtime, tenant.id, {"import": done["import"]})
    after = client.get(address, headers=headers).json
    assert after is not None
    assert after["status"] == "undone"
    assert query(runtime, tenant, "select count(*) from o_company where deleted_at is null") == [(0,)]
    assert client.post(f"{address}/undo", headers=headers).status_code == 409


def test_options_that_do_not_fit_are_refused_before_anything_is_kept(
    workspace: tuple[FlaskClient, Tenant, dict[str, str]],
) -> None:
    client, _, headers = workspace
    for options, word in (
        ({"object": "compny"}, "company"),
        ({"object": "company", "map": ["nme=name"]}, "Did you mean name"),
        ({"object": "company", "map": ["name=nam"]}, "Did you mean name"),
        ({"object": "company", "mapp": []}, "Did you mean map"),
        ({"object": "company", "links": ["industry:create"]}, "not a mapped link"),
        ({"object": "company", "mode": "update"}, "match"),
        ({"object": "company", "mode": "upsert", "match": "name"}, "unique"),
    ):
        answer = send(client, headers, b"name,industry\nAcme,\n", **options)
        assert answer.status_code == 422, answer.text
        assert word in answer.text
    assert client.get(f"/api/v1/imports/{UUID(int=5)}", headers=headers).status_code == 404
    assert client.get("/api/v1/imports/nonsense", headers=headers).status_code == 404


def test_a_trial_has_nothing_to_take_back(
    runtime: Runtime, workspace: tuple[FlaskClient, Tenant, dict[str, str]]
) -> None:
    client, tenant, headers = workspace
    answer = send(client, headers, b"name\nAcme\n", object="company", dry_run=True)
    assert answer.json is not None
    run(runtime, tenant.id, {"import": answer.json["import"]})
    refused = client.post(f"{answer.headers['Location']}/undo", headers=headers)
    assert refused.status_code == 409
    assert "It was a trial" in refused.text
