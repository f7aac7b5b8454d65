"""Tenants are carried from one release to another: nothing of theirs is lost, what both sides changed is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata import catalog as catalogs
from app.metadata.ddl.inspect import described
from tenants.scope import SYSTEM, enter_job
from tests.support.shaping import sql
from tests.support.upgrades import bring, changed, present, tenant_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant


def schema_of(runtime: Runtime, tenant: Tenant) -> dict[str, list[str]]:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return described(scope.execute, catalogs.whole(scope))


def test_a_workspace_of_the_release_before_is_like_one_of_this_release_afterwards(runtime: Runtime) -> None:
    old = changed("", without=["object/deal/fields/next_step", "object/affiliation"])
    tenant = tenant_of(runtime, old)
    fresh = tenant_of(runtime, present())

    report = bring(runtime, present())

    assert report.complete
    assert report.done >= 1
    assert schema_of(runtime, tenant) == schema_of(runtime, fresh)
    assert sql(runtime.databases, tenant, "select layer, hash from metadata_layer") == [("platform", present().hash)]
    assert bring(runtime, present()).found == 0
