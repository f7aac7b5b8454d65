"""Sets up logins and databases once, and again without harm: roles, databases, extensions, walls, migrations."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import insert

from app.core import crypto
from app.core.config import ConfigError
from app.core.db import PodAddress, make_engine
from tenants.provisioning import release
from tenants.provisioning.hardening import Gap, check_hardening, harden
from tenants.provisioning.migrating import migrate_control, migrate_pod
from tenants.registry.pods import pod_loader, pod_numbers
from tenants.registry.tables import pod as pod_table

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.core.config import Config, Hardening
    from app.core.db import Databases
    from app.core.ports import Ports, Runtime

APP: Final = "rapport_app"
OWNER: Final = "rapport_owner"
#: What every tenant role holds in schema ``pod`` comes through this one, so that access lists stay short.
TENANTS: Final = "rapport_tenant"

#: Defaults of the application's login (DESIGN §4). No transaction_timeout: a running timer ignores later settings and
#: closes the connection.
_LOGIN_DEFAULTS: Final = {
    "plan_cache_mode": "force_custom_plan",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "search_path": "pg_catalog, pg_temp",
    "jit": "off",
    # Of disks without moving parts: at the default of 4 a million records are rather read whole than from an index.
    "random_page_cost": "1.1",
}


@dataclass(frozen=True, slots=True)
class Passwords:
    """Of the two logins; None where the server asks for none (the embedded one's socket)."""

    app: str | None
    owner: str | None


@contextmanager
def _superuser(url: str, database: str | None = None) -> Generator[sa.Connection]:
    """An autocommitting superuser connection, in another database of the cluster when ``database`` is given."""
    parsed = sa.make_url(url)
    engine = make_engine((parsed.set(database=database) if database else parsed).render_as_string(hide_password=False))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()


def _run(connection: sa.Connection, template: str, *names: str, **literals: str | None) -> None:
    """One statement with quoted identifiers (``{}``) and literals (``{name}``)."""
    composed = sql.SQL(template).format(  # pyright: ignore[reportArgumentType]
        *(sql.Identifier(name) for name in names), **{key: sql.Literal(value) for key, value in literals.items()}
    )
    connection.exec_driver_sql(composed.as_string(None).replace("%", "%%"))


def make_roles(superuser_url: str, passwords: Passwords) -> None:
    """The cluster's logins and the group of tenant roles."""
    with _superuser(superuser_url) as connection:
        # Roles belong to the whole cluster: two databases set up at once would collide.
        connection.exec_driver_sql("select pg_advisory_lock(3, 0)")
        try:
            _make_roles(connection, passwords)
        finally:
            connection.exec_driver_sql("select pg_advisory_unlock(3, 0)")


def _make_roles(connection: sa.Connection, passwords: Passwords) -> None:
    known = set(connection.exec_driver_sql("select rolname from pg_roles where rolname like 'rapport%%'").scalars())
    wanted = {
        APP: "login noinherit nocreaterole nocreatedb",
        OWNER: "login createrole nocreatedb",
        TENANTS: "nologin nocreaterole nocreatedb",
    }
    for role, options in wanted.items():
        verb = "alter" if role in known else "create"
        _run(connection, f"{verb} role {{}} {options}", role)
    for role, password in ((APP, passwords.app), (OWNER, passwords.owner)):
        if password:
            _run(connection, "alter role {} password {password}", role, password=password)
    for name, value in _LOGIN_DEFAULTS.items():
        if name == "search_path":
            _run(connection, "alter role {} set search_path to pg_catalog, pg_temp", APP)
        else:
            _run(connection, "alter role {} set {} to {value}", APP, name, value=value)
    _run(connection, "alter role {} set timezone to 'UTC'", OWNER)
    if not connection.exec_driver_sql("select rolsuper from pg_roles where rolname = current_user").scalar():
        # A managed provider's administrator: as a member of the owner it may make databases and schemas for it.
        _run(connection, "grant {} to current_user with inherit true, set true", OWNER)
    # The owner hands membership of it to each tenant role.
    _run(connection, "grant {} to {} with admin option, inherit false, set false", TENANTS, OWNER)


def make_database(superuser_url: str, name: str) -> None:
    """A database that sorts by the builtin locale and lets only our logins in."""
    with _superuser(superuser_url) as connection:
        exists = connection.exec_driver_sql("select 1 from pg_database where datname = %s", (name,)).scalar()
        if not exists:
            _run(
                connection,
                "create database {} owner {} template template0 encoding 'UTF8' locale 'C' "
                "locale_provider builtin builtin_locale 'C.UTF-8'",
                name,
                OWNER,
            )
        _run(connection, "revoke all on database {} from public", name)
        _run(connection, "grant connect on database {} to {}, {}", name, APP, OWNER)


def prepare_control(superuser_url: str, database: str) -> None:
    """The control database, empty."""
    make_database(superuser_url, database)
    with _superuser(superuser_url, database) as connection:
        connection.exec_driver_sql("revoke all on schema public from public")
        _run(connection, "alter role {} in database {} set search_path to public, pg_temp", APP, database)


def prepare_pod(superuser_url: str, database: str, hardening: Hardening) -> None:
    """A pod's database with its extensions and walls, still without schema ``pod``."""
    make_database(superuser_url, database)
    with _superuser(superuser_url, database) as connection:
        connection.exec_driver_sql("create schema if not exists ext")
        connection.exec_driver_sql("grant usage on schema ext to public")
        _run(connection, "grant create on schema ext to {}", OWNER)
        for extension in ("pg_trgm", "unaccent"):
            _run(connection, "create extension if not exists {} schema ext", extension)
        if hardening == "strict":
            harden(connection)


def register_pod(control: sa.Engine, secret_key: str, number: int, address: PodAddress, hardening: Hardening) -> None:
    """Note where a pod is; its addresses hold passwords and are kept encrypted."""
    values = {
        "app_url": crypto.encrypt(secret_key, address.app_url),
        "owner_url": crypto.encrypt(secret_key, address.owner_url),
        "hardening": hardening,
    }
    statement = insert(pod_table).values(number=number, **values)
    with control.begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["number"], set_=values))


def prepare(runtime: Runtime, superuser_url: str | None) -> None:
    """Bring an installation to where it can serve: the port ``prepare``.

    With ``superuser_url`` (embedded, or ``rapport pod init``) logins, databases and pod 1 are made when they are not
    there yet; without it only the migrations run.
    """
    config, databases = runtime.config, runtime.databases
    databases.use_loader(pod_loader(databases, config.secret_key))
    if superuser_url is not None:
        make_roles(superuser_url, _passwords(config))
        prepare_control(superuser_url, _database(config.database_url))
    migrate_control(databases.control_owner())
    numbers = pod_numbers(databases)
    if superuser_url is not None and config.embedded and not numbers:
        numbers = [add_pod(runtime, superuser_url, config.database_url, config.owner_url)]
    elif superuser_url is not None and config.embedded:
        for number in numbers:
            prepare_pod(superuser_url, _pod_database(config, number), config.hardening)
    for number in numbers:
        migrate_pod(databases.pod_owner(number))
        keep_release(databases.pod_owner(number), runtime.ports)
        _refuse_open_pod(databases, number, config.hardening)


def keep_release(owner: sa.Engine, ports: Ports) -> None:
    """Keep this program's platform layer in a pod, for programs of another version too, and put this one in force."""
    with owner.begin() as connection:
        release.put_in_force(cast("release.Connection", connection.connection.driver_connection), release.of(ports))


def _refuse_open_pod(databases: Databases, number: int, hardening: Hardening) -> None:
    """A dump and restore or an upgrade of the server loses the walls: strict means not to start then."""
    if hardening != "strict":
        return
    with databases.pod_owner(number).connect() as connection:
        gaps = check_hardening(connection)
    if gaps:
        raise ConfigError(f"pod {number} is not safe: {gaps[0].what}; {gaps[0].remedy} (rapport doctor lists all)")


def add_pod(runtime: Runtime, superuser_url: str, app_url: str, owner_url: str) -> int:
    """Set up a new pod on the cluster of ``superuser_url`` and register it; returns its number.

    ``app_url`` and ``owner_url`` say how the logins reach the cluster; their database part is replaced.
    """
    databases = runtime.databases
    number = max(pod_numbers(databases), default=0) + 1
    name = _pod_database(runtime.config, number)
    prepare_pod(superuser_url, name, runtime.config.hardening)
    address = PodAddress(_with_database(app_url, name), _with_database(owner_url, name))
    owner = make_engine(address.owner_url)
    try:
        migrate_pod(owner)
        keep_release(owner, runtime.ports)
    finally:
        owner.dispose()
    register_pod(databases.control_owner(), runtime.config.secret_key, number, address, runtime.config.hardening)
    return number


def init_pod(
    runtime: Runtime, superuser_url: str, *, app_url: str | None = None, owner_url: str | None = None
) -> tuple[int, list[Gap]]:
    """What ``rapport pod init`` does: logins, the control database when it is missing, the next pod.

    Without ``app_url`` and ``owner_url`` the logins have the passwords of the control database's URLs and reach the
    cluster where ``superuser_url`` does. Returns the pod's number and what stays open (managed hardening).
    """
    config = runtime.config
    app_url = app_url or _at(superuser_url, config.database_url)
    owner_url = owner_url or _at(superuser_url, config.owner_url)
    make_roles(superuser_url, Passwords(sa.make_url(app_url).password, sa.make_url(owner_url).password))
    if _same_cluster(superuser_url, config.database_url):
        prepare_control(superuser_url, _database(config.database_url))
    migrate_control(runtime.databases.control_owner())
    number = add_pod(runtime, superuser_url, app_url, owner_url)
    with runtime.databases.pod_owner(number).connect() as connection:
        return number, check_hardening(connection)


def _at(superuser_url: str, login_url: str) -> str:
    """The login of ``login_url`` at the server of ``superuser_url``."""
    login = sa.make_url(login_url)
    server = sa.make_url(superuser_url)
    place = server.set(username=login.username)._replace(password=login.password)
    return place.render_as_string(hide_password=False)


def _same_cluster(one: str, other: str) -> bool:
    first, second = sa.make_url(one), sa.make_url(other)
    return (first.host, first.port, first.query) == (second.host, second.port, second.query)


def _passwords(config: Config) -> Passwords:
    return Passwords(sa.make_url(config.database_url).password, sa.make_url(config.owner_url).password)


def _database(url: str) -> str:
    name = sa.make_url(url).database
    if not name:
        raise ValueError("the URL of the control database names no database")
    return name


def _pod_database(config: Config, number: int) -> str:
    """``rapport_pod_<n>`` beside ``rapport_control``; an installation of another name has its own."""
    return f"{_database(config.database_url).removesuffix('_control')}_pod_{number}"


def _with_database(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)
