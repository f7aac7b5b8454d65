"""The order of what search finds, against judged collections and BM25 over stemmed words (bench.sections.quality)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.sections.quality import BM25, DATA, evaluate, load, ndcg, read
from tenants.scope import SYSTEM, enter_job
from tests.support.tenants import PATIENT

if TYPE_CHECKING:
    from app.core.db import Databases
    from tests.support.tenants import NewTenant


def test_ndcg_is_one_for_the_best_order_and_counts_late_finds_less() -> None:
    assert ndcg([3, 2, 1], [1, 2, 3]) == 1.0
    assert ndcg([0, 1], [1]) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg([0] * 10 + [1], [1]) == 0.0
    assert ndcg([], [1]) == 0.0


@pytest.mark.scale
@pytest.mark.parametrize("name", sorted(BM25))
def test_search_orders_at_least_as_well_as_stemmed_bm25(databases: Databases, new_tenant: NewTenant, name: str) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"the collection is not here: {DATA / name} (RAPPORT_TEST_DATA names the folder above search/)")
    collection = read(name)
    tenant = new_tenant()
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True, budget=PATIENT) as scope:
        load(scope, collection)
    with databases.pod_owner(1).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'vacuum analyze "{tenant.schema}".o_note')
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False, budget=5 * PATIENT) as scope:
        found = evaluate(scope, collection)
    assert found.ndcg >= BM25[name], found
