"""Random records by every way in: taken and refused alike, and as a naive judge says."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from app.core import ids
from app.core.errors import RapportError
from app.imports.run import run_import
from app.records.bulk import bulk
from app.records.mixed import write_mixed
from app.records.operations import read_operations
from app.records.write import create_record, update_record, upsert_record
from tenants.scope import enter_job
from tests.support.imports import begin, query
from tests.support.ruled import MACHINES, Problem, completed, naive
from tests.support.shaping import change, put_rates
from tests.support.tenants import owner_of, rolled_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

Machine = dict[str, Any]

COLUMNS = ("price", "cost", "pieces", "company", "kind_of", "approved", "reason", "stage")
MONEY = st.one_of(
    st.none(),
    st.builds(
        lambda amount, currency: {"amount": f"{amount}.00", "currency": currency},
        st.sampled_from([0, 9_000, 10_000, 10_001, 11_000, 12_000]),
        st.sampled_from(["EUR", "USD", "GBP"]),
    ),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "price": MONEY,
    "cost": MONEY,
    "pieces": st.sampled_from([None, 0, 1, 5, 6]),
    "company": st.sampled_from([None, "bank", "shop"]),
    "kind_of": st.sampled_from([None, "lathe", "mill", "press"]),
    "approved": st.sampled_from([None, True, False]),
    "reason": st.sampled_from([None, "worn"]),
    "stage": st.sampled_from(["ordered", "running", "scrapped"]),
}
WHOLE = st.fixed_dictionaries(VALUES)
PATCH = st.fixed_dictionaries({}, optional=VALUES)


#: Each example is a file, a bulk and three calls a row: what fails is read as it is, not made smaller.
THOROUGH = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def firm(runtime: Runtime, new_tenant: NewTenant) -> tuple[Tenant, dict[str, str]]:
    """A workspace with machines, rates, a bank and a shop."""
    tenant = new_tenant()
    change(runtime.databases, tenant, MACHINES)
    put_rates(runtime.databases, tenant, {("USD", "2020-01-01"): 0.9})
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        bank = create_record(scope, "company", {"name": "Bank", "industry": "finance"})["id"]
        shop = create_record(scope, "company", {"name": "Shop", "industry": "retail"})["id"]
    return tenant, {"bank": bank, "shop": shop}


def linked(one: Machine, firms: dict[str, str]) -> Machine:
    return one | ({"company": firms.get(one["company"])} if "company" in one else {})


def told(errors: Iterable[Any], prefix: str = "") -> set[Problem]:
    plain = [(one["pointer"], one["code"]) if isinstance(one, dict) else (one.pointer, one.code) for one in errors]
    return {(pointer.removeprefix(prefix), code) for pointer, code in plain}


def by_verb(scope: TenantScope, act: Callable[[], object], prefix: str = "") -> set[Problem]:
    """What an act is refused for; whatever it did is taken back."""
    try:
        with scope.connection.transaction(force_rollback=True):
            act()
    except RapportError as error:
        return told(error.errors, prefix)
    return set()


def by_bulk(scope: TenantScope, rows: list[Machine], **how: Any) -> list[set[Problem]]:
    with scope.connection.transaction(force_rollback=True):
        results = bulk(scope, "machine", rows, **how)["results"]
    return [told(result.get("errors", ())) for result in results]


def by_batch(scope: TenantScope, operation: dict[str, Any]) -> set[Problem]:
    operations = read_operations({"operations": [operation]})
    return by_verb(scope, lambda: write_mixed(scope, operations), "/operations/0/record")


def imported(runtime: Runtime, tenant: Tenant, rows: dict[str, Machine]) -> set[str]:
    """The keys of the rows that an import of them as a file refused."""
    text = io.StringIO()
    names = ["external_id", "serial", "price.amount", "price.currency", "cost.amount", "cost.currency", *COLUMNS[2:]]
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    for key, row in rows.items():
        flat = {name: value for name, value in row.items() if name not in ("price", "cost")}
        for name in ("price", "cost"):
            flat |= {f"{name}.{part}": value for part, value in (row.get(name) or {}).items()}
        writer.writerow({"external_id": key, "serial": key, **flat})
    import_id = begin(
        runtime, tenant, text.getvalue().encode(), object="machine", mode="upsert", match="external_id",
        map=[f"{name}={name}" for name in names],
    )  # fmt: skip
    run_import(runtime, tenant.id, import_id)
    found = query(runtime, tenant, "select row, status from import_row where import_id = %s", import_id)
    keys = list(rows)
    return {keys[number - 2] for number, status in found if status == "failed"}


@THOROUGH
@given(rows=st.lists(WHOLE, min_size=1, max_size=12))
def test_new_records_are_judged_alike(
    runtime: Runtime, firm: tuple[Tenant, dict[str, str]], rows: list[Machine]
) -> None:
    tenant, firms = firm
    sent = [{"serial": "x", **linked(row, firms)} for row in rows]
    wanted = [naive(row, None, frozenset({firms["bank"]})) for row in sent]
    with rolled_back(runtime.databases, tenant, write=True) as scope:
        assert by_bulk(scope, sent) == wanted
        for row, problems in zip(sent, wanted, strict=True):
            assert by_verb(scope, lambda row=row: create_record(scope, "machine", row)) == problems
            assert by_verb(scope, lambda row=row: upsert_record(scope, "machine", "external_id", "n", row)) == problems
            assert by_batch(scope, {"op": "create", "object": "machine", "record": row}) == problems
    keys = [f"k-{ids.uuid7()}" for _ in sent]
    failed = imported(runtime, tenant, dict(zip(keys, sent, strict=True)))
    assert failed == {key for key, problems in zip(keys, wanted, strict=True) if problems}


@THOROUGH
@given(pairs=st.lists(st.tuples(WHOLE, PATCH), min_size=1, max_size=12))
def test_changes_are_judged_alike(
    runtime: Runtime, firm: tuple[Tenant, dict[str, str]], pairs: list[tuple[Machine, Machine]]
) -> None:
    tenant, firms = firm
    banks = frozenset({firms["bank"]})
    known: dict[str, tuple[Machine, Machine, set[Problem]]] = {}
    made: dict[str, str] = {}
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        for before, patch in ((linked(one, firms), linked(other, firms)) for one, other in pairs):
            if not naive(before, None, banks):
                key = f"c-{ids.uuid7()}"
                made[key] = create_record(scope, "machine", {"serial": key, "external_id": key, **before})["id"]
                known[key] = before, patch, naive(completed(patch, before), before, banks)
    with rolled_back(runtime.databases, tenant, write=True) as scope:
        together = [{"id": made[key], **patch} for key, (_, patch, _) in known.items()]
        assert by_bulk(scope, together, mode="update") == [problems for *_, problems in known.values()]
        for key, (_, patch, problems) in known.items():
            record_id = UUID(made[key])
            assert by_verb(scope, lambda: update_record(scope, "machine", record_id, patch)) == problems  # noqa: B023
            assert by_verb(scope, lambda: upsert_record(scope, "machine", "external_id", key, patch)) == problems  # noqa: B023
            assert by_batch(scope, {"op": "update", "object": "machine", "id": made[key], "record": patch}) == problems
    # An empty cell of a file changes nothing, so only patches that empty nothing mean the same there.
    files = {key: patch for key, (_, patch, _) in known.items() if None not in patch.values()}
    if files:
        assert imported(runtime, tenant, files) == {key for key in files if known[key][2]}
