"""A field calculated from what one may not read is not there; a roll-up counts records out of reach too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.access import catalogs
from app.core.errors import InvalidInput
from app.records.aggregate import aggregate
from app.records.query import AggregateQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.write import create_record, update_record
from tests.support.computed import MACHINES, shape
from tests.support.records import make_company, record_id
from tests.support.rights import WORKER, as_person, make_person, make_role, share_by_default
from tests.support.tenants import rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant


@pytest.fixture(scope="module")
def workshop(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A workspace with machines."""
    tenant = new_tenant()
    shape(databases, tenant, MACHINES)
    return tenant


@pytest.fixture
def owner(databases: Databases, workshop: Tenant) -> Iterator[TenantScope]:
    """A scope of its owner, rolled back."""
    with rolled_back(databases, workshop, write=True) as scope:
        yield scope


def machine(scope: TenantScope, company: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"serial": "A", "company": company["id"], "price": "2000", "cost": "1500", "pieces": 4} | values
    return create_record(scope, "machine", given)


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({"machine": {"cost": "none"}}, {"machine.cost", "machine.profit", "machine.margin", "machine.doubled"}),
        (
            {"machine": {"pieces": "none"}},
            {"machine.pieces", "machine.name", "machine.share", "company.pieces", "company.running"},
        ),
        ({"company": {"industry": "none"}}, {"company.industry", "machine.industry"}),
        ({"machine": {"margin": "none"}}, {"machine.margin", "machine.doubled"}),
        ({"company": {"pieces": "none"}}, {"company.pieces", "machine.share"}),
    ],
)
def test_what_is_calculated_from_a_hidden_field_is_hidden(
    owner: TenantScope, fields: dict[str, Any], gone: set[str]
) -> None:
    member = as_person(owner, make_person(owner, make_role(owner, fields=fields)))
    whole, seen = catalogs.whole(owner), catalogs.for_scope(member)
    names = {f"{o.name}.{f}" for o in whole.objects.values() for f in o.fields}
    assert names - {f"{o.name}.{f}" for o in seen.objects.values() for f in o.fields} == gone


def test_a_hidden_calculated_field_is_nowhere(owner: TenantScope) -> None:
    company = make_company(owner)
    made = machine(owner, company)
    member = as_person(owner, make_person(owner, make_role(owner, fields={"machine": {"cost": "none"}})))
    assert not {"cost", "profit", "margin", "doubled"} & get_record(member, "machine", made["id"]).keys()
    changed = update_record(member, "machine", record_id(made), {"pieces": 3})
    assert not {"cost", "profit", "margin", "doubled"} & changed.keys()
    assert (changed["share"], changed["pieces"]) == ("1", 3)
    for query in (ListQuery(filter="margin > 0"), ListQuery(sort="profit"), ListQuery(fields=("doubled",))):
        with pytest.raises(InvalidInput):
            list_records(member, "machine", query)
    with pytest.raises(InvalidInput):
        aggregate(member, "machine", AggregateQuery(metrics=("sum:profit",)))


def test_without_the_object_its_roll_ups_are_not_there(owner: TenantScope) -> None:
    role = make_role(owner, objects={"*": WORKER, "machine": {"read": "none"}})
    member = as_person(owner, make_person(owner, role))
    assert (
        not {"pieces", "worth", "newest", "running", "last_serial"}
        & catalogs.for_scope(member).objects["company"].fields.keys()
    )


def test_a_roll_up_counts_records_out_of_reach_and_a_formula_does_not_look_there(owner: TenantScope) -> None:
    company = make_company(owner, industry=None)
    first, second = machine(owner, company), machine(owner, company, serial="B", pieces=6)
    share_by_default(owner, "machine", "private")
    person = make_person(owner, make_role(owner))
    member = as_person(owner, person)
    update_record(owner, "machine", record_id(first), {"owner": str(person.id)})
    assert [row["serial"] for row in list_records(member, "machine", ListQuery()).rows] == ["A"]
    seen = get_record(member, "company", company["id"])
    assert (seen["pieces"], seen["worth"]) == (10, {"amount": "4000.00", "currency": "EUR"})
    share_by_default(owner, "company", "private")
    member = as_person(owner, person)
    mine = get_record(member, "machine", first["id"])
    assert mine["share"] is None
    assert mine["industry"] is None
    answered = update_record(member, "machine", record_id(first), {"pieces": 5})
    assert answered["share"] is None
    assert get_record(owner, "machine", second["id"])["share"] == "0.545454545455"
