"""Who may come in, and who came in, stands in the workspace's log beside everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.events.seal import seal_tenant
from tenants.identity import invitations, keys, members
from tenants.scope import enter_job
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant


def test_invitations_roles_ends_and_keys_are_logged_without_addresses(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=30) as scope:
        made = invitations.invite(runtime, scope, email="ina@example.test", role="member", name="Ina")
        members.change_role(scope, made.member, "admin")
        members.change_role(scope, made.member, "admin")
        members.deactivate(runtime, scope, made.member)
        key, _ = keys.create_key(scope, "Robot", "member")
        keys.revoke_key(scope, key.id)
        keys.revoke_key(scope, key.id)
        rows = scope.execute("select kind, object, record_id, diff, actor_id from event order by id").fetchall()
    assert [row[:4] for row in rows] == [
        ("member_invited", "member", made.member, {"role": [None, "member"]}),
        ("member_changed", "member", made.member, {"role": ["member", "admin"]}),
        ("member_changed", "member", made.member, {"status": ["invited", "inactive"]}),
        ("key_created", "key", key.id, {"role": [None, "member"]}),
        ("key_revoked", "key", key.id, None),
    ]
    assert {row[4] for row in rows} == {owner.id}
    assert seal_tenant(runtime, tenant.id) == 5
