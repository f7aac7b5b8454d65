"""The demo set comes and goes without a trace on what people made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access import catalogs
from app.records.store import read_record
from app.samples.data import RECORDS
from app.samples.service import has_samples, load_samples, remove_samples
from tenants.scope import enter_job
from tests.support.records import make_contact, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


def test_samples_are_loaded_once_and_removed_whole(scope: TenantScope) -> None:
    assert not has_samples(scope)
    assert load_samples(scope) == len(RECORDS)
    assert load_samples(scope) == 0
    assert has_samples(scope)
    company = scope.execute("SELECT id FROM o_company WHERE external_id = 'sample-nordwind'").fetchone()
    assert company is not None
    mine = make_contact(scope, company=str(company[0]))
    assert remove_samples(scope) == len(RECORDS)
    assert not has_samples(scope)
    for object_type in catalogs.for_scope(scope).objects.values():
        left = scope.execute(f"SELECT count(*) FROM {object_type.table} WHERE source_system = 'sample'").fetchone()
        assert left == (0,), object_type.name
    kept = read_record(scope, catalogs.for_scope(scope).objects["contact"], record_id(mine))
    assert kept is not None
    assert kept["company"] is None
    assert load_samples(scope) == len(RECORDS)


def test_whoever_asks_for_the_samples_has_their_tasks(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=30) as scope:
        load_samples(scope)
        held = scope.execute("SELECT assignee FROM o_task ORDER BY external_id").fetchall()
    assert held == [(owner.id,), (owner.id,)]
