"""Whose a file is: the rights of the records that point to it, the uploader's until one does, nobody's otherwise."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.app.files.conftest import FIELDS, png, send
from tests.support.api import Api, make_key
from tests.support.shaping import change
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from tests.app.files.conftest import Archive

READ = {"read": "all", "create": True, "edit": "all", "bulk": True}


def test_a_file_is_its_uploaders_until_a_record_points_to_it(archive: Archive) -> None:
    other = archive.keyed("member")
    made = archive.upload()
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 200
    assert other.call("GET", f"/files/{made['id']}").status_code == 404
    archive.company(contract=made["id"])
    assert other.call("GET", f"/files/{made['id']}").status_code == 200


def test_who_may_not_read_the_field_downloads_nothing(archive: Archive) -> None:
    blind = archive.keyed("blind", objects={"*": READ}, fields={"company": {"contract": "none"}})
    made = archive.upload()
    company = archive.company(contract=made["id"])
    assert "contract" not in blind.get(f"/records/company/{company['id']}")
    assert blind.call("GET", f"/files/{made['id']}").status_code == 404


def test_who_does_not_reach_the_record_downloads_nothing(archive: Archive) -> None:
    narrow = archive.keyed("narrow", objects={"*": {**READ, "read": "own", "edit": "own"}})
    made = archive.upload()
    archive.company(contract=made["id"])
    assert narrow.call("GET", f"/files/{made['id']}").status_code == 404


def test_an_uploader_loses_the_file_with_the_record(archive: Archive) -> None:
    seller = archive.keyed("seller_of_own", objects={"*": {**READ, "read": "own", "edit": "own"}})
    made = archive.upload(api=seller)
    assert seller.call("GET", f"/files/{made['id']}").status_code == 200
    mine = archive.sql("select id from member where role = 'owner'")[0][0]
    company = seller.post("/records/company", {"name": "Mine", "contract": made["id"], "owner": str(mine)})
    other = archive.member()
    archive.api.call("PATCH", f"/records/company/{company['id']}", {"owner": str(other.id)})
    assert seller.call("GET", f"/files/{made['id']}").status_code == 404
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 200


@pytest.mark.parametrize("how", ["create", "update", "bulk", "batch"])
def test_somebody_elses_file_can_not_be_attached_to_read_it(archive: Archive, how: str) -> None:
    """The attack: an id seen in a log is set on a record of one's own."""
    thief = archive.keyed("thief", objects={"*": READ}, fields={"company": {"contract": "none"}})
    archive.change("{kind: field, name: contact.paper, type: file}")
    secret = archive.upload()
    archive.company(contract=secret["id"])
    if how == "create":
        answer = thief.call("POST", "/records/contact", {"last_name": "T", "paper": secret["id"]})
    elif how == "update":
        mine = thief.post("/records/contact", {"last_name": "T"})
        answer = thief.call("PATCH", f"/records/contact/{mine['id']}", {"paper": {"id": secret["id"], "name": "x"}})
    elif how == "bulk":
        rows = [{"last_name": "T", "paper": secret["id"]}]
        answer = thief.call("POST", "/records/contact/bulk", rows, query={"atomic": "true"})
    else:
        one = {"op": "create", "object": "contact", "record": {"last_name": "T", "paper": secret["id"]}}
        answer = thief.call("POST", "/batch", {"operations": [one]})
    assert answer.status_code == 422, answer.text
    assert "file.unknown" in answer.text
    assert [one["paper"] for one in archive.api.get("/records/contact")["data"]] == ([None] if how == "update" else [])


def test_another_workspaces_file_is_unknown_here(archive: Archive) -> None:
    theirs = make_tenant(archive.runtime, name="Theirs")
    change(archive.runtime.databases, theirs, FIELDS)
    api = Api(archive.site, make_key(archive.runtime.databases, theirs, "owner"))
    made = send(api, b"theirs", "secret.pdf").json
    api.post("/records/company", {"name": "Theirs", "contract": made["id"]})
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 404
    answer = archive.api.call("POST", "/records/company", {"name": "Ours", "contract": made["id"]})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "file.unknown")


def test_ids_of_nothing_are_told_as_such(archive: Archive) -> None:
    for path in (str(uuid.uuid4()), "x", "..%2f..%2fsecret.key", "%00"):
        assert archive.api.call("GET", f"/files/{path}").status_code == 404
    answer = archive.api.call("POST", "/records/company", {"name": "A", "contract": "../../etc/passwd"})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "file.invalid")


def test_who_may_not_write_records_uploads_nothing(archive: Archive) -> None:
    reader = archive.keyed("read_only")
    answer = send(reader, b"x", "a.txt")
    assert (answer.status_code, answer.json["code"]) == (403, "access.denied")


def test_pages_give_files_out_by_the_session(archive: Archive) -> None:
    made = archive.upload(png(), "logo.png")
    archive.company(logo=made["id"])
    page = archive.browser(archive.member()).request("GET", f"{archive.url}/files/{made['id']}")
    assert (page.status, page.response.content_type) == (200, "image/png")
    narrow = archive.keyed("nobody_at_all", objects={"*": {"read": "own"}})
    assert narrow.call("GET", f"/files/{made['id']}").status_code == 404
    stranger = archive.browser(archive.member("nobody_at_all", "Stranger"))
    assert stranger.request("GET", f"{archive.url}/files/{made['id']}").status == 404


def test_a_reader_of_the_record_may_attach_its_file_elsewhere(archive: Archive) -> None:
    member = archive.keyed("member")
    made = archive.upload()
    archive.company(contract=made["id"])
    again = member.post("/records/company", {"name": "Second", "contract": made["id"]})
    assert again["contract"]["name"] == "contract.pdf"


def test_what_is_said_of_name_type_and_size_is_not_believed(archive: Archive) -> None:
    made = archive.upload(b"text", "notes.txt")
    said = {**made, "name": "invoice.png", "type": "image/png", "size": 1, "url": "https://evil.example/x"}
    kept = archive.company(contract=said)["contract"]
    assert kept == {**made, "url": f"/api/v1/files/{made['id']}"}
    answer = archive.api.call("POST", "/records/company", {"name": "B", "logo": said})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "file.not_image")
