"""Records whose stage or pipeline was taken away are still worked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.read import get_record
from app.records.write import create_record, update_record
from tenants.scope import enter_job
from tests.support.desk import Desk
from tests.support.shaping import change
from tests.support.tenants import PATIENT, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

GIFTS = """
kind: pipeline
name: deal.gifts
label: Gifts
stages:
  asked: {label: Asked, status: open, probability: 0.3}
  promised: {label: Promised, status: open, probability: 0.9}
  won: {label: Given, status: won, probability: 1}
"""


def written(runtime: Runtime, tenant: Tenant, record: dict[str, Any] | None, **values: Any) -> dict[str, Any]:
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        if record is None:
            return create_record(scope, "deal", {"name": "A gift", **values})
        return update_record(scope, "deal", record["id"], values)


def where(record: dict[str, Any]) -> tuple[str, str, str]:
    return record["pipeline"], record["stage"], record["stage_status"]


def test_records_of_a_pipeline_that_went_are_written_and_moved_to_one_that_is_there(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    change(runtime.databases, tenant, GIFTS)
    one, two, three = (written(runtime, tenant, None, pipeline="gifts", stage="promised") for _ in range(3))
    change(runtime.databases, tenant, "{kind: pipeline, name: deal.gifts, remove: true}", confirm=True)
    kept = written(runtime, tenant, one, probability="0.5", next_step="Call")
    assert (where(kept), kept["probability"]) == (("gifts", "promised", "open"), "0.5")
    assert where(written(runtime, tenant, one, stage="won")) == ("sales", "won", "won")
    assert where(written(runtime, tenant, two, pipeline="sales")) == ("sales", "new", "open")
    assert where(written(runtime, tenant, three, pipeline="sales", stage="meeting")) == ("sales", "meeting", "open")


def test_a_record_in_a_stage_that_went_stays_there_until_somebody_moves_it(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    change(runtime.databases, tenant, GIFTS)
    record = written(runtime, tenant, None, pipeline="gifts", stage="promised")
    change(runtime.databases, tenant, "{kind: stage, name: deal.gifts.promised, remove: true}", confirm=True)
    kept = written(runtime, tenant, record, probability="0.5")
    assert (where(kept), kept["probability"]) == (("gifts", "promised", "open"), "0.5")
    assert where(written(runtime, tenant, record, stage="asked")) == ("gifts", "asked", "open")


def test_a_stage_alone_names_the_pipeline_that_has_it(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    change(runtime.databases, tenant, GIFTS)
    assert where(written(runtime, tenant, None, stage="promised")) == ("gifts", "promised", "open")
    assert where(written(runtime, tenant, None, stage="won")) == ("sales", "won", "won"), "both have it: the usual one"
    assert where(written(runtime, tenant, None)) == ("sales", "new", "open")
    with pytest.raises(InvalidInput) as refused:
        written(runtime, tenant, None, stage="nowhere")
    assert [one.code for one in refused.value.errors] == ["option.unknown"]


def test_a_new_record_is_put_into_any_of_several_pipelines(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    desk = Desk(build_site(runtime), runtime, tenant)
    assert '<option value="new" selected>New</option>' in desk.get("/records/deal/new").text
    change(runtime.databases, tenant, GIFTS)
    form = desk.get("/records/deal/new?stage=promised").text
    assert '<option value="gifts/promised" selected>Gifts: Promised</option>' in form
    assert '<option value="sales/new">Sales: New</option>' in form
    wrong = desk.post("/records/deal/new", name="", stage="gifts/won")
    assert (wrong.status, '<option value="gifts/won" selected>' in wrong.text) == (422, True)
    made = desk.post("/records/deal/new", name="A gift", stage="gifts/won")
    record = made.response.headers["HX-Redirect"].rpartition("/")[2]
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        assert where(get_record(scope, "deal", record)) == ("gifts", "won", "won")
