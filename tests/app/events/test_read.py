"""Reading the log page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidInput
from app.events import read
from app.events.seal import seal_tenant
from app.records import write
from app.records.bulk import bulk
from tenants.scope import enter_job
from tests.support.records import make_company, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


def test_a_timeline_is_read_in_both_directions_page_by_page(scope: TenantScope) -> None:
    company = make_company(scope, "0")
    for number in range(1, 5):
        write.update_record(scope, "company", record_id(company), {"name": str(number)})
    found, after = [], ""
    while True:
        page = read.record_events(scope, "company", record_id(company), after=after, limit=2)
        found += page["data"]
        if page["next"] is None:
            break
        after = page["next"]
    assert [(event["diff"] or {}).get("name") for event in found] == [
        None,
        ["0", "1"],
        ["1", "2"],
        ["2", "3"],
        ["3", "4"],
    ]
    newest = read.record_events(scope, "company", record_id(company), limit=1, newest_first=True)
    assert newest["data"] == found[-1:]
    older = read.record_events(scope, "company", record_id(company), after=newest["next"], limit=9, newest_first=True)
    assert older["data"] == found[-2::-1]
    assert read.record_events(scope, "deal", record_id(company))["data"] == []


def test_the_history_of_one_field_is_what_changed_it(scope: TenantScope) -> None:
    company = make_company(scope, "Old")
    for change in ({"name": "New"}, {"description": "Ours"}, {"name": "Newer", "description": "Theirs"}):
        write.update_record(scope, "company", record_id(company), change)
    page = read.record_events(scope, "company", record_id(company), field="name")
    assert [event["diff"]["name"] for event in page["data"]] == [["Old", "New"], ["New", "Newer"]]
    assert page["next"] is None
    assert read.record_events(scope, "company", record_id(company), field="website")["data"] == []


def test_an_event_has_exactly_the_documented_members(scope: TenantScope) -> None:
    event = read.record_events(scope, "company", record_id(make_company(scope)))["data"][0]
    assert list(event) == ["seq", "id", "at", "actor", "kind", "object", "record_id", "diff", "cause"]
    assert event["actor"].keys() == {"kind", "id", "name"}
    assert event["cause"] is None


def test_the_feed_goes_on_from_any_place(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    for count in (3, 1, 5):
        with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
            bulk(scope, "deal", [{"name": "d"}] * (count - 1))
        assert seal_tenant(runtime, tenant.id) == count
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False) as scope:
        for after in range(11):
            for limit in (1, 2, 4, 50):
                page = read.tenant_events(scope, after=after, limit=limit)
                expected = list(range(after + 1, 10))[:limit]
                assert [event["seq"] for event in page["data"]] == expected
                assert page["next"] == (expected[-1] if len(expected) == limit else None)


def test_wrong_places_and_sizes_are_refused(scope: TenantScope) -> None:
    company = make_company(scope)
    with pytest.raises(InvalidInput, match="after"):
        read.record_events(scope, "company", record_id(company), after="x")
    with pytest.raises(InvalidInput, match="limit"):
        read.tenant_events(scope, limit=0)


def test_the_feed_is_empty_behind_its_end_however_far(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True) as scope:
        make_company(scope, "Last")
    seal_tenant(runtime, tenant.id)
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False) as scope:
        assert len(read.tenant_events(scope, after=0)["data"]) == 1
        for after in (10_000, 96_304_784_289, 999_999_999_999_999_999):
            assert read.tenant_events(scope, after=after) == {"data": [], "next": None}
