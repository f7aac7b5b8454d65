"""What an import does with rows: create, match, link, refuse, go on after a kill, take back."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.core import ids
from app.imports import repository
from app.imports.errorfile import error_lines
from app.imports.errors import InvalidImport
from app.imports.run import run_import
from app.imports.service import undo_import
from app.imports.stored import Starter, import_scope
from app.imports.undo import run_undo
from app.records.write import update_record
from tenants.scope import enter_job
from tests.support.imports import DATA, begin, import_file, needs_data, outcome, query
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Tenant


def numbers(result: dict[str, Any]) -> tuple[int, int, int, int, int]:
    assert result["state"] == "done", result
    return result["created"], result["updated"], result["skipped"], result["failed"], result["warnings"]


def problems(runtime: Runtime, tenant: Tenant, result: dict[str, Any]) -> list[list[str]]:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        lines = "".join(error_lines(scope, result["import"])).splitlines()[1:]
    return [line.split(",") for line in lines]


@pytest.fixture
def workspace(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


def test_columns_named_like_fields_map_by_themselves_and_others_are_listed(runtime: Runtime, workspace: Tenant) -> None:
    content = "name,billing_address.city,Employees,created_at\nAcme,Köln,5,2020-01-01\n"
    result = import_file(runtime, workspace, content, object="company")
    assert numbers(result) == (1, 0, 0, 0, 0)
    assert result["unmapped"] == ["Employees", "created_at"]
    assert query(runtime, workspace, "select name, billing_address__city, employees from o_company") == [
        ("Acme", "Köln", None)
    ]


def test_rows_of_one_file_link_to_each_other_whatever_their_order(runtime: Runtime, workspace: Tenant) -> None:
    content = "name,parent\nChild,Mother\nMother,\nOrphan,Nobody\nBad,Broken\nBroken,\n"
    content = content.replace("Broken,\n", "Broken,,,\n")
    result = import_file(runtime, workspace, content, object="company")
    assert numbers(result) == (3, 0, 0, 2, 1)
    rows = query(
        runtime, workspace, "select c.name, p.name from o_company c left join o_company p on p.id = c.parent order by 1"
    )
    assert rows == [("Bad", None), ("Child", "Mother"), ("Mother", None)]
    assert [line[0] for line in problems(runtime, workspace, result)] == ["4", "5", "6"]


def test_links_that_are_to_be_created_are_created_once(runtime: Runtime, workspace: Tenant) -> None:
    content = "first_name,last_name,company,owner\nA,One,Acme,Zoe Z\nB,Two,ACME,Zoe Z\nC,Three,New & Co,zoe z\n"
    result = import_file(runtime, workspace, content, object="contact", links=["create"])
    assert numbers(result) == (3, 0, 0, 0, 0)
    assert query(runtime, workspace, "select name from o_company order by 1") == [("Acme",), ("New & Co",)]
    assert query(runtime, workspace, "select name, status from member where status = 'inactive'") == [
        ("Zoe Z", "inactive")
    ]
    assert query(
        runtime, workspace, "select count(*) from o_contact where company is not null and owner is not null"
    ) == [(3,)]


def test_two_targets_of_one_name_are_refused_not_guessed(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "name\nTwin\nTwin\n", object="company")
    result = import_file(runtime, workspace, "last_name,company\nOne,Twin\n", object="contact")
    assert numbers(result) == (0, 0, 0, 1, 0)
    assert "2 companies are called" in problems(runtime, workspace, result)[0][3]


def test_upsert_updates_creates_and_skips(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "external_id,name,employees\n1,One,10\n2,Two,20\n", object="company")
    content = "external_id,name,employees\n1,One,11\n2,Two,20\n3,Three,NULL\n3,Drei,30\n2,,NULL\n"
    options: dict[str, Any] = {"object": "company", "mode": "upsert", "match": "external_id", "null": ["NULL"]}
    result = import_file(runtime, workspace, content, **options)
    assert numbers(result) == (1, 3, 1, 0, 0)
    rows = query(runtime, workspace, "select external_id, name, employees from o_company order by 1")
    assert rows == [("1", "One", 11), ("2", "Two", None), ("3", "Drei", 30)]
    again = import_file(runtime, workspace, content.replace("2,,NULL\n", "").replace("3,Three,NULL\n", ""), **options)
    assert numbers(again) == (0, 1, 2, 0, 0)


def test_parts_of_a_value_are_joined_and_an_update_keeps_the_other_parts(runtime: Runtime, workspace: Tenant) -> None:
    content = "external_id,name,billing_address.line1,billing_address.city,annual_revenue,annual_revenue.currency\n"
    first = import_file(runtime, workspace, content + "1,One,Main St 1,Bonn,1500.5,USD\n2,Two,,,7,\n", object="company")
    assert numbers(first) == (2, 0, 0, 0, 0)
    shown = (
        "select billing_address__line1, billing_address__city, annual_revenue, annual_revenue__currency"
        " from o_company order by name"
    )
    rows = query(runtime, workspace, shown)
    assert [(a, b, str(c), d) for a, b, c, d in rows] == [
        ("Main St 1", "Bonn", "1500.50", "USD"),
        (None, None, "7.00", "EUR"),
    ]
    change = "external_id,billing_address.city,billing_address.line1\n1,Köln,\n2,-,-\n"
    options: dict[str, Any] = {"object": "company", "mode": "update", "match": "external_id", "null": ["-"]}
    assert numbers(import_file(runtime, workspace, change, **options)) == (0, 1, 1, 0, 0)
    assert [row[:2] for row in query(runtime, workspace, shown)] == [("Main St 1", "Köln"), (None, None)]


@needs_data
def test_naughty_strings_arrive_unchanged(runtime: Runtime, workspace: Tenant) -> None:
    known = json.loads((DATA / "validation" / "strings" / "blns.json").read_text())
    # A company needs a name, names have at most 255 characters, and spaces alone are an empty cell.
    strings = [text for text in dict.fromkeys(known) if text.strip() and len(text) <= 255]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("external_id", "name"), *((number, text) for number, text in enumerate(strings))])
    result = import_file(runtime, workspace, buffer.getvalue(), object="company")
    assert numbers(result) == (len(strings), 0, 0, 0, 0)
    stored = dict(query(runtime, workspace, "select external_id, name from o_company"))
    assert [stored[str(number)] for number in range(len(strings))] == strings


def test_polymorphic_links_are_found_by_the_column_of_their_target(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "name\nAcme\n", object="company")
    import_file(runtime, workspace, "title\nCall them\n", object="task")
    result = import_file(
        runtime,
        workspace,
        "from.task,to.company,role\nCall them,Acme,about\nCall them,Nobody,about\n",
        object="record_link",
    )
    assert numbers(result) == (1, 0, 0, 1, 0)


def test_update_skips_rows_without_a_match(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "external_id,name\n1,One\n", object="company")
    content = "external_id,name\n1,Eins\n9,Neun\n,Nobody\n"
    result = import_file(runtime, workspace, content, object="company", mode="update", match="external_id")
    assert numbers(result) == (0, 1, 2, 0, 0)


def test_a_dry_run_counts_and_writes_nothing(runtime: Runtime, workspace: Tenant) -> None:
    content = "name,employees,owner\nAcme,5,New Person\nBad,five,New Person\n"
    result = import_file(runtime, workspace, content, object="company", links=["create"], dry_run=True)
    assert numbers(result) == (1, 0, 0, 1, 0)
    assert query(runtime, workspace, "select count(*) from o_company") == [(0,)]
    assert query(runtime, workspace, "select count(*) from member where status = 'inactive'") == [(0,)]
    assert query(runtime, workspace, "select count(*) from event") == [(0,)]


def test_dates_that_read_two_ways_are_asked_about(runtime: Runtime, workspace: Tenant) -> None:
    with pytest.raises(InvalidImport, match=r"Column 'opened_on': '03/04/2017' may be day/month or month/day"):
        begin(runtime, workspace, b"name,opened_on\na,03/04/2017\nb,05/06/2017\n", object="deal")
    told = import_file(runtime, workspace, "name,opened_on\na,03/04/2017\n", object="deal", date_format="MM/DD/YYYY")
    found = import_file(runtime, workspace, "name,opened_on\nb,03/04/2017\nc,25/12/2017\n", object="deal")
    assert (numbers(told), numbers(found)) == ((1, 0, 0, 0, 0), (2, 0, 0, 0, 0))
    days = query(runtime, workspace, "select name, opened_on::text from o_deal order by 1")
    assert days == [("a", "2017-03-04"), ("b", "2017-04-03"), ("c", "2017-12-25")]


def test_decimal_commas_are_found_out(runtime: Runtime, workspace: Tenant) -> None:
    result = import_file(runtime, workspace, "name;amount\na;1.234,50\nb;7,5\n", object="deal")
    assert numbers(result) == (2, 0, 0, 0, 0)
    assert [str(row[0]) for row in query(runtime, workspace, "select amount from o_deal order by name")] == [
        "1234.50",
        "7.50",
    ]


def test_choices_are_refused_added_or_translated(runtime: Runtime, workspace: Tenant) -> None:
    content = "name,industry\na,Zeppelins\nb,zeppelins\nc,Kites\n"
    refused = import_file(runtime, workspace, content, object="company")
    assert numbers(refused) == (0, 0, 0, 3, 0)
    added = import_file(
        runtime,
        workspace,
        content,
        object="company",
        options=["industry:create"],
        map_value=["industry:Kites=Zeppelins"],
    )
    assert numbers(added) == (3, 0, 0, 0, 0)
    assert query(runtime, workspace, "select distinct industry from o_company") == [("zeppelins",)]


def test_constants_and_values_taken_twice_are_told_of_their_column(runtime: Runtime, workspace: Tenant) -> None:
    content = "key,name\n1,One\n1,Again\n,None\n"
    result = import_file(runtime, workspace, content, object="company", map=["key=external_id"], set=["kind=household"])
    assert numbers(result) == (2, 0, 0, 1, 0)
    assert problems(runtime, workspace, result)[0][:3] == ["3", "key", "1"]
    assert query(runtime, workspace, "select distinct kind from o_company") == [("household",)]


def test_undo_trashes_what_was_created_and_restores_what_was_changed(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "external_id,name,employees\n1,One,10\n2,Two,20\n", object="company")
    content = "external_id,name,employees\n1,Uno,11\n2,Due,21\n3,Tre,31\n4,Quattro,41\n"
    result = import_file(runtime, workspace, content, object="company", mode="upsert", match="external_id")
    owner = owner_of(runtime.databases, workspace)
    with enter_job(runtime.databases, workspace.id, actor=owner, write=True) as scope:
        for key in ("2", "4"):
            row = scope.execute("select id from o_company where external_id = %s", (key,)).fetchone()
            assert row is not None
            update_record(scope, "company", row[0], {"description": "worked on since"})
    with enter_job(runtime.databases, workspace.id, actor=owner, write=True) as scope:
        undo_import(scope, result["import"])
    run_undo(runtime, workspace.id, result["import"])
    rows = query(
        runtime, workspace, "select external_id, name, employees, deleted_at is null from o_company order by 1"
    )
    assert rows == [("1", "One", 10, True), ("2", "Due", 21, True), ("3", "Tre", 31, False), ("4", "Quattro", 41, True)]
    assert outcome(runtime, workspace, result["import"])["state"] == "undone"


def test_undo_takes_back_what_was_made_for_links_too(runtime: Runtime, workspace: Tenant) -> None:
    content = "last_name,company\nOne,Acme\nTwo,Beta\n"
    result = import_file(runtime, workspace, content, object="contact", links=["create"])
    import_file(runtime, workspace, "last_name,company\nThree,Beta\n", object="contact")
    with enter_job(runtime.databases, workspace.id, actor=owner_of(runtime.databases, workspace), write=True) as scope:
        undo_import(scope, result["import"])
    run_undo(runtime, workspace.id, result["import"])
    companies = query(runtime, workspace, "select name, deleted_at is null from o_company order by 1")
    contacts = query(
        runtime, workspace, "select last_name, company is null, deleted_at is null from o_contact order by 1"
    )
    assert companies == [("Acme", False), ("Beta", True)]
    assert contacts == [("One", False, False), ("Three", False, True), ("Two", False, False)]


def test_of_two_primary_rows_the_later_stays_and_it_is_told(runtime: Runtime, workspace: Tenant) -> None:
    import_file(runtime, workspace, "external_id,name\nd1,Big\nd2,Small\n", object="deal")
    import_file(runtime, workspace, "external_id,last_name\nc1,One\nc2,Two\n", object="contact")
    content = "deal,contact,Main\nd1,c1,yes\nd2,c1,yes\nd1,c2,yes\nd2,c2,no\n"
    options: dict[str, Any] = {
        "object": "deal_contact",
        "map": ["Main=primary"],
        "link_by": ["deal:external_id", "contact:external_id"],
    }
    tried = import_file(runtime, workspace, content, dry_run=True, **options)
    assert tried["warnings"] == 1
    result = import_file(runtime, workspace, content, **options)
    assert numbers(result) == (4, 0, 0, 0, 1)
    message = "Row 2 is primary for the same deal: only this one stays primary."
    assert problems(runtime, workspace, result) == [["4", "Main", "yes", message, "warning"]]
    rows = (
        "select d.name, c.last_name from o_deal_contact j join o_deal d on d.id = j.deal join o_contact c"
        ' on c.id = j.contact where j."primary" order by 1'
    )
    assert query(runtime, workspace, rows) == [("Big", "Two"), ("Small", "One")]


def test_every_row_has_one_event_with_the_import_as_actor_and_cause(runtime: Runtime, workspace: Tenant) -> None:
    result = import_file(runtime, workspace, "name\nOne\nTwo\n", object="company")
    events = query(
        runtime, workspace, "select kind, actor_kind, actor_id::text, cause ->> 'import' from event order by id"
    )
    assert events == [("created", "import", result["import"], result["import"])] * 2 + [
        ("imported", "import", result["import"], result["import"])
    ]


def test_an_import_killed_again_and_again_ends_with_each_row_once(runtime: Runtime, workspace: Tenant) -> None:
    rows = 12_000
    content = "external_id,name\n" + "".join(f"{number},Company {number}\n" for number in range(rows))
    import_id = begin(runtime, workspace, content.encode(), object="company")
    kills = 0
    for pause in (0.2, 0.3, 0.4, 0.5):
        child = multiprocessing.get_context("fork").Process(target=_in_child, args=(runtime, workspace, import_id))
        child.start()
        time.sleep(pause)
        if child.is_alive() and child.pid:
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.join()
    run_import(runtime, workspace.id, import_id)
    assert kills >= 1
    assert numbers(outcome(runtime, workspace, import_id)) == (rows, 0, 0, 0, 0)
    assert query(runtime, workspace, "select count(*), count(distinct external_id) from o_company") == [(rows, rows)]
    created = "select count(*), count(distinct record_id) from event where kind = 'created'"
    assert query(runtime, workspace, created) == [(rows, rows)]
    assert query(runtime, workspace, "select count(*) from event where kind = 'imported'") == [(1,)]


def _in_child(runtime: Runtime, tenant: Tenant, import_id: UUID) -> None:
    runtime.databases.forget()
    run_import(runtime, tenant.id, import_id)
    os._exit(0)


def test_an_import_that_can_not_go_on_ends_as_failed(runtime: Runtime, workspace: Tenant) -> None:
    import_id = begin(runtime, workspace, b"name\nOne\n", object="company")
    with enter_job(runtime.databases, workspace.id, actor=owner_of(runtime.databases, workspace), write=False) as scope:
        row = repository.read_import(scope, import_id)
    assert row is not None
    runtime.storage.delete(row.file_key)
    run_import(runtime, workspace.id, import_id)
    result = outcome(runtime, workspace, import_id)
    assert (result["state"], result["error"]) == ("failed", "The file is not there any more")


def test_plans_are_kept_while_rows_are_written_or_each_check_of_a_link_is_planned_anew(
    runtime: Runtime, tenant: Tenant
) -> None:
    by = Starter("system", None, "Rapport")
    with import_scope(runtime, tenant.id, ids.uuid7(), by, write=True) as scope:
        assert scope.execute("select current_setting('plan_cache_mode')").fetchone() == ("force_generic_plan",)
