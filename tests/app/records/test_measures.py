"""Durations, times of day, places, ratings and JSON from end to end: written, read, asked, added up, moved, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.api import Api, make_key
from tests.support.exports import export, records
from tests.support.imports import import_file
from tests.support.shaping import change
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

VISITS = """
kind: object
name: visit
label: {one: Visit, other: Visits}
title: [name]
fields:
  name: {type: text, label: Name, required: true}
  company: {type: link, label: Company, to: company, inverse: visits}
  took: {type: duration, label: Took, indexed: true, default: "0:15"}
  began: {type: time, label: Began, indexed: true, default: "09:00"}
  place: {type: geo, label: Place}
  stars: {type: rating, label: Stars, max: 7, indexed: true}
  data: {type: json, label: Data, default: '{"new": true}'}
  slot: {type: time, label: Slot, unique: true}
  twice: {type: formula, label: Twice, returns: duration, value: "took * 2", indexed: true}
  hours: {type: formula, label: Hours, returns: decimal, value: "hours(took)"}
  later: {type: formula, label: Later, returns: time, value: 'began > time("08:00") ? began : null', indexed: true}
  north: {type: formula, label: North, returns: boolean, value: "place.lat > 50"}
  since: {type: formula, label: Since, returns: duration, value: "now - created_at"}
---
{kind: field, name: company.time_spent, type: rollup, label: Time, over: visits, function: sum, field: took}
---
{kind: field, name: company.time_kept, type: rollup, label: Kept, over: visits, function: avg, field: took,
 indexed: true}
---
{kind: field, name: company.earliest, type: rollup, label: Earliest, over: visits, function: min, field: began}
---
{kind: field, name: company.stars, type: rollup, label: Stars, over: visits, function: avg, field: stars}
---
{kind: field, name: company.best, type: rollup, label: Best, over: visits, function: max, field: stars, indexed: true}
---
{kind: rule, name: visit.short, refuse_if: 'took > duration("10h") && began < time("06:00")', message: Too long}
"""
GIVEN: list[dict[str, Any]] = [
    {"name": "A", "took": "1:30", "began": "9:30 am", "place": "52.52, 13.40", "stars": 7, "data": {"b": [1, None]}},
    {"name": "B", "took": "PT45M", "began": "07:15:30", "place": {"lat": "-33.8", "lon": 151}, "stars": "2", "data": 3},
    {"name": "C", "took": 90, "began": None, "place": None, "stars": None, "data": None},
]


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def tenant(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    made = new_tenant()
    change(runtime.databases, made, VISITS)
    return made


@pytest.fixture(scope="module")
def api(site: Flask, runtime: Runtime, tenant: Tenant) -> Api:
    return Api(site, make_key(runtime.databases, tenant, "owner"))


@pytest.fixture(scope="module")
def company(api: Api) -> str:
    """A company with three visits."""
    made = api.post("/records/company", {"name": "Acme"})["id"]
    for one in GIVEN:
        api.post("/records/visit", {**one, "company": made})
    return made


def names(api: Api, company: str, **query: str) -> list[str]:
    asked = f'company == "{company}"' + (f" && ({query.pop('filter')})" if "filter" in query else "")
    return [one["name"] for one in api.get("/records/visit", filter=asked, **query)["data"]]


def test_they_come_back_in_one_form_each(api: Api, company: str) -> None:
    first, second, third = api.get("/records/visit", sort="name", filter=f'company == "{company}"')["data"]
    kept = ("took", "began", "place", "stars", "data", "twice", "hours", "later", "north")
    assert [first[one] for one in kept] == [
        "PT1H30M", "09:30", {"lat": 52.52, "lon": 13.4}, 7, {"b": [1, None]}, "PT3H", "1.5", "09:30", True,
    ]  # fmt: skip
    assert [second[one] for one in kept] == [
        "PT45M", "07:15:30", {"lat": -33.8, "lon": 151}, 2, 3, "PT1H30M", "0.75", None, False,
    ]  # fmt: skip
    assert [third[one] for one in kept] == ["PT1M30S", None, None, None, None, "PT3M", "0.025", None, None]
    assert first["since"].startswith("PT")
    assert api.get(f"/records/visit/{first['id']}", fields="place.lat,took") == {
        "id": first["id"], "place.lat": 52.52, "took": "PT1H30M",
    }  # fmt: skip


def test_a_new_record_begins_with_the_defaults(api: Api) -> None:
    made = api.post("/records/visit", {"name": "Bare"})
    assert (made["took"], made["began"], made["data"]) == ("PT15M", "09:00", {"new": True})
    read = api.get(f"/records/visit/{made['id']}")
    assert {**made, "since": None} == {**read, "since": None}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('took > duration("1h")', ["A"]),
        ('took == duration("45m") || took < duration("2m")', ["B", "C"]),
        ('took + duration("15m") == duration("1h")', ["B"]),
        ("minutes(took) >= 45", ["A", "B"]),
        ('took in [duration("90s")]', ["C"]),
        ('began < time("08:00")', ["B"]),
        ('began >= time("07:15:30") && hour(began) == 9', ["A"]),
        ("!has(began)", ["C"]),
        ('began in [time("09:30"), time("10:00")]', ["A"]),
        ("place.lat > 0 && place.lon < 14", ["A"]),
        ("has(place)", ["A", "B"]),
        ("stars >= 5", ["A"]),
        ("has(data)", ["A", "B"]),
        ('twice == duration("3h") || later == time("09:30")', ["A"]),
    ],
)
def test_they_are_filtered_by(api: Api, company: str, condition: str, found: list[str]) -> None:
    assert names(api, company, filter=condition, sort="name") == found
    assert sorted({"A", "B", "C"} - set(names(api, company, filter=f"({condition}) == true"))) == sorted(
        {"A", "B", "C"} - set(found)
    )


@pytest.mark.parametrize(
    ("sort", "order"), [("took", "CBA"), ("-took", "ABC"), ("began", "BAC"), ("-stars", "ABC"), ("twice", "CBA"),
                        ("place.lat", "BAC"), ("-later", "ABC")],
)  # fmt: skip
def test_they_are_sorted_and_paged_by(api: Api, company: str, sort: str, order: str) -> None:
    query = {"sort": f"{sort},name", "filter": f'company == "{company}"', "limit": "1"}
    seen, cursor = "", None
    while cursor or not seen:
        page = api.get("/records/visit", **query, **({"cursor": cursor} if cursor else {}))
        seen, cursor = seen + page["data"][0]["name"], page["next"]
    assert seen.replace("C", "") == order.replace("C", "")
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("path", "filters", "code"),
    [("data", "sort", "sort.unsupported"), ("place", "sort", "sort.unsupported"),
     ("data", "group_by", "group.unsupported"),
     ("place", "group_by", "group.unsupported"), ("sum:began", "metrics", "metric.unsupported")],
)  # fmt: skip
def test_what_has_no_order_is_refused_in_words(api: Api, path: str, filters: str, code: str) -> None:
    where = "/records/visit" if filters == "sort" else "/records/visit/aggregate"
    answer = api.call("GET", where, query={filters: path})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, code)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("took > 90", "can't be compared"),
        ('took > "1h"', 'duration("1h")'),
        ('began > "08:00"', 'time("08:00")'),
        ('began > time("8")', 'time("09:30")'),
        ("data == 3", "can only be asked with `has(data)`"),
        ("place == null || place > 3", "can only be asked"),
        ("place.lng > 3", "place.lon"),
    ],
)
def test_conditions_that_ask_wrongly_are_told_how(api: Api, condition: str, told: str) -> None:
    answer = api.call("GET", "/records/visit", query={"filter": condition})
    assert answer.status_code == 422, answer.text
    assert told in answer.json["detail"]


def test_they_are_counted_added_up_and_grouped_by(api: Api, company: str) -> None:
    mine = f'company == "{company}"'
    metrics = "sum:took,avg:took,min:took,max:began,min:began,avg:stars,sum:stars,max:stars"
    (row,) = api.get("/records/visit/aggregate", metrics=metrics, filter=mine)["data"]
    assert row == {
        "group": {}, "sum_took": "PT2H16M30S", "avg_took": "PT45M30S", "min_took": "PT1M30S", "max_began": "09:30",
        "min_began": "07:15:30", "avg_stars": "4.5", "sum_stars": "9", "max_stars": 7,
    }  # fmt: skip
    nothing = api.get("/records/visit/aggregate", metrics="sum:took,avg:took", filter='name == "Nobody"')["data"]
    assert nothing == [{"group": {}, "sum_took": "PT0S", "avg_took": None}]
    groups = {"stars": [2, 7, None], "began": ["07:15:30", "09:30", None], "took": ["PT1M30S", "PT45M", "PT1H30M"]}
    for path, keys in groups.items():
        rows = api.get("/records/visit/aggregate", group_by=path, metrics="count", filter=mine)["data"]
        assert sorted((row["group"][path] for row in rows), key=str) == sorted(keys, key=str)


def test_roll_ups_over_them(api: Api, company: str) -> None:
    found = api.get(f"/records/company/{company}")
    kept = ("time_spent", "time_kept", "earliest", "stars", "best")
    assert [found[one] for one in kept] == ["PT2H16M30S", "PT45M30S", "07:15:30", "4.5", 7]
    assert api.get("/records/company", filter='time_spent > duration("2h") && earliest < time("08:00")')["data"]


@pytest.mark.parametrize(
    ("wrong", "pointer", "told"),
    [
        ({"took": "90"}, "/took", "no unit"),
        ({"took": "P1M"}, "/took", "no fixed length"),
        ({"began": "25:00"}, "/began", "like 09:30"),
        ({"place": {"lat": 91, "lon": 0}}, "/place/lat", "between -90 and 90"),
        ({"place": {"lat": 1}}, "/place/lon", "longitude"),
        ({"stars": 8}, "/stars", "from 1 to 7"),
        ({"data": {"a": {"b": 1e30}}}, "/data", "64 bits"),
        ({"data": ["x" * 70_000]}, "/data", "65,536 bytes"),
    ],
)
def test_errors_name_the_field_and_what_would_be_right(
    api: Api, wrong: dict[str, Any], pointer: str, told: str
) -> None:
    answer = api.call("POST", "/records/visit", {"name": "X", **wrong})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json["errors"]
    assert error["pointer"] == pointer
    assert told in error["message"]


def test_rules_see_them_as_filters_do(api: Api) -> None:
    night = {"name": "Night", "took": "10:01", "began": "05:59"}
    assert api.call("POST", "/records/visit", night).status_code == 422
    assert api.call("POST", "/records/visit", {**night, "began": "06:00"}).status_code == 201


def test_a_time_that_is_taken_is_refused(api: Api) -> None:
    api.post("/records/visit", {"name": "One", "slot": "10:00"})
    answer = api.call("POST", "/records/visit", {"name": "Two", "slot": "10:00:00"})
    assert (answer.status_code, answer.json["code"]) == (409, "record.unique")


def test_the_log_says_what_changed(api: Api) -> None:
    made = api.post("/records/visit", {"name": "Log", "took": "1:00", "data": {"a": 1}, "stars": 3})
    sent = {"took": "-0:30", "data": [1.5, "x"], "stars": None, "place": "1, 2", "began": "23:59:59"}
    answer = api.call("PATCH", f"/records/visit/{made['id']}", sent)
    assert answer.status_code == 200, answer.text
    newest = api.get(f"/records/visit/{made['id']}/events")["data"][-1]
    kept = {name: newest["diff"][name] for name in ("took", "data", "stars", "place", "began")}
    assert kept == {
        "took": ["PT1H", "-PT30M"], "data": [{"a": 1}, [1.5, "x"]], "stars": [3, None],
        "place": [None, {"lat": 1, "lon": 2}], "began": ["09:00", "23:59:59"],
    }  # fmt: skip


def test_what_is_exported_comes_back_equal(
    runtime: Runtime, tenant: Tenant, company: str, new_tenant: NewTenant
) -> None:
    there = new_tenant()
    change(runtime.databases, there, VISITS)
    file = export(runtime, tenant, object="visit", fields=["name", "took", "began", "place", "stars", "data"])
    head = file.decode("utf-8-sig").splitlines()[0]
    assert head == "name,took,began,place.lat,place.lon,stars,data"
    found = import_file(runtime, there, file, object="visit")
    assert (found["failed"], found["warnings"]) == (0, 0), found
    fields = ("name", "took", "began", "place", "stars", "data")

    def told(where: Tenant) -> list[dict[str, Any]]:
        rows = records(runtime, where, "visit", *fields)
        return sorted(({name: row[name] for name in fields} for row in rows), key=lambda row: (row["name"], str(row)))

    assert told(there) == told(tenant)


def test_a_wrong_cell_is_reported_with_its_column(runtime: Runtime, tenant: Tenant) -> None:
    file = 'name,took,place.lat,place.lon,data\nW,soon,95,1,"{""a"":"\n'
    found = import_file(runtime, tenant, file, object="visit", dry_run=True)
    assert (found["failed"], found["created"]) == (1, 0)


def test_openapi_describes_what_is_answered_and_taken(api: Api, company: str) -> None:
    described = api.get("/openapi.json")["components"]["schemas"]
    record = api.get("/records/visit", filter="has(place)")["data"][0]
    for name in ("took", "began", "place", "stars", "data"):
        Draft202012Validator(described["visit"]["properties"][name]).validate(record[name])
        for given in GIVEN:
            Draft202012Validator(described["visit.new"]["properties"][name]).validate(given[name])


@pytest.mark.parametrize(
    ("was", "value", "becomes", "now"),
    [
        ("text", "1h 30m", "duration", "PT1H30M"), ("duration", "1:30", "text", "PT1H30M"),
        ("duration", "1:30", "integer", 5400), ("decimal", "5400", "duration", "PT1H30M"),
        ("text", "9:30 pm", "time", "21:30"), ("datetime", "2026-01-02T08:30:00Z", "time", "09:30"),
        ("text", "52.52, 13.4", "geo", {"lat": 52.52, "lon": 13.4}), ("geo", "1.5, 2", "text", "1.5, 2"),
        ("integer", 4, "rating", 4), ("rating", 4, "decimal", "4"), ("integer", 9, "rating", None),
        ("text", '{"a": 1}', "json", {"a": 1}), ("text", "plain", "json", "plain"),
        ("json", {"a": [1]}, "text", '{"a":[1]}'),
        ("money", {"amount": "1.50", "currency": "EUR"}, "json", {"amount": "1.50", "currency": "EUR"}),
    ],
)  # fmt: skip
def test_fields_change_their_type_with_their_values(
    runtime: Runtime, tenant: Tenant, api: Api, was: str, value: object, becomes: str, now: object
) -> None:
    change(runtime.databases, tenant, f"{{kind: field, name: visit.turns, type: {was}, label: Turns}}")
    made = api.post("/records/visit", {"name": "Turns", "turns": value})
    change(
        runtime.databases, tenant, f"{{kind: field, name: visit.turns, type: {becomes}, label: Turns}}", confirm=True
    )
    assert api.get(f"/records/visit/{made['id']}")["turns"] == now
    change(runtime.databases, tenant, "{kind: field, name: visit.turns, remove: true}", confirm=True)
