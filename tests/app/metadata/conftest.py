"""A database with the standard tables, made by the DDL under test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from app.metadata import catalog, ddl
from tests.support.field_kit import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.fieldtypes.base import Coercion

_SYSTEM = (
    "create schema ext",
    "create extension pg_trgm schema ext",
    "create schema workspace",
    "create table workspace.member (id uuid primary key default uuidv7(), name text)",
    "create table workspace.team (id uuid primary key default uuidv7(), name text)",
    "create table workspace.file (id uuid primary key)",
)


@pytest.fixture(scope="session")
def workspace(superuser_url: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection whose search_path is a schema with all standard tables."""
    name = f"metadata_{os.getpid()}"
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute(SQL("create database {}").format(Identifier(name)))
        with psycopg.connect(superuser_url, dbname=name, autocommit=True, options="-c timezone=UTC") as connection:
            for statement in (*_SYSTEM, "set search_path = workspace, ext", *ddl.tenant_tables(catalog.platform())):
                connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
            yield connection
        server.execute(SQL("drop database {}").format(Identifier(name)))


@pytest.fixture
def tables(workspace: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The same, in a transaction that is rolled back."""
    with workspace.transaction(force_rollback=True):
        yield workspace


@pytest.fixture
def coercion() -> Coercion:
    """The settings of a tenant in Berlin."""
    return CONTEXT
