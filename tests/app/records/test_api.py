"""The REST routes of records as a program meets them (DESIGN §9)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from openapi_spec_validator import validate

from app.factory import bind_ports
from app.factory.web import create_flask_app
from app.http.guard import ATTRIBUTE
from tests.support.api import Api, make_key

if TYPE_CHECKING:
    from flask import Flask

    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@pytest.fixture(scope="module")
def flask_app(runtime: Runtime) -> Flask:
    runtime.ports.authorise = bind_ports().authorise
    return create_flask_app(runtime)


@pytest.fixture(scope="module")
def api(flask_app: Flask, databases: Databases, tenant: Tenant) -> Api:
    return Api(flask_app, make_key(databases, tenant))


def test_a_record_is_created_read_changed_trashed_and_restored(api: Api) -> None:
    made = api.call("POST", "/records/company", {"name": "Acme", "annual_revenue": 12.5})
    assert made.status_code == 201
    record = made.json
    assert record["annual_revenue"]["currency"] == "EUR"
    assert float(record["annual_revenue"]["amount"]) == 12.5
    assert made.headers["Location"] == f"/api/v1/records/company/{record['id']}"
    assert made.headers["ETag"] == '"1"'
    path = f"/records/company/{record['id']}"
    read = api.call("GET", path)
    assert (read.json, read.headers["ETag"]) == (record, '"1"')
    changed = api.call("PATCH", path, {"name": "Acme GmbH"}, If_Match='"1"')
    assert (changed.status_code, changed.json["name"], changed.headers["ETag"]) == (200, "Acme GmbH", '"2"')
    stale = api.call("PATCH", path, {"name": "Late"}, If_Match='"1"')
    assert (stale.status_code, stale.json["code"]) == (412, "record.stale")
    assert api.call("PATCH", path, {"name": "Acme AG"}).status_code == 200
    assert api.call("DELETE", path).status_code == 204
    assert api.call("GET", path).status_code == 404
    assert api.call("GET", path, query={"trash": "with"}).status_code == 200
    restored = api.call("POST", f"{path}/restore")
    assert (restored.status_code, restored.json["deleted_at"]) == (200, None)
    assert api.call("DELETE", path, query={"destroy": "true"}).status_code == 204
    assert api.call("GET", path, query={"trash": "with"}).status_code == 404


def test_a_list_links_to_its_next_page(api: Api) -> None:
    for number in range(3):
        api.post("/records/product", {"name": f"Listed {number}", "code": f"L{number}"})
    first = api.call(
        "GET", "/records/product", query={"sort": "name", "limit": "2", "filter": 'name.startsWith("Listed")'}
    )
    body = first.json
    assert set(body) == {"data", "next", "total"}
    target, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    query = {name: values[0] for name, values in parse_qs(urlsplit(target.strip("<>")).query).items()}
    assert query == {"sort": "name", "limit": "2", "filter": 'name.startsWith("Listed")', "cursor": body["next"]}
    rest = api.call("GET", "/records/product", query=query)
    assert [row["name"] for row in rest.json["data"]] == ["Listed 2"]
    assert "Link" not in rest.headers


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("/records/deal", {"sorts": "name"}, "?sorts"),
        ("/records/deal", {"sort": "nmae"}, "?sort"),
        ("/records/deal", {"limit": "many"}, "?limit"),
        ("/records/deal", {"limit": "201"}, "?limit"),
        ("/records/deal", {"fields": "nope"}, "?fields"),
        ("/records/deal", {"cursor": "nope"}, "?cursor"),
        ("/records/deal", {"filter": "stage = 1"}, "?filter"),
        ("/records/deal", {"total": "yes"}, "?total"),
        ("/records/deal/board", {"group_by": "name"}, "?group_by"),
        ("/records/deal/aggregate", {"metrics": "sum:name"}, "?metrics"),
        ("/search", {}, "?q"),
        ("/search", {"q": "a", "limit": "0"}, "?limit"),
        ("/events", {"after": "x"}, "?after"),
    ],
)
def test_a_wrong_parameter_is_pointed_at(api: Api, path: str, query: dict[str, str], pointer: str) -> None:
    answer = api.call("GET", path, query=query)
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["errors"][0]["pointer"] == pointer
    assert set(answer.json) >= {"type", "title", "status", "code", "detail", "errors"}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/records/deal", {"sort": "nmae"}, "field.unknown"),
        ("/records/deal", {"sort": "name,name"}, "invalid"),
        ("/records/deal/aggregate", {"metrics": "sum:name"}, "invalid"),
        ("/records/deal/aggregate", {"group_by": "name:quarter"}, "invalid"),
        ("/records/deal/board", {"group_by": "name"}, "invalid"),
    ],
)
def test_only_a_field_that_is_not_there_is_called_unknown(
    api: Api, path: str, query: dict[str, str], code: str
) -> None:
    answer = api.call("GET", path, query=query)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_refusal_names_the_field_in_words_too(api: Api) -> None:
    def told(body: object) -> str:
        return api.call("POST", "/records/deal", body).json["detail"]

    assert told({"name": 1}) == "Name: Must be text"
    assert told({}) == "Name is required."
    assert told({"name": "x", "close_on": "soon"}) == "Closes on: Must be a date like 2017-03-01"
    assert told({"name": "x", "colour": 1}) == "Deal has no field colour."
    assert told([]) == "Expected `object`, got `array`."
    refused = api.call("PUT", "/records/deal/by/name/x", {"name": "y"})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "match.not_unique")


def test_a_wrong_condition_names_its_position(api: Api) -> None:
    answer = api.call("GET", "/records/deal", query={"filter": 'name == "x" && amonut > 1'})
    assert (answer.json["code"], answer.json["position"]) == ("condition.invalid", 15)
    assert "amount" in answer.json["errors"][0]["message"]


def test_unknown_objects_records_and_other_workspaces_records_are_not_found(
    api: Api, flask_app: Flask, databases: Databases, new_tenant: NewTenant
) -> None:
    other = Api(flask_app, make_key(databases, new_tenant()))
    foreign = other.post("/records/company", {"name": "Theirs"})["id"]
    for path in (f"/records/company/{foreign}", f"/records/company/{uuid.uuid4()}", "/records/company/x", "/records/x"):
        answer = api.call("GET", path)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert api.call("PATCH", f"/records/company/{foreign}", {"name": "Ours"}).status_code == 404
    assert api.call("DELETE", f"/records/company/{foreign}").status_code == 404
    assert other.get(f"/records/company/{foreign}")["name"] == "Theirs"


def test_a_record_that_was_not_changed_is_not_sent_again(api: Api) -> None:
    made = api.post("/records/company", {"name": "Cached"})
    path = f"/records/company/{made['id']}"
    unchanged = api.call("GET", path, If_None_Match='"1"')
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", '"1"')
    assert api.call("GET", path, If_None_Match='"2"').status_code == 200


def test_the_history_of_an_unknown_record_is_not_found(api: Api) -> None:
    assert api.call("GET", f"/records/company/{uuid.uuid4()}/events").status_code == 404


def test_rights_are_those_of_the_keys_role(flask_app: Flask, databases: Databases, tenant: Tenant) -> None:
    reader = Api(flask_app, make_key(databases, tenant, "read_only"))
    member = Api(flask_app, make_key(databases, tenant, "member"))
    assert reader.call("GET", "/records/company").status_code == 200
    assert reader.call("POST", "/records/company", {"name": "No"}).status_code == 403
    made = member.post("/records/company", {"name": "Members"})["id"]
    assert member.call("DELETE", f"/records/company/{made}", query={"destroy": "true"}).status_code == 403
    assert member.call("DELETE", f"/records/company/{made}").status_code == 204
    assert Api(flask_app, "rap_x").call("GET", "/records/company").status_code == 401


def test_an_upsert_creates_once_and_changes_then(api: Api) -> None:
    first = api.call("PUT", "/records/company/by/external_id/a%2Fb", {"name": "Upserted"})
    again = api.call("PUT", "/records/company/by/external_id/a%2Fb", {"name": "Upserted Ltd"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert again.json["external_id"] == "a/b"


def test_bulk_takes_arrays_and_lines_and_answers_each_row(api: Api) -> None:
    result = api.post("/records/company/bulk", [{"name": "B1"}, {"name": ""}, {"name": "B3", "nope": 1}], 200)
    assert [row["status"] for row in result["results"]] == ["created", "failed", "failed"]
    assert (result["created"], result["failed"]) == (1, 2)
    lines = api.call(
        "POST", "/records/company/bulk", b'{"name":"N1"}\n\n{"name":"N2"}\n', Content_Type="application/x-ndjson"
    )
    assert (lines.status_code, lines.json["created"]) == (200, 2)
    ids = [{"id": row["id"]} for row in lines.json["results"]]
    deleted = api.call("POST", "/records/company/bulk", ids, query={"mode": "delete"})
    assert [row["status"] for row in deleted.json["results"]] == ["deleted", "deleted"]
    broken = api.call("POST", "/records/company/bulk", b'{"name":\n', Content_Type="application/x-ndjson")
    assert (broken.status_code, broken.json["errors"][0]["pointer"]) == (422, "/0")


def test_numbers_arrive_exact(api: Api) -> None:
    made = api.call("POST", "/records/product", b'{"name": "Exact", "code": "EX", "price": 1234567890123.45}')
    assert made.json["price"]["amount"] == "1234567890123.45"


def test_figures_board_search_and_events_answer(api: Api) -> None:
    deal = api.post("/records/deal", {"name": "Quokka", "amount": "10", "stage": "won", "close_on": "2017-03-01"})
    figures = api.get(
        "/records/deal/aggregate",
        group_by="stage,close_on:quarter",
        metrics="count,sum:amount",
        filter='name == "Quokka"',
    )
    assert figures["data"] == [
        {
            "group": {"stage": "won", "close_on": "2017-Q1"},
            "count": 1,
            "sum_amount": {"amount": "10.00", "currency": "EUR"},
        }
    ]
    board = api.get("/records/deal/board", group_by="stage", metrics="count,sum:amount", fields="name")
    assert [group["key"] for group in board["groups"]][-2:] == ["won", "lost"]
    assert [hit["title"] for hit in api.get("/search", q="quok")["data"]] == ["Quokka"]
    history = api.get(f"/records/deal/{deal['id']}/events")["data"]
    assert [(event["kind"], event["diff"]) for event in history] == [("created", None)]
    assert set(api.get("/events")) == {"data", "next"}


def test_an_idempotency_key_creates_once(api: Api) -> None:
    headers = {"Idempotency_Key": "same-1"}
    first = api.call("POST", "/records/company", {"name": "Once"}, **headers)
    again = api.call("POST", "/records/company", {"name": "Once"}, **headers)
    assert first.json == again.json
    assert len(api.get("/records/company", filter='name == "Once"')["data"]) == 1


def test_the_document_describes_this_workspaces_objects_and_validates(api: Api) -> None:
    document = api.get("/openapi.json")
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert {"company", "deal", "deal.new", "Problem"} <= set(document["components"]["schemas"])
    assert {"/api/v1/records/deal/{id}", "/api/v1/me", "/api/v1/metadata"} <= set(document["paths"])
    assert any(path.startswith("/api/v1/records/lead/") and path.endswith("/convert") for path in document["paths"])
    assert set(document["components"]["securitySchemes"]) == {"key", "session"}
    assert "bearer" in document["components"]["securitySchemes"]["key"]["scheme"]


def test_a_created_record_fits_its_schema(api: Api) -> None:
    """Every field answered is described, and every field described is answered."""
    document = api.get("/openapi.json")
    for name in ("company", "deal", "contact"):
        page = api.get(f"/records/{name}", limit="1")
        for record in page["data"]:
            assert list(record) == [
                "id",
                *(key for key in document["components"]["schemas"][name]["properties"] if key != "id"),
            ]


def test_the_metadata_is_told_whole_or_by_layer(api: Api) -> None:
    whole = api.get("/metadata")
    specs = {component["name"]: component["spec"] for component in whole["components"]}
    assert whole["version"] >= 1
    assert specs["deal"]["fields"]["amount"]["type"] == "money"
    assert api.get("/metadata", layer="tenant")["components"] == []
    assert {one["layer"] for one in api.get("/metadata", layer="platform")["components"]} == {"platform"}
    assert api.call("GET", "/metadata", query={"layer": "x"}).json["errors"][0]["pointer"] == "?layer"


def test_the_reference_page_shows_routes_and_fields(api: Api) -> None:
    client = api.flask_app.test_client(use_cookies=False)
    for name in ("deal", "workspace"):
        page = client.get(f"/api/docs?object={name}", headers={"Authorization": f"Bearer {api.key}"})
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "style=" not in page.text
    deal = client.get("/api/docs?object=deal", headers={"Authorization": f"Bearer {api.key}"}).text
    assert "/api/v1/records/deal/{id}" in deal
    assert "close_on" in deal
    missing = client.get("/api/docs?object=nope", headers={"Authorization": f"Bearer {api.key}"})
    assert missing.status_code == 404


def test_a_stale_version_stops_upserting_and_destroying_too(api: Api) -> None:
    path = f"/records/company/by/external_id/{uuid.uuid4()}"
    never = api.call("PUT", path, {"name": "Never there"}, If_Match='"1"')
    assert (never.status_code, never.json["code"]) == (412, "record.stale")
    record = api.call("PUT", path, {"name": "First"}).json
    assert api.call("PUT", path, {"name": "Second"}, If_Match='"1"').status_code == 200
    assert api.call("PUT", path, {"name": "Late"}, If_Match='"1"').status_code == 412
    own = f"/records/company/{record['id']}"
    assert api.call("DELETE", own, query={"destroy": "true"}, If_Match='"1"').status_code == 412
    assert api.call("GET", own).json["name"] == "Second"
    assert api.call("DELETE", own, query={"destroy": "true"}, If_Match='"2"').status_code == 204


def test_an_id_has_one_form(api: Api) -> None:
    record = api.call("POST", "/records/company", {"name": "One form"}).json["id"]
    assert api.call("GET", f"/records/company/{record.upper()}").status_code == 200
    for other in (f"{{{record}}}", f"urn:uuid:{record}", record.replace("-", "")):
        assert api.call("GET", f"/records/company/{other}").status_code == 404, other


def test_every_route_names_the_parameter_and_the_member_it_does_not_know(api: Api) -> None:
    for path in ("/me", "/members", "/records/company"):
        refused = api.call("GET", path, query={"colour": "red"})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "?colour"), path
    unknown = api.call("POST", "/keys", {"name": "x", "colour": "red"})
    assert [(error["pointer"], error["code"]) for error in unknown.json["errors"]] == [("/colour", "field.unknown")]
    missing = api.call("POST", "/keys", {})
    assert [(error["pointer"], error["code"]) for error in missing.json["errors"]] == [("/name", "required")]


def test_the_description_of_the_api_says_what_its_answers_are(api: Api) -> None:
    paths = api.call("GET", "/openapi.json").json["paths"]
    upsert = paths["/api/v1/records/company/by/{unique_field}/{value}"]["put"]["responses"]
    assert {"200", "201", "400", "412", "413", "415"} <= upsert.keys()
    feed = paths["/api/v1/events"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert feed.endswith("/Feed")
    for path, item in paths.items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                assert any(status.startswith("2") for status in operation["responses"]), (method, path)
                assert operation["responses"].get("default", {"$ref": "Problem"})["$ref"].endswith("Problem")


def test_what_no_text_holds_is_refused_in_an_address_and_in_a_body(api: Api) -> None:
    for path in ("/records/company/by/external_id/%00", "/records/company/by/%00/x"):
        refused = api.call("PUT", path, {"name": "x"})
        assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "text.nul"), path
    nested = api.call("POST", "/records/company", {"name": "x", "annual_revenue": {"amount": {"a": 1}}})
    assert (nested.status_code, nested.json["errors"][0]["pointer"]) == (422, "/annual_revenue/amount")


def test_an_estimated_total_of_few_records_is_their_number(api: Api) -> None:
    for number in range(3):
        api.call("POST", "/records/company", {"name": f"Counted {number}"})
    query = {"filter": 'name.startsWith("Counted ")', "limit": "1", "total": "estimate"}
    assert api.call("GET", "/records/company", query=query).json["total"] == 3


def test_summaries_of_many_changes_are_described_too(api: Api) -> None:
    event = api.call("GET", "/openapi.json").json["components"]["schemas"]["Event"]["properties"]
    assert {"bulk", "imported", "import_undone"} <= set(event["kind"]["enum"])
    assert "null" in event["record_id"]["type"]


@pytest.mark.parametrize("rule", ["/records/<object_name>/bulk", "/batch", "/records/<object_name>/by/<"])
def test_routes_that_write_links_of_many_records_keep_their_plans(flask_app: Flask, rule: str) -> None:
    names = {
        one.endpoint
        for one in flask_app.url_map.iter_rules()
        if f"/api/v1{rule}" in one.rule and "GET" not in one.methods
    }
    assert names
    assert all(getattr(flask_app.view_functions[name], ATTRIBUTE).by_key for name in names)
