"""The API answers as its OpenAPI document says, whatever a program sends."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from tests.support.contract import explore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import Api
    from tests.support.contract import Outcome

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
#: One object with every kind of route, and what is about no object.
SOME = (
    r"/records/deal(/|$)|/records/lead/\{id\}/convert"
    r"|/api/v1/(batch|events|exports|files|imports|keys|me|members|search)"
)
#: Called after all else: what is shaped is not in the document that the others are held against.
SHAPING = "/api/v1/metadata"


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    return api.get("/openapi.json")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its method and path."""
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


def references(part: object) -> Iterator[str]:
    """Every ``$ref`` there is."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "$ref" and isinstance(inner, str):
                yield inner
            yield from references(inner) if name != "example" else ()
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


@pytest.mark.xdist_group("contract")
def test_answers_to_generated_calls_are_as_the_document_says(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = explore(api, seed=20261122, examples=14, boundaries=False, flows=12, only=SOME)
    outcome.add(explore(api, seed=20261122, examples=14, boundaries=False, flows=4, only=SHAPING))
    _hold(outcome, capsys, least=500)


@pytest.mark.scale
@pytest.mark.xdist_group("contract")
def test_answers_to_very_many_calls_of_every_object_are_as_the_document_says(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = explore(api, seed=20261123, examples=50, boundaries=False, flows=60, without=SHAPING)
    outcome.add(explore(api, seed=20261124, examples=0, boundaries=True, flows=0, only=SOME))
    outcome.add(explore(api, seed=20261123, examples=50, boundaries=True, flows=20, only=SHAPING))
    _hold(outcome, capsys, least=10_000)


def test_the_document_is_openapi_3_1_and_refers_to_nothing_that_is_not_there(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")
    for reference in set(references(document)):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_operation_says_what_it_takes_and_what_it_answers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["tags"], name
        statuses = set(operation["responses"])
        assert {"401", "403", "404", "422", "429", "503"} <= statuses, name
        assert "default" not in statuses, name
        done = [operation["responses"][status] for status in statuses if status.startswith("2")]
        assert done, name
        assert all("content" in answer or "204" in statuses for answer in done), name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, name
            assert all("schema" in media for media in operation["requestBody"]["content"].values()), name


def test_every_parameter_has_a_type_and_a_meaning(document: dict[str, Any]) -> None:
    shared = document["components"]["parameters"]
    for path, item in document["paths"].items():
        listed = [*item.get("parameters", []), *(one for m in METHODS & set(item) for one in item[m]["parameters"])]
        for one in listed:
            parameter = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
            form = parameter["schema"]
            assert parameter["description"], (path, parameter["name"])
            assert "type" in form or "enum" in form, (path, parameter["name"])
            if form.get("type") == "integer":
                assert "minimum" in form, (path, parameter["name"])


def test_no_two_operations_have_the_same_name(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    assert [name for name, number in names.items() if number > 1] == []


def test_every_answer_names_the_headers_of_rate_and_version(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            found = document["components"]["responses"][f"Problem{status}"] if "$ref" in answer else answer
            assert status == "304" or {"RateLimit-Limit", "RateLimit-Remaining", "X-Request-Id"} <= set(
                found["headers"]
            ), name
    record = document["paths"]["/api/v1/records/deal/{id}"]
    assert "ETag" in record["get"]["responses"]["200"]["headers"]
    assert {"ETag", "Idempotency-Replayed"} <= set(record["patch"]["responses"]["200"]["headers"])
    named = {one["$ref"].rpartition("/")[2] for one in record["patch"]["parameters"]}
    assert named == {"confirm", "if_match", "idempotency_key"}
    created = document["paths"]["/api/v1/records/deal"]["post"]["responses"]["201"]
    assert {"Location", "ETag"} <= set(created["headers"])
    assert created["links"]["change"]["operationId"] == "deal_change"


def test_options_are_an_enum_unless_more_may_be_added(document: dict[str, Any]) -> None:
    deal = document["components"]["schemas"]["deal"]["properties"]
    assert deal["stage"]["enum"][:2] == ["new", "qualified"]
    assert "enum" not in deal["source"]
    assert deal["created_at"]["readOnly"]
    assert deal["created_at"]["format"] == "date-time"
    assert deal["company"]["format"] == "uuid"
    assert set(deal["amount"]["properties"]) == {"amount", "currency"}
    new = document["components"]["schemas"]["deal.new"]
    assert new["required"] == ["name"]
    assert not {"id", "version", "created_at"} & set(new["properties"])


def test_every_described_route_exists_and_every_route_is_described(api: Api, document: dict[str, Any]) -> None:
    undescribed = [
        rule.rule
        for rule in api.flask_app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        and "<object_name>" not in rule.rule
        and not hasattr(api.flask_app.view_functions[rule.endpoint], "__operation__")
        and rule.rule not in document["paths"]
    ]
    assert undescribed == []


def _hold(outcome: Outcome, capsys: pytest.CaptureFixture[str], *, least: int) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome.table()}\n")
    assert not outcome.failures, "\n\n".join(f"{text}\n{call}" for text, call in outcome.failures.items())
    assert outcome.cases >= least
    done = sum(number for statuses in outcome.answers.values() for status, number in statuses.items() if status < 300)
    assert done >= outcome.cases // 20, "hardly a call did anything: was the key lost?"
