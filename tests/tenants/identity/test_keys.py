"""API keys: their text, their life, and that the secret is nowhere to be read."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import clock, crypto
from app.core.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from tenants.identity.keys import create_key, list_keys, mint, revoke_key, tenant_of
from tenants.scope import SYSTEM, Actor, enter, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope


@settings(deadline=None)
@given(st.uuids())
def test_a_key_names_its_tenant(tenant: uuid.UUID) -> None:
    key = mint(tenant)
    assert re.fullmatch(r"rap_[a-z2-7]{26}_[A-Za-z0-9]{42}", key)
    assert tenant_of(key) == tenant


@settings(deadline=None)
@given(st.integers(0, 72), st.sampled_from("abcXYZ019_- "))
def test_a_key_with_one_wrong_character_is_no_key(place: int, letter: str) -> None:
    key = mint(uuid.UUID(int=7))
    wrong = key[:place] + letter + key[place + 1 :]
    assert tenant_of(wrong) == (uuid.UUID(int=7) if wrong == key else None)


@settings(deadline=None)
@given(st.text())
def test_noise_is_no_key(text: str) -> None:
    assert tenant_of(text) is None
    assert tenant_of(f"rap_{text}_{text}") is None


def opened(databases: Databases, key: str, *, write: bool = False) -> TenantScope:
    with enter(databases, pod=1, host=None, credential=crypto.sha256(key), write=write) as scope:
        return scope


def test_a_key_lives_until_it_is_revoked_or_expires(databases: Databases, new_tenant: Callable[..., Tenant]) -> None:
    tenant = new_tenant()
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        row, key = create_key(scope, "  Web   shop ", "read_only", clock.now() + timedelta(hours=1))
        with pytest.raises(Unauthenticated):
            opened(databases, key)  # not before the transaction that made it
    entered = opened(databases, key)
    assert (entered.tenant, entered.role, entered.actor) == (tenant, "read_only", Actor("key", row.id, "Web shop"))
    with databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql("update pod.credential set expires_at = now() where id = %s", (row.id,))
    with pytest.raises(Unauthenticated):
        opened(databases, key)
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        _, second = create_key(scope, "Second", "admin")
    assert opened(databases, second).role == "admin"
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        made = {one.name: one for one in list_keys(scope)}
        assert made["Second"].revoked_at is None
        revoke_key(scope, made["Second"].id)
    with pytest.raises(Unauthenticated):
        opened(databases, second)
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        revoke_key(scope, made["Second"].id)
        assert {one.name: one.revoked_at is None for one in list_keys(scope)} == {"Web shop": True, "Second": False}


def test_neither_database_holds_the_key(databases: Databases, new_tenant: Callable[..., Tenant]) -> None:
    tenant = new_tenant()
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        _, key = create_key(scope, "Secret", "member")
        mirror = scope.execute("select to_jsonb(k)::text from api_key k").fetchall()
    with databases.pod_owner(1).connect() as connection:
        stored = connection.exec_driver_sql(
            "select to_jsonb(c)::text from pod.credential c where tenant = %s", (tenant.id,)
        ).all()
    secret = key.rsplit("_", 1)[1]
    assert mirror
    assert stored
    assert all(secret not in row[0] and secret[:8] not in row[0] for row in [*mirror, *stored])


def test_another_tenants_key_cannot_be_revoked(databases: Databases, two_tenants: tuple[Tenant, Tenant]) -> None:
    with enter_job(databases, two_tenants[0].id, actor=SYSTEM, write=True) as scope:
        row, key = create_key(scope, "Mine", "member")
    with pytest.raises(NotFound), enter_job(databases, two_tenants[1].id, actor=SYSTEM, write=True) as scope:
        revoke_key(scope, row.id)
    assert opened(databases, key).tenant == two_tenants[0]


def test_what_a_key_may_be_is_checked(scope: TenantScope) -> None:
    for name, role, expires in (
        (" ", "member", None),
        ("x" * 121, "member", None),
        ("x", "emperor", None),
        ("x", "member", clock.now() - timedelta(seconds=1)),
    ):
        with pytest.raises(InvalidInput):
            create_key(scope, name, role, expires)
    scope.role = "admin"
    with pytest.raises(Forbidden):
        create_key(scope, "x", "owner")
