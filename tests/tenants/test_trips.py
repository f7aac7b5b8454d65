"""How a scope's transaction begins and ends: the trips it takes, and what happens when one of them goes wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from app.core import clock, crypto, ids
from app.core.db import Databases
from tenants.provisioning.spares import owner_transaction
from tenants.scope import SYSTEM, EscapedScopeError, Tenant, enter, enter_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant

_BY_KEY = "explain select name from o_company where id = '01a203c5-69e0-7092-b4ea-991f1cbbd153'"
_MODES = "select current_setting('plan_cache_mode'), current_setting('enable_seqscan')"


@pytest.fixture
def alone(databases: Databases) -> Iterator[Databases]:
    """The pod through a pool of one connection, so that each scope comes after the one before."""
    urls = [
        engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        for engine in (databases.control, databases.control_owner(), databases.pod(1), databases.pod_owner(1))
    ]
    made = Databases(urls[0], urls[1], pool_size=1, max_overflow=0)
    made.add_pod(1, urls[2], urls[3])
    yield made
    made.dispose()


@pytest.fixture
def key(databases: Databases, tenant: Tenant) -> bytes:
    hashed = crypto.sha256(str(ids.uuid7()))
    with databases.pod(1).begin() as connection:
        connection.exec_driver_sql(
            "select pod.put_credential(%s, 'key', %s, null, null, 'member', 'Key', %s)",
            (tenant.id, hashed, clock.now().replace(year=2100)),
        )
    return hashed


def _teams(databases: Databases, tenant: Tenant, name: str) -> int:
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return len(scope.execute("select 1 from team where name = %s", (name,)).fetchall())


@pytest.mark.parametrize("write", [False, True])
def test_a_transaction_of_one_statement_waits_for_the_server_three_times(
    alone: Databases, tenant: Tenant, key: bytes, tmp_path: Path, write: bool
) -> None:
    with enter(alone, pod=1, host=None, credential=key, write=write) as scope:
        connection = scope.connection
        scope.execute("select name from team")
    with (tmp_path / "trace").open("wb") as file:
        connection.pgconn.trace(file.fileno())
        with enter(alone, pod=1, host=tenant.host, credential=key, write=write) as scope:
            scope.execute("select name from team")
        connection.pgconn.untrace()
    lines = [line.split("\t") for line in (tmp_path / "trace").read_text().splitlines()]
    kinds = [fields[3].strip() for fields in lines if len(fields) > 3]
    assert kinds.count("ReadyForQuery") == 3
    assert kinds.count("Parse") == (3 if write else 2)  # BEGIN, COMMIT and, for writing, the check


def test_a_scope_opens_though_the_server_was_told_to_forget_all_statements(
    alone: Databases, tenant: Tenant, key: bytes
) -> None:
    for _ in range(2):
        for write in (False, True):
            with enter(alone, pod=1, host=None, credential=key, write=write) as scope:
                assert scope.execute("select current_user").fetchone() == (tenant.role,)
        proxied = alone.pod(1).raw_connection()
        proxied.cursor().execute("deallocate all")
        proxied.close()


def test_who_enters_a_tenant_whose_role_the_server_hears_of_a_moment_later_gets_in(
    alone: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    role = sql.Identifier(tenant.role)

    def granted() -> None:
        with owner_transaction(alone, 1) as connection:
            connection.execute(sql.SQL("grant {} to rapport_app with inherit false, set true").format(role))

    with owner_transaction(alone, 1) as connection:
        connection.execute(sql.SQL("revoke {} from rapport_app").format(role))
    later = threading.Timer(0.05, granted)
    later.start()
    assert _teams(alone, tenant, "None") == 0
    later.join()
    with owner_transaction(alone, 1) as connection:
        connection.execute(sql.SQL("revoke {} from rapport_app").format(role))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _teams(alone, tenant, "None")
    granted()
    assert _teams(alone, tenant, "None") == 0


def test_a_rollback_to_a_savepoint_does_not_lose_the_work(alone: Databases, tenant: Tenant) -> None:
    for name in ("kept", "kept too"):
        with enter_job(alone, tenant.id, actor=SYSTEM, write=True) as scope:
            scope.execute("insert into team (name) values (%s)", (name,))
            with scope.connection.transaction(force_rollback=True):
                scope.execute("insert into team (name) values ('given up')")
    assert [_teams(alone, tenant, name) for name in ("kept", "kept too", "given up")] == [1, 1, 0]


@pytest.mark.parametrize("leaving", ["reset role", "set local search_path = pg_catalog", "set local search_path = ''"])
@pytest.mark.parametrize("write", [False, True])
def test_who_left_the_tenant_does_not_commit(alone: Databases, tenant: Tenant, leaving: str, write: bool) -> None:
    def act(scope: TenantScope) -> None:
        if write:
            scope.execute("insert into team (name) values ('of nobody')")
        scope.connection.execute(leaving)  # pyright: ignore[reportArgumentType]

    with pytest.raises(EscapedScopeError), enter_job(alone, tenant.id, actor=SYSTEM, write=write) as scope:
        act(scope)
    assert _teams(alone, tenant, "of nobody") == 0


def test_a_connection_that_ends_in_the_middle_of_a_trip_is_dropped(
    alone: Databases, tenant: Tenant, superuser_url: str
) -> None:
    with (
        pytest.raises(psycopg.OperationalError),
        enter_job(alone, tenant.id, actor=SYSTEM, write=True) as scope,
        psycopg.connect(superuser_url, autocommit=True) as other,
    ):
        scope.execute("insert into team (name) values ('cut off')")
        other.execute("select pg_terminate_backend(%s, 5000)", (scope.connection.info.backend_pid,))
    assert _teams(alone, tenant, "cut off") == 0


def test_plans_are_kept_for_what_finds_rows_by_key_and_only_by_an_index(alone: Databases, key: bytes) -> None:
    for by_key, expected in ((True, ("force_generic_plan", "off")), (False, ("force_custom_plan", "on"))) * 2:
        with enter(alone, pod=1, host=None, credential=key, write=False, by_key=by_key) as scope:
            assert scope.execute(_MODES).fetchone() == expected
            plan = scope.execute(_BY_KEY).fetchall()
            assert by_key is False or "Index Scan" in plan[0][0]
    proxied = alone.pod(1).raw_connection()
    cursor = proxied.cursor()
    cursor.execute(_MODES)
    assert cursor.fetchone() == ("force_custom_plan", "on")
    proxied.close()


def test_a_job_may_keep_its_plans_too(alone: Databases, tenant: Tenant) -> None:
    for by_key, expected in ((True, ("force_generic_plan", "off")), (False, ("force_custom_plan", "on"))) * 2:
        with enter_job(alone, tenant.id, actor=SYSTEM, write=True, by_key=by_key) as scope:
            assert scope.execute(_MODES).fetchone() == expected
