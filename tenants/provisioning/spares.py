"""Spare tenants: finished schemas under their final opaque names, waiting to be somebody's."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

import psycopg
from psycopg import sql

from app.core import ids
from tenants.provisioning.migrating import append_only_tables, newest, read_only_tables, tenant_statements
from tenants.registry.naming import check_settings
from tenants.registry.pods import open_pods

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from uuid import UUID

    from app.core.db import Databases
    from app.core.ports import Ports, Runtime

#: Any: what a column holds.
Connection = psycopg.Connection[tuple[Any, ...]]

#: Roles a cluster carries well (DESIGN §4).
MOST_ROLES: Final = 1000


@dataclass(frozen=True, slots=True)
class Spare:
    """A tenant's physical place: the id of its row and the opaque name of its schema and role."""

    tenant: UUID
    schema: str
    role: str


@contextmanager
def owner_transaction(databases: Databases, pod: int) -> Generator[Connection]:
    """One transaction of the pod's owner."""
    proxied = databases.pod_owner(pod).raw_connection()
    connection = cast("Connection", proxied.driver_connection)
    try:
        yield connection
        connection.commit()
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    finally:
        proxied.close()


def keep_spares(runtime: Runtime, wanted: int) -> int:
    """Make spares until every open pod has ``wanted``, drop outdated ones; returns how many were made.

    Safe when two run: one works, the other leaves. Each spare is one transaction.
    """
    return sum(_keep(runtime, pod, wanted) for pod in open_pods(runtime.databases))


def _keep(runtime: Runtime, pod: int, wanted: int) -> int:
    made = 0
    current = blueprint(runtime.ports)
    while True:
        with owner_transaction(runtime.databases, pod) as connection:
            if not _scalar(connection, "select pg_try_advisory_xact_lock(4, 0)") or _is_left(connection, current):
                return made
            if _drop_outdated(connection, current):
                continue
            if _scalar(connection, "select count(*) from pod.tenant where state = 'spare' and claim is null") >= wanted:
                return made
            make_spare(connection, runtime.ports)
            made += 1


def _is_left(connection: Connection, current: str) -> bool:
    """Whether a newer program has the pod: the spares are its own affair then."""
    newest_one = _scalar(connection, "select blueprint from pod.release order by at desc limit 1")
    return newest_one is not None and newest_one != current


def _drop_outdated(connection: Connection, current: str) -> bool:
    """Drop one spare that an older version of the program built; whether there was one."""
    row = connection.execute(
        "select id, schema, role from pod.tenant where state = 'spare' and claim is null and blueprint <> %s "
        "limit 1 for update skip locked",
        (current,),
    ).fetchone()
    if row is None:
        return False
    drop_place(connection, Spare(*row))
    return True


def blueprint(ports: Ports) -> str:
    """What a fresh schema is built from, as a fingerprint: a spare of another one is not given out."""
    return _plan(ports.tenant_tables)[1]


def get_ready(ports: Ports) -> None:
    """Work out now what the first new workspace of a process would wait for (0.1 s); connects to nothing."""
    blueprint(ports)
    check_settings("Workspace", "EUR", "UTC", "en")


@lru_cache(maxsize=4)
def _plan(tenant_tables: Callable[[], Sequence[str]]) -> tuple[tuple[str, ...], str]:
    """All statements of a fresh schema and their fingerprint; worked out once a process."""
    statements = (*tenant_statements(), *tenant_tables())
    digest = hashlib.sha256("\0".join((*statements, *append_only_tables(), *read_only_tables())).encode())
    return statements, digest.hexdigest()[:32]


def make_spare(connection: Connection, ports: Ports, *, claim: UUID | None = None) -> Spare:
    """Build schema, role, grants, tables and the row in pod.tenant; the caller commits."""
    if _scalar(connection, r"select count(*) from pg_roles where rolname like 'tn\_%%'") >= MOST_ROLES:
        raise RuntimeError("the cluster is full: it holds as many tenant roles as it carries well; add a pod")
    name = ids.base32_id("tn_")
    statements, fingerprint = _plan(ports.tenant_tables)
    _make_role(connection, name)
    connection.execute("select set_config('search_path', %s, true)", (f"{name}, ext, pg_temp",))
    with connection.pipeline():
        for statement in statements:
            # Text of our own migrations and of the DDL compiler, one statement an execute.
            connection.execute(cast("LiteralString", statement))
        for revoke in restrictions(name):
            connection.execute(revoke)
    row = connection.execute(
        "insert into pod.tenant (schema, role, system_version, platform, blueprint, state, claim) "
        "values (%s, %s, %s, (select hash from metadata_layer where place = 0), %s, 'spare', %s) returning id",
        (name, name, newest("tenant"), fingerprint, claim),
    ).fetchone()
    connection.execute("select set_config('search_path', 'pg_catalog, pg_temp', true)")
    if row is None:
        raise RuntimeError("the row of the spare was not written")
    return Spare(row[0], name, name)


def drop_place(connection: Connection, place: Spare) -> None:
    """Remove everything of a tenant inside its pod; the caller commits."""
    schema, role = sql.Identifier(place.schema), sql.Identifier(place.role)
    connection.execute("select set_config('lock_timeout', '2s', true)")
    connection.execute("delete from pod.job where tenant = %s", (place.role,))
    connection.execute("delete from pod.outbox where tenant = %s", (place.role,))
    connection.execute("delete from pod.tenant where id = %s", (place.tenant,))
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
    connection.execute(sql.SQL("drop role if exists {}").format(role))


def _make_role(connection: Connection, name: str) -> None:
    role = sql.Identifier(name)
    for statement in (
        sql.SQL("create role {} nologin").format(role),
        sql.SQL("grant rapport_tenant to {} with inherit true, set false").format(role),
        sql.SQL("grant {} to rapport_app with inherit false, set true").format(role),
        sql.SQL("create schema {}").format(role),
        sql.SQL("grant usage on schema {} to {}").format(role, role),
        sql.SQL("alter default privileges in schema {} grant select, insert, update, delete on tables to {}").format(
            role, role
        ),
    ):
        connection.execute(statement)


def restrictions(role: str) -> list[sql.Composed]:
    """Statements that take from a tenant's role what default privileges have granted it on these tables too."""
    revoked: tuple[tuple[LiteralString, tuple[str, ...]], ...] = (
        ("update, delete", append_only_tables()),
        ("insert, update, delete", read_only_tables()),
    )
    return [
        sql.SQL("revoke {} on {} from {}").format(
            sql.SQL(cast("LiteralString", what)), sql.Identifier(table), sql.Identifier(role)
        )
        for what, tables in revoked
        for table in tables
    ]


def _scalar(connection: Connection, query: LiteralString) -> Any:
    row = connection.execute(query, ()).fetchone()
    return None if row is None else row[0]
