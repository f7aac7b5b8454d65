"""The scope: who gets in, what is committed, what a broken transaction leaves behind."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from app.core import clock, crypto, ids
from app.core.errors import NotFound, Unauthenticated, Unavailable
from tenants.copying import copy_into
from tenants.locking import TenantBusy, lock_exclusively
from tenants.provisioning import resume_tenant, suspend_tenant
from tenants.provisioning.spares import owner_transaction
from tenants.scope import (
    SYSTEM,
    Actor,
    Busy,
    EscapedScopeError,
    Tenant,
    TenantScope,
    enter,
    enter_job,
    enter_seal,
    pending,
)
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.db import Databases
    from app.core.ports import Runtime

HOUR = timedelta(hours=1)


def put(databases: Databases, query: str, *params: object) -> uuid.UUID | None:
    with databases.pod(1).begin() as connection:
        return connection.exec_driver_sql(query, params).scalar()


def session_of(databases: Databases, tenant: Tenant, token: str = "") -> bytes:
    """A workspace session of the owner; its hash."""
    member, hashed = owner_of(databases, tenant).id, crypto.sha256(token or uuid.uuid4().hex)
    made = put(
        databases,
        "select pod.put_credential(%s, 'session', %s, %s, null, null, '', %s)",
        tenant.id, hashed, member, clock.now() + HOUR,
    )  # fmt: skip
    assert made is not None
    return hashed


@pytest.fixture
def session(databases: Databases, tenant: Tenant) -> bytes:
    return session_of(databases, tenant)


@pytest.fixture
def owner(databases: Databases) -> Iterator[Callable[..., None]]:
    """Changes rows of schema pod as its owner, to bring about what takes hours in life."""

    def change(query: str, *params: object) -> None:
        with databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql(query, params)

    return change


def knock(databases: Databases, session: bytes | None, host: str | None = None, *, write: bool = False) -> TenantScope:
    with enter(databases, pod=1, host=host, credential=session, write=write) as scope:
        scope.execute("select 1 from member")
        return scope


def test_a_scope_that_is_over_reads_nothing_for_its_connection_may_serve_another(
    databases: Databases, session: bytes
) -> None:
    over = knock(databases, session)
    for one in (over, replace(over, role="admin")):
        with pytest.raises(EscapedScopeError):
            one.execute("select 1 from member")
        with pytest.raises(EscapedScopeError):
            one.cursor_text()
    with enter(databases, pod=1, host=None, credential=session, write=False) as fresh:
        assert fresh.execute("select 1").fetchone() == (1,)


def test_a_scope_runs_as_the_tenants_role_in_its_schema(scope: TenantScope, tenant: Tenant) -> None:
    row = scope.execute("select current_user, current_schema").fetchone()
    assert row == (tenant.role, tenant.schema)


def test_a_session_opens_its_tenant_with_or_without_the_host(
    databases: Databases, tenant: Tenant, session: bytes
) -> None:
    for host in (tenant.host, tenant.host.upper(), None):
        scope = knock(databases, session, host)
        assert scope.tenant == tenant
        assert scope.member is not None
        assert (scope.role, scope.credential_kind, scope.actor.kind) == ("owner", "session", "member")


def test_no_or_an_unknown_credential_is_refused(databases: Databases, tenant: Tenant) -> None:
    for credential in (None, crypto.sha256("made up")):
        with pytest.raises(Unauthenticated):
            knock(databases, credential, tenant.host)


def test_the_host_of_another_tenant_is_not_found(
    databases: Databases, two_tenants: tuple[Tenant, Tenant], session: bytes
) -> None:
    with pytest.raises(NotFound):
        knock(databases, session, two_tenants[0].host)
    with pytest.raises(NotFound):
        knock(databases, session, "nobody.localhost")


def test_an_expired_an_idle_and_a_dropped_session_are_refused(
    databases: Databases, tenant: Tenant, owner: Callable[..., None]
) -> None:
    for change in (
        "update pod.credential set expires_at = now() where hash = %s",
        "update pod.credential set idle = '1 hour', seen_at = now() - interval '61 minutes' where hash = %s",
        "delete from pod.credential where hash = %s",
    ):
        session = session_of(databases, tenant)
        assert knock(databases, session)
        owner(change, session)
        with pytest.raises(Unauthenticated):
            knock(databases, session)


def test_the_member_row_is_the_truth_for_rights(databases: Databases, new_tenant: Callable[..., Tenant]) -> None:
    tenant = new_tenant()
    session = session_of(databases, tenant)
    for change, role in (("role = 'read_only'", "read_only"), ("role = 'admin'", "admin")):
        with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
            scope.connection.execute(f"update member set {change}")  # pyright: ignore[reportArgumentType]
        assert knock(databases, session).role == role
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("update member set status = 'inactive'")
    with pytest.raises(Unauthenticated):
        knock(databases, session)


def test_use_is_noted_every_few_minutes_only(databases: Databases, tenant: Tenant, owner: Callable[..., None]) -> None:
    session = session_of(databases, tenant)

    def seen() -> datetime:
        with databases.pod_owner(1).connect() as connection:
            return connection.exec_driver_sql(
                "select seen_at from pod.credential where hash = %s", (session,)
            ).scalar_one()

    first = seen()
    knock(databases, session)
    assert seen() == first
    owner("update pod.credential set seen_at = seen_at - interval '10 minutes' where hash = %s", session)
    knock(databases, session)
    assert seen() > first


def test_a_suspended_workspace_is_not_found_until_it_is_resumed(
    runtime: Runtime, databases: Databases, new_tenant: Callable[..., Tenant]
) -> None:
    tenant = new_tenant()
    session = session_of(databases, tenant)
    suspend_tenant(runtime, tenant.id)
    with pytest.raises(NotFound):
        knock(databases, session, tenant.host)
    with pytest.raises(NotFound), enter_job(databases, tenant.id, actor=SYSTEM, write=False):
        pass
    resume_tenant(runtime, tenant.id)
    assert knock(databases, session, tenant.host)


def test_a_key_acts_with_its_own_role_until_it_is_revoked(databases: Databases, tenant: Tenant) -> None:
    hashed = crypto.sha256("key")
    key = put(
        databases,
        "select pod.put_credential(%s, 'key', %s, null, null, 'read_only', 'Reports', null)",
        tenant.id, hashed,
    )  # fmt: skip
    scope = knock(databases, hashed)
    assert (scope.role, scope.actor, scope.member) == ("read_only", Actor("key", key, "Reports"), None)
    with enter_job(databases, tenant.id, actor=Actor("key", key, "Reports"), write=False) as job:
        assert job.role == "read_only"
    assert put(databases, "select pod.drop_credential(%s, %s, null)", tenant.id, key) == 1
    with pytest.raises(Unauthenticated):
        knock(databases, hashed)
    with (
        pytest.raises(Unauthenticated),
        enter_job(databases, tenant.id, actor=Actor("key", key, "Reports"), write=False),
    ):
        pass


def test_a_tenant_cannot_drop_the_credential_of_another(
    databases: Databases, tenant: Tenant, two_tenants: tuple[Tenant, Tenant], session: bytes
) -> None:
    credential = knock(databases, session).credential
    assert put(databases, "select pod.drop_credential(%s, %s, null)", two_tenants[0].id, credential) == 0
    assert knock(databases, session)


def ticket_for(databases: Databases, tenant: Tenant, browser: bytes, host: str = "") -> bytes:
    hashed = crypto.sha256(uuid.uuid4().hex)
    made = put(
        databases,
        "select pod.put_credential(%s, 'ticket', %s, %s, null, null, '', %s, %s, %s)",
        tenant.id, hashed, owner_of(databases, tenant).id, clock.now() + HOUR, browser, host or tenant.host,
    )  # fmt: skip
    assert made is not None
    return hashed


def redeem(databases: Databases, host: str, ticket: bytes, browser: bytes) -> bytes | None:
    session = crypto.sha256(uuid.uuid4().hex)
    made = put(
        databases,
        "select pod.redeem_ticket(%s, %s, %s, %s, %s, '12 hours', 'Browser', '127.0.0.1')",
        host, ticket, browser, session, clock.now() + HOUR,
    )  # fmt: skip
    return session if made is not None else None


def test_a_ticket_opens_one_session_once(databases: Databases, tenant: Tenant) -> None:
    browser = crypto.sha256("browser")
    ticket = ticket_for(databases, tenant, browser)
    with pytest.raises(Unauthenticated):
        knock(databases, ticket)
    session = redeem(databases, tenant.host, ticket, browser)
    assert session is not None
    assert knock(databases, session, tenant.host, write=True)
    assert redeem(databases, tenant.host, ticket, browser) is None


def test_of_many_who_show_a_ticket_at_once_one_gets_in(databases: Databases, tenant: Tenant) -> None:
    browser = crypto.sha256("browser")
    ticket = ticket_for(databases, tenant, browser)
    found: list[bytes | None] = []
    takers = [
        threading.Thread(target=lambda: found.append(redeem(databases, tenant.host, ticket, browser))) for _ in range(6)
    ]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len([one for one in found if one is not None]) == 1


def test_a_ticket_is_void_in_another_browser_at_another_host_and_after_a_minute(
    databases: Databases, tenant: Tenant, two_tenants: tuple[Tenant, Tenant], owner: Callable[..., None]
) -> None:
    browser = crypto.sha256("browser")
    assert redeem(databases, tenant.host, ticket_for(databases, tenant, browser), crypto.sha256("other")) is None
    assert redeem(databases, two_tenants[0].host, ticket_for(databases, tenant, browser), browser) is None
    foreign = ticket_for(databases, tenant, browser, two_tenants[0].host)
    assert redeem(databases, two_tenants[0].host, foreign, browser) is None
    late = ticket_for(databases, tenant, browser)
    owner("update pod.credential set expires_at = expires_at - interval '61 seconds' where hash = %s", late)
    assert redeem(databases, tenant.host, late, browser) is None


def test_a_read_scope_cannot_write(databases: Databases, tenant: Tenant) -> None:
    with (
        pytest.raises(errors.ReadOnlySqlTransaction),
        enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope,
    ):
        scope.execute("insert into team (name) values ('no')")


def test_an_error_that_was_swallowed_is_not_committed_as_success(databases: Databases, tenant: Tenant) -> None:
    with (
        pytest.raises(errors.InFailedSqlTransaction),
        enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope,
    ):
        scope.execute("insert into team (name) values ('swallowed')")
        with pytest.raises(errors.DivisionByZero):
            scope.execute("select 1/0")
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        assert scope.execute("select 1 from team where name = 'swallowed'").fetchall() == []


def test_what_waits_for_the_commit_is_part_of_the_transaction(databases: Databases, tenant: Tenant) -> None:
    hashed = crypto.sha256("deferred")
    call = "select pod.put_credential(%(tenant)s, 'key', %(hash)s, null, null, 'member', 'Later', null)"
    with pytest.raises(KeyError), enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.at_commit(call, {"tenant": tenant.id, "hash": hashed})
        raise KeyError
    with pytest.raises(Unauthenticated):
        knock(databases, hashed)
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.at_commit(call, {"tenant": tenant.id, "hash": hashed})
    assert knock(databases, hashed).role == "member"


def test_a_statement_over_its_budget_is_stopped(databases: Databases, tenant: Tenant) -> None:
    with (
        pytest.raises(Unavailable),
        enter_job(databases, tenant.id, actor=SYSTEM, write=False, budget=0.05) as scope,
    ):
        scope.execute("select count(*) from generate_series(1, 200000000)")


def test_a_transaction_far_over_its_budget_is_stopped_between_statements(databases: Databases, tenant: Tenant) -> None:
    with (
        pytest.raises(Unavailable),
        enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope,
    ):
        scope.deadline = time.monotonic() - 1
        scope.execute("select 1")


def test_text_cursors_give_what_json_wants(scope: TenantScope) -> None:
    cursor = scope.cursor_text()
    row = cursor.execute(
        "select %s::uuid, 12.50::numeric, date '2026-11-22', timestamptz '2026-11-22 12:04:56.1234+01', "
        "timestamptz '2026-11-22 11:04:56Z', 'text', 7, true, null::numeric, '{}'::jsonb",
        (uuid.UUID(int=1),),
    ).fetchone()
    assert row == (
        "00000000-0000-0000-0000-000000000001",
        "12.50",
        "2026-11-22",
        "2026-11-22T11:04:56.123400Z",
        "2026-11-22T11:04:56Z",
        "text",
        7,
        True,
        None,
        {},
    )
    assert scope.execute("select 12.50::numeric").fetchone() == (Decimal("12.50"),)


def test_copy_writes_rows(scope: TenantScope) -> None:
    rows = [(ids.uuid7(), f"team {number}") for number in range(1000)]
    assert copy_into(scope, "team", ["id", "name"], rows) == 1000
    assert scope.execute("select count(*) from team where name like 'team %%'").fetchone() == (1000,)


def test_a_writer_reads_the_version_that_the_lock_waited_for(
    databases: Databases, new_tenant: Callable[..., Tenant]
) -> None:
    """Lock first, read second: in one statement it would see the version from before the wait."""
    tenant = new_tenant()
    versions: list[int] = []

    def write() -> None:
        with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
            versions.append(scope.version)

    with owner_transaction(databases, 1) as connection:
        assert lock_exclusively(connection, tenant.id)
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.2)
        assert versions == []
        connection.execute("update pod.tenant set version = version + 1 where id = %s", (tenant.id,))
    writer.join()
    assert versions == [2]


def test_a_writer_that_waits_too_long_is_told_so(databases: Databases, tenant: Tenant) -> None:
    with owner_transaction(databases, 1) as connection:
        assert lock_exclusively(connection, tenant.id)
        with pytest.raises(Busy), enter_job(databases, tenant.id, actor=SYSTEM, write=True):
            pass
        with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
            assert scope.version >= 1


def test_whoever_wants_the_tenant_alone_gives_up_when_writers_stay(databases: Databases, tenant: Tenant) -> None:
    with (
        enter_job(databases, tenant.id, actor=SYSTEM, write=True),
        pytest.raises(TenantBusy),
        owner_transaction(databases, 1) as connection,
    ):
        lock_exclusively(connection, tenant.id)


def test_the_sealer_gets_the_outbox_in_order_and_alone(databases: Databases, new_tenant: Callable[..., Tenant]) -> None:
    tenant = new_tenant()
    events = [ids.uuid7() for _ in range(4)]
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("insert into pod.outbox (events) values (%s)", (events[:3],))
        scope.execute("insert into pod.outbox (events) values (%s)", (events[3:],))
    assert tenant.id in pending(databases, 1)
    with pytest.raises(KeyError), enter_seal(databases, tenant.id) as taken:
        assert taken is not None
        with enter_seal(databases, tenant.id) as second:
            assert second is None
        raise KeyError
    with enter_seal(databases, tenant.id) as taken:
        assert taken is not None
        assert taken[0].tenant == tenant
        assert taken[1] == events
    assert tenant.id not in pending(databases, 1)


def test_a_connection_the_server_ended_is_not_given_out_again(databases: Databases, tenant: Tenant) -> None:
    with (
        pytest.raises(psycopg.OperationalError),
        enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope,
        databases.pod_owner(1).connect() as killer,
    ):
        scope.connection.pgconn.finish()
        killer.exec_driver_sql("select 1")
        scope.execute("select 1")
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        assert scope.execute("select 1").fetchone() == (1,)
