"""The settings' pages of people and rights: what they show, what their forms do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Office


def test_every_page_opens(office: Office) -> None:
    team = office.api.post("/teams", {"name": "Sales"})
    for path in (
        "/settings/members", "/settings/members/bulk", f"/settings/members/{office.owner.id}", "/settings/teams",
        f"/settings/teams/{team['id']}", "/settings/roles", "/settings/roles/member", "/settings/roles/compare",
        "/settings/roles/member/objects/deal", "/settings/sharing", "/settings/sharing/deal", "/settings/access",
        "/settings/audit", "/settings/keys",
    ):  # fmt: skip
        page = office.get(path)
        assert page.status == 200, f"{path}: {page.text[:2000]}"
        assert page.path == path


def test_a_team_is_made_changed_filled_and_deleted(office: Office) -> None:
    ada = office.member("Ada Ant")
    page = office.post("/settings/teams", name="Sales", parent="", manager=ada)
    assert page.status == 200
    sales = page.path.rpartition("/")[2]
    north = office.post("/settings/teams", name="North", parent=sales).path.rpartition("/")[2]
    refused = office.post("/settings/teams", name="sales")
    assert (refused.status, "There is a team called sales already." in refused.text) == (409, True)
    looped = office.post(f"/settings/teams/{sales}", name="Sales", parent=north)
    assert (looped.status, "below itself" in looped.text) == (422, True)
    assert "Ada Ant" in office.post(f"/settings/teams/{north}/members", member=ada).text
    assert office.api.get(f"/teams/{north}")["members"][0]["name"] == "Ada Ant"
    assert office.post(f"/settings/teams/{sales}/delete").status == 409
    assert office.post(f"/settings/teams/{north}/members/{ada}/remove").status == 200
    assert office.post(f"/settings/teams/{north}/delete").path == "/settings/teams"
    assert office.post(f"/settings/teams/{sales}/delete").path == "/settings/teams"
    assert office.api.get("/teams")["data"] == []


def test_a_role_is_copied_changed_in_its_matrix_compared_and_given(office: Office) -> None:
    page = office.post("/settings/roles", label="Auditor", copy_of="read_only")
    assert page.path == "/settings/roles/auditor"
    form = {"label": "Auditor", "help": "Reads, never exports.", "*.read": "all", "objects": "deal", "deal.read": "own"}
    saved = office.post("/settings/roles/auditor", **form)
    assert saved.status == 200, saved.text[:500]
    role = office.api.get("/roles/auditor")
    assert role["objects"]["*"]["read"] == "all"
    assert role["objects"]["*"]["export"] == "none"
    assert role["objects"]["deal"]["read"] == "own"
    hidden = office.post(
        "/settings/roles/auditor/objects/deal", **{"field.amount": "none", "when.read": 'stage_status == "won"'}
    )
    assert hidden.status == 200, hidden.text[:500]
    assert office.api.get("/roles/auditor")["fields"] == {"deal": {"amount": "none"}}
    wrong = office.post("/settings/roles/auditor/objects/deal", **{"when.read": "amonut > 5"})
    assert (wrong.status, "amount" in wrong.text) == (422, True)
    compared = office.get("/settings/roles/compare?one=auditor&other=read_only").text
    assert "Deals · field Amount" in compared
    reset = office.post("/settings/roles/auditor", **form, follow="deal")
    assert reset.status == 200
    assert "deal" not in office.api.get("/roles/auditor")["objects"]
    ada = office.member("Ada Ant")
    office.post(f"/settings/members/{ada}/role", role="auditor", roles="member")
    assert office.api.get("/roles/auditor")["label"] == "Auditor"
    in_use = office.post("/settings/roles/auditor/delete")
    assert (in_use.status, "1 member" in in_use.text) == (409, True)
    office.post(f"/settings/members/{ada}/role", role="member")
    assert office.post("/settings/roles/auditor/delete").path == "/settings/roles"
    assert office.post("/settings/roles/member", label="Mine").status == 409


def test_an_invitation_is_sent_again_and_taken_back(office: Office) -> None:
    page = office.post("/settings/members/invite", email="cleo@example.test", role="member", days="3")
    assert "Invitation sent" in page.text
    pending = office.api.get("/members/invitations")["data"]
    assert [(one["email"], one["status"]) for one in pending] == [("cleo@example.test", "open")]
    again = office.post(f"/settings/members/invitations/{pending[0]['id']}/resend")
    newer = office.api.get("/members/invitations")["data"]
    assert again.status == 200
    assert newer[0]["url"] != pending[0]["url"]
    assert office.post(f"/settings/members/invitations/{newer[0]['id']}/revoke").status == 200
    assert office.api.get("/members/invitations")["data"] == []
    for days in ("0", "61", "x"):
        assert office.post("/settings/members/invite", email="d@example.test", role="member", days=days).status == 422


def test_many_are_invited_from_a_file_and_each_row_is_told(office: Office) -> None:
    office.api.post("/teams", {"name": "North"})
    text = (
        "Email;Name;Role;Team\nada@example.test;Ada Ant;Manager|member;north\nnobody;;;\n"
        "bo@example.test;;chief;\nada@example.test;;;\ncy@example.test;Cy;;South\n"
    )
    page = office.post("/settings/members/bulk", text=text)
    assert page.status == 200
    assert "1 invited, 4 not." in page.text
    assert "There is no team called South." in page.text
    found = {row["email"]: row for row in office.api.get("/members")["data"]}
    assert found["ada@example.test"]["role"] == "manager"
    assert found["ada@example.test"]["roles"] == ["member"]
    assert found["ada@example.test"]["team"] is not None
    assert office.post("/settings/members/bulk", text="name\nAda").status == 422


def test_sharing_is_changed_and_rules_are_checked(office: Office) -> None:
    saved = office.post("/settings/sharing/deal", read="team", edit="private", inherit="company")
    assert "Saved" in saved.text
    wider = office.post("/settings/sharing/deal", read="private", edit="everyone")
    assert wider.status == 422
    circle = office.post("/settings/sharing/company", read="private", edit="private", inherit="deal")
    assert circle.status == 422
    rule = {"name": "Large", "condition": "amount > 1000", "grantee": "role:read_only", "level": "read"}
    assert "Large" in office.post("/settings/sharing/deal/rules", **rule).text
    wrong = office.post("/settings/sharing/deal/rules", **{**rule, "condition": "amonut > 1"})
    assert wrong.status == 422
    assert "Amount is more than 1000 EUR" in office.get("/settings/sharing/deal").text
    made = office.api.get("/sharing/rules", object="deal")["data"][0]
    office.post(f"/settings/sharing/rules/{made['id']}", **{**rule, "name": "Larger"})
    assert office.api.get("/sharing/rules")["data"][0]["name"] == "Larger"
    office.post(f"/settings/sharing/rules/{made['id']}/delete")
    assert office.api.get("/sharing/rules")["data"] == []


def test_conditions_of_rules_and_roles_are_chosen_in_rows(office: Office) -> None:
    large = '{"join": "all", "items": [{"field": "amount", "op": "gt", "value": {"form": "value", "text": "5000"}}]}'
    bare = '{"join": "all", "items": [{"field": "amount", "op": "gt", "value": {"form": "value", "text": ""}}]}'
    rule = {"name": "Large", "condition": "", "condition.rows": large, "grantee": "role:read_only", "level": "read"}
    office.post("/settings/sharing/deal/rules", **rule)
    assert [one["condition"] for one in office.api.get("/sharing/rules")["data"]] == ["amount > 5000"]
    wrong = office.post("/settings/sharing/deal/rules", **{**rule, "condition.rows": bare})
    assert (wrong.status, "Enter a number." in wrong.text) == (422, True)
    assert "&#34;gt&#34;" in wrong.text, "what was chosen is still there"
    office.post("/settings/roles", label="Auditor", copy="read_only")
    own = {"when.read": "amount > 1", "when.read.rows": large, "when.edit": "created_by == me"}
    office.post("/settings/roles/auditor/objects/deal", **own)
    rows = office.api.get("/roles/auditor")["rows"]["deal"]
    assert rows == {"read": "amount > 5000", "edit": "created_by == me"}
    wrong = office.post("/settings/roles/auditor/objects/deal", **{"when.read": "", "when.read.rows": bare})
    assert (wrong.status, "Enter a number." in wrong.text) == (422, True)


def test_a_record_is_shared_in_its_dialog_and_why_is_told(office: Office) -> None:
    ada, bo = office.member("Ada Ant"), office.member("Bo Bee")
    office.api.post("/records/deal", {"name": "Big", "owner": ada})
    deal = office.api.get("/records/deal")["data"][0]["id"]
    office.post("/settings/sharing/deal", read="private", edit="private")
    seen = office.sign_in(bo)
    assert seen.get(f"{office.url}/records/deal/{deal}").status == 404
    dialog = office.post(f"/records/deal/{deal}/sharing", grantee=f"member:{bo}", level="read", expires="2099-01-01")
    assert "Bo Bee" in dialog.text
    assert seen.get(f"{office.url}/records/deal/{deal}").status == 200
    why = office.get(f"/records/deal/{deal}/access?member={bo}&action=edit").text
    assert "Bo Bee may not edit this." in why
    assert "for reading only" in why
    assert "Ada Ant owns it, not Bo Bee." in why
    share = re.search(r"/sharing/([0-9a-f-]{36})/remove", dialog.text)
    assert share is not None
    office.post(f"/records/deal/{deal}/sharing/{share.group(1)}/remove")
    assert seen.get(f"{office.url}/records/deal/{deal}").status == 404
    asked = office.get(f"/settings/access?member={bo}&action=read&record={office.url}/records/deal/{deal}").text
    assert "Bo Bee may not see this." in asked


def test_the_audit_log_tells_who_did_what_and_is_exported(office: Office) -> None:
    ada = office.member("Ada Ant")
    office.post(f"/settings/members/{ada}/role", role="manager")
    office.api.post("/records/company", {"name": "Bolt Works"})
    page = office.get("/settings/audit")
    assert "changed the member" in page.text
    assert "Bolt Works" in page.text
    only = office.get("/settings/audit?group=members").text
    assert "Bolt Works" not in only
    assert office.get("/settings/audit?since=yesterday").status == 422
    file = office.post("/settings/audit/export", group="members")
    assert file.response.content_type == "text/csv; charset=utf-8"
    assert "member_changed" in file.text
    review = office.post("/settings/access/export")
    assert "Ada Ant" in review.text
    assert "exported" in office.get("/settings/audit?group=exports").text


def test_the_audit_log_names_what_is_linked_and_says_what_is_gone(office: Office) -> None:
    contact = office.api.post("/records/contact", {"first_name": "Ada", "last_name": "Ant"})["id"]
    deal = office.api.post("/records/deal", {"name": "Big deal"})["id"]
    task = office.api.post("/records/task", {"title": "Call"})["id"]
    office.api.post("/records/deal_contact", {"deal": deal, "contact": contact, "role": "champion"})
    ends = {"from": {"object": "task", "id": task}, "to": {"object": "deal", "id": deal}}
    office.api.post("/records/record_link", ends)
    gone = office.api.post("/records/company", {"name": "Bye Works"})["id"]
    office.api.call("DELETE", f"/records/company/{gone}")
    assert office.post(f"/trash/company/{gone}/destroy").status == 200
    told = " ".join(re.sub(r"<[^>]*>", " ", office.get("/settings/audit").text).split())
    assert "created the record link Call · Big deal" in told
    assert "created the deal contact Big deal · Ada Ant" in told
    assert "created the company (gone for good since)" in told
    titles = {line["object"]: line["title"] for line in office.api.get("/audit", group="records")["data"]}
    assert (titles["record_link"], titles["deal_contact"]) == ("Call · Big deal", "Big deal · Ada Ant")


def test_the_audit_log_tells_in_words_how_the_workspace_was_shaped(office: Office) -> None:
    field = {"kind": "field", "name": "deal.vat_id", "type": "text", "label": "VAT number"}
    view = {"kind": "view", "name": "deal.big", "label": "Big ones", "columns": ["name", "vat_id"]}
    office.api.post("/metadata/apply", {"components": [field, view]}, 200)
    office.api.post("/records/company", {"name": "Bolt Works"})
    page = office.get("/settings/audit?group=metadata")
    told = " ".join(re.sub(r"<[^>]*>", " ", page.text).split())
    assert "changed the settings of Deals, view deal.big" in told
    assert "Deals · vat id · label" in told
    assert "view deal.big · label" in told
    assert "rank" not in told
    assert "VAT number" in told
    assert "Bolt Works" not in told
    (line,) = office.api.get("/audit", group="metadata")["data"]
    assert (line["kind"], line["changes"]["object/deal/fields/vat_id/label"]) == (
        "metadata_changed", [None, "VAT number"],
    )  # fmt: skip
