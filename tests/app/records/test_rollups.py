"""Indexed roll-ups: kept figures and what came since are the records', whoever writes what, in any order."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.access import catalogs
from app.core.errors import RapportError
from app.events.seal import seal_tenant
from app.records import folding
from app.records.bulk import bulk
from app.records.query import ListQuery
from app.records.read import get_record, list_records
from app.records.write import create_record, destroy_record, restore_record, trash_record, update_record
from tenants.scope import SYSTEM, enter_job
from tests.support.computed import shape
from tests.support.shaping import put_rates
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

MACHINES = """
kind: object
name: machine
label: {one: Machine, other: Machines}
icon: package
title: [serial]
fields:
  serial: {type: text, label: Serial, required: true}
  company: {type: link, label: Company, to: company, on_delete: clear, inverse: machines}
  price: {type: money, label: Price}
  pieces: {type: integer, label: Pieces}
  running: {type: boolean, label: Running}
  value: {type: formula, label: Value, returns: money, value: "price * pieces"}
"""
FIELDS = {
    "count": {"function": "count"},
    "pieces": {"function": "sum", "field": "pieces"},
    "average": {"function": "avg", "field": "pieces"},
    "worth": {"function": "sum", "field": "value"},
    "mean_price": {"function": "avg", "field": "price"},
    "running": {"function": "count", "when": "running && pieces > 2"},
    "priced": {"function": "count", "field": "price"},
    "most": {"function": "max", "field": "pieces"},
    "least": {"function": "min", "field": "pieces", "when": "running"},
    "last": {"function": "latest", "field": "serial"},
}


def _fields() -> str:
    """Each roll-up twice: kept, and calculated by asking."""
    found: list[str] = []
    for name, spec in FIELDS.items():
        for indexed in (False, True):
            lines = "".join(f'{key}: "{value}"\n' for key, value in spec.items())
            called = f"company.{name}_kept" if indexed else f"company.{name}"
            flag = "indexed: true\n" if indexed else ""
            found.append(
                f"---\nkind: field\nname: {called}\ntype: rollup\nlabel: {called}\nover: machines\n{lines}{flag}"
            )
    return "".join(found)


COMPONENTS = MACHINES + _fields()


@pytest.fixture(scope="module")
def workshop(databases: Databases, new_tenant: NewTenant) -> Tenant:
    """A workspace with machines and rates of two currencies."""
    return make_workshop(databases, new_tenant())


def make_workshop(databases: Databases, tenant: Tenant) -> Tenant:
    shape(databases, tenant, COMPONENTS)
    put_rates(databases, tenant, {("USD", "2020-01-01"): 0.5, ("JPY", "2020-01-01"): 0.01})
    return tenant


def agree(scope: TenantScope) -> None:
    """What is kept is what asking gives, of every company."""
    names = [f"{name}{kind}" for name in FIELDS for kind in ("", "_kept")]
    for row in list_records(scope, "company", ListQuery(fields=tuple(names), limit=200)).rows:
        for name in FIELDS:
            assert row[name] == row[f"{name}_kept"], (name, row)
    assert folding.verify(scope) == []


def test_they_are_calculated_by_asking_until_they_are_built(databases: Databases, new_tenant: NewTenant) -> None:
    workshop = make_workshop(databases, new_tenant())
    with enter_job(databases, workshop.id, actor=owner_of(databases, workshop), write=True, budget=60) as scope:
        company = create_record(scope, "company", {"name": "Before"})
        create_record(scope, "machine", {"serial": "1", "company": company["id"], "pieces": 3, "running": True})
        assert scope.execute("SELECT count(*) FROM rollup").fetchone() == (0,)
        record = get_record(scope, "company", company["id"])
        assert (record["count_kept"], record["pieces_kept"], record["running_kept"]) == (1, 3, 1)
        agree(scope)
        assert folding.build_missing(scope) == 7
        assert scope.execute("SELECT count(*) FROM rollup_delta").fetchone() == (0,)
        agree(scope)
        create_record(scope, "machine", {"serial": "2", "company": company["id"], "pieces": 4})
        assert get_record(scope, "company", company["id"])["pieces_kept"] == 7
        agree(scope)
        assert folding.fold(scope) > 0
        assert folding.fold(scope) == 0
        assert get_record(scope, "company", company["id"])["pieces_kept"] == 7
        agree(scope)


def test_every_way_of_writing_is_counted(databases: Databases, workshop: Tenant) -> None:
    with enter_job(databases, workshop.id, actor=owner_of(databases, workshop), write=True, budget=60) as scope:
        folding.build_missing(scope)
        first, second = (create_record(scope, "company", {"name": f"Way {n}"}) for n in range(2))
        usd = {"amount": "10", "currency": "USD"}
        made = create_record(scope, "machine", {"serial": "a", "company": first["id"], "pieces": 2, "price": usd})
        agree(scope)
        update_record(scope, "machine", UUID(made["id"]), {"pieces": 5, "running": True})
        agree(scope)
        update_record(scope, "machine", UUID(made["id"]), {"company": second["id"]})
        assert get_record(scope, "company", second["id"])["worth_kept"] == {"amount": "25.00", "currency": "EUR"}
        agree(scope)
        rows = [
            {"serial": f"b{n}", "company": first["id"], "pieces": n, "price": str(n), "running": n % 2 == 0}
            for n in range(80)
        ]
        found = bulk(scope, "machine", rows)
        assert found["created"] == 80
        agree(scope)
        ids = [result["id"] for result in found["results"]]
        bulk(scope, "machine", [{"id": one, "company": second["id"], "pieces": 1} for one in ids[:60]], mode="update")
        agree(scope)
        trash_record(scope, "machine", UUID(made["id"]))
        agree(scope)
        restore_record(scope, "machine", UUID(made["id"]))
        agree(scope)
        trash_record(scope, "company", UUID(second["id"]))
        agree(scope)
        restore_record(scope, "company", UUID(second["id"]))
        agree(scope)
        bulk(scope, "machine", [{"id": one} for one in ids[:10]], mode="delete")
        agree(scope)
        for one in ids[5:15]:
            destroy_record(scope, "machine", UUID(one))
        agree(scope)
        destroy_record(scope, "company", UUID(second["id"]))
        agree(scope)
        while folding.fold(scope):
            agree(scope)
        agree(scope)


WRITERS, TURNS = 8, 40


def _work(databases: Databases, tenant: Tenant, companies: list[str], seed: int, problems: list[BaseException]) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same every time
    mine: list[UUID] = []
    actor = owner_of(databases, tenant)
    for turn in range(TURNS):
        try:
            with enter_job(databases, tenant.id, actor=actor, write=True, budget=60) as scope:
                _step(scope, rng, companies, mine, f"{seed}-{turn}")
        except RapportError:
            continue
        except BaseException as error:
            problems.append(error)
            raise


def _values(rng: random.Random, companies: list[str]) -> dict[str, Any]:
    return {
        "company": rng.choice([*companies, None]), "pieces": rng.choice([None, 0, 1, 5, 7]),
        "running": rng.choice([True, False, None]),
        "price": rng.choice([None, "12.50", {"amount": "3", "currency": "USD"}, {"amount": "9", "currency": "XAU"}]),
    }  # fmt: skip


def _step(scope: TenantScope, rng: random.Random, companies: list[str], mine: list[UUID], serial: str) -> None:
    act = rng.choice(["create", "create", "update", "update", "move", "trash", "restore", "destroy", "bulk", "fold"])
    if act == "create" or not mine:
        mine.append(UUID(create_record(scope, "machine", {"serial": serial, **_values(rng, companies)})["id"]))
    elif act == "fold":
        folding.fold(scope)
    elif act == "bulk":
        rows = [{"id": str(one), **_values(rng, companies)} for one in rng.sample(mine, min(5, len(mine)))]
        bulk(scope, "machine", rows, mode="update")
    elif act == "move":
        update_record(scope, "machine", rng.choice(mine), {"company": rng.choice(companies)})
    elif act == "update":
        update_record(scope, "machine", rng.choice(mine), _values(rng, companies))
    elif act == "trash":
        trash_record(scope, "machine", rng.choice(mine))
    elif act == "restore":
        restore_record(scope, "machine", rng.choice(mine))
    else:
        destroy_record(scope, "machine", mine.pop(rng.randrange(len(mine))))


def test_eight_writers_at_random_leave_the_figures_right(databases: Databases, workshop: Tenant) -> None:
    actor = owner_of(databases, workshop)
    with enter_job(databases, workshop.id, actor=actor, write=True, budget=60) as scope:
        folding.build_missing(scope)
        companies = [create_record(scope, "company", {"name": f"Shared {n}"})["id"] for n in range(3)]
    problems: list[BaseException] = []
    threads = [
        threading.Thread(target=_work, args=(databases, workshop, companies, seed, problems)) for seed in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads):
        with enter_job(databases, workshop.id, actor=SYSTEM, write=False, budget=60) as scope:
            assert folding.verify(scope) == []
            looks += 1
        threads[0].join(0.05)
    for thread in threads:
        thread.join()
    assert problems == []
    assert looks > 0
    with enter_job(databases, workshop.id, actor=actor, write=True, budget=60) as scope:
        agree(scope)
        while folding.fold(scope):
            agree(scope)
        counted = scope.execute(
            f'SELECT count(*) FROM "{catalogs.for_scope(scope).objects["machine"].table}" WHERE deleted_at IS NULL'
        ).fetchone()
        assert counted is not None
        assert counted[0] > 0
        agree(scope)


def test_wrong_figures_are_found_and_built_again(databases: Databases, workshop: Tenant) -> None:
    with enter_job(databases, workshop.id, actor=owner_of(databases, workshop), write=True, budget=60) as scope:
        folding.build_missing(scope)
        company = create_record(scope, "company", {"name": "Wrong"})
        create_record(scope, "machine", {"serial": "w", "company": company["id"], "pieces": 3})
        folding.fold(scope)
        scope.execute("UPDATE rollup SET sum = sum + 1 WHERE record_id = %s AND n = 1 AND sum = 3", (company["id"],))
        drifts = folding.verify(scope)
        assert {drift.field for drift in drifts} == {"pieces_kept", "average_kept"}
        folding.rebuild(scope, drifts)
        agree(scope)
        assert Decimal(str(get_record(scope, "company", company["id"])["pieces_kept"])) == 3


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("function: count\nwhen: company.name == 'x'", "looks over the link"),
        ("function: count\nwhen: price > 10", "rates"),
        ("function: max\nfield: price", "rates"),
        ("function: count\nwhen: owner == me", "who asks"),
    ],
)
def test_what_depends_on_more_than_the_records_can_not_be_indexed(
    databases: Databases, workshop: Tenant, spec: str, words: str
) -> None:
    text = f"kind: field\nname: company.broken\ntype: rollup\nlabel: B\nover: machines\nindexed: true\n{spec}\n"
    with pytest.raises(RapportError) as raised:
        shape(databases, workshop, text)
    assert words in str(raised.value.detail)


def test_what_was_written_is_folded_soon_by_a_job_the_sealer_asks_for(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    shape(runtime.databases, tenant, COMPONENTS)
    actor = owner_of(runtime.databases, tenant)
    assert _asked(runtime, tenant) == 1
    folding.fold_job(runtime, tenant.id, {})
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=60) as scope:
        company = create_record(scope, "company", {"name": "Sealed"})
    seal_tenant(runtime, tenant.id)
    assert _asked(runtime, tenant) == 1
    with enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=60) as scope:
        create_record(scope, "machine", {"serial": "s", "company": company["id"], "pieces": 3})
    seal_tenant(runtime, tenant.id)
    assert _asked(runtime, tenant) == 2
    folding.fold_job(runtime, tenant.id, {})
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False, budget=60) as scope:
        assert scope.execute("SELECT count(*) FROM rollup_delta").fetchone() == (0,)
        assert get_record(scope, "company", company["id"])["pieces_kept"] == 3
        agree(scope)
    shape(runtime.databases, tenant, "kind: field\nname: company.pieces_kept\nremove: true\n")
    folding.fold_job(runtime, tenant.id, {})
    with enter_job(runtime.databases, tenant.id, actor=actor, write=False, budget=60) as scope:
        assert scope.execute("SELECT count(DISTINCT field) FROM rollup").fetchone() == (6,)


def _asked(runtime: Runtime, tenant: Tenant) -> int:
    with runtime.databases.pod_owner(tenant.pod).connect() as connection:
        found = connection.exec_driver_sql(
            "select count(*) from pod.job where tenant = %s and name = %s", (tenant.role, folding.JOB)
        )
        return int(found.scalar_one())


def test_the_doctor_finds_and_builds_anew_what_is_wrong(runtime: Runtime, workshop: Tenant) -> None:
    owner = owner_of(runtime.databases, workshop)
    with enter_job(runtime.databases, workshop.id, actor=owner, write=True, budget=60) as scope:
        company = create_record(scope, "company", {"name": "Looked at"})
        create_record(scope, "machine", {"serial": "L", "company": company["id"], "pieces": 3, "running": True})
        folding.build_missing(scope)
        folding.fold(scope)
        scope.execute("UPDATE rollup SET n = n + 1 WHERE n > 0")
    drifts = folding.examine(runtime, workshop.id)
    assert {drift.field for drift in drifts} >= {"count_kept", "pieces_kept"}
    assert folding.examine(runtime, workshop.id, repair=True) == drifts
    assert folding.examine(runtime, workshop.id) == []
