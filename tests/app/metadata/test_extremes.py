"""No record makes a change, a write or an index build fail: what does not fit is refused or listed, in words."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from app.metadata import catalog
from app.metadata.apply import NeedsConfirmation, look, owner_of
from app.metadata.ddl import inspect, rebuild
from app.metadata.problems import InvalidComponents
from tests.support.shaping import change, finish, sql, take_back

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

WORN = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, unique: true}
  product: {type: link, to: product}
  pieces: {type: integer}
  gone: {type: text}
  more: {type: formula, returns: integer, value: pieces + 1, indexed: true}
---
{kind: field, name: product.machine, type: link, to: machine}
"""


def wide(length: int) -> str:
    """A text no compression makes shorter, four bytes a letter."""
    source = random.Random(length)  # noqa: S311 - letters, no secrets
    return "".join(chr(0x20000 + source.randrange(40_000)) for _ in range(length))


def column(databases: Databases, tenant: Tenant, path: str) -> str:
    """The physical name of a field."""
    query = 'select "column" from metadata_physical where path = %s and hidden_at is null'
    ((name,),) = sql(databases, tenant, query, path)
    return str(name)


def test_values_that_are_the_same_once_converted_are_listed_and_nothing_fails(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    databases, tenant = runtime.databases, new_tenant()
    change(databases, tenant, "{kind: field, name: product.mail, type: text, label: Mail}")
    text = column(databases, tenant, "fields/mail")
    for value in ("A@example.com", "a@example.com"):
        sql(databases, tenant, f"insert into o_product (name, {text}) values (%s, %s)", value, value)
    change(databases, tenant, "{kind: field, name: product.mail, type: email, unique: true}", confirm=True)
    assert finish(runtime, tenant) == [("statement", "failed", "unique")]
    mail = column(databases, tenant, "fields/mail")
    assert sql(databases, tenant, f"select distinct {mail} from o_product") == [("a@example.com",)]


def test_texts_too_long_for_a_unique_index_are_listed_and_nothing_fails(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    databases, tenant = runtime.databases, new_tenant()
    change(databases, tenant, "{kind: field, name: product.serial, type: text, label: Serial}")
    name = column(databases, tenant, "fields/serial")
    sql(databases, tenant, f"insert into o_product (name, {name}) values ('Long', %s)", wide(1_000))
    made = change(databases, tenant, "{kind: field, name: product.serial, unique: true}")
    assert [(one.code, one.count) for one in made.plan.repairs] == [("long", 1)]
    assert ("statement", "failed", "long") in finish(runtime, tenant)
    sql(databases, tenant, f"update o_product set {name} = 'short'")
    sql(databases, tenant, "update metadata_work set state = 'queued'")
    assert {state for _, state, _ in finish(runtime, tenant)} == {"done"}


def test_any_text_fits_an_indexed_field_and_the_order_of_a_list(runtime: Runtime, new_tenant: NewTenant) -> None:
    databases, tenant = runtime.databases, new_tenant()
    change(databases, tenant, WORN.replace("gone: {type: text}", "gone: {type: text, indexed: true}"))
    change(databases, tenant, "{kind: field, name: machine.site, type: url, label: Site, indexed: true}")
    change(databases, tenant, "{kind: object, name: machine, default_sort: gone}")
    gone, site = (column(databases, tenant, f"fields/{name}") for name in ("gone", "site"))
    ((table,),) = sql(databases, tenant, "select \"table\" from metadata_physical where path = 'fields/gone'")
    sql(databases, tenant, f"insert into {table} ({gone}, {site}) values (%s, %s)", wide(1_000), wide(2_000))
    # Neither does what is there keep such an index from being built.
    change(databases, tenant, "{kind: field, name: machine.gone, indexed: false}")
    assert change(databases, tenant, "{kind: field, name: machine.gone, indexed: true}").change is not None


@pytest.mark.parametrize("language", ["en", "de", "xx"])
def test_compounds_of_wide_letters_fit_what_search_keeps(
    databases: Databases, new_tenant: NewTenant, language: str
) -> None:
    tenant, letters = new_tenant(), wide(250_000)
    # Of a compound the whole and each part is kept; syllables of Korean are three letters once folded.
    compounds = " ".join(f"{letters[at : at + 2]}-{letters[at + 2 : at + 4]}" for at in range(0, 200_000, 4))
    korean = " ".join(f"{chr(0xAC00 + at % 11_000)}{chr(0xAC00 + at % 9_973)}-x{at}" for at in range(30_000))
    for text in (compounds[:250_000], korean[:250_000], letters):
        query = "insert into o_company (name, description, _language) values ('x', %s, %s)"
        sql(databases, tenant, query, text, language)


def test_an_object_needs_no_more_columns_than_a_table_has(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    fields = ", ".join(f"place_{number}: {{type: address, label: Place}}" for number in range(300))
    with pytest.raises(InvalidComponents, match="at most 1500 fit") as refused:
        change(databases, tenant, f"{{kind: object, name: product, fields: {{ {fields} }}}}")
    assert [error.code for error in refused.value.errors] == ["object.too_many_columns"]
    many = ", ".join(f"n{number}: {{type: integer, label: N}}" for number in range(400))
    with pytest.raises(InvalidComponents, match="more than 400 fields"):
        change(databases, tenant, f"{{kind: object, name: product, fields: {{ {many} }}}}")


def seen(databases: Databases, tenant: Tenant) -> dict[str, list[str]]:
    """What PostgreSQL holds of the live objects."""
    with owner_of(databases, tenant) as connection:
        return inspect.described(connection.execute, catalog.compose(look(connection, tenant).stored))


def test_a_table_that_used_its_columns_up_is_written_anew(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, fresh = new_tenant(), new_tenant()
    change(databases, tenant, WORN)
    ((table,),) = sql(databases, tenant, "select \"table\" from metadata_physical where path = 'fields/gone'")
    serial, product, pieces, gone = (
        column(databases, tenant, f"fields/{name}") for name in ("serial", "product", "pieces", "gone")
    )
    sql(databases, tenant, "insert into o_product (name) values ('P')")
    values = f"insert into {table} ({serial}, {product}, {pieces}, {gone}) select 'S', id, 3, 'kept' from o_product"
    sql(databases, tenant, values)
    removed = change(databases, tenant, "{kind: field, name: machine.gone, remove: true}", confirm=True)
    monkeypatch.setattr(rebuild, "MOST_ATTRIBUTES", 40)
    used = f"select max(attnum) from pg_attribute where attrelid = '{table}'::regclass"
    steps: list[Any] = []
    for number in range(2, 30):
        made = change(databases, tenant, f"{{kind: field, name: machine.more, value: pieces + {number}}}")
        steps += [step for step in made.plan.steps if step.op == "rewrite"]
        assert sql(databases, tenant, used)[0][0] <= 40
    assert [(step.name, step.safety) for step in steps] == [("machine", "rewrite")]
    assert removed.change is not None
    take_back(databases, tenant, removed.change)
    assert sql(databases, tenant, f"select {serial}, {pieces}, {gone} from {table}") == [("S", 3, "kept")]
    change(databases, fresh, WORN.replace("pieces + 1", "pieces + 29"))
    assert seen(databases, tenant) == seen(databases, fresh)


def test_a_large_table_is_written_anew_only_when_somebody_agrees(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    sql(databases, tenant, "insert into o_product (name) select 'P' || i from generate_series(1, 12000) i")
    sql(databases, tenant, "analyze o_product")
    monkeypatch.setattr(rebuild, "MOST_ATTRIBUTES", 10)
    field = "{kind: field, name: product.pieces, type: integer, label: Pieces}"
    with pytest.raises(NeedsConfirmation, match="written anew") as refused:
        change(databases, tenant, field)
    (step,) = refused.value.extra["steps"]  # type: ignore[misc]
    assert (step["op"], step["name"], step["rows"]) == ("rewrite", "product", 12_000)
    change(databases, tenant, field, confirm=True)
    assert sql(databases, tenant, "select count(*) from o_product") == [(12_000,)]
