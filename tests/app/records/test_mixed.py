"""A mixed batch: several objects, all or nothing, later operations name what earlier ones made."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.factory import bind_ports
from app.factory.web import create_flask_app
from app.records.mixed import write_mixed
from app.records.operations import MAX_OPERATIONS, BatchRefused, read_operations, runs
from app.records.query import ListQuery
from app.records.read import get_record, list_records
from app.records.violations import RecordBusy
from app.records.write import trash_record
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.records import make_company, make_contact, make_deal, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant


def run(scope: TenantScope, *operations: object) -> list[dict[str, Any]]:
    return write_mixed(scope, read_operations({"operations": list(operations)}))["results"]


def refused(scope: TenantScope, *operations: object) -> list[tuple[str, str]]:
    with pytest.raises(BatchRefused) as caught:
        run(scope, *operations)
    return [(error.pointer, error.code) for error in caught.value.errors]


def create(object_name: str, record: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"op": "create", "object": object_name, "record": record, **more}


def test_a_company_its_people_and_its_deal_are_made_in_one_call(scope: TenantScope) -> None:
    results = run(
        scope,
        create("company", {"name": "Acme"}, ref="acme"),
        create("company", {"name": "Acme Labs", "parent": {"$ref": "acme"}}, ref="labs"),
        create("contact", {"last_name": "Lovelace", "company": {"$ref": "labs"}}, ref="ada"),
        create("deal", {"name": "Engine", "company": {"$ref": "acme"}, "contact": {"$ref": "ada"}}, ref="deal"),
        {"op": "update", "object": "deal", "id": {"$ref": "deal"}, "record": {"amount": "12.50"}},
    )
    assert [(row["op"], row["object"], row["status"]) for row in results] == [
        ("create", "company", "created"),
        ("create", "company", "created"),
        ("create", "contact", "created"),
        ("create", "deal", "created"),
        ("update", "deal", "updated"),
    ]
    deal = get_record(scope, "deal", results[3]["id"], fields=("company", "contact.company.parent", "amount"))
    assert deal["company"] == deal["contact.company.parent"] == results[0]["id"]
    assert deal["amount"] == {"amount": "12.50", "currency": "EUR"}
    assert results[4]["version"] > 1


def test_a_polymorphic_link_takes_a_reference_and_learns_its_object(scope: TenantScope) -> None:
    results = run(
        scope,
        create("company", {"name": "Acme"}, ref="acme"),
        create("note", {"body": "<p>Met them.</p>"}, ref="note"),
        create("record_link", {"from": {"$ref": "note"}, "to": {"object": "company", "id": {"$ref": "acme"}}}),
    )
    linked = get_record(scope, "record_link", results[2]["id"])
    assert linked["from"] == {"object": "note", "id": results[1]["id"]}
    assert linked["to"] == {"object": "company", "id": results[0]["id"]}


def test_all_five_kinds_work_in_one_batch(scope: TenantScope) -> None:
    old, gone, back = make_company(scope, domain="old.example"), make_company(scope), make_company(scope)
    trash_record(scope, "company", record_id(back))
    results = run(
        scope,
        {"op": "upsert", "object": "company", "match": "domain", "record": {"domain": "OLD.example", "name": "Old"}},
        {"op": "upsert", "object": "company", "match": "domain", "record": {"domain": "new.example", "name": "New"}},
        {"op": "upsert", "object": "company", "match": "domain", "record": {"domain": "new.example", "name": "Newer"}},
        {"op": "delete", "object": "company", "id": gone["id"], "if_match": 1},
        {"op": "restore", "object": "company", "id": back["id"], "ref": "back"},
        {"op": "update", "object": "company", "match": "domain", "record": {"domain": "new.example", "employees": 4}},
    )
    assert [row["status"] for row in results] == ["updated", "created", "updated", "deleted", "restored", "updated"]
    assert results[0]["id"] == old["id"]
    assert results[1]["id"] == results[2]["id"] == results[5]["id"]
    assert get_record(scope, "company", results[1]["id"])["name"] == "Newer"


def test_one_wrong_operation_undoes_them_all_and_each_error_points_at_its_place(scope: TenantScope) -> None:
    deal = make_deal(scope)
    assert refused(
        scope,
        create("company", {"name": "Never"}),
        create("deal", {"name": "Fine"}),
        create("deal", {"name": "Wrong", "amount": "much"}),
        create("deal", {"nam": "Unknown"}),
        {"op": "delete", "object": "deal", "id": deal["id"]},
    ) == [
        ("/operations/2/record/amount/amount", "number.invalid"),
        ("/operations/3/record/nam", "field.unknown"),
        ("/operations/3/record/name", "required"),
    ]


@pytest.mark.parametrize(
    ("operation", "errors"),
    [
        ("create", [("/operations/0", "operation.type")]),
        ({"op": "make", "object": "deal"}, [("/operations/0/op", "operation.unknown")]),
        ({"op": "create", "object": "deal"}, [("/operations/0/record", "required")]),
        ({"op": "create", "record": {"name": "x"}}, [("/operations/0/object", "required")]),
        ({"op": "create", "object": "deal", "record": []}, [("/operations/0/record", "record.type")]),
        ({"op": "update", "object": "deal", "record": {}}, [("/operations/0/id", "required")]),
        ({"op": "delete", "object": "deal", "id": "7"}, [("/operations/0/id", "id.invalid")]),
        ({"op": "delete", "object": "deal", "id": 7}, [("/operations/0/id", "id.invalid")]),
        ({"op": "delete", "object": "deal", "id": {"$ref": "a"}}, [("/operations/0", "ref.unknown")]),
        (
            {"op": "delete", "object": "deal", "id": str(uuid.UUID(int=1)), "if_match": "1"},
            [("/operations/0/if_match", "if_match.invalid")],
        ),
        (create("deal", {"name": "x"}, ref=""), [("/operations/0/ref", "ref.invalid")]),
        (create("deal", {"name": "x"}, id=str(uuid.UUID(int=1))), [("/operations/0/id", "operation.member")]),
        (create("deal", {"name": "x", "company": {"$ref": "acme"}}), [("/operations/0", "ref.unknown")]),
        (create("dael", {"name": "x"}), [("/operations/0/object", "object.not_found")]),
        (
            {"op": "upsert", "object": "deal", "match": "name", "record": {"name": "x"}},
            [("/operations/0/match", "match.not_unique")],
        ),
        (
            {"op": "upsert", "object": "deal", "match": "external_id", "record": {"name": "x"}},
            [("/operations/0/record/external_id", "required")],
        ),
        (
            {"op": "update", "object": "deal", "match": "external_id", "record": {"external_id": "none"}},
            [("/operations/0/record/external_id", "record.not_found")],
        ),
        (
            {"op": "update", "object": "deal", "id": str(uuid.UUID(int=1)), "record": {}},
            [("/operations/0/id", "record.not_found")],
        ),
        ({"op": "delete", "object": "deal", "id": str(uuid.UUID(int=1))}, [("/operations/0/id", "record.not_found")]),
        ({"op": "restore", "object": "deal", "id": str(uuid.UUID(int=1))}, [("/operations/0/id", "record.not_found")]),
    ],
)
def test_what_is_wrong_with_an_operation_is_said_at_its_place(
    scope: TenantScope, operation: object, errors: list[tuple[str, str]]
) -> None:
    assert refused(scope, operation) == errors


def test_references_lead_only_where_their_record_fits(scope: TenantScope) -> None:
    acme = create("company", {"name": "Acme"}, ref="acme")
    assert refused(scope, acme, acme) == [("/operations/1/ref", "ref.repeated")]
    assert refused(scope, acme, create("deal", {"name": "x", "contact": {"$ref": "acme"}})) == [
        ("/operations/1/record/contact", "ref.object")
    ]
    assert refused(scope, acme, create("deal", {"name": {"$ref": "acme"}})) == [
        ("/operations/1/record/name", "ref.place")
    ]
    assert refused(scope, acme, {"op": "delete", "object": "deal", "id": {"$ref": "acme"}}) == [
        ("/operations/1/id", "ref.object")
    ]


def test_versions_unique_values_and_dependants_are_minded(scope: TenantScope) -> None:
    taken, other = make_company(scope, domain="taken.example"), make_company(scope)
    stale = {"op": "update", "object": "company", "id": other["id"], "if_match": 7, "record": {"name": "x"}}
    assert refused(scope, stale) == [("/operations/0/if_match", "record.stale")]
    assert refused(scope, {"op": "delete", "object": "company", "id": other["id"], "if_match": 7}) == [
        ("/operations/0/if_match", "record.stale")
    ]
    twice = {"op": "update", "object": "company", "id": other["id"], "record": {"domain": "taken.example"}}
    assert refused(scope, twice) == [("/operations/0/record/domain", "record.unique")]
    contact = make_contact(scope)
    current = {
        "op": "update",
        "object": "contact",
        "id": contact["id"],
        "if_match": 1,
        "record": {"address": {"city": "Jena"}},
    }
    again = {"op": "update", "object": "contact", "id": contact["id"], "record": {"address": {"country": "DE"}}}
    assert [row["status"] for row in run(scope, current)] == ["updated"]
    assert [row["status"] for row in run(scope, again)] == ["updated"]
    address: Any = get_record(scope, "contact", contact["id"])["address"]
    assert (address["city"], address["country"]) == ("Jena", "DE")
    assert taken["version"] == 1


def test_the_events_of_a_batch_share_one_cause(scope: TenantScope) -> None:
    body = write_mixed(
        scope,
        read_operations({"operations": [create("company", {"name": "A"}), create("contact", {"last_name": "B"})]}),
    )
    rows = scope.execute(
        "SELECT kind, object FROM event WHERE cause ->> 'batch' = %s ORDER BY id", (body["batch"],)
    ).fetchall()
    assert ("created", "company") in rows
    assert ("created", "contact") in rows
    assert scope.cause is None


def test_neighbours_of_one_kind_are_written_together(scope: TenantScope, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    for size in (2, 60):
        statements: list[object] = []
        with monkeypatch.context() as patched:
            execute = scope.connection.execute
            patched.setattr(
                scope.connection, "execute", lambda *a, s=statements, e=execute, **k: s.append(a) or e(*a, **k)
            )
            run(scope, *[create("company", {"name": f"Company {size} {number}"}) for number in range(size)])
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 8


def shape(*operations: object) -> list[list[int]]:
    return [[one.index for one in group] for group in runs(read_operations({"operations": list(operations)}))]


def test_operations_are_put_together_only_where_their_order_makes_no_difference() -> None:
    one, two = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))

    def update(object_name: str, record_id: object) -> dict[str, Any]:
        return {"op": "update", "object": object_name, "id": record_id, "record": {}}

    def delete(object_name: str) -> dict[str, Any]:
        return {"op": "delete", "object": object_name, "id": one}

    company, contact = create("company", {"name": "x"}), create("contact", {"last_name": "x"})
    pairs = [
        part
        for number in range(3)
        for part in (
            create("company", {"name": "x"}, ref=f"c{number}"),
            create("contact", {"last_name": "x", "company": {"$ref": f"c{number}"}}),
        )
    ]
    assert shape(*pairs) == [[0, 2, 4], [1, 3, 5]]
    chain = [
        create("company", {"name": "x", "parent": {"$ref": f"c{n - 1}"}} if n else {"name": "x"}, ref=f"c{n}")
        for n in range(3)
    ]
    assert shape(*chain) == [[0], [1], [2]]
    assert shape(company, delete("deal"), company) == [[0], [1], [2]]
    assert shape(company, delete("company"), company) == [[0], [1], [2]]
    assert shape(company, update("company", one), company) == [[0], [1], [2]]
    assert shape(update("company", one), update("contact", one), update("company", two)) == [[0, 2], [1]]
    assert shape(update("contact", one), create("affiliation", {"contact": one}), update("contact", one)) == [
        [0],
        [1],
        [2],
    ]
    assert shape(contact, create("affiliation", {"contact": one}), contact) == [[0, 2], [1]]
    refered = create("contact", {"last_name": "x", "company": {"$ref": "c"}})
    assert shape(contact, create("company", {"name": "x"}, ref="c"), refered, contact) == [[0], [1], [2, 3]]
    assert shape(create("deal", {"name": "x"}, ref="d"), company, update("deal", {"$ref": "d"})) == [[0], [1], [2]]


def test_a_batch_in_any_order_of_objects_ends_as_its_operations_one_by_one(scope: TenantScope) -> None:
    first, second = make_company(scope, domain="first.example"), make_company(scope)
    results = run(
        scope,
        {"op": "update", "object": "company", "id": first["id"], "record": {"domain": None}},
        create("contact", {"last_name": "A", "company": first["id"]}, ref="a"),
        {"op": "update", "object": "company", "id": second["id"], "record": {"name": "Second", "employees": 1}},
        {"op": "update", "object": "contact", "id": {"$ref": "a"}, "record": {"company": second["id"]}},
        {"op": "update", "object": "company", "id": second["id"], "record": {"name": "Third"}},
        create("affiliation", {"contact": {"$ref": "a"}, "company": first["id"], "primary": True}),
        create("company", {"name": "New", "domain": "first.example"}),
    )
    assert [row["index"] for row in results] == list(range(7))
    assert get_record(scope, "contact", results[1]["id"])["company"] == first["id"]
    shown = get_record(scope, "company", second["id"])
    assert (shown["name"], shown["employees"]) == ("Third", 1)


def test_a_batch_has_a_limit_and_a_shape() -> None:
    for body in ([], {}, {"operations": {}}, {"operations": [], "atomic": True}):
        with pytest.raises(InvalidInput) as caught:
            read_operations(body)
        assert caught.value.errors[0].pointer == "/operations"
    with pytest.raises(InvalidInput) as caught:
        read_operations({"operations": [{}] * (MAX_OPERATIONS + 1)})
    assert caught.value.errors[0].code == "batch.too_many"
    assert read_operations({"operations": []}) == []


@pytest.fixture(scope="module")
def api(runtime: Runtime, databases: Databases, tenant: Tenant) -> Api:
    runtime.ports.authorise = bind_ports().authorise
    return Api(create_flask_app(runtime), make_key(databases, tenant))


def test_over_http_a_failed_batch_leaves_nothing_and_a_repeated_one_writes_once(api: Api) -> None:
    name = f"Once {uuid.uuid4().hex}"
    whole = {"operations": [create("company", {"name": name}, ref="c"), create("deal", {"company": {"$ref": "c"}})]}
    answer = api.call("POST", "/batch", whole)
    assert (answer.status_code, answer.json["code"]) == (422, "batch.refused")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/operations/1/record/name"]
    assert api.get("/records/company", filter=f'name == "{name}"')["data"] == []
    whole["operations"][1]["record"]["name"] = "Now named"
    answers = [api.call("POST", "/batch", whole, Idempotency_Key=name) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    (company,) = api.get("/records/company", filter=f'name == "{name}"')["data"]
    events = api.get(f"/records/company/{company['id']}/events")["data"]
    assert len(events) == 1


def test_over_http_each_operation_needs_its_right(
    runtime: Runtime, databases: Databases, tenant: Tenant, api: Api
) -> None:
    reader = Api(api.flask_app, make_key(databases, tenant, "read_only"))
    answer = reader.call("POST", "/batch", {"operations": []})
    assert answer.status_code == 403
    assert api.call("POST", "/batch", {"operations": []}).json["results"] == []
    assert api.call("POST", "/batch", b"{", Content_Type="application/json").status_code == 400
    assert api.call("POST", "/batch", b"x", Content_Type="text/plain").status_code == 415
    assert api.call("POST", "/batch", {"operations": []}, query={"atomic": "true"}).status_code == 422
    assert api.call("GET", "/batch").status_code == 405


def test_a_batch_holds_a_thousand_operations_within_its_time(api: Api) -> None:
    operations = [create("company", {"name": "Many"}, ref="many")]
    operations += [
        create("contact", {"last_name": f"M{number}", "company": {"$ref": "many"}})
        for number in range(MAX_OPERATIONS - 1)
    ]
    results = api.post("/batch", {"operations": operations}, 200)["results"]
    assert len({row["id"] for row in results}) == MAX_OPERATIONS


def test_batches_that_cross_each_other_wait_or_give_way_and_each_is_whole(
    databases: Databases, new_tenant: NewTenant
) -> None:
    """Two orders of the same records: a deadlock ends one of them with 409, never with half a batch."""
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
        ids = [make_company(scope, "start", employees=0)["id"] for _ in range(4)]

    def write(number: int) -> int:
        done = 0
        for turn in range(8):
            order = ids if (number + turn) % 2 else list(reversed(ids))
            name = f"{number}.{turn}"
            operations: list[dict[str, Any]] = []
            for one in order:  # a contact between two companies keeps them from being written together
                operations += [
                    {"op": "update", "object": "company", "id": one, "record": {"name": name}},
                    create("contact", {"last_name": name, "company": one}),
                ]
            try:
                with enter_job(databases, tenant.id, actor=actor, write=True, budget=20) as scope:
                    run(scope, *operations)
                done += 1
            except RecordBusy:
                continue
        return done

    with ThreadPoolExecutor(3) as pool:
        done = sum(pool.map(write, range(3)))
    with enter_job(databases, tenant.id, actor=actor, write=False) as scope:
        named = scope.execute("SELECT count(DISTINCT name), count(*) FROM o_company").fetchone()
        contacts = scope.execute("SELECT count(*) FROM o_contact").fetchone()
    assert done > 0
    assert named == (1, len(ids))
    assert contacts == (done * len(ids),)


def test_lists_show_what_a_batch_made(scope: TenantScope) -> None:
    run(scope, create("deal", {"name": "Only this"}))
    page = list_records(scope, "deal", ListQuery(filter='name == "Only this"', total="exact"))
    assert page.total == 1
