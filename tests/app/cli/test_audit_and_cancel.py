"""``rapport doctor --audit`` and ``rapport jobs cancel``: exit codes and the shapes scripts rely on."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from app.cli import main
from app.core.jobs import request_job
from app.events.seal import seal_tenant
from tenants.scope import SYSTEM, enter_job
from tests.support.records import make_company
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant


pytestmark = pytest.mark.usefixtures("same_servers")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    out = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(out) if out else {}


def test_an_audit_names_the_altered_event_and_exits_with_1(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        make_company(scope)
    seal_tenant(runtime, tenant.id)
    code, document = run(capsys, "doctor", "--audit", "--tenant", tenant.slug)
    assert (code, document["ok"], document["data"][0]["events"]) == (0, True, 1)
    with runtime.databases.pod_owner(tenant.pod).begin() as owner:
        owner.exec_driver_sql(f'UPDATE "{tenant.schema}".event SET kind = %s', ("restored",))
    code, document = run(capsys, "doctor", "--audit", "--tenant", str(tenant.id))
    finding = document["data"][0]["finding"]
    assert (code, document["ok"], finding["what"], finding["batch"], finding["seq"]) == (1, False, "altered", 1, 1)
    code, document = run(capsys, "doctor", "--audit", "--tenant", "nobody-here")
    assert code == 3


def test_a_job_is_cancelled_by_its_id(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        job = request_job(scope, "test.unknown")
    assert run(capsys, "jobs", "cancel", str(job)) == (0, {"data": [{"id": str(job)}]})
    for name in (str(tenant.id), tenant.slug):
        code, document = run(capsys, "jobs", "list", "--tenant", name)
        assert (code, document["data"][0]["cancelled"]) == (0, True)
    assert run(capsys, "jobs", "list", "--tenant", "nobody-here")[0] == 3
    assert run(capsys, "jobs", "cancel", str(uuid.uuid4()))[0] == 3
