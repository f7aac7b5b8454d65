"""Setting an installation up, once and again, and what a role may do in it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from app.core.config import ConfigError
from app.core.db import Databases
from app.core.ports import Runtime
from tenants.provisioning import bootstrap, check_hardening, create_tenant, migrating, prepare
from tenants.registry import tables
from tenants.registry.pods import list_pods, pod_numbers
from tenants.scope import SYSTEM, Tenant, TenantScope, enter_job
from tests.support.tenants import make_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Servers


@pytest.fixture
def installation(runtime: Runtime, servers: Servers) -> Iterator[Runtime]:
    """A runtime whose databases don't exist yet."""
    name = f"fresh_{uuid.uuid4().hex[:8]}"
    app, owner = (
        sa.make_url(url).set(database=f"{name}_control").render_as_string(hide_password=False)
        for url in (runtime.config.database_url, runtime.config.owner_url)
    )
    config = replace(runtime.config, database_url=app, owner_url=owner)
    databases = Databases(app, owner)
    yield Runtime(config, databases, runtime.storage, runtime.mailer, runtime.redis, runtime.ports)
    databases.dispose()
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        found = connection.execute("select datname from pg_database where datname like %s", (f"{name}%",)).fetchall()
        for (database,) in found:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))


def test_an_empty_cluster_becomes_an_installation_and_a_second_start_keeps_it(
    installation: Runtime, servers: Servers
) -> None:
    prepare(installation, servers.postgres)
    assert pod_numbers(installation.databases) == [1]
    created = create_tenant(installation, slug="first", name="First", owner=make_person(installation.databases))
    prepare(installation, servers.postgres)
    prepare(installation, None)
    assert pod_numbers(installation.databases) == [1]
    with enter_job(installation.databases, created.tenant.id, actor=SYSTEM, write=False) as scope:
        assert scope.execute("select count(*) from member").fetchone() == (1,)
        role = scope.tenant.role
    with installation.databases.pod_owner(1).connect() as connection:
        assert check_hardening(connection) == []
    installation.databases.dispose()
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        name = f"{sa.make_url(installation.config.database_url).database}".replace("_control", "_pod_1")
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def test_a_strict_installation_does_not_start_on_a_pod_that_lost_its_walls(
    installation: Runtime, servers: Servers
) -> None:
    prepare(installation, servers.postgres)
    database = f"{sa.make_url(installation.config.database_url).database}".replace("_control", "_pod_1")
    with psycopg.connect(servers.postgres, dbname=database, autocommit=True) as connection:
        connection.execute("grant execute on function pg_catalog.set_config(text, text, boolean) to public")
    with pytest.raises(ConfigError, match="set_config"):
        prepare(installation, None)
    prepare(installation, servers.postgres)


def test_another_pod_can_be_added(installation: Runtime, servers: Servers) -> None:
    prepare(installation, servers.postgres)
    number, gaps = bootstrap.init_pod(installation, servers.postgres)
    assert (number, gaps) == (2, [])
    assert [(row.number, row.state, row.tenants, row.spares) for row in list_pods(installation.databases)] == [
        (1, "open", 0, 0),
        (2, "open", 0, 0),
    ]


def test_pod_addresses_are_kept_encrypted(databases: Databases) -> None:
    with databases.control.connect() as connection:
        stored = connection.execute(sa.select(tables.pod.c.app_url, tables.pod.c.owner_url)).one()
    assert all("postgres" not in text for text in stored)


def test_a_pod_that_was_not_hardened_says_what_stays_open(servers: Servers) -> None:
    name = f"managed_{uuid.uuid4().hex[:8]}_pod"
    bootstrap.prepare_pod(servers.postgres, name, "managed")
    url = sa.make_url(servers.postgres).set(database=name).render_as_string(hide_password=False)
    owner = bootstrap.make_engine(url)
    migrating.migrate_pod(owner)
    with owner.connect() as connection:
        found = {gap.what for gap in check_hardening(connection)}
    owner.dispose()
    assert any("set_config" in what for what in found)
    assert any("pg_settings" in what for what in found)
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_the_tables_described_are_those_the_migrations_make(databases: Databases) -> None:
    with databases.control_owner().connect() as connection:
        inspector = sa.inspect(connection)
        for table in tables.metadata.tables.values():
            real = {column["name"] for column in inspector.get_columns(table.name)}
            assert {column.name for column in table.columns} <= real, table.name


def test_databases_are_at_the_newest_revision(databases: Databases) -> None:
    assert migrating.current(databases.control_owner(), "control") == migrating.newest("control")
    assert migrating.current(databases.pod_owner(1), "pod") == migrating.newest("pod")


def test_the_login_reads_nothing_and_owns_nothing_in_a_pod(databases: Databases) -> None:
    with databases.pod(1).connect() as connection:
        assert (
            connection.exec_driver_sql(
                "select count(*) from pg_class c where relowner = 'rapport_app'::regrole"
            ).scalar()
            == 0
        )
        readable = connection.exec_driver_sql(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema') "
            "and n.nspname not like 'pg_toast%%' and has_schema_privilege(n.oid, 'usage') "
            "and has_table_privilege(c.oid, 'select') and n.nspname <> 'ext'"
        ).scalars()
        assert list(readable) == []
        defaults = connection.exec_driver_sql(
            "select current_setting('plan_cache_mode'), current_setting('lock_timeout'), "
            "current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_timeout'), "
            "current_setting('timezone')"
        ).one()
    assert tuple(defaults) == ("force_custom_plan", "1s", "10s", "0", "UTC")


def test_a_fresh_workspace_stays_small(scope: TenantScope) -> None:
    """At most 45 tables (DESIGN §4): a pod is full by relations."""
    row = scope.execute(
        "select count(*) filter (where relkind = 'r'), count(*) from pg_class "
        "where relnamespace = current_schema::regnamespace"
    ).fetchone()
    assert row is not None
    assert row[0] <= 45
    assert row[1] <= 500


def test_a_tenants_role_may_write_every_table_but_not_change_the_log(scope: TenantScope, tenant: Tenant) -> None:
    rows = scope.execute(
        "select relname, has_table_privilege(oid, 'select'), has_table_privilege(oid, 'insert'), "
        "has_table_privilege(oid, 'update'), has_table_privilege(oid, 'delete'), has_table_privilege(oid, 'truncate') "
        "from pg_class where relnamespace = %s::regnamespace and relkind = 'r'",
        (tenant.schema,),
    ).fetchall()
    read_only = migrating.read_only_tables()
    wrong = [
        row
        for row in rows
        if row[1:] != (
            True, row[0] not in read_only, *([row[0] not in ("event", "event_seal", *read_only)] * 2), False
        )
    ]  # fmt: skip
    assert len(rows) > 14
    assert wrong == []


def test_every_foreign_key_has_its_index_and_stays_in_its_schema(scope: TenantScope) -> None:
    bare = scope.execute(
        "select c.conrelid::regclass::text, c.conname from pg_constraint c where c.contype = 'f' "
        "and c.connamespace = current_schema::regnamespace and not exists (select from pg_index i "
        "where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]) "
        # Members and teams are deactivated, never deleted, so nobody looks along these; each index costs every write.
        "and c.confrelid not in ('member'::regclass, 'team'::regclass)"
    ).fetchall()
    assert bare == []
    foreign = scope.execute(
        "select c.conname from pg_constraint c join pg_class t on t.oid = c.confrelid where c.contype = 'f' "
        "and c.connamespace = current_schema::regnamespace and t.relnamespace <> c.connamespace"
    ).fetchall()
    assert foreign == []
