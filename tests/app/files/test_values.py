"""Files as values of fields: in lists and conditions, the log, the trash, imports, exports, changes of the shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.metadata.problems import InvalidComponents
from tests.app.files.conftest import png
from tests.support.exports import export
from tests.support.shaping import finish, take_back

if TYPE_CHECKING:
    from tests.app.files.conftest import Archive


def test_files_are_asked_for_by_name_type_and_size(archive: Archive) -> None:
    small, large = archive.upload(b"a", "small.txt"), archive.upload(b"b" * 5000, "Large plan.txt")
    archive.company(name="Small", contract=small["id"])
    archive.company(name="Large", contract=large["id"])
    archive.company(name="None")

    def names(condition: str) -> list[str]:
        page = archive.api.get("/records/company", filter=condition, sort="name", fields="name")
        return [one["name"] for one in page["data"]]

    assert names("has(contract)") == ["Large", "Small"]
    assert names("!has(contract)") == ["None"]
    assert names('contract.name.contains("plan")') == ["Large"]
    assert names("contract.size > 1000") == ["Large"]
    assert names('contract.type == "text/plain"') == ["Large", "Small"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/records/company", {"sort": "contract"}),
        ("/records/company", {"filter": 'contract == "x"'}),
        ("/records/company/aggregate", {"group_by": "contract", "metrics": "count"}),
    ],
)
def test_files_are_no_order_and_no_group(archive: Archive, path: str, query: dict[str, str]) -> None:
    assert archive.api.call("GET", path, query=query).status_code == 422


@pytest.mark.parametrize("more", ["unique: true", "indexed: true", "searchable: true", "default: x", "required: 3"])
def test_what_does_not_fit_files_is_refused(archive: Archive, more: str) -> None:
    with pytest.raises(InvalidComponents):
        archive.change(f"{{kind: field, name: company.paper, type: file, {more}}}")


def test_replacing_removing_and_the_log(archive: Archive) -> None:
    first, second = archive.upload(b"1", "first.txt"), archive.upload(b"2", "second.txt")
    company = archive.company(contract=first["id"])
    at = f"/records/company/{company['id']}"
    same = archive.api.call("PATCH", at, {"contract": company["contract"]}).json
    assert same["version"] == company["version"]
    replaced = archive.api.call("PATCH", at, {"contract": second["id"]}).json
    assert replaced["contract"]["name"] == "second.txt"
    assert archive.api.call("PATCH", at, {"contract": None}).json["contract"] is None
    events = archive.api.get(f"{at}/events")["data"]
    told = [[value and value["name"] for value in one["diff"]["contract"]] for one in events if one["diff"]]
    assert told == [["first.txt", "second.txt"], ["second.txt", None]]


def test_files_come_back_from_the_trash(archive: Archive) -> None:
    made = archive.upload()
    company = archive.company(contract=made["id"])
    at = f"/records/company/{company['id']}"
    assert archive.api.call("DELETE", at).status_code == 204
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 200
    assert archive.api.post(f"{at}/restore", {}, 200)["contract"] == company["contract"]


def test_a_stale_write_of_the_same_file_is_no_conflict(archive: Archive) -> None:
    made = archive.upload()
    company = archive.company(contract=made["id"])
    at = f"/records/company/{company['id']}"
    archive.api.call("PATCH", at, {"industry": "Tools"})
    sent = {"contract": made["id"], "name": "Other"}
    archive.api.call("PATCH", at, {"name": "Theirs"})
    answer = archive.api.call("PATCH", at, sent, If_Match=f'"{company["version"]}"')
    assert answer.status_code == 412
    assert [one["field"] for one in answer.json["conflicts"]] == ["name"]


def test_hiding_and_reverting_keeps_the_files(archive: Archive) -> None:
    made = archive.upload()
    company = archive.company(contract=made["id"])
    hidden = archive.change("{kind: field, name: company.contract, remove: true}")
    assert hidden.change is not None
    assert "contract" not in archive.api.get(f"/records/company/{company['id']}")
    take_back(archive.runtime.databases, archive.tenant, hidden.change)
    assert archive.api.get(f"/records/company/{company['id']}")["contract"] == company["contract"]
    assert archive.api.call("GET", f"/files/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("field", "type_", "before", "after"),
    [
        ("contract", "text", "plan.txt", "plan.txt"),
        ("contract", "image", "plan.txt", None),
        ("contract", "image", "logo.png", "logo.png"),
        ("logo", "file", "logo.png", "logo.png"),
        ("industry", "file", "Tools", None),
    ],
)
def test_types_are_changed_from_and_to_files(
    archive: Archive, field: str, type_: str, before: str, after: str | None
) -> None:
    made = archive.upload(png() if before == "logo.png" else b"text", before)
    value = before if field == "industry" else made["id"]
    archive.change("{kind: field, name: company.industry2, type: text}")
    field = "industry2" if field == "industry" else field
    company = archive.company(**{field: value})
    archive.change(f"{{kind: field, name: company.{field}, type: {type_}}}")
    finish(archive.runtime, archive.tenant)
    found = archive.api.get(f"/records/company/{company['id']}")[field]
    assert (found["name"] if isinstance(found, dict) else found) == after


def test_an_import_refuses_a_column_of_files_and_leaves_out_an_exported_one(archive: Archive) -> None:
    def ask(*mapped: str) -> dict[str, object]:
        options = '{"object": "company", "map": [' + ", ".join(f'"{one}"' for one in mapped) + "]}"
        body = (
            '--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n' + options
            + '\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            "name,contract\r\nAcme,plan.pdf\r\n\r\n--x--\r\n"
        )  # fmt: skip
        answer = archive.api.call("POST", "/imports", body.encode(), Content_Type="multipart/form-data; boundary=x")
        return {**answer.json, "code": answer.status_code}

    refused = ask("name=name", "contract=contract")
    assert (refused["code"], refused["detail"]) == (
        422, "Contract (contract) holds files: they are uploaded to records, no column can say them.",
    )  # fmt: skip
    taken = ask("name=name")
    assert (taken["code"], taken["unmapped"]) == (202, ["contract"])


def test_an_export_holds_name_and_address(archive: Archive) -> None:
    made = archive.upload(name="=cmd|plan.pdf")
    company = archive.company(contract=made["id"])
    archive.company(name="None")
    given = {"object": "company", "fields": ["name", "contract"], "sort": "name"}
    content = export(archive.runtime, archive.tenant, **given)
    assert content.decode().splitlines() == [
        "name,contract,contract.url", f"Acme,'=cmd|plan.pdf,{company['contract']['url']}", "None,,"
    ]  # fmt: skip


def test_conditions_on_files_hold_in_rules(archive: Archive) -> None:
    archive.change("""
kind: rule
name: company.small_contracts
refuse_if: "has(contract) && contract.size > 10"
message: Contracts have ten bytes at most
""")
    small, large = archive.upload(b"a", "s.txt"), archive.upload(b"a" * 11, "l.txt")
    assert archive.company(contract=small["id"])["contract"]["size"] == 1
    answer = archive.api.call("POST", "/records/company", {"name": "A", "contract": large["id"]})
    assert (answer.status_code, answer.json["detail"]) == (422, "Contracts have ten bytes at most")
