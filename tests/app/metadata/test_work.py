"""What a change of a large table leaves to the job."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from app.metadata import catalog, work
from app.metadata.apply import MetadataBlocked, NeedsConfirmation
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


def test_a_rename_beside_a_conversion_of_a_large_table_is_asked_for_first(runtime: Runtime, large: Tenant) -> None:
    databases = runtime.databases
    change(databases, large, "{kind: field, name: product.weight, type: text, label: Weight}")
    both = "{kind: field, name: product.mass, renamed_from: weight, type: decimal}"
    with pytest.raises(MetadataBlocked, match="Rename first, then change types"):
        change(databases, large, both, confirm=True)
    assert now(runtime, large).objects["product"].fields["weight"].type.name == "text"
    change(databases, large, "{kind: field, name: product.mass, renamed_from: weight}")
    assert change(databases, large, both, confirm=True).deferred
