"""Plan, apply and revert on a real workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.access import catalogs
from app.metadata import document, history
from app.metadata.apply import Applied, Request, apply
from app.metadata.changeset import desired
from tenants.scope import enter_job
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

MACHINE = """
kind: object
name: machine
label: {one: Machine, other: Machines}
icon: package
title: [serial]
fields:
  serial: {type: text, label: Serial, required: true, unique: true, searchable: true}
  company: {type: link, label: Company, to: company, on_delete: restrict, inverse: machines}
  price: {type: money, label: Price}
  bought: {type: date, label: Bought}
---
kind: field
name: deal.machine
type: link
label: Machine
to: machine
inverse: deals
"""


def change(databases: Databases, tenant: Tenant, text: str, **more: Any) -> Applied:
    """Apply what ``text`` says, as the owner."""
    patches = document.read(text, "test.yaml")
    request = Request(source="test", by=owner_of(databases, tenant), **more)
    return apply(databases, tenant, lambda state: desired(state, patches, source="test"), request)


def test_an_object_made_by_yaml_takes_records(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    made = change(databases, tenant, MACHINE)
    assert made.change is not None
    with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=True, budget=60) as scope:
        catalog = catalogs.for_scope(scope)
        assert catalog.objects["machine"].table.startswith("o_")
        assert catalog.objects["machine"].table != "o_machine"
        print(made.plan.steps)
        print(catalog.objects["machine"].fields["price"].columns, catalog.objects["record_link"].fields["to"].columns)
        print([h["id"] for h in history.changes(scope.execute, limit=5)])
