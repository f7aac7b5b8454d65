"""Whatever a change is and whichever of its statements it dies at: all is as it was, or as it is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql as text_of

from app.metadata import catalog
from app.metadata.apply import look, owner_of
from app.metadata.ddl import inspect, rebuild
from tests.support.shaping import change, sql, take_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

MACHINE = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, label: Serial, unique: true, searchable: true}
  size: {type: text, label: Size}
  pieces: {type: integer, label: Pieces}
  product: {type: link, label: Product, to: product, inverse: machines}
  twice: {type: formula, label: Twice, returns: integer, value: pieces * 2, indexed: true}
pipelines: {care: {label: Care, stages: {running: {label: Running, status: open}, ill: {label: Ill, status: lost}}}}
---
{kind: field, name: product.pieces, type: rollup, label: Pieces, over: machines, function: sum, field: pieces,
 indexed: true}
---
{kind: view, name: machine.all, label: All, columns: [serial, size], filter: pieces > 1}
"""
#: One after the other, each over what the ones before made.
ACTS = {
    "an object with all that goes with it": MACHINE,
    "a type that is converted": "{kind: field, name: machine.size, type: integer}",
    "renames": "{kind: object, name: engine, renamed_from: machine}\n---\n"
    "{kind: field, name: engine.count, renamed_from: pieces}",
    "another formula and other attributes": "{kind: field, name: engine.twice, value: count * 3}\n---\n"
    "{kind: field, name: engine.serial, unique: false, searchable: false}",
    "a field that goes": "{kind: view, name: engine.all, columns: {size: {remove: true}}}\n---\n"
    "{kind: field, name: engine.size, remove: true}",
    "an object that goes": "{kind: object, name: engine, remove: true}\n---\n"
    "{kind: view, name: engine.all, remove: true}\n---\n{kind: field, name: product.pieces, remove: true}",
}


class Killed(BaseException):
    """The process ends here."""


class Crashes:
    """Counts the statements of the schemas' owner, and ends the process or its server's at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, superuser_url: str) -> None:
        self.count, self.at, self.hard = 0, 0, False
        self._url, self._execute, self._many = superuser_url, psycopg.Connection.execute, psycopg.Cursor.executemany
        crashes = self

        def execute(connection: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            if connection.info.user == "rapport_owner" and connection.info.transaction_status != 0:
                crashes.met(connection)
            return crashes._execute(connection, query, *args, **kwargs)

        def executemany(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            crashes.met(cursor.connection)
            return crashes._many(cursor, *args, **kwargs)

        monkeypatch.setattr(psycopg.Connection, "execute", execute)
        monkeypatch.setattr(psycopg.Cursor, "executemany", executemany)

    def met(self, connection: Any) -> None:
        """One more statement."""
        self.count += 1
        if self.count != self.at:
            return
        if not self.hard:
            raise Killed
        with psycopg.connect(self._url, autocommit=True) as other:
            other.execute(text_of.SQL("select pg_terminate_backend({})").format(connection.info.backend_pid))

    def each(self, act: Callable[[], object], *, hard: bool, look_at: Callable[[], object]) -> int:
        """Crash ``act`` at each of its statements; how many there are. It is done at last."""
        self.at = 0
        before = look_at()
        for at in range(1, 1_000):
            self.count, self.at, self.hard = 0, at, hard
            try:
                act()
            except (Killed, psycopg.OperationalError):
                self.at = 0
                assert look_at() == before, f"statement {at}"
            else:
                self.at = 0
                return at - 1
        raise AssertionError("it never ends")


def everything(databases: Databases, tenant: Tenant) -> tuple[Any, ...]:
    """Document, names, tables with what they hold, history, work and jobs."""
    with owner_of(databases, tenant) as connection:
        stored = look(connection, tenant).stored
        compiled = catalog.compose(stored)
        tables = inspect.described(connection.execute, compiled)
        physical = connection.execute(
            "select relname from pg_class where relnamespace = current_schema()::regnamespace"
        )
        names = sorted(name for (name,) in physical.fetchall())
        values = {
            name: connection.execute(
                text_of.SQL("select to_jsonb(t) from {} t order by id").format(text_of.Identifier(name))
            ).fetchall()
            for name in {"o_product", *(row.table for row in stored.physical)}
            if name in names
        }
        counted = [
            connection.execute(text_of.SQL("select count(*) from {}").format(text_of.SQL(of))).fetchall()
            for of in ("metadata_change", "metadata_work", "metadata_source", "event")
        ]
    return stored.version, stored.overrides, stored.physical, tables, names, values, counted


def fill(databases: Databases, tenant: Tenant) -> None:
    """Products, and a machine of each."""
    sql(databases, tenant, "insert into o_product (name) values ('7'), ('many')")
    rows = dict(
        sql(databases, tenant, "select path, \"column\" from metadata_physical where component = 'object/machine'")
    )
    ((table,),) = sql(
        databases, tenant, "select distinct \"table\" from metadata_physical where path = 'fields/serial'"
    )
    names = [rows[f"fields/{name}"] for name in ("serial", "size", "pieces", "product")]
    sql(databases, tenant, f"insert into {table} ({', '.join(names)}) select name, name, 3, id from o_product")


def crashed_throughout(
    databases: Databases, tenant: Tenant, crashes: Crashes, acts: dict[str, str], *, hard: bool
) -> dict[str, int]:
    """Statements by act, each crashed at; then each is taken back the same way."""
    told: dict[str, int] = {}
    made: list[Any] = []

    def seen() -> tuple[Any, ...]:
        return everything(databases, tenant)

    for name, text in acts.items():
        found: list[Any] = []
        told[name] = crashes.each(
            lambda text=text, found=found: found.append(change(databases, tenant, text, confirm=True)),
            hard=hard,
            look_at=seen,
        )
        made.append(found[-1])
        if text == MACHINE:
            fill(databases, tenant)
    for name, one in list(zip(acts, made, strict=True))[::-1]:
        told[f"back: {name}"] = crashes.each(
            lambda one=one: take_back(databases, tenant, one.change), hard=hard, look_at=seen
        )
    return told


def test_a_conversion_and_its_revert_die_at_any_statement(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch, superuser_url: str
) -> None:
    tenant = new_tenant()
    change(databases, tenant, MACHINE)
    fill(databases, tenant)
    act = "a type that is converted"
    told = crashed_throughout(databases, tenant, Crashes(monkeypatch, superuser_url), {act: ACTS[act]}, hard=False)
    assert min(told.values()) > 10, told


@pytest.mark.scale
def test_a_table_that_is_written_anew_dies_at_any_statement(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch, superuser_url: str
) -> None:
    tenant = new_tenant()
    change(databases, tenant, MACHINE)
    fill(databases, tenant)
    monkeypatch.setattr(rebuild, "MOST_ATTRIBUTES", 10)
    crashes = Crashes(monkeypatch, superuser_url)
    steps: list[Any] = []

    def act() -> None:
        made = change(databases, tenant, "{kind: field, name: machine.more, type: integer, label: More}", confirm=True)
        steps.extend(step.op for step in made.plan.steps)

    told = crashes.each(act, hard=False, look_at=lambda: everything(databases, tenant))
    assert told > 20
    assert "rewrite" in steps


@pytest.mark.scale
@pytest.mark.parametrize("hard", [False, True])
def test_every_act_and_taking_it_back_die_at_any_statement(
    databases: Databases,
    new_tenant: NewTenant,
    monkeypatch: pytest.MonkeyPatch,
    superuser_url: str,
    hard: bool,
) -> None:
    told = crashed_throughout(databases, new_tenant(), Crashes(monkeypatch, superuser_url), ACTS, hard=hard)
    print("statements crashed at:", told, sum(told.values()))  # noqa: T201 (the figure)
    assert len(told) == 2 * len(ACTS)
    assert sum(told.values()) > 250, told
