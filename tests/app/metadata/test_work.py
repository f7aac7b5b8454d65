"""What a change of a large table leaves to the job."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from app.metadata import catalog, work
from app.metadata.apply import NeedsConfirmation
from tenants.scope import SYSTEM, enter_job
from tests.support.shaping import change, finish, sql, take_back

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from app.metadata.model import Catalog
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

ROWS = 8_000
CODE = "{kind: field, name: product.serial, type: text, label: Serial, unique: true, searchable: true}"


def now(runtime: Runtime, tenant: Tenant) -> Catalog:
    """The catalog the next request has."""
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        return catalog.whole(scope)


@pytest.fixture
def large(runtime: Runtime, new_tenant: NewTenant) -> Tenant:
    """A workspace with so many products that work on them is left to a job."""
    tenant = new_tenant()
    sql(
        runtime.databases, tenant,
        "insert into o_product (name, code, description) select 'Product ' || i, 'P' || i, repeat('x', 100)"
        f" from generate_series(1, {ROWS}) i",
    )  # fmt: skip
    sql(runtime.databases, tenant, "analyze o_product")
    return tenant


def test_indexes_of_a_large_table_are_built_beside_writers(runtime: Runtime, large: Tenant) -> None:
    made = change(runtime.databases, large, CODE)
    built = [step for step in made.plan.steps if step.safety == "online"]
    assert built
    assert all("concurrently" in ddl for step in built for ddl in step.ddl)
    assert {state for _, state, _ in finish(runtime, large)} == {"done"}
    column = now(runtime, large).objects["product"].fields["serial"].columns[0].name
    indexes = sql(runtime.databases, large, "select indexdef from pg_indexes where tablename = 'o_product'")
    assert any(column in text and "UNIQUE" in text for (text,) in indexes)
    assert sql(runtime.databases, large, "select count(*) from pg_index where not indisvalid") == [(0,)]


def test_what_is_not_wanted_any_more_is_left_undone(runtime: Runtime, large: Tenant) -> None:
    made = change(runtime.databases, large, CODE)
    assert made.change is not None
    take_back(runtime.databases, large, made.change)
    assert "done" not in {state for _, state, _ in finish(runtime, large)[: len(made.work)]}


def test_an_index_that_a_killed_build_left_of_no_use_is_built_anew(runtime: Runtime, large: Tenant) -> None:
    made = change(runtime.databases, large, CODE)
    names = [s["name"] for (s,) in sql(runtime.databases, large, "select spec from metadata_work")]
    (unique,) = [name for name in names if name.endswith("unique")]
    # A build that fails, or whose worker dies, leaves an index that is not valid; here that of two equal codes.
    with psycopg.connect(
        runtime.databases.pod_owner(1).url.set(drivername="postgresql").render_as_string(False)
    ) as own:
        own.autocommit = True
        own.execute(f'set search_path = "{large.schema}"')  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.UniqueViolation):
            own.execute(f'create unique index concurrently "{unique}" on o_product ((length(name) > 0))')  # type: ignore[arg-type]
    sql(runtime.databases, large, "update metadata_work set state = 'running'")
    assert sql(runtime.databases, large, "select count(*) from pg_index where not indisvalid") == [(1,)]
    assert {state for _, state, _ in finish(runtime, large)} == {"done"}
    assert sql(runtime.databases, large, "select count(*) from pg_index where not indisvalid") == [(0,)]
    ((definition,),) = sql(runtime.databases, large, "select indexdef from pg_indexes where indexname = %s", unique)
    assert "NORMALIZE" in definition
    assert made.version == now(runtime, large).version


def test_two_equal_values_keep_a_unique_index_from_being_built_and_are_listed(runtime: Runtime, large: Tenant) -> None:
    change(runtime.databases, large, CODE.replace(", unique: true", ""))
    column = now(runtime, large).objects["product"].fields["serial"].columns[0].name
    sql(runtime.databases, large, f"update o_product set {column} = 'Same' where code in ('P1', 'P2')")
    made = change(runtime.databases, large, "{kind: field, name: product.serial, unique: true}")
    (repair,) = made.plan.repairs
    assert (repair.code, repair.field, repair.count) == ("unique", "serial", 2)
    assert ("statement", "failed", "unique") in finish(runtime, large)
    sql(runtime.databases, large, f"update o_product set {column} = 'Other' where code = 'P2'")
    work.purge_hidden(runtime, large.id, {})
    assert finish(runtime, large)[-1] == ("statement", "done", None)


def test_a_type_is_converted_while_people_work(runtime: Runtime, large: Tenant) -> None:
    databases = runtime.databases
    change(databases, large, "{kind: field, name: product.weight, type: text, label: Weight}")
    column = now(runtime, large).objects["product"].fields["weight"].columns[0].name
    numbered = "(select id as i, row_number() over (order by id) as n from o_product) x where x.i = id"
    sql(databases, large, f"update o_product set {column} = (n * 2)::text from {numbered}")
    (first,) = sql(databases, large, "select min(id::text)::uuid from o_product")
    sql(databases, large, f"update o_product set {column} = 'heavy' where id = %s", first[0])
    patch = "{kind: field, name: product.weight, type: decimal}"
    with pytest.raises(NeedsConfirmation) as refused:
        change(databases, large, patch)
    (step,) = refused.value.extra["steps"]  # type: ignore[misc]
    assert (step["op"], step["rows"], step["preview"]["failing"]) == ("convert", ROWS, 1)
    asked = change(databases, large, patch, confirm=True)
    assert (asked.deferred, asked.change) == (True, None)
    assert now(runtime, large).objects["product"].fields["weight"].type.name == "text"
    # Written meanwhile, behind and before where the job is.
    sql(
        databases,
        large,
        f"update o_product set {column} = '7.25', updated_at = clock_timestamp() where id = %s",
        first[0],
    )
    assert [state for what, state, _ in finish(runtime, large) if what == "convert"] == ["done"]
    field = now(runtime, large).objects["product"].fields["weight"]
    assert field.type.name == "decimal"
    rows = sql(databases, large, f"select {field.columns[0].name}, {column} from o_product order by id")
    assert rows[0] == (Decimal("7.25"), "7.25")
    assert all(weight == Decimal(text) for weight, text in rows)
    # Back: what nobody touched comes back as it was, to the letter.
    sql(databases, large, f"update o_product set {column} = '016.0' where {column} = '16'")
    sql(databases, large, f"update o_product set {field.columns[0].name} = 5 where {column} = '18'")
    (change_id,) = sql(databases, large, "select id from metadata_change order by version desc limit 1")
    assert take_back(databases, large, change_id[0]).deferred
    assert [state for what, state, _ in finish(runtime, large) if what == "convert"] == ["done", "done"]
    back = now(runtime, large).objects["product"].fields["weight"]
    assert (back.type.name, back.columns[0].name) == ("text", column)
    assert sql(databases, large, f"select count(*) from o_product where {column} = '016.0'") == [(1,)]
    assert sql(databases, large, f"select {column} from o_product where {field.columns[0].name} = 5") == [("5",)]


def test_a_conversion_goes_on_where_it_was_killed(
    runtime: Runtime, large: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = runtime.databases
    change(databases, large, "{kind: field, name: product.words, type: text, label: Words}")
    words = now(runtime, large).objects["product"].fields["words"].columns[0].name
    sql(databases, large, f"update o_product set {words} = code")
    change(databases, large, "{kind: field, name: product.words, type: tags}", confirm=True)
    stops = iter([None] * 3)

    def killed() -> None:
        if next(stops, "now") == "now":
            raise KeyboardInterrupt

    monkeypatch.setattr(work, "checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        finish(runtime, large)
    monkeypatch.undo()
    ((done, total),) = sql(databases, large, "select done, total from metadata_work where what = 'convert'")
    assert (0 < done < ROWS, total) == (True, ROWS)
    assert ("convert", "done", None) in finish(runtime, large)
    assert sql(databases, large, "select done from metadata_work where what = 'convert'") == [(ROWS,)]
    field = now(runtime, large).objects["product"].fields["words"]
    same = f"select count(*) from o_product where {field.columns[0].name} = array[code]"
    assert (field.type.name, sql(databases, large, same)) == ("tags", [(ROWS,)])


BOTH = """
{kind: field, name: product.mass, renamed_from: weight, type: decimal, label: Mass}
---
{kind: rule, name: product.heavy, refuse_if: mass < 0, message: Nothing is lighter than nothing., field: mass}
"""
WEIGHT = """
{kind: field, name: product.weight, type: text, label: Weight}
---
{kind: view, name: product.weighed, label: Weighed, shape: list, filter: has(weight), columns: [weight]}
"""


def weighed(runtime: Runtime, tenant: Tenant) -> str:
    """Every product has a weight, in words; the column it is in."""
    change(runtime.databases, tenant, WEIGHT)
    column = now(runtime, tenant).objects["product"].fields["weight"].columns[0].name
    sql(runtime.databases, tenant, f"update o_product set {column} = right(code, -1)")
    return column


def test_a_field_of_a_large_table_is_renamed_and_converted_in_one_change_and_back(
    runtime: Runtime, large: Tenant
) -> None:
    databases = runtime.databases
    column = weighed(runtime, large)
    assert change(databases, large, BOTH, confirm=True).deferred
    # Until the job is done everything is as it was, under the name it had.
    product = now(runtime, large).objects["product"]
    assert (product.fields["weight"].type.name, "mass" in product.fields, product.rules) == ("text", False, ())
    sql(databases, large, f"update o_product set {column} = '7.25', updated_at = clock_timestamp() where code = 'P1'")
    assert [state for what, state, _ in finish(runtime, large) if what == "convert"] == ["done"]
    product = now(runtime, large).objects["product"]
    mass = product.fields["mass"]
    assert (mass.type.name, mass.label, "weight" in product.fields) == ("decimal", "Mass", False)
    assert [rule.name for rule in product.rules] == ["heavy"]
    (view,) = [one for one in product.views if one.name == "weighed"]
    assert (view.filter, view.columns) == ("has(mass)", ("mass",))
    fits = f"select count(*) from o_product where {mass.columns[0].name} = {column}::numeric"
    assert sql(databases, large, fits) == [(ROWS,)]
    assert sql(databases, large, f"select {mass.columns[0].name} from o_product where code = 'P1'") == [
        (Decimal("7.25"),)
    ]
    # And back, in one again: what nobody touched comes back to the letter, what was written since is converted.
    sql(databases, large, f"update o_product set {mass.columns[0].name} = 5 where code = 'P2'")
    (change_id,) = sql(databases, large, "select id from metadata_change order by version desc limit 1")
    assert take_back(databases, large, change_id[0]).deferred
    assert now(runtime, large).objects["product"].fields["mass"].type.name == "decimal"
    assert [state for what, state, _ in finish(runtime, large) if what == "convert"] == ["done", "done"]
    product = now(runtime, large).objects["product"]
    weight = product.fields["weight"]
    assert (weight.type.name, weight.columns[0].name, "mass" in product.fields) == ("text", column, False)
    assert (product.rules, product.views[0].filter) == ((), "has(weight)")
    rows = sql(databases, large, f"select {column} from o_product where code in ('P1', 'P2', 'P3') order by code")
    assert rows == [("7.25",), ("5",), ("3",)]


def test_a_name_that_is_taken_while_a_job_converts_fails_it_and_leaves_all_as_it_was(
    runtime: Runtime, large: Tenant
) -> None:
    databases = runtime.databases
    column = weighed(runtime, large)
    assert change(databases, large, BOTH, confirm=True).deferred
    change(databases, large, "{kind: field, name: product.mass, type: decimal, label: Another}")
    (ended,) = [(state, error) for what, state, error in finish(runtime, large) if what == "convert"]
    assert ended == ("failed", "metadata.blocked")
    fields = now(runtime, large).objects["product"].fields
    assert (fields["weight"].columns[0].name, fields["mass"].label) == (column, "Another")
    other = fields["mass"].columns[0].name
    assert sql(databases, large, f"select count(*) from o_product where {other} is not null") == [(0,)]
    assert sql(databases, large, f"select count(*) from o_product where {column} = right(code, -1)") == [(ROWS,)]


def test_a_large_object_is_renamed_while_a_field_of_it_is_converted(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant, databases = new_tenant(), runtime.databases
    ware = "kind: object\nname: ware\nlabel: {one: Ware, other: Wares}\ntitle: code\n"
    change(databases, tenant, ware + "fields: {code: {type: text, label: Code}, weight: {type: text, label: Weight}}")
    made = now(runtime, tenant).objects["ware"]
    code, weight = (made.fields[name].columns[0].name for name in ("code", "weight"))
    filled = (
        f"insert into {made.table} ({code}, {weight}) select repeat('W', 200) || i, i from generate_series(1, {ROWS}) i"
    )
    sql(databases, tenant, filled)
    sql(databases, tenant, f"analyze {made.table}")
    renamed = "{kind: object, name: goods, renamed_from: ware}\n---\n{kind: field, name: goods.weight, type: integer}"
    assert change(databases, tenant, renamed, confirm=True).deferred
    assert "goods" not in now(runtime, tenant).objects
    assert [state for what, state, _ in finish(runtime, tenant) if what == "convert"] == ["done"]
    objects = now(runtime, tenant).objects
    found = objects["goods"].fields["weight"]
    assert (found.type.name, objects["goods"].table, "ware" in objects) == ("integer", made.table, False)
    same = f"select count(*) from {made.table} where {found.columns[0].name} = {weight}::int"
    assert sql(databases, tenant, same) == [(ROWS,)]
