"""Runs the revisions in ``migrations/``: on the control database, on pods, and compiled to SQL for tenants."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor

_FOLDER: Final = Path(__file__).resolve().parents[2] / "migrations"


def _config(kind: str) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_FOLDER / kind).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(engine: sa.Engine, kind: str, schema: str) -> None:
    """To the newest revision; two processes that start together take turns."""
    config = _config(kind)
    with engine.connect() as connection:
        # Held by the session: the revisions commit in between.
        connection.execute(sa.text("select pg_advisory_lock(3, hashtext(:kind))"), {"kind": kind})
        connection.commit()
        try:
            if schema == "pod":
                connection.execute(sa.text("create schema if not exists pod"))
                connection.commit()
            config.attributes.update(connection=connection, schema=schema)
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("select pg_advisory_unlock(3, hashtext(:kind))"), {"kind": kind})
            connection.commit()


def migrate_control(owner: sa.Engine) -> None:
    """Bring the control database to the newest revision."""
    _upgrade(owner, "control", "public")


def migrate_pod(owner: sa.Engine) -> None:
    """Bring schema ``pod`` of one pod to the newest revision; tenants are upgraded on their own."""
    _upgrade(owner, "pod", "pod")


def current(owner: sa.Engine, kind: str) -> str | None:
    """The revision a database is at (``kind``: control, pod), None before the first."""
    schema = "pod" if kind == "pod" else "public"
    with owner.connect() as connection:
        if not sa.inspect(connection).has_table("migration", schema=schema):
            return None
        context = MigrationContext.configure(
            connection, opts={"version_table": "migration", "version_table_schema": schema}
        )
        return context.get_current_revision()


def newest(kind: str) -> str:
    """The newest revision there is for ``kind``: control, pod or tenant."""
    head = ScriptDirectory.from_config(_config(kind)).get_current_head()
    if head is None:
        raise RuntimeError(f"migrations/{kind} holds no revision")
    return head


@cache
def tenant_statements(since: str | None = None) -> tuple[str, ...]:
    """SQL that brings a tenant's system tables from revision ``since`` (None: empty schema) to the newest one.

    Compiled once by Alembic's offline mode; run with search_path = the tenant's schema, a statement an execute.
    """
    script = ScriptDirectory.from_config(_config("tenant"))
    statements: list[str] = []

    def collect(construct: Any, *_args: Any, **_kwargs: Any) -> DBAPICursor | None:
        statements.append(str(construct))
        return None

    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    context.impl._exec = collect  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    with Operations.context(context):
        for revision in reversed(list(script.iterate_revisions("head", since or "base"))):
            revision.module.upgrade()
    return tuple(statements)


@cache
def tenant_revisions() -> tuple[str, ...]:
    """The revisions of tenants this program knows, oldest first."""
    script = ScriptDirectory.from_config(_config("tenant"))
    return tuple(reversed([revision.revision for revision in script.walk_revisions()]))


@cache
def append_only_tables() -> tuple[str, ...]:
    """Tables of a tenant on which its role may only insert and select, as the revisions declare them."""
    script = ScriptDirectory.from_config(_config("tenant"))
    return tuple(name for revision in script.walk_revisions() for name in getattr(revision.module, "APPEND_ONLY", ()))


@cache
def read_only_tables() -> tuple[str, ...]:
    """Tables of a tenant that its role may only select from: what the engine of metadata writes as their owner."""
    script = ScriptDirectory.from_config(_config("tenant"))
    return tuple(name for revision in script.walk_revisions() for name in getattr(revision.module, "READ_ONLY", ()))
