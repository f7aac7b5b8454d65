"""Lead conversion over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.factory import bind_ports
from app.factory.web import create_flask_app
from tests.support.api import Api, make_key

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant


@pytest.fixture(scope="module")
def api(runtime: Runtime, databases: Databases, tenant: Tenant) -> Api:
    runtime.ports.authorise = bind_ports().authorise
    return Api(create_flask_app(runtime), make_key(databases, tenant))


def test_a_lead_is_converted_once(api: Api) -> None:
    lead = api.post("/records/lead", {"last_name": "Hopper", "company_name": "Navy", "email": "g@navy.example"})
    path = f"/records/lead/{lead['id']}/convert"
    done = api.call("POST", path, {"deal_name": "Compiler"})
    assert done.status_code == 200
    assert done.json.keys() == {"company", "contact", "deal"}
    assert api.get(f"/records/deal/{done.json['deal']}")["contact"] == done.json["contact"]
    assert api.get(f"/records/lead/{lead['id']}")["status"] == "converted"
    again = api.call("POST", path)
    assert (again.status_code, again.json["code"]) == (409, "lead.converted")
    assert {name: again.json[name] for name in ("company", "contact", "deal")} == done.json


def test_wrong_bodies_and_ids_are_refused(api: Api) -> None:
    lead = api.post("/records/lead", {"last_name": "Hopper"})
    path = f"/records/lead/{lead['id']}/convert"
    assert api.call("POST", path, {"dealname": "x"}).json["errors"][0]["pointer"] == "/dealname"
    assert api.call("POST", path, {"company": "none"}).json["errors"][0]["pointer"] == "/company"
    assert api.call("POST", path, {"company": str(uuid4())}).status_code == 422
    assert api.call("POST", path, b"[1]").status_code == 422
    assert api.call("POST", f"/records/lead/{uuid4()}/convert", {}).status_code == 404
    converted = api.call("POST", path)
    assert (converted.status_code, converted.json["company"], converted.json["deal"]) == (200, None, None)
