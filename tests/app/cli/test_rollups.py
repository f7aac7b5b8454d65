"""``rapport doctor --rollups``: exit codes and the shape scripts rely on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.cli import main
from app.records import folding
from app.records.write import create_record
from tenants.scope import SYSTEM, enter_job
from tests.support.computed import shape

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant

DEALS = """
kind: field
name: company.deal_count
type: rollup
label: Deals
over: deals
function: count
indexed: true
"""


pytestmark = pytest.mark.usefixtures("same_servers")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    out = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(out) if out else {}


def test_wrong_figures_exit_with_1_until_they_are_repaired(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    shape(runtime.databases, tenant, DEALS)
    folding.fold_job(runtime, tenant.id, {})
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        company = create_record(scope, "company", {"name": "A"})
        create_record(scope, "deal", {"name": "D", "company": company["id"]})
    assert run(capsys, "doctor", "--rollups", "--tenant", tenant.slug) == (0, {"ok": True, "data": []})
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("UPDATE rollup_delta SET n = 2")
    wrong = {"tenant": str(tenant.id), "field": "company.deal_count", "wrong": 2, "repaired": False}
    assert run(capsys, "doctor", "--rollups", "--tenant", tenant.slug) == (1, {"ok": False, "data": [wrong]})
    code, document = run(capsys, "doctor", "--rollups", "--repair", "--tenant", tenant.slug)
    assert (code, document["data"]) == (0, [wrong | {"repaired": True}])
    assert run(capsys, "doctor", "--rollups", "--tenant", tenant.slug) == (0, {"ok": True, "data": []})
    assert run(capsys, "doctor", "--repair")[0] == 2
