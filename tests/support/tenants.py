"""Databases of a test worker, built by the real migrations, and tenants in them.

``tenant`` lives as long as a test module; what a test writes through ``scope`` is rolled back. A test that commits
takes ``new_tenant()``, or cares only for rows of its own.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import make_url

from app.core.config import Config
from app.core.db import Databases, PodAddress
from app.core.mail import Outbox
from app.core.ports import Ports, Runtime
from app.core.storage import LocalDisk
from app.metadata.fresh import fresh_tenant, platform_layer
from tenants.provisioning import bootstrap, create_tenant, migrating
from tenants.provisioning.lifecycle import PersonRef
from tenants.registry.pods import pod_loader
from tenants.scope import SYSTEM, Actor, Tenant, TenantScope, enter_job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Servers

SECRET = "a secret key of the tests, of no use elsewhere"

#: A scope of a fixture stays open for a whole test, on a machine that may be busy.
PATIENT = 120.0

NewTenant = Callable[..., Tenant]

_numbers = itertools.count(1)


def _url(superuser_url: str, user: str, database: str) -> str:
    """The cluster of ``superuser_url`` as another user; the test cluster trusts its socket."""
    parsed = make_url(superuser_url).set(username=user, password=None, database=database)
    return parsed.render_as_string(hide_password=False)


@contextmanager
def databases_on(servers: Servers) -> Iterator[Databases]:
    """Control and one pod on a cluster; gone at the end, with their tenants' roles, where the cluster stays."""
    name = f"t_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{uuid.uuid4().hex[:8]}"
    control, pod = f"{name}_control", f"{name}_pod"
    bootstrap.make_roles(servers.postgres, bootstrap.Passwords(None, None))
    bootstrap.prepare_control(servers.postgres, control)
    bootstrap.prepare_pod(servers.postgres, pod, "strict")
    made = Databases(_url(servers.postgres, "rapport_app", control), _url(servers.postgres, "rapport_owner", control))
    made.use_loader(pod_loader(made, SECRET))
    migrating.migrate_control(made.control_owner())
    address = PodAddress(_url(servers.postgres, "rapport_app", pod), _url(servers.postgres, "rapport_owner", pod))
    bootstrap.register_pod(made.control_owner(), SECRET, 1, address, "strict")
    migrating.migrate_pod(made.pod_owner(1))
    yield made
    roles = [] if servers.passing else _roles(made)
    made.dispose()
    if not servers.passing:
        _drop(servers.postgres, (control, pod), roles)


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Iterator[Databases]:
    """Control and one pod of this worker."""
    with databases_on(servers) as made:
        yield made


def _roles(databases: Databases) -> list[str]:
    with databases.pod_owner(1).connect() as connection:
        return list(connection.exec_driver_sql("select role from pod.tenant").scalars())


def _drop(superuser_url: str, names: tuple[str, ...], roles: list[str]) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        for role in roles:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


@contextmanager
def runtime_on(databases: Databases, servers: Servers, home: Path) -> Iterator[Runtime]:
    """A runtime on these databases with files and mails in ``home``."""
    config = Config(
        home=home,
        port=8000,
        base_domain="localhost",
        scheme="http",
        base_url="http://localhost:8000",
        database_url=str(databases.control.url.render_as_string(hide_password=False)),
        owner_url=str(databases.control_owner().url.render_as_string(hide_password=False)),
        redis_url=servers.valkey,
        storage_url=(home / "files").as_uri(),
        smtp_url=None,
        secret_key=SECRET,
        hardening="strict",
        embedded=True,
    )
    statements = tuple(fresh_tenant())
    ports = Ports(tenant_tables=lambda: statements, platform_layer=platform_layer)
    with redis.Redis.from_url(servers.valkey) as client:
        yield Runtime(
            config, databases, LocalDisk(home / "files"), Outbox(home / "mail", "crm@example.test"), client, ports
        )


@pytest.fixture(scope="session")
def runtime(databases: Databases, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime on the worker's databases with files and mails in a temporary folder."""
    with runtime_on(databases, servers, tmp_path_factory.mktemp("home")) as made:
        yield made


def make_person(databases: Databases, name: str = "Olivia Owner", email: str = "") -> PersonRef:
    """A person in control, without password; the address is numbered when not given."""
    person = PersonRef(uuid.uuid4(), name, email or f"owner{next(_numbers)}@example.test")
    with databases.control.begin() as connection:
        connection.exec_driver_sql("insert into person (id, name) values (%s, %s)", (person.id, person.name))
        connection.exec_driver_sql(
            "insert into person_email (person, email, verified_at) values (%s, %s, now())", (person.id, person.email)
        )
    return person


def make_tenant(runtime: Runtime, slug: str = "", name: str = "Acme", **settings: str) -> Tenant:
    """A fresh workspace with one owner; the slug is numbered when not given."""
    person = make_person(runtime.databases)
    created = create_tenant(
        runtime,
        slug=slug or f"acme-{next(_numbers)}-{uuid.uuid4().hex[:6]}",
        name=name,
        owner=person,
        **({"currency": "EUR", "timezone": "Europe/Berlin", "locale": "en"} | settings),
    )
    with enter_job(runtime.databases, created.tenant.id, actor=SYSTEM, write=False) as scope:
        return scope.tenant


def owner_of(databases: Databases, tenant: Tenant) -> Actor:
    """The first owner of a tenant, as an actor."""
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        row = scope.execute("select id, name from member where role = 'owner' order by created_at limit 1").fetchone()
    assert row is not None
    return Actor("member", row[0], row[1])


@pytest.fixture(scope="session")
def new_tenant(runtime: Runtime) -> NewTenant:
    """Makes a workspace for a test that commits: ``new_tenant(slug=…, name=…, currency=…)``."""

    def make(**settings: str) -> Tenant:
        return make_tenant(runtime, **settings)

    return make


@pytest.fixture(scope="module")
def tenant(runtime: Runtime) -> Tenant:
    """A workspace of this test module: Euro, Berlin, one owner."""
    return make_tenant(runtime)


@pytest.fixture(scope="module")
def two_tenants(runtime: Runtime) -> tuple[Tenant, Tenant]:
    """Two workspaces of this test module with the same name."""
    return make_tenant(runtime, name="Twin"), make_tenant(runtime, name="Twin")


@pytest.fixture
def scope(databases: Databases, tenant: Tenant) -> Iterator[TenantScope]:
    """A write scope of ``tenant`` as its owner, rolled back after the test."""
    with rolled_back(databases, tenant, write=True) as opened:
        yield opened


@pytest.fixture
def read_scope(databases: Databases, tenant: Tenant) -> Iterator[TenantScope]:
    """A read scope of ``tenant`` as its owner."""
    with rolled_back(databases, tenant, write=False) as opened:
        yield opened


class _UndoError(Exception):
    """Ends a scope without commit."""


@contextmanager
def rolled_back(databases: Databases, tenant: Tenant, *, write: bool) -> Iterator[TenantScope]:
    """``enter_job`` as the owner that never commits."""
    actor = owner_of(databases, tenant)
    with (
        suppress(_UndoError),
        enter_job(databases, tenant.id, actor=actor, write=write, budget=PATIENT) as opened,
    ):
        yield opened
        raise _UndoError
