"""A spy writes, imports, sends again and waits: unique values, matches, batches, stale versions, cursors, jobs."""

from __future__ import annotations

import io
import json
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.core import clock
from app.events.seal import seal_tenant
from app.exports.run import run_export
from app.imports.tasks import run as run_import
from app.records.write import update_record
from tests.support.rights import WORKER, put_role

from .conftest import HIDDEN, silent, stripped

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from .conftest import Den


def test_a_value_taken_out_of_sight_tells_neither_whose_it_is_nor_which(den: Den) -> None:
    taken = {"name": "Mine", "external_id": "W-1"}
    answers = [
        den.ask("/records/company", "POST", json=taken),
        den.ask("/records/company/by/external_id/W-1", "PUT", json={"name": "Mine"}),
        den.ask("/records/company/bulk?mode=upsert&match=external_id", "POST", json=[taken]),
        den.ask("/batch", "POST", json={"operations": [{"op": "create", "object": "company", "record": taken}]}),
    ]
    for answer in answers:
        assert den.ids["company"] not in silent(answer)
    assert [answer.status_code for answer in answers[:2]] == [409, 409]


@pytest.mark.parametrize("mode", ["update", "delete"])
def test_bulk_finds_nothing_out_of_sight(den: Den, mode: str) -> None:
    rows = [
        {"id": one} | ({"name": "Seen"} if mode == "update" else {}) for one in (den.ids["deal"], str(uuid.uuid4()))
    ]
    results = json.loads(silent(den.ask(f"/records/deal/bulk?mode={mode}", "POST", json=rows)))["results"]
    assert {(row["status"], row["errors"][0]["code"]) for row in results} == {("failed", "record.not_found")}
    if mode == "update":
        by = [{"external_id": value, "name": "Seen"} for value in ("W-1", "none such")]
        found = den.ask("/records/company/bulk?mode=update&match=external_id", "POST", json=by).json["results"]
        assert [row["errors"][0]["code"] for row in found] == ["record.not_found"] * 2


def test_batches_refer_to_nothing_out_of_sight(den: Den) -> None:
    nothing = str(uuid.uuid4())
    told: list[Any] = []
    for one in (den.ids["company"], nothing):
        operations = [
            {"op": "create", "object": "contact", "record": {"last_name": "Mine", "company": one}},
            {"op": "update", "object": "company", "id": one, "record": {"name": "x"}},
        ]
        told.append(stripped(den.ask("/batch", "POST", json={"operations": operations}), one))
    assert told[0] == told[1]
    for body in ({"company": den.ids["company"]}, {"company": nothing}):
        answer = den.ask("/records/contact", "POST", json={"last_name": "Mine", **body})
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "link.not_found")


def test_stale_versions_tell_of_no_hidden_field(den: Den) -> None:
    path = f"/records/deal/{den.ids['own_deal']}"
    answer = den.ask(path, "PATCH", json={"name": "Changed"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 412
    assert "amount" not in silent(answer)
    assert "amount" not in answer.json["changed"]


def test_the_log_tells_of_nothing_out_of_sight(den: Den) -> None:
    seal_tenant(den.runtime, den.tenant.id)
    text = silent(den.ask("/events?limit=200"))
    for hidden in ("deal", "company", "lead", "line"):
        assert den.ids[hidden] not in text.replace(f'"company":["{den.ids["company"]}"', "")
    assert den.ids["own_deal"] in text
    assert '"amount"' not in text
    own = silent(den.ask(f"/records/deal/{den.ids['own_deal']}/events"))
    assert '"amount"' not in own
    assert den.ask(f"/records/deal/{den.ids['own_deal']}/events?field=amount").status_code in (404, 422)
    assert den.ask("/audit").status_code == 403


def test_a_link_to_what_may_not_be_read_is_empty_in_the_log_too(den: Den) -> None:
    with den.write() as scope:
        to = {"object": "company", "id": den.ids["own_company"]}
        update_record(scope, "record_link", uuid.UUID(den.ids["link"]), {"to": to})
    seal_tenant(den.runtime, den.tenant.id)
    for path in (f"/records/record_link/{den.ids['link']}/events", "/events?limit=200"):
        assert den.ids["lead"] not in silent(den.ask(path)), path


def test_a_cursor_is_of_one_list_and_shows_its_reader_only_what_they_see(den: Den) -> None:
    with den.write() as scope:
        update_record(scope, "deal", uuid.UUID(den.ids["deal"]), {"description": "cursor"})
    page = den.ask("/records/deal?sort=amount&limit=1", who="owner").json
    assert page["next"]
    assert den.ask(f"/records/deal?sort=amount&limit=1&cursor={page['next']}").status_code == 422
    same = den.ask("/records/deal?sort=-created_at&limit=1", who="owner").json["next"]
    seen = silent(den.ask(f"/records/deal?sort=-created_at&limit=1&cursor={same}"))
    assert den.ids["deal"] not in seen
    forged = same[:-4] + ("AAAA" if same[-4:] != "AAAA" else "BBBB")
    assert den.ask(f"/records/deal?sort=-created_at&limit=1&cursor={forged}").json["code"] == "cursor.invalid"


def test_anothers_idempotency_key_gives_nobody_their_answer(den: Den) -> None:
    sent: dict[str, Any] = {"json": {"name": "Whisper of the owner"}, "headers": {"Idempotency-Key": "guessed"}}
    first = den.ask("/records/company", "POST", who="owner", **sent)
    assert first.status_code == 201
    again = den.ask("/records/company", "POST", **sent)
    assert (again.status_code, again.json["code"]) == (422, "idempotency.reused")
    assert first.json["id"] not in silent(again)
    repeated = den.ask("/records/company", "POST", who="owner", **sent)
    assert repeated.headers["Idempotency-Replayed"] == "true"


def send(den: Den, who: str, content: str, **options: Any) -> TestResponse:
    data = {
        "options": (io.BytesIO(json.dumps(options).encode()), "options.json", "application/json"),
        "file": (io.BytesIO(content.encode()), "rows.csv"),
    }
    return den.ask("/imports", "POST", who, data=data)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("external_id,name\nW-1,Taken\n", {"object": "company", "mode": "update", "match": "external_id"}),
        ("external_id,name\nW-1,Taken\n", {"object": "company", "mode": "upsert", "match": "external_id"}),
        ("last_name,company\nMine,Whisper Ltd\n", {"object": "contact"}),
        ("last_name,company\nMine,W-1\n", {"object": "contact", "link_by": ["company:external_id"]}),
        ("last_name,company\nMine,{company}\n", {"object": "contact", "link_by": ["company:id"]}),
    ],
)
def test_an_import_matches_and_links_nothing_out_of_sight(den: Den, content: str, options: dict[str, Any]) -> None:
    accepted = send(den, "spy", content.format(**den.ids), **options)
    if accepted.status_code != 202:
        assert accepted.status_code == 422
        return
    run_import(den.runtime, den.tenant.id, {"import": accepted.json["import"]})
    done = den.ask(f"/imports/{accepted.json['import']}").json
    assert (done["created"], done["updated"]) == (0, 0)
    errors = den.ask(f"/imports/{accepted.json['import']}/errors.csv").text
    told = errors.replace(content.format(**den.ids).splitlines()[1].split(",")[1], "")
    assert den.ids["company"] not in told
    assert "Whisper" not in told
    with den.write() as scope:
        assert scope.execute("select name from o_company where external_id = 'W-1'").fetchone() == ("Whisper Ltd",)


def test_an_export_holds_no_record_out_of_sight_and_no_hidden_field(den: Den) -> None:
    asked = den.ask("/exports", "POST", json={"object": "deal"})
    assert asked.status_code == 202, asked.text
    run_export(den.runtime, den.tenant.id, asked.json["id"])
    text = silent(den.ask(f"/exports/{asked.json['id']}/file"))
    assert den.ids["own_deal"] in text
    assert den.ids["deal"] not in text
    assert "amount" not in text.splitlines()[0].replace("amount_from_lines", "")
    assert den.ask("/exports", "POST", json={"object": "deal", "fields": ["amount"]}).status_code == 422
    assert den.ask("/exports", "POST", json={"object": "lead"}).status_code in (404, 422)
    assert den.ask(f"/exports/{asked.json['id']}", who="owner").status_code == 404


# taking rights away


def change_role(den: Den, name: str, **spec: Any) -> None:
    put_role(den.runtime.databases, den.tenant, name, **spec)


def test_a_right_taken_away_is_gone_with_the_next_request(den: Den) -> None:
    change_role(den, "clerk", objects={"*": WORKER})
    clerk = den.enlist("clerk", "clerk")
    contact = f"/records/contact/{den.ids['contact']}"
    assert den.ask(contact, who="clerk").json["email"] == "enigma@example.test"
    change_role(den, "clerk", objects={"*": WORKER}, fields=HIDDEN)
    assert "email" not in den.ask(contact, who="clerk").json
    assert den.ask("/search?q=enigma", who="clerk").json["data"] == []
    change_role(den, "clerk", objects={"*": WORKER, "contact": {}})
    assert den.ask(contact, who="clerk").status_code == 404
    assert den.page(contact, who="clerk").status_code == 404
    with den.write() as scope:
        scope.execute("update member set role = 'nothing' where id = %s", (clerk.id,))
    assert den.ask("/records/deal", who="clerk").status_code == 403
    assert den.page("/records/deal", who="clerk").status_code == 403
    with den.write() as scope:
        scope.execute("update member set status = 'inactive' where id = %s", (clerk.id,))
    assert den.ask("/records/deal", who="clerk").status_code == 401
    assert den.page("/records/deal", who="clerk").status_code == 303


def test_a_share_taken_back_or_over_is_gone_with_the_next_request(den: Den) -> None:
    path = f"/records/deal/{den.ids['deal']}"
    grantee = {"kind": "member", "id": str(den.people["spy"].id)}
    made = den.ask(f"{path}/shares", "POST", who="owner", json={"grantee": grantee})
    assert made.status_code == 201, made.text
    assert den.ask(path).status_code == 200
    assert den.ask(f"{path}/shares/{made.json['id']}", "DELETE", who="owner").status_code == 204
    assert den.ask(path).status_code == 404
    end = clock.now() + timedelta(seconds=2)
    made = den.ask(f"{path}/shares", "POST", who="owner", json={"grantee": grantee, "expires_at": end.isoformat()})
    assert made.status_code == 201, made.text
    den.ask(path)
    time.sleep(max(0.0, (end - clock.now()).total_seconds()) + 0.01)
    assert den.ask(path).status_code == 404


def test_a_job_started_with_a_right_does_nothing_without_it(den: Den) -> None:
    change_role(den, "porter", objects={"*": WORKER})
    den.enlist("porter", "porter")
    accepted = send(den, "porter", "name\nSmuggled\n", object="company")
    taken = den.ask("/exports", "POST", who="porter", json={"object": "contact"})
    assert (accepted.status_code, taken.status_code) == (202, 202), accepted.text + taken.text
    change_role(den, "porter", objects={"*": {"read": "own"}})
    run_import(den.runtime, den.tenant.id, {"import": accepted.json["import"]})
    run_export(den.runtime, den.tenant.id, taken.json["id"])
    assert den.ask("/search?q=smuggled", who="owner").json["data"] == []
    with den.write() as scope:
        states = scope.execute("select state from import where id = %s", (accepted.json["import"],)).fetchone()
        files = scope.execute("select state from export where id = %s", (taken.json["id"],)).fetchone()
    assert (states, files) == (("failed",), ("failed",))
    assert den.ask(f"/exports/{taken.json['id']}/file", who="porter").status_code in (403, 404, 409)


def test_who_may_no_longer_fetches_no_file_made_before(den: Den) -> None:
    change_role(den, "courier", objects={"*": WORKER})
    den.enlist("courier", "courier")
    made = den.ask("/exports", "POST", who="courier", json={"object": "contact"}).json["id"]
    run_export(den.runtime, den.tenant.id, made)
    assert den.ask(f"/exports/{made}/file", who="courier").status_code == 200
    for spec in ({**WORKER, "export": "none"}, {**WORKER, "read": "own"}):
        change_role(den, "courier", objects={"*": spec})
        answer = den.ask(f"/exports/{made}/file", who="courier")
        if spec["export"] == "none":
            assert answer.status_code == 403
