"""Nobody takes along what they may not: by object, record and field, when it begins, while it runs, at the download."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import Forbidden, InvalidInput, Unauthenticated
from app.exports import run
from app.exports.errors import ExportNotFound, ExportOutdated
from app.exports.service import may_take
from app.rights import audit
from tenants.identity.keys import create_key
from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api
from tests.support.exports import begin, export, look, take
from tests.support.rights import WORKER

if TYPE_CHECKING:
    from tenants.scope import Actor

    from .conftest import Firm

AUDITOR = {"*": {"read": "all", "create": False, "edit": "none", "delete": "none", "destroy": "none", "export": "none"}}


@pytest.fixture
def staffed(firm: Firm) -> Firm:
    """Five companies of the owner."""
    firm.companies(5)
    return firm


def names(content: bytes) -> list[str]:
    return [row["name"] for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]


def give(firm: Firm, count: int, who: Actor) -> None:
    """The first companies become somebody else's."""
    firm.write(
        "update o_company set owner = %s where id in (select id from o_company order by id limit %s)", who.id, count
    )


def key_of(firm: Firm, who: Actor, role: str) -> Api:
    with enter_job(firm.runtime.databases, firm.tenant.id, actor=who, write=True) as scope:
        return Api(firm.site, create_key(scope, "Export", role)[1])


def test_an_auditor_reads_but_never_exports(staffed: Firm) -> None:
    auditor = staffed.member(staffed.role("auditor", objects=AUDITOR), "Audrey")
    with pytest.raises(Forbidden, match=r"\(Auditor\) does not include this: record.export"):
        begin(staffed.runtime, staffed.tenant, auditor, object="company")
    page = staffed.browser(auditor).get(f"{staffed.url}/records/company")
    assert "Company 00001" in page.text
    assert "/records/company/export" not in page.text
    assert staffed.browser(auditor).get(f"{staffed.url}/records/company/export").status == 403
    assert staffed.browser(auditor).get(f"{staffed.url}/exports").status == 403
    assert "/records/company/export" in staffed.browser(staffed.owner).get(f"{staffed.url}/records/company").text


def test_a_key_of_an_auditor_is_refused_with_the_right_named(staffed: Firm) -> None:
    staffed.role("auditor", objects=AUDITOR)
    answer = key_of(staffed, staffed.owner, "auditor").call("POST", "/exports", {"object": "company"})
    assert (answer.status_code, answer.json["code"]) == (403, "access.denied")
    assert "record.export" in answer.json["detail"]
    assert staffed.write("select id from export") == []


def test_the_right_is_held_for_one_object_and_not_for_another(staffed: Firm) -> None:
    objects = {"*": {**WORKER, "export": "none"}, "deal": WORKER}
    seller = staffed.member(staffed.role("seller", objects=objects))
    assert export(staffed.runtime, staffed.tenant, seller, object="deal", fields=["name"]) == b"name\r\n"
    with pytest.raises(Forbidden, match=r"record\.export"):
        begin(staffed.runtime, staffed.tenant, seller, object="company")
    browser = staffed.browser(seller)
    assert "/records/company/export" not in browser.get(f"{staffed.url}/records/company").text
    assert "/records/deal/export" in browser.get(f"{staffed.url}/records/deal").text
    assert browser.get(f"{staffed.url}/records/company/export").status == 403


def test_only_ones_own_are_exported_where_reading_goes_further(staffed: Firm) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": {**WORKER, "read": "all", "export": "own"}}))
    give(staffed, 2, seller)
    assert names(export(staffed.runtime, staffed.tenant, seller, object="company")) == [
        "Company 00000", "Company 00001",
    ]  # fmt: skip
    assert (
        look(
            staffed.runtime, staffed.tenant, begin(staffed.runtime, staffed.tenant, seller, object="company"), seller
        ).total
        == 2
    )


def test_what_one_reaches_is_exported_where_nothing_is_open_by_default(staffed: Firm) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": WORKER}))
    with enter_job(staffed.runtime.databases, staffed.tenant.id, actor=staffed.owner, write=True) as scope:
        scope.execute("insert into sharing (object, read, edit) values ('company', 'private', 'private')")
        scope.at_commit("select pod.bump_version(%(tenant)s)", {"tenant": staffed.tenant.id})
    give(staffed, 1, seller)
    assert names(export(staffed.runtime, staffed.tenant, seller, object="company")) == ["Company 00000"]
    assert len(names(export(staffed.runtime, staffed.tenant, object="company"))) == 5


def test_a_hidden_field_is_in_no_file_and_no_condition(staffed: Firm) -> None:
    clerk = staffed.member(
        staffed.role("clerk", objects={"*": WORKER}, fields={"company": {"employees": "none", "owner": "none"}})
    )
    head = export(staffed.runtime, staffed.tenant, clerk, object="company").splitlines()[0].decode().split(",")
    assert "external_id" in head
    assert {"employees", "owner", "owner.id"}.isdisjoint(head)
    for asked, pointer in (
        ({"fields": ["employees"]}, "/fields"),
        ({"fields": ["owner.name"]}, "/fields"),
        ({"filter": "employees > 3"}, "/filter"),
        ({"sort": "employees"}, "/sort"),
    ):
        with pytest.raises(InvalidInput) as refused:
            begin(staffed.runtime, staffed.tenant, clerk, object="company", **asked)
        assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_link_out_of_reach_is_not_named(staffed: Firm) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": WORKER, "company": {**WORKER, "read": "own"}}))
    staffed.write("insert into o_deal (name, company, owner) select 'Secret', id, %s from o_company limit 1", seller.id)
    fields = ["name", "company", "company.name"]
    content = export(staffed.runtime, staffed.tenant, seller, object="deal", fields=fields)
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert (row["name"], row["company"], row["company.name"]) == ("Secret", "", "")


def test_an_object_one_may_not_read_is_not_there(staffed: Firm) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": WORKER, "company": {"read": "none"}}))
    with pytest.raises(InvalidInput, match="no object called 'company'"):
        begin(staffed.runtime, staffed.tenant, seller, object="company")
    with pytest.raises(InvalidInput, match="no object called 'compass'"):
        begin(staffed.runtime, staffed.tenant, seller, object="compass")


CHANGES: list[dict[str, Any]] = [
    {"objects": {"*": {**WORKER, "export": "none"}}},
    {"objects": {"*": {**WORKER, "export": "own"}}},
    {"objects": {"*": {**WORKER, "read": "own"}}},
    {"objects": {"*": WORKER, "company": {"read": "none"}}},
    {"objects": {"*": WORKER}, "fields": {"company": {"employees": "none"}}},
]


@pytest.mark.parametrize("less", CHANGES, ids=["no export", "own only", "reads own", "no object", "no field"])
def test_rights_taken_away_stop_the_job_and_the_download(staffed: Firm, less: dict[str, Any]) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": WORKER}))
    done, waiting = (begin(staffed.runtime, staffed.tenant, seller, object="company", fields=["name", "employees"])
                     for _ in range(2))  # fmt: skip
    run.run_export(staffed.runtime, staffed.tenant.id, done)
    assert len(names(take(staffed.runtime, staffed.tenant, done, seller))) == 5
    staffed.role("seller", **less)
    with pytest.raises((Forbidden, InvalidInput)):
        take(staffed.runtime, staffed.tenant, done, seller)
    run.run_export(staffed.runtime, staffed.tenant.id, waiting)
    row = look(staffed.runtime, staffed.tenant, waiting, seller)
    assert (row.state, row.parts) == ("failed", 0)
    assert row.error
    with enter_job(staffed.runtime.databases, staffed.tenant.id, actor=seller, write=False) as scope:
        assert not may_take(scope, look(staffed.runtime, staffed.tenant, done, seller))
    staffed.role("seller", objects={"*": WORKER})
    assert len(names(take(staffed.runtime, staffed.tenant, done, seller))) == 5


def test_sharing_that_becomes_less_keeps_the_file_from_its_maker(staffed: Firm) -> None:
    seller = staffed.member(staffed.role("seller", objects={"*": WORKER}))
    done = begin(staffed.runtime, staffed.tenant, seller, object="company")
    run.run_export(staffed.runtime, staffed.tenant.id, done)
    with enter_job(staffed.runtime.databases, staffed.tenant.id, actor=staffed.owner, write=True) as scope:
        scope.execute("insert into sharing (object, read, edit) values ('company', 'private', 'private')")
        scope.at_commit("select pod.bump_version(%(tenant)s)", {"tenant": staffed.tenant.id})
    with pytest.raises(ExportOutdated, match="export again"):
        take(staffed.runtime, staffed.tenant, done, seller)


def test_who_left_gets_no_file_and_their_job_ends(staffed: Firm) -> None:
    seller = staffed.member()
    waiting = begin(staffed.runtime, staffed.tenant, seller, object="company")
    staffed.write("update member set status = 'inactive' where id = %s", seller.id)
    run.run_export(staffed.runtime, staffed.tenant.id, waiting)
    ((state, parts),) = staffed.write("select state, parts from export where id = %s", waiting)
    assert (state, parts) == ("failed", 0)
    with pytest.raises(Unauthenticated):
        take(staffed.runtime, staffed.tenant, waiting, seller)


def test_nobody_else_sees_the_export_or_takes_its_file(staffed: Firm) -> None:
    seller, other = staffed.member(), staffed.member(name="Other")
    done = begin(staffed.runtime, staffed.tenant, seller, object="company")
    run.run_export(staffed.runtime, staffed.tenant.id, done)
    for who in (other, staffed.owner):
        with pytest.raises(ExportNotFound):
            take(staffed.runtime, staffed.tenant, done, who)
    assert staffed.api.call("GET", f"/exports/{done}").status_code == 404
    assert staffed.api.get("/exports") == {"data": [], "next": None}
    mine = key_of(staffed, seller, "member")
    assert mine.call("GET", f"/exports/{done}/file").status_code == 404


def test_an_export_of_a_scope_that_is_nobodys_is_refused(staffed: Firm) -> None:
    with pytest.raises(Forbidden):
        begin(staffed.runtime, staffed.tenant, SYSTEM, object="company")


def test_the_log_shows_what_was_exported_to_who_sees_all_of_it(staffed: Firm) -> None:
    export(staffed.runtime, staffed.tenant, object="company", filter="employees > 3", fields=["employees"])
    objects = {"*": {**WORKER, "read": "all"}}
    hidden = {"company": {"employees": "none"}}
    manager = staffed.member(staffed.role("rights_manager", objects=objects, fields=hidden, special=["rights"]))
    with enter_job(staffed.runtime.databases, staffed.tenant.id, actor=manager, write=False) as scope:
        (entry,), _ = audit.entries(scope, audit.AuditQuery(group="exports"))
    assert (entry.kind, entry.object, entry.changes) == ("exported", "company", ())
    reader = key_of(staffed, staffed.owner, staffed.role("reader", objects=objects, fields=hidden))
    assert [event for event in reader.get("/events", limit="200")["data"] if event["kind"] == "exported"] == []
