"""What nothing points to goes after a day, with what is in it; what anything points to stays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, ids
from app.files.service import key_of
from app.files.sweeping import sweep_files, sweep_strays
from tests.app.files.conftest import FIELDS, send
from tests.support.api import Api, make_key
from tests.support.shaping import change
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from tests.app.files.conftest import Archive

DAY = timedelta(days=1, hours=1)


def sweep(archive: Archive, *, later: timedelta = timedelta(0)) -> int:
    return sweep_files(archive.runtime, archive.tenant.id, clock.now() + later)


def kept(archive: Archive, made: Any) -> bool:
    row = archive.sql("select count(*) from file where id = %s", made["id"])[0][0]
    there = archive.runtime.storage.exists(key_of(archive.tenant.id, made["id"]))
    assert bool(row) == there
    return there


def test_a_file_that_was_never_attached_goes_after_a_day(archive: Archive) -> None:
    made = archive.upload()
    assert (sweep(archive), kept(archive, made)) == (0, True)
    assert (sweep(archive, later=DAY), kept(archive, made)) == (1, False)


def test_files_of_live_trashed_and_hidden_values_stay(archive: Archive) -> None:
    live, trashed, hidden = (archive.upload(name=f"{n}.txt") for n in range(3))
    archive.change("{kind: field, name: contact.paper, type: file}")
    archive.change("{kind: object, name: paper, label: {one: Paper, other: Papers}, title_field: name, fields: "
                   "{name: {type: text}, scan: {type: image}, sheet: {type: file}}}")  # fmt: skip
    sheet = archive.upload(name="sheet.txt")
    archive.api.post("/records/paper", {"name": "P", "sheet": sheet["id"]})
    archive.company(contract=live["id"])
    gone = archive.company(contract=trashed["id"])
    archive.api.call("DELETE", f"/records/company/{gone['id']}")
    archive.api.post("/records/contact", {"last_name": "C", "paper": hidden["id"]})
    archive.change("{kind: field, name: contact.paper, remove: true}")
    archive.change("{kind: object, name: paper, remove: true}")
    sweep(archive)
    assert sweep(archive, later=10 * DAY) == 0
    assert all(kept(archive, one) for one in (live, trashed, hidden, sheet))


def test_files_of_destroyed_records_and_replaced_ones_go_a_day_later(archive: Archive) -> None:
    destroyed, replaced, new = (archive.upload(name=f"{n}.txt") for n in range(3))
    gone = archive.company(contract=destroyed["id"])
    company = archive.company(contract=replaced["id"])
    assert sweep(archive) == 0
    archive.api.call("DELETE", f"/records/company/{gone['id']}", query={"destroy": "true"})
    archive.api.call("PATCH", f"/records/company/{company['id']}", {"contract": new["id"]})
    assert sweep(archive, later=DAY) == 0
    assert all(kept(archive, one) for one in (destroyed, replaced, new))
    assert sweep(archive, later=3 * DAY) == 2
    assert [kept(archive, one) for one in (destroyed, replaced, new)] == [False, False, True]


def test_what_a_cut_off_upload_left_in_storage_goes_after_a_day(archive: Archive) -> None:
    made, stray = archive.upload(), key_of(archive.tenant.id, ids.uuid7())
    archive.company(contract=made["id"])
    archive.runtime.storage.put(stray, b"half an upload")
    assert sweep_strays(archive.runtime, archive.tenant.id, clock.now()) == 0
    assert archive.runtime.storage.exists(stray)
    assert sweep_strays(archive.runtime, archive.tenant.id, clock.now() + DAY) == 1
    assert not archive.runtime.storage.exists(stray)
    assert kept(archive, made)


def test_who_takes_a_file_out_may_put_it_back_within_a_day(archive: Archive) -> None:
    made = archive.upload()
    company = archive.company(contract=made["id"])
    at = f"/records/company/{company['id']}"
    sweep(archive)
    archive.api.call("PATCH", at, {"contract": None})
    sweep(archive)
    assert archive.api.call("PATCH", at, {"contract": made["id"]}).json["contract"] == company["contract"]
    assert sweep(archive, later=3 * DAY) == 0
    assert kept(archive, made)


def test_a_workspace_without_such_fields_loses_only_what_is_old(archive: Archive) -> None:
    archive.change("- {kind: field, name: company.contract, remove: true}\n"
                   "- {kind: field, name: company.logo, remove: true}\n")  # fmt: skip
    many = [archive.upload(name=f"{n}.txt") for n in range(25)]
    assert sweep(archive) == 0
    assert sweep(archive, later=DAY) == 25
    assert not any(kept(archive, one) for one in many)


def test_deleting_a_workspace_deletes_its_files_only(archive: Archive) -> None:
    other = make_tenant(archive.runtime, name="Other")
    change(archive.runtime.databases, other, FIELDS)
    theirs = send(Api(archive.site, make_key(archive.runtime.databases, other, "owner")), b"x", "a.txt").json
    made = archive.upload()
    assert archive.runtime.storage.delete_prefix(str(archive.tenant.id)) == 1
    assert not archive.runtime.storage.exists(key_of(archive.tenant.id, made["id"]))
    assert archive.runtime.storage.exists(key_of(other.id, theirs["id"]))
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 404
