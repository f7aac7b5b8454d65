"""Rules look at all there is, and tell nobody what they may not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.records.errors import InvalidRecord
from app.records.pages.live import state_of
from app.records.permits import leave_for
from app.records.write import create_record
from tests.support.rights import as_person, make_person, make_role, share_by_default
from tests.support.shaping import change
from tests.support.tenants import rolled_back

if TYPE_CHECKING:
    from app.core.db import Databases
    from tests.support.tenants import NewTenant

RULES = """
kind: rule
name: contact.banks
refuse_if: company.industry == "finance"
message: Not for banks.
field: company
---
{kind: rule, name: contact.titled, required: [job_title]}
"""


def test_what_lies_behind_a_link_out_of_sight_is_not_told(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(databases, tenant, RULES)
    with rolled_back(databases, tenant, write=True) as scope:
        bank = create_record(scope, "company", {"name": "Bank", "industry": "finance"})["id"]
        share_by_default(scope, "company", "private")
        mine = as_person(scope, make_person(scope))
        sent = {"last_name": "Spy", "job_title": "Spy", "company": bank}
        with pytest.raises(InvalidRecord) as refused:
            create_record(mine, "contact", sent)
        assert [(error.pointer, error.code) for error in refused.value.errors] == [("/company", "link.not_found")]
        state = state_of(leave_for(mine, "contact"), sent)
        assert state is not None
        assert state["problems"] == []


def test_a_rule_about_a_hidden_field_holds_without_naming_it(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(databases, tenant, RULES)
    with rolled_back(databases, tenant, write=True) as scope:
        role = make_role(scope, fields={"contact": {"job_title": "none"}})
        mine = as_person(scope, make_person(scope, role))
        with pytest.raises(InvalidRecord) as refused:
            create_record(mine, "contact", {"last_name": "Untitled"})
        assert [(error.pointer, error.code) for error in refused.value.errors] == [("", "record.hidden")]
        state = state_of(leave_for(mine, "contact"), {"last_name": "Untitled"})
        assert state is not None
        assert (state["required"], state["problems"]) == ([], [])
