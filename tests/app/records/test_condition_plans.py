"""Common conditions read the indexes there are: EXPLAIN over 20,000 deals of 500 companies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from app.access import catalogs
from app.records.environment import check_filter, condition_sql
from app.records.read import condition_params, live
from app.records.sources import Source
from app.records.statements import compile_statement
from tenants.scope import enter_job
from tests.support.tenants import PATIENT, owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

_COMPANIES = (
    "insert into o_company (id, name)"
    " select lpad(to_hex(n), 32, '0')::uuid, 'Company ' || n from generate_series(1, 500) n"
)
_DEALS = (
    "insert into o_deal (name, company, owner, pipeline, stage, stage_status, amount, amount__currency, created_at)"
    " select case mod(n, 400) when 0 then 'Acme ' else 'Deal ' end || n, lpad(to_hex(mod(n, 500) + 1), 32, '0')::uuid,"
    " case mod(n, 500) when 0 then (select id from member limit 1) end, 'sales',"
    " case mod(n, 200) when 0 then 'won' else 'new' end, 'open', n, 'EUR',"
    " timestamptz '2017-01-01' + n * interval '2 hours' from generate_series(1, 20000) n"
)


@pytest.fixture(scope="module")
def tenant(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A workspace with rows and the statistics the planner needs."""
    made = new_tenant()
    owner = owner_of(databases, made)
    with enter_job(databases, made.id, actor=owner, write=True, budget=PATIENT) as scope:
        scope.execute(_COMPANIES)
        scope.execute(_DEALS)
    with databases.pod_owner(1).connect() as connection:
        connection.exec_driver_sql(f'analyze "{made.schema}".o_deal, "{made.schema}".o_company')
        connection.commit()
    return made


def plan(scope: TenantScope, object_name: str, condition: str) -> str:
    """How PostgreSQL reads the rows of a list with this condition."""
    catalog = catalogs.for_scope(scope)
    obj = catalog.objects[object_name]
    checked = check_filter(scope, catalog, obj, condition)
    assert checked is not None
    source = Source(catalog, obj)
    where = condition_sql(source, checked)
    chosen = sa.select(source.id).select_from(source.from_clause()).where(live(source), where)
    made = compile_statement(chosen)
    rows = scope.execute("explain " + made.text.decode(), {**made.constants, **condition_params(scope, checked)})
    return "\n".join(str(row[0]) for row in rows)


#: condition on deals → the index its plan reads, and what it looks up there.
INDEXED = {
    'stage == "won"': (r"board", r"stage = 'won'"),
    'stage in ["won", "lost"]': (r"board", r"stage = ANY"),
    "owner == me": (r"owner", r"owner = "),
    'company == "00000000-0000-0000-0000-000000000007"': (r"company", r"company = "),
    'created_at >= timestamp("2017-01-01T00:00:00Z") && created_at < timestamp("2017-01-05T00:00:00Z")': (
        r"created_at",
        r"created_at >= .*created_at < ",
    ),
    'created_at > now - duration("3d")': (r"created_at", r"created_at > "),
    'name.startsWith("Acme")': (r"title", r"acme"),
    'name == "Acme"': (r"title", r"= 'acme'"),
    'company == "00000000-0000-0000-0000-000000000007" && amount > 100': (r"company", r"company = "),
}


@pytest.mark.parametrize("condition", INDEXED)
def test_a_common_condition_reads_its_index(scope: TenantScope, condition: str) -> None:
    index, looked_up = INDEXED[condition]
    found = plan(scope, "deal", condition)
    reads = [line for line in found.splitlines() if "Index" in line and ("Scan" in line or "Cond" in line)]
    text = "\n".join(reads)
    assert re.search(rf"(using|on) \S*{index}", text), found
    assert re.search(rf"Index Cond: .*{looked_up}", text), found


def test_records_that_link_here_are_found_by_the_links_index(scope: TenantScope) -> None:
    found = plan(scope, "company", "any(deals, amount > 100) && owner == me")
    assert re.search(r"Index.* (using|on) \S*company", found), found
    assert "Seq Scan on o_deal" not in found
