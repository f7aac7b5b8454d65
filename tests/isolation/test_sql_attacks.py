"""What SQL of an attacker can do inside a tenant's transaction: nothing to anybody else.

Two tenants with equal names; each holds a canary. Every attack is sent as the product would send injected text, from
inside a scope of the first tenant, and must not bring back the second one's canary. Beside each attack stands its
positive control: the same thing in its harmless form works, or the attack works for a superuser, so that a refusal
proves the wall and not a misspelt statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors, sql

from tenants.copying import copy_into
from tenants.provisioning import check_hardening
from tenants.scope import SYSTEM, EscapedScopeError, Tenant, TenantScope, enter_job
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.db import Databases
    from app.core.ports import Runtime
    from tests.support.servers import Servers

CANARY = "canary-{}-7f3a"
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Stage:
    """An attacker's tenant and the one to be reached."""

    databases: Databases
    mine: Tenant
    theirs: Tenant

    def attack(self, *statements: str, write: bool = True) -> list[tuple[Any, ...]]:
        """Run the statements one after the other in a scope of ``mine``; the rows of the last."""
        with enter_job(self.databases, self.mine.id, actor=SYSTEM, write=write) as scope:
            return self.run(scope, *statements)

    @staticmethod
    def run(scope: TenantScope, *statements: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            cursor = scope.connection.execute(statement)  # pyright: ignore[reportArgumentType]
            rows = cursor.fetchall() if cursor.description else []
        return rows

    def fill(self, statement: str) -> str:
        """The statement with {mine} and {theirs} as schema (and role) names."""
        return statement.format(mine=self.mine.schema, theirs=self.theirs.schema)


@pytest.fixture(scope="module")
def stage(runtime: Runtime) -> Stage:
    pair = tuple(make_tenant(runtime, name="Same Name") for _ in range(2))
    for number, tenant in enumerate(pair):
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
            scope.execute("insert into team (name) values (%s)", (CANARY.format(number),))
    return Stage(runtime.databases, *pair)


@pytest.fixture
def superuser(servers: Servers, databases: Databases) -> Iterator[Connection]:
    """A superuser in the pod's database, for controls."""
    name = databases.pod(1).url.database
    with psycopg.connect(servers.postgres, dbname=name, autocommit=True) as connection:
        yield connection


@pytest.fixture
def login(databases: Databases) -> Iterator[Connection]:
    """The application's login without a scope."""
    proxied = databases.pod(1).raw_connection()
    connection = proxied.driver_connection
    assert isinstance(connection, psycopg.Connection)
    yield connection
    connection.rollback()
    proxied.close()


def test_a_tenant_reads_its_own_canary(stage: Stage) -> None:
    assert stage.attack("select name from team where name like 'canary%'") == [(CANARY.format(0),)]


def test_a_tenant_cannot_name_another_ones_schema(stage: Stage) -> None:
    assert stage.attack(stage.fill("select name from {mine}.team"))
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(stage.fill("select name from {theirs}.team"))


#: One statement each; {theirs} is the other tenant's schema and role. None of the functions may even be called.
ONE_STATEMENT = {
    "set_config of the role": "select set_config('role', '{theirs}', true)",
    "set_config of the search path": "select set_config('search_path', '{theirs}', true), name from team",
    "set_config then query_to_xml": (
        "select set_config('role', '{theirs}', true) "
        "|| query_to_xml('select name from {theirs}.team', true, true, '')::text"
    ),
    "set_config then ts_stat": (
        "select set_config('role', '{theirs}', true) "
        "|| (select string_agg(word, ' ') from ts_stat('select name::tsvector from {theirs}.team'))"
    ),
    "query_to_xml": "select query_to_xml('select name from {theirs}.team', true, true, '')",
    "query_to_xmlschema": "select query_to_xmlschema('select 1', true, true, '')",
    "query_to_xml_and_xmlschema": "select query_to_xml_and_xmlschema('select 1', true, true, '')",
    "table_to_xml": "select table_to_xml('team', true, true, '')",
    "schema_to_xml": "select schema_to_xml('{theirs}', true, true, '')",
    "database_to_xml": "select database_to_xml(true, true, '')",
    "cursor_to_xml": "select cursor_to_xml('c', 1, true, true, '')",
    "ts_stat": "select * from ts_stat('select name::tsvector from {theirs}.team')",
    "ts_rewrite with a query": "select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery')",
    "a large object": "select lo_from_bytea(0, 'x')",
    "reading a large object": "select lo_get(1)",
    "importing a file": "select lo_import('/etc/passwd')",
    "reading a file": "select pg_read_file('/etc/passwd')",
    "writing the settings view": "update pg_settings set setting = '{theirs}' where name = 'role'",
    "a plpgsql block": "do $$ begin execute 'set role {theirs}'; end $$",
    "copy to a program": "copy team to program 'cat'",
    "copy from a file": "copy team (name) from '/etc/passwd'",
    "a session's advisory lock": "select pg_advisory_lock(1, 1)",
    "ending somebody's connection": "select pg_terminate_backend(1)",
    "a pg_notify": "select pg_notify('crm', 'payload')",
    "waiting": "select pg_sleep(5)",
}

#: What refuses them when it is not the missing right: still before anything ran.
REFUSALS = (errors.InsufficientPrivilege,)


@pytest.mark.parametrize("name", ONE_STATEMENT)
def test_a_dangerous_function_is_out_of_reach(stage: Stage, name: str) -> None:
    with pytest.raises(REFUSALS):
        stage.attack(stage.fill(ONE_STATEMENT[name]))


def test_the_same_functions_answer_a_superuser(stage: Stage, superuser: Connection) -> None:
    """Positive control: the attacks are real statements that bring the canary back where no wall stands.

    The embedded server is built without libxml, so ts_stat stands for the family that runs text as SQL.
    """
    found = superuser.execute(stage.fill(ONE_STATEMENT["ts_stat"])).fetchall()  # pyright: ignore[reportArgumentType]
    assert found == [(CANARY.format(1), 1, 1)]
    assert superuser.execute("select set_config('application_name', 'control', true)").fetchone() == ("control",)


@pytest.mark.parametrize(
    "statement",
    [
        "create table own (i int)",
        "create temporary table own (i int)",
        "create schema own",
        "create function own() returns int language sql return 1",
        "create extension dblink",
        "alter table team add column x int",
        "drop table team",
        "truncate team",
        "create role own",
        "create table z (i uuid references {theirs}.team)",
        "create server s foreign data wrapper w",
    ],
)
def test_a_tenant_role_makes_and_changes_no_structure(stage: Stage, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedObject)):
        stage.attack(stage.fill(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "update event set kind = 'x'",
        "delete from event",
        "delete from event_seal",
        "update metadata_change set source = ''",
    ],
)
def test_the_log_is_append_only(stage: Stage, statement: str) -> None:
    assert stage.attack("insert into event (actor_kind, kind, object) values ('system', 'created', 'test') returning 1")
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(statement)


STACKED = "select 1; reset role; select name from {theirs}.team"


def test_stacked_statements_are_refused_by_execute(stage: Stage) -> None:
    for attempt in (STACKED, "select 1; select 2"):
        with pytest.raises(errors.SyntaxError):
            stage.attack(stage.fill(attempt))


def test_stacked_statements_are_refused_on_every_kind_of_engine(databases: Databases) -> None:
    for engine in (databases.control, databases.control_owner(), databases.pod(1), databases.pod_owner(1)):
        with engine.connect() as connection:
            with pytest.raises(Exception, match="cannot insert multiple commands"):
                connection.exec_driver_sql("select 1; select 2")
            connection.rollback()
            assert connection.exec_driver_sql("select 1").scalar() == 1


def test_stacked_statements_run_by_the_simple_protocol(servers: Servers) -> None:
    """Positive control: without our engine factory the very same text runs."""
    with psycopg.connect(servers.postgres) as connection:
        connection.execute("select 1; select 2")


def test_copy_takes_names_only_so_that_nothing_stacks(stage: Stage) -> None:
    """psycopg sends COPY by the simple protocol, where the attack works; so no text gets there."""
    evil = stage.fill("team (name) from stdin; reset role; select name from {theirs}.team; --")
    with enter_job(stage.databases, stage.mine.id, actor=SYSTEM, write=True) as scope:
        with pytest.raises(errors.UndefinedTable), scope.connection.transaction():
            copy_into(scope, evil, ["name"], [])
        with pytest.raises(errors.UndefinedColumn), scope.connection.transaction():
            copy_into(scope, "team", ["name) from stdin; reset role; --"], [])
        with pytest.raises(errors.UndefinedTable), scope.connection.transaction():
            copy_into(scope, f"{stage.theirs.schema}.team", ["name"], [])
        assert copy_into(scope, "team", ["name"], [["by copy"]]) == 1


def test_copy_with_text_of_an_attacker_would_leave_the_tenant(stage: Stage) -> None:
    """Positive control: what copy_into protects from is real, and the assertion before commit would notice."""
    with (
        pytest.raises(EscapedScopeError),
        enter_job(stage.databases, stage.mine.id, actor=SYSTEM, write=True) as scope,
    ):
        cursor = scope.connection.cursor()
        with (
            pytest.raises(ValueError, match="too many values"),  # psycopg sees two results where it expects one
            cursor.copy("copy team (name) from stdin; reset role") as copy,
        ):
            copy.write_row(["stacked"])
        assert scope.connection.execute("select current_user").fetchone() == ("rapport_app",)
    assert stage.attack("select 1 from team where name = 'stacked'") == []


@pytest.mark.parametrize(
    "statement", ["reset role", "set role none", "set local role none", "set session authorization default"]
)
def test_whoever_leaves_the_role_by_a_statement_of_its_own_finds_nothing(stage: Stage, statement: str) -> None:
    """As its own statement PostgreSQL allows it: the login behind it can read nothing, and nothing is committed."""
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(statement, stage.fill("select name from {theirs}.team"))
    if "authorization" not in statement:
        with pytest.raises(EscapedScopeError):
            stage.attack("insert into team (name) values ('left behind')", statement)
        assert stage.attack("select 1 from team where name = 'left behind'") == []


@pytest.mark.parametrize("statement", ["set role {theirs}", "set local role {theirs}"])
def test_a_change_of_role_is_never_committed(stage: Stage, statement: str) -> None:
    """The last wall: were a second statement ever smuggled in, the assertion before commit still refuses."""
    with pytest.raises(EscapedScopeError):
        stage.attack(stage.fill(statement), stage.fill("insert into {theirs}.team (name) values ('planted')"))
    with enter_job(stage.databases, stage.theirs.id, actor=SYSTEM, write=False) as scope:
        assert stage.run(scope, "select name from team where name = 'planted'") == []


def test_a_changed_search_path_is_never_committed(stage: Stage) -> None:
    with pytest.raises(EscapedScopeError):
        stage.attack(stage.fill("set local search_path to {theirs}"))


@pytest.mark.parametrize("role", ["rapport_owner", "rapport_tenant", "postgres"])
def test_the_login_can_become_no_role_but_a_tenants(stage: Stage, role: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(f"set local role {role}")


def test_statements_and_statistics_of_others_are_hidden(stage: Stage, superuser: Connection) -> None:
    superuser.execute(sql.SQL("analyze {}.team").format(sql.Identifier(stage.theirs.schema)))
    statistics = stage.fill("select count(*) from pg_stats where schemaname = '{theirs}'")
    shown = superuser.execute(statistics).fetchone()  # pyright: ignore[reportArgumentType]
    assert shown is not None
    assert shown[0] > 0
    assert stage.attack(statistics) == [(0,)]
    with enter_job(stage.databases, stage.theirs.id, actor=SYSTEM, write=False):
        active = "select count(*) from pg_stat_activity where query <> '<insufficient privilege>' and query <> ''"
        assert stage.attack(active) == [(0,)]


def test_a_tenant_role_may_execute_no_function_of_the_pod(stage: Stage) -> None:
    callable_here = """
        select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'pod'::regnamespace and has_function_privilege(current_user, p.oid, 'execute')
    """
    assert stage.attack(callable_here) == []


#: Everything the login can do in a pod without a scope (DESIGN §4, ADR 1); a new way in is a decision, not an accident.
WAYS_IN = """
    enter enter_job refusal refusal_job put_credential redeem_ticket drop_credential layer_document list_credential
    put_support_ticket redeem_support_ticket list_support
    take_spare set_host bump_version pending take_outbox
    due_jobs start_job extend_job end_job retry_job list_jobs replay_job
    progress_job yield_job cancel_job cancel_job_of tick
"""


def test_the_login_may_execute_the_closed_list_and_nothing_else(login: Connection) -> None:
    found = login.execute(
        "select p.proname, p.prosecdef from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
        "where n.nspname not in ('pg_catalog', 'information_schema', 'ext') and n.nspname !~ '^pg_' "
        "and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')"
    ).fetchall()
    assert sorted(found) == [(name, True) for name in sorted(WAYS_IN.split())]


def test_the_login_holds_no_right_on_any_table_or_column(login: Connection) -> None:
    rights = "'select,insert,update,delete,truncate,references,trigger'"
    found = login.execute(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') "
        f"and (has_table_privilege(c.oid, {rights}) or has_any_column_privilege(c.oid, 'select,insert,update'))"
    ).fetchall()
    assert found == []


def test_a_tenant_role_writes_five_columns_of_the_pod(stage: Stage) -> None:
    found = stage.attack(
        "select a.attrelid::regclass::text || '.' || a.attname, has_column_privilege(a.attrelid, a.attnum, 'select'), "
        "has_column_privilege(a.attrelid, a.attnum, 'update') "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where c.relnamespace = 'pod'::regnamespace and c.relkind = 'r' and a.attnum > 0 "
        "and has_column_privilege(a.attrelid, a.attnum, 'insert,select,update') order by 1"
    )
    names = ["pod.job.args", "pod.job.id", "pod.job.name", "pod.job.run_at", "pod.outbox.events"]
    assert found == [(name, False, False) for name in names]


@pytest.mark.parametrize(
    "call",
    [
        "select pod.enter('x', '\\x00', true)",
        "select pod.enter_job(gen_random_uuid(), 'system', null, true)",
        "select pod.pending()",
        "select pod.take_outbox(gen_random_uuid())",
        "select pod.put_credential(gen_random_uuid(), 'key', '\\x00', null, null, 'owner', '', null)",
        "select pod.take_spare(gen_random_uuid(), '')",
        "select pod.list_jobs(null, 10)",
    ],
)
def test_a_tenant_role_cannot_call_the_ways_in(stage: Stage, call: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(call)


def test_every_definer_function_has_a_search_path_of_its_own(superuser: Connection) -> None:
    found = superuser.execute(
        "select p.oid::regprocedure::text, p.proconfig from pg_proc p where p.prosecdef "
        "and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    ).fetchall()
    assert len(found) >= 15
    assert [name for name, config in found if "search_path=pg_catalog, pg_temp" not in (config or [])] == []


@pytest.mark.parametrize("table", ["tenant", "host", "credential", "outbox", "job", "migration"])
def test_nobody_reads_tables_of_the_pod(stage: Stage, login: Connection, table: str) -> None:
    query = sql.SQL("select * from pod.{}").format(sql.Identifier(table))
    with pytest.raises(errors.InsufficientPrivilege):
        login.execute(query)
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(query.as_string(None))


def rows_of(superuser: Connection, table: str, stage: Stage) -> set[str]:
    """The tenants of the stage that have rows in a table of the pod."""
    query = sql.SQL("select tenant from pod.{} where tenant = any(%s)").format(sql.Identifier(table))
    return {row[0] for row in superuser.execute(query, ([stage.mine.role, stage.theirs.role],))}


def test_an_outbox_row_cannot_name_another_tenant(stage: Stage, superuser: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(stage.fill("insert into pod.outbox (tenant, events) values ('{theirs}', '{{}}')"))
    stage.attack("insert into pod.outbox (events) values (array[uuidv7()])")
    assert rows_of(superuser, "outbox", stage) == {stage.mine.role}


def test_a_job_cannot_name_another_tenant(stage: Stage, superuser: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(stage.fill("insert into pod.job (name, tenant) values ('x', '{theirs}')"))
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack("insert into pod.job (name, state) values ('x', 'running')")
    stage.attack("insert into pod.job (id, name, run_at) values (uuidv7(), 'x', 'infinity')")
    assert rows_of(superuser, "job", stage) == {stage.mine.role}


@pytest.mark.parametrize(
    "statement",
    [
        "create function public.lower(text) returns text language sql return 'shadow'",
        "create table public.team (name text)",
        "create function ext.similarity(text, text) returns real language sql return 1",
        "create view {mine}.member2 as select 1",
        "create temporary view team as select 1",
    ],
)
def test_nothing_can_be_put_where_names_are_searched(stage: Stage, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack(stage.fill(statement))


def test_without_a_scope_there_is_nothing(stage: Stage, login: Connection) -> None:
    attempts: list[tuple[Callable[[str], str], type[Exception]]] = [
        (lambda text: text, errors.UndefinedTable),
        (lambda _: stage.fill("select name from {mine}.team"), errors.InsufficientPrivilege),
        (lambda _: stage.fill("insert into {mine}.team (name) values ('x')"), errors.InsufficientPrivilege),
    ]
    for write, refusal in attempts:
        with pytest.raises(refusal):
            login.execute(write("select name from team"))  # pyright: ignore[reportArgumentType]
        login.rollback()


def test_a_pooled_connection_is_clean_after_an_error(stage: Stage) -> None:
    for failure in ("select 1/0", "select nothing from nowhere", "select name from pod.tenant"):
        with pytest.raises(psycopg.Error):
            stage.attack("insert into team (name) values ('half')", failure)
        proxied = stage.databases.pod(1).raw_connection()
        connection = proxied.driver_connection
        assert isinstance(connection, psycopg.Connection)
        row = connection.execute(
            "select current_user, current_setting('search_path'), current_setting('role')"
        ).fetchone()
        assert row == ("rapport_app", "pg_catalog, pg_temp", "none")
        proxied.close()
    assert stage.attack("select 1 from team where name = 'half'") == []


def test_a_notification_crosses_tenants_so_none_can_be_sent_by_function(stage: Stage) -> None:
    """LISTEN and NOTIFY as statements can't be revoked and are the database's: nothing of ours puts data in them."""
    with pytest.raises(errors.InsufficientPrivilege):
        stage.attack("select pg_notify('any', 'secret')")
    assert stage.attack("notify crm, 'ids only'") == []


def test_the_walls_stand(databases: Databases) -> None:
    with databases.pod(1).connect() as connection:
        assert check_hardening(connection) == []


def test_a_missing_wall_is_found(databases: Databases, superuser: Connection) -> None:
    """Positive control of the check: open a wall, see it reported, close it."""
    superuser.execute("grant execute on function pg_catalog.set_config(text, text, boolean) to public")
    superuser.execute("grant update on pg_catalog.pg_settings to public")
    try:
        with databases.pod(1).connect() as connection:
            gaps = check_hardening(connection)
    finally:
        superuser.execute("revoke execute on function pg_catalog.set_config(text, text, boolean) from public")
        superuser.execute("revoke update on pg_catalog.pg_settings from public")
    assert len(gaps) == 2
    assert all(gap.remedy for gap in gaps)


def test_an_open_wall_lets_the_attack_through(stage: Stage, superuser: Connection) -> None:
    """Positive control of the walls themselves: without them one statement reads the other tenant."""
    superuser.execute("grant execute on function pg_catalog.set_config(text, text, boolean) to public")
    superuser.execute("grant execute on function pg_catalog.ts_stat(text) to public")
    try:
        with (
            pytest.raises(EscapedScopeError),
            enter_job(stage.databases, stage.mine.id, actor=SYSTEM, write=False) as scope,
        ):
            rows = stage.run(scope, stage.fill(ONE_STATEMENT["set_config then ts_stat"]))
            assert CANARY.format(1) in str(rows)
    finally:
        superuser.execute("revoke execute on function pg_catalog.set_config(text, text, boolean) from public")
        superuser.execute("revoke execute on function pg_catalog.ts_stat(text) from public")


def test_what_a_role_may_set_for_itself_has_no_effect_in_a_scope(stage: Stage) -> None:
    """ALTER ROLE … SET on oneself can't be revoked; SET ROLE does not apply it."""
    stage.attack(stage.fill("alter role {mine} set search_path to {theirs}"))
    assert stage.attack("select name from team where name like 'canary%'") == [(CANARY.format(0),)]
