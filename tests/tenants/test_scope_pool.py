"""Whatever happens to a pooled connection, a scope shows its own tenant's rows only."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.core.db import Databases
from app.core.errors import RapportError
from tenants.scope import SYSTEM, EscapedScopeError, Tenant, TenantScope, enter_job
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from app.core.ports import Runtime

TENANTS = st.integers(0, 4)

#: Statements that fail, leave the tenant or poison the transaction; none may be seen by whoever comes next.
TROUBLE = (
    "select 1/0",
    "select nothing",
    "reset role",
    "set local search_path to pg_catalog",
    "set role none",
    "select pg_sleep(1)",
    "rollback",
    "commit",
    "select set_config('role', 'none', true)",
    "deallocate all",
    "savepoint s",
)


class Abandoned(Exception):
    """Something in the caller went wrong."""


def canaries(scope: TenantScope) -> set[str]:
    return {row[0] for row in scope.connection.execute("select name from team where name like 'canary%'")}


class OneConnection(RuleBasedStateMachine):
    """Random use of five tenants through a pool of a single connection."""

    databases: Databases
    tenants: tuple[Tenant, ...]

    @initialize()
    def start(self) -> None:
        self.backends: set[int] = set()

    def enter(
        self, number: int, *, write: bool = False, by_key: bool = False
    ) -> contextlib.AbstractContextManager[TenantScope]:
        return enter_job(self.databases, self.tenants[number].id, actor=SYSTEM, write=write, by_key=by_key)

    @rule(number=TENANTS, write=st.booleans(), kept=st.booleans())
    def commit(self, number: int, write: bool, kept: bool) -> None:
        """A plan that is kept belongs to the connection: the next tenant's rows come from the next tenant's tables."""
        with self.enter(number, write=write, by_key=kept) as scope:
            assert canaries(scope) == {f"canary {number}"}

    @rule(number=TENANTS)
    def write_and_raise(self, number: int) -> None:
        with contextlib.suppress(Abandoned), self.enter(number, write=True) as scope:
            scope.execute("insert into team (name) values ('canary of nobody')")
            raise Abandoned

    @rule(number=TENANTS, write=st.booleans(), trouble=st.sampled_from(TROUBLE), swallow=st.booleans())
    def trouble(self, number: int, write: bool, trouble: str, swallow: bool) -> None:
        with (
            contextlib.suppress(psycopg.Error, EscapedScopeError, RapportError),
            self.enter(number, write=write) as scope,
        ):
            try:
                scope.connection.execute(trouble)  # pyright: ignore[reportArgumentType]
            except psycopg.Error:
                if not swallow:
                    raise

    @rule(number=TENANTS)
    def cancel(self, number: int) -> None:
        with contextlib.suppress(RapportError, psycopg.Error), self.enter(number) as scope:
            scope.connection.cancel_safe()
            scope.execute("select count(*) from generate_series(1, 1000)")

    @rule(number=TENANTS)
    def lose_the_connection(self, number: int) -> None:
        with contextlib.suppress(psycopg.Error), self.enter(number) as scope:
            scope.connection.close()
            scope.execute("select 1")

    @rule(number=TENANTS)
    def leave_a_cursor_open(self, number: int) -> None:
        with self.enter(number) as scope:
            cursor = scope.execute("select * from generate_series(1, 100)")
            assert cursor.fetchone() == (1,)

    @rule(number=TENANTS)
    def interrupt(self, number: int) -> None:
        with contextlib.suppress(KeyboardInterrupt), self.enter(number, write=True) as scope:
            scope.execute("update team set name = name")
            raise KeyboardInterrupt

    @invariant()
    def the_pooled_connection_is_the_bare_login(self) -> None:
        proxied = self.databases.pod(1).raw_connection()
        connection = proxied.driver_connection
        assert isinstance(connection, psycopg.Connection)
        row = connection.execute(
            "select current_user, current_setting('role'), current_setting('search_path'), "
            "current_setting('transaction_read_only'), current_setting('plan_cache_mode'), "
            "(select count(*) from pg_locks where locktype = 'advisory' "
            "and pid = pg_backend_pid())"
        ).fetchone()
        proxied.close()
        assert row == ("rapport_app", "none", "pg_catalog, pg_temp", "off", "force_custom_plan", 0)


@pytest.fixture(scope="module")
def five_tenants(runtime: Runtime) -> tuple[Tenant, ...]:
    made = tuple(make_tenant(runtime) for _ in range(5))
    for number, tenant in enumerate(made):
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
            scope.execute("insert into team (name) values (%s)", (f"canary {number}",))
    return made


def test_no_use_of_one_connection_ever_shows_another_tenants_canary(
    databases: Databases, five_tenants: tuple[Tenant, ...]
) -> None:
    urls = [engine.url.render_as_string(hide_password=False) for engine in (databases.control, databases.pod(1))]
    single = Databases(urls[0], urls[0], pool_size=1, max_overflow=0)
    single.add_pod(1, urls[1], urls[1])
    OneConnection.databases, OneConnection.tenants = single, five_tenants
    try:
        run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
            OneConnection,
            settings=settings(
                max_examples=25,
                stateful_step_count=15,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        single.dispose()
