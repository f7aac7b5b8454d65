"""Many writers at once on few records: whatever they do, what belongs together stays together."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Identifier

from app.access import catalogs
from app.core.errors import Conflict, InvalidInput, NotFound
from app.events.audit import audit_tenant
from app.events.seal import seal_tenant
from app.factory import bind_ports
from app.factory.web import create_flask_app
from app.metadata.catalog import platform
from app.records import write
from app.records.bulk import bulk
from app.records.mixed import write_mixed
from app.records.operations import read_operations
from app.records.rowform import row_form
from app.records.violations import RecordBusy
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.records import make_company, make_contact, make_deal, make_deal_line, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Actor, Tenant, TenantScope
    from tests.support.tenants import NewTenant

_WRITERS = 5
_ACTS = 24


def test_random_writers_leave_a_consistent_workspace(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=20) as scope:
        world = {
            "company": [record_id(make_company(scope)) for _ in range(3)],
            "contact": [record_id(make_contact(scope)) for _ in range(3)],
            "deal": [record_id(make_deal(scope, amount_from_lines=True)) for _ in range(3)],
        }
    with ThreadPoolExecutor(_WRITERS) as pool:
        outcomes = list(pool.map(lambda seed: _writer(runtime, tenant, actor, world, seed), range(_WRITERS)))
    done, busy = sum(outcome[0] for outcome in outcomes), sum(outcome[1] for outcome in outcomes)
    assert done > _WRITERS * _ACTS / 3, f"{done} acts, {busy} busy"
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False) as scope:
        _assert_amounts(scope)
        _assert_affiliations(scope)
        _assert_history(scope)
    seal_tenant(runtime, tenant.id)
    assert audit_tenant(runtime, tenant.id).finding is None


def _writer(runtime: Runtime, tenant: Tenant, actor: Actor, world: dict[str, list[UUID]], seed: int) -> tuple[int, int]:
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    done = busy = 0
    for _ in range(_ACTS):
        try:
            with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=20) as scope:
                _act(scope, world, chance)
            done += 1
        except RecordBusy:
            busy += 1
        except (NotFound, Conflict, InvalidInput):
            continue
    return done, busy


def _act(scope: TenantScope, world: dict[str, list[UUID]], chance: random.Random) -> None:
    company, contact = chance.choice(world["company"]), chance.choice(world["contact"])
    deal = chance.choice(world["deal"])
    name, record = chance.choice([("company", company), ("contact", contact), ("deal", deal)])
    act = chance.randrange(9)
    if act == 0:
        write.trash_record(scope, name, record)
    elif act == 1:
        write.restore_record(scope, name, record)
    elif act == 2:
        write.update_record(scope, "contact", contact, {"company": chance.choice([None, str(company)])})
    elif act == 3:
        make_deal_line(scope, {"id": str(deal)}, unit_price=str(chance.randrange(100)))
    elif act == 4:
        write.update_record(scope, "deal", deal, {"stage": chance.choice(["won", "new"]), "contact": str(contact)})
    elif act == 5:
        lines = scope.execute("SELECT id FROM o_deal_line WHERE deleted_at IS NULL LIMIT 2").fetchall()
        bulk(scope, "deal_line", [{"id": str(row[0]), "deal": str(deal)} for row in lines], mode="update")
    elif act == 6:
        rows = scope.execute("SELECT id FROM o_affiliation WHERE deleted_at IS NULL LIMIT 3").fetchall()
        bulk(
            scope, "affiliation", [{"id": str(row[0]), "primary": chance.random() < 0.5} for row in rows], mode="update"
        )
    elif act == 7:
        _batch(scope, str(company), str(contact), str(deal), chance)
    else:
        write.update_record(
            scope, "company", company, {"name": f"C{chance.randrange(9)}", "parent": str(world["company"][0])}
        )


def _batch(scope: TenantScope, company: str, contact: str, deal: str, chance: random.Random) -> None:
    """A line, a company changed and both linked, in one of two orders."""
    operations = [
        {"op": "create", "object": "deal_line", "record": {"deal": deal, "quantity": "1", "unit_price": "7"}},
        {"op": "update", "object": "company", "id": company, "record": {"name": f"B{chance.randrange(9)}"}, "ref": "c"},
        {"op": "update", "object": "contact", "id": contact, "record": {"company": {"$ref": "c"}}},
    ]
    write_mixed(scope, read_operations({"operations": operations if chance.random() < 0.5 else operations[1:]}))


def _assert_amounts(scope: TenantScope) -> None:
    total = SQL("l.{}").format(Identifier(platform().objects["deal_line"].fields["total"].columns[0].name))
    rows = scope.execute(
        SQL(
            "SELECT d.amount, (SELECT sum({}) FROM o_deal_line l WHERE l.deal = d.id AND l.deleted_at IS NULL)"
            " FROM o_deal d WHERE d.deleted_at IS NULL AND d.amount_from_lines"
        ).format(total)
    ).fetchall()
    assert [(amount or Decimal(0)) for amount, _ in rows] == [(total or Decimal(0)) for _, total in rows]


def _assert_affiliations(scope: TenantScope) -> None:
    """At most one primary affiliation a contact, and it is the contact's company."""
    rows = scope.execute(
        'SELECT c.company, array_agg(a.company) FILTER (WHERE a."primary") FROM o_contact c'
        " LEFT JOIN o_affiliation a ON a.contact = c.id AND a.deleted_at IS NULL"
        " WHERE c.deleted_at IS NULL GROUP BY c.id"
    ).fetchall()
    for company, primaries in rows:
        assert (primaries or []) == ([company] if company else [])


def _assert_history(scope: TenantScope) -> None:
    """Walking the log back from the present row, each event's new value is what was found after it."""
    catalog = catalogs.for_scope(scope)
    for name in ("company", "contact", "deal", "deal_line", "affiliation"):
        form = row_form(catalog.objects[name])
        cursor = scope.cursor_text()
        cursor.execute(f"SELECT {form.select} FROM o_{name}")
        for record in [form.decode(row) for row in cursor.fetchall()]:
            _walk_back(scope, record)


def _walk_back(scope: TenantScope, record: dict[str, Any]) -> None:
    events = scope.execute(
        "SELECT kind, diff, record_version FROM event WHERE record_id = %s ORDER BY id DESC", (record["id"],)
    ).fetchall()
    assert [event[2] for event in events] == list(range(record["version"], 0, -1))
    assert events[-1][0] == "created"
    present = dict(record)
    for _, diff, _ in events:
        for field, (old, new) in (diff or {}).items():
            assert present[field] == new, field
            present[field] = old


def test_who_waits_too_long_for_a_record_is_told_to_try_again(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    runtime.ports.authorise = bind_ports().authorise
    api = Api(create_flask_app(runtime), make_key(runtime.databases, tenant))
    company = api.post("/records/company", {"name": "Acme"})
    path = f"/records/company/{company['id']}"
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        write.update_record(scope, "company", record_id(company), {"name": "Held"})
        answer = api.call("PATCH", path, {"name": "Waits"})
    assert (answer.status_code, answer.json["code"]) == (409, "record.busy")
    assert answer.headers["Retry-After"] == "1"
    assert api.call("PATCH", path, {"name": "Goes on"}).json["version"] == 3
