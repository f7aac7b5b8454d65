"""The scope: who gets in, what is committed, what a broken transaction leaves behind."""

from __future__ import annotations

from tenants.scope import Tenant, TenantScope


def test_a_scope_runs_as_the_tenants_role_in_its_schema(scope: TenantScope, tenant: Tenant) -> None:
    row = scope.execute("select current_user, current_schema").fetchone()
    assert row == (tenant.role, tenant.schema)
