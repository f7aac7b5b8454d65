"""The engine's promises: all or nothing, one after the other, nothing lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from app.core import clock
from app.core.errors import Conflict
from app.metadata import apply as engine
from app.metadata import catalog, store
from app.metadata.apply import MetadataBlocked, MetadataConflict, look, owner_of
from app.metadata.ddl import inspect, purge
from app.metadata.physical import naming
from tenants.locking import TenantBusy
from tenants.scope import SYSTEM, enter_job
from tests.support.shaping import change, sql, take_back

if TYPE_CHECKING:
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
  company: {type: link, label: Company, to: company, inverse: machines}
---
{kind: field, name: deal.vat_id, type: text, label: VAT id, searchable: true, unique: true}
"""


class Killed(BaseException):
    """The process ends here."""


def everything(databases: Databases, tenant: Tenant) -> tuple[Any, ...]:
    """Document, names and tables as they are, and how often they were changed."""
    with owner_of(databases, tenant) as connection:
        stored = look(connection, tenant).stored
        tables = inspect.described(connection.execute, catalog.compose(stored))
        history = connection.execute("select id from metadata_change order by id").fetchall()
        work = connection.execute("select count(*) from metadata_work").fetchall()
    return stored.version, stored.overrides, stored.physical, tables, history, work


def test_a_crash_at_any_statement_leaves_all_as_it_was(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    before = everything(databases, tenant)
    execute, many = psycopg.Connection.execute, psycopg.Cursor.executemany
    count = 0
    crash_at = 10**9

    def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        if self.info.user == "rapport_owner" and self.info.transaction_status != 0:
            count += 1
            if count == crash_at:
                raise Killed
        return execute(self, query, *args, **kwargs)

    def counted_many(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == crash_at:
            raise Killed
        return many(self, *args, **kwargs)

    monkeypatch.setattr(psycopg.Connection, "execute", counted)
    monkeypatch.setattr(psycopg.Cursor, "executemany", counted_many)
    crashes = 0
    for at in range(1, 500):
        count, crash_at = 0, at
        try:
            change(databases, tenant, MACHINE)
        except Killed:
            crashes += 1
            count, crash_at = 0, 10**9
            assert everything(databases, tenant) == before, at
        else:
            break
    count, crash_at = 0, 10**9
    assert crashes > 30
    assert everything(databases, tenant)[0] == before[0] + 1


def test_of_two_admins_who_change_the_same_the_second_sees_what_the_first_did(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    base = change(databases, tenant, "{kind: field, name: deal.x, type: text, label: X}").version
    change(databases, tenant, "{kind: field, name: deal.x, label: One}", base=base)
    with pytest.raises(MetadataConflict) as refused:
        change(databases, tenant, "{kind: field, name: deal.x, label: Other}", base=base)
    (leaf,) = refused.value.extra["changed"]  # type: ignore[misc]
    assert (leaf["path"], leaf["after"], leaf["by"]) == ("fields/x/label", "One", "Olivia Owner")
    # What does not touch the same is no conflict, and neither is wanting what is there by now.
    change(databases, tenant, "{kind: field, name: deal.x, help: Other}", base=base)
    assert change(databases, tenant, "{kind: field, name: deal.x, label: One}", base=base).change is None


def test_two_who_apply_at_once_take_turns(databases: Databases, new_tenant: NewTenant) -> None:
    tenant, ended, start = new_tenant(), list[Any](), threading.Barrier(4)

    def one(number: int) -> None:
        start.wait()
        try:
            text = f"{{kind: field, name: deal.x, type: text, label: Number {number}}}"
            ended.append(change(databases, tenant, text, base=1).version)
        except Conflict as refused:
            ended.append(refused.code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(end, int) for end in ended) == 1, ended
    assert set(ended) - {"metadata.conflict", "metadata.busy"} == {2}
    assert sql(databases, tenant, "select count(*) from metadata_change") == [(1,)]


def test_a_write_of_the_version_before_never_commits_after(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True, budget=60) as scope:
        before = scope.version
        scope.execute("insert into o_company (name) values ('Under the old version')")
        with pytest.raises(TenantBusy):
            change(databases, tenant, MACHINE)
    assert change(databases, tenant, MACHINE).version == before + 1


def test_nothing_of_a_refused_change_is_there(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(databases, tenant, MACHINE)
    change(databases, tenant, "{kind: view, name: machine.all, label: All, columns: [company]}")
    before = everything(databases, tenant)
    with pytest.raises(MetadataBlocked) as refused:
        change(databases, tenant, "{kind: field, name: machine.company, remove: true}")
    assert refused.value.errors
    assert everything(databases, tenant) == before


def test_names_in_the_database_say_nothing_and_stay_for_life(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(databases, tenant, MACHINE)
    with owner_of(databases, tenant) as connection:
        names = naming(store.read(connection.execute, 1).physical)
    assert names.tables["machine"].startswith("o_")
    assert "machine" not in names.tables["machine"]
    assert names.columns["machine"]["serial"].startswith("f_")
    renamed = change(databases, tenant, "{kind: field, name: deal.tax_number, renamed_from: vat_id}")
    assert [step.ddl for step in renamed.plan.steps] == [()]
    with owner_of(databases, tenant) as connection:
        now = naming(store.read(connection.execute, 1).physical)
    assert now.columns["deal"]["tax_number"] == names.columns["deal"]["vat_id"]
    assert catalog.compose(store.Stored(1, (), (), ())).objects["deal"].table == "o_deal"


def test_a_link_to_an_object_of_the_same_change_is_left_alone_by_the_next_one(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    link = "{kind: field, name: company.machine, type: link, label: Machine, to: machine}"
    change(databases, tenant, f"{MACHINE}---\n{link}")
    later = change(databases, tenant, "{kind: field, name: lead.vat_id, type: text, label: VAT id}")
    assert [(step.op, step.name) for step in later.plan.steps] == [("add", "lead.vat_id")]


def test_one_who_reads_for_long_keeps_a_change_from_being_made_and_nobody_waits_for_it(
    databases: Databases, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    monkeypatch.setattr(engine, "_TRIES", 2)
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False, budget=60) as scope:
        scope.execute("select count(*) from o_deal")
        with pytest.raises(TenantBusy):
            change(databases, tenant, MACHINE)
    made = change(databases, tenant, MACHINE)
    assert made.change is not None
    take_back(databases, tenant, made.change)


def test_records_written_in_between_keep_what_they_hold_and_what_is_amiss_is_listed(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    change(
        databases, tenant, MACHINE.replace("unique: true, searchable: true}\n  company", "required: true}\n  company")
    )
    with owner_of(databases, tenant) as connection:
        names = naming(store.read(connection.execute, 1).physical)
    table, serial, company = names.tables["machine"], *(names.columns["machine"][n] for n in ("serial", "company"))
    sql(databases, tenant, "insert into o_company (name) values ('Kept'), ('Destroyed')")
    sql(databases, tenant, f"insert into {table} ({serial}, {company}) select name, id from o_company")
    gone = change(databases, tenant, "{kind: field, name: machine.company, remove: true}", confirm=True)
    sql(databases, tenant, "delete from o_company where name = 'Destroyed'")
    sql(databases, tenant, f"insert into {table} ({serial}) values ('Made meanwhile')")
    assert gone.change is not None
    back = take_back(databases, tenant, gone.change)
    assert [(one.code, one.field, one.count) for one in back.plan.repairs] == [("link", "company", 1)]
    rows = sql(databases, tenant, f"select {serial}, {company} is null from {table} order by 1")
    assert rows == [("Destroyed", False), ("Kept", False), ("Made meanwhile", True)]
    # A link that points to nothing keeps the key from being valid for all, not from holding for new ones.
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        sql(databases, tenant, f"insert into {table} ({company}) values (uuidv7())")
    wanted = change(databases, tenant, "{kind: field, name: machine.company, required: true}")
    assert [(one.code, one.count) for one in wanted.plan.repairs] == [("required", 1)]


def test_ratings_above_a_lower_end_are_counted_and_kept(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(databases, tenant, "{kind: field, name: company.care, type: rating, label: Care, max: 10}")
    with owner_of(databases, tenant) as connection:
        care = naming(store.read(connection.execute, 1).physical).columns["company"]["care"]
    sql(databases, tenant, f"insert into o_company (name, {care}) values ('A', 3), ('B', 4), ('C', 10), ('D', null)")
    raised = change(databases, tenant, "{kind: field, name: company.care, max: 9}")
    assert [(one.code, one.field, one.count) for one in raised.plan.repairs] == [("range", "care", 1)]
    lowered = change(databases, tenant, "{kind: field, name: company.care, max: 3}")
    assert [(one.code, one.field, one.count) for one in lowered.plan.repairs] == [("range", "care", 2)]
    assert {step.safety for step in lowered.plan.steps} == {"instant"}
    assert lowered.change is not None
    assert not take_back(databases, tenant, lowered.change).plan.repairs
    assert sql(databases, tenant, f"select {care} from o_company order by 1") == [(3,), (4,), (10,), (None,)]


def test_hidden_values_are_purged_after_thirty_days_and_the_name_is_not_used_again(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant, secret = new_tenant(), "{kind: field, name: deal.secret, type: text, label: Secret, sensitive: true}"
    change(databases, tenant, secret)
    (column,) = sql(databases, tenant, 'select "column" from metadata_physical')[0]
    sql(databases, tenant, f"insert into o_deal (name, {column}) values ('One', 'to be forgotten')")
    node = "select pg_relation_filenode('o_deal')"
    before = sql(databases, tenant, node)
    gone = change(databases, tenant, "{kind: field, name: deal.secret, remove: true}", confirm=True)
    now = clock.now()
    assert purge.purge(databases, tenant, now + timedelta(days=29)) == 0
    assert purge.purge(databases, tenant, now + timedelta(days=31)) == 1
    assert sql(databases, tenant, node) != before, "what was dropped is still in the rows until they are written anew"
    query = "select 1 from information_schema.columns where table_schema = current_schema() and column_name = %s"
    assert sql(databases, tenant, query, column) == []
    assert gone.change is not None
    take_back(databases, tenant, gone.change)
    assert sql(databases, tenant, 'select "column" <> %s from metadata_physical where hidden_at is null', column) == [
        (True,)
    ]
    assert purge.purge(databases, tenant, now + timedelta(days=62)) == 0


def test_a_type_taken_back_brings_what_could_not_be_converted_and_keeps_what_was_written_since(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    change(databases, tenant, "{kind: field, name: product.size, type: text, label: Size}")
    ((text,),) = sql(databases, tenant, 'select "column" from metadata_physical')
    values = {"Plain": "7", "Word": "seven", "Cleared": "8", "Changed": "9", "Filled": "nine", "Empty": None}
    for name, value in values.items():
        sql(databases, tenant, f"insert into o_product (name, {text}) values (%s, %s)", name, value)
    made = change(databases, tenant, "{kind: field, name: product.size, type: integer}", confirm=True)
    ((number,),) = sql(databases, tenant, 'select "column" from metadata_physical where hidden_at is null')
    read = f"select name, {number} from o_product"
    assert dict(sql(databases, tenant, read)) == {
        "Plain": 7, "Word": None, "Cleared": 8, "Changed": 9, "Filled": None, "Empty": None,
    }  # fmt: skip
    sql(databases, tenant, f"update o_product set {number} = null where name = 'Cleared'")
    sql(databases, tenant, f"update o_product set {number} = 10 where name in ('Changed', 'Filled')")
    assert made.change is not None
    take_back(databases, tenant, made.change)
    assert dict(sql(databases, tenant, f"select name, {text} from o_product")) == {
        "Plain": "7", "Word": "seven", "Cleared": None, "Changed": "10", "Filled": "10", "Empty": None,
    }  # fmt: skip


def test_an_object_and_its_field_renamed_at_once_keep_table_column_and_values(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    change(databases, tenant, MACHINE)
    with owner_of(databases, tenant) as connection:
        names = naming(store.read(connection.execute, 1).physical)
    table, serial = names.tables["machine"], names.columns["machine"]["serial"]
    sql(databases, tenant, f"insert into {table} ({serial}) values ('S 1')")
    before = everything(databases, tenant)
    made = change(
        databases, tenant,
        "{kind: object, name: engine, renamed_from: machine}\n---\n"
        "{kind: field, name: engine.code, renamed_from: serial}",
    )  # fmt: skip
    with owner_of(databases, tenant) as connection:
        now = naming(store.read(connection.execute, 1).physical)
    assert (now.tables, now.columns["engine"]) == (
        {"engine": table}, {"code": serial, "company": names.columns["machine"]["company"]}
    )  # fmt: skip
    assert made.change is not None
    back = take_back(databases, tenant, made.change)
    assert everything(databases, tenant)[1:4] == before[1:4]
    assert sql(databases, tenant, f"select {serial} from {table}") == [("S 1",)]
    assert back.change is not None
    take_back(databases, tenant, back.change)
    with owner_of(databases, tenant) as connection:
        assert naming(store.read(connection.execute, 1).physical) == now


def test_going_back_over_another_field_of_the_same_name_brings_the_values_of_the_one_that_was_there(
    databases: Databases, new_tenant: NewTenant
) -> None:
    """Nothing is converted from one to the other, there and back."""
    tenant = new_tenant()
    change(databases, tenant, "{kind: field, name: product.size, type: integer, label: Size}")
    sql(databases, tenant, "insert into o_product (external_id, name) values ('1', 'One')")
    set_size(databases, tenant, 7)
    gone = change(databases, tenant, "{kind: field, name: product.size, remove: true}", confirm=True)
    change(databases, tenant, "{kind: field, name: product.size, type: text, label: Size}")
    set_size(databases, tenant, "large")
    assert gone.change is not None
    back = take_back(databases, tenant, gone.change, newer=True)
    assert [(step.op, step.safety, step.rows) for step in back.plan.steps] == [("replace", "destructive", 1)]
    assert set_size(databases, tenant) == [(7,)]
    assert back.change is not None
    take_back(databases, tenant, back.change)
    assert set_size(databases, tenant) == [("large",)]


def test_a_field_renamed_and_another_of_its_name_are_taken_back_and_brought_back_each_with_its_values(
    databases: Databases, new_tenant: NewTenant
) -> None:
    """Step by step, and all in one and back."""
    tenant = new_tenant()
    made = [change(databases, tenant, "{kind: field, name: product.size, type: text, label: Size}")]
    sql(databases, tenant, "insert into o_product (external_id, name) values ('1', 'One')")
    set_size(databases, tenant, "small")
    made.append(change(databases, tenant, "{kind: field, name: product.width, renamed_from: size}"))
    made.append(change(databases, tenant, "{kind: field, name: product.size, type: text, label: Size}"))
    set_size(databases, tenant, "large")
    turns = [take_back(databases, tenant, one.change) for one in reversed(made[1:]) if one.change]
    assert set_size(databases, tenant) == [("small",)]
    for one in reversed(turns):
        assert one.change is not None
        take_back(databases, tenant, one.change)
    assert set_size(databases, tenant) == [("large",)]
    assert made[1].change is not None
    whole = take_back(databases, tenant, made[1].change, newer=True)
    assert set_size(databases, tenant) == [("small",)]
    assert whole.change is not None
    take_back(databases, tenant, whole.change)
    assert set_size(databases, tenant) == [("large",)]


def test_types_changed_one_after_the_other_are_taken_back_one_by_one(
    databases: Databases, new_tenant: NewTenant
) -> None:
    """What could not be converted is known to the type before only."""
    tenant = new_tenant()
    change(databases, tenant, "{kind: field, name: product.size, type: text, label: Size}")
    first = change(databases, tenant, "{kind: field, name: product.size, type: boolean}", confirm=True)
    change(databases, tenant, "{kind: field, name: product.size, type: decimal}", confirm=True)
    assert first.change is not None
    with pytest.raises(MetadataBlocked, match="take these changes back one by one"):
        take_back(databases, tenant, first.change, newer=True)


def set_size(databases: Databases, tenant: Tenant, value: object = None) -> list[Any]:
    """The values of ``product.size``, after the given one was written."""
    with owner_of(databases, tenant) as connection:
        field = catalog.compose(look(connection, tenant).stored).objects["product"].fields["size"]
    column = field.columns[0].name
    if value is not None:
        sql(databases, tenant, f"update o_product set {column} = %s", value)
    return sql(databases, tenant, f"select {column} from o_product")
