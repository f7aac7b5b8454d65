"""kill -9 while workspaces are made and deleted, again and again; afterwards the two databases agree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tenants.provisioning import reconcile

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.core.ports import Runtime

#: Makes and deletes workspaces until it is killed; says when it begins.
WORK = """
import uuid
from app.core.config import Config
from app.factory import build_runtime
from tenants.provisioning import PersonRef, create_tenant, delete_tenant, keep_spares
runtime = build_runtime(Config.from_env())
print("working", flush=True)
for number in range(10_000):
    person = PersonRef(uuid.uuid4(), "K", "k@example.test", new=True)
    with runtime.databases.control.begin() as connection:
        connection.exec_driver_sql("insert into person (id, name) values (%s, %s)", (person.id, person.name))
    created = create_tenant(runtime, slug="killed-" + uuid.uuid4().hex[:12], name="Killed", owner=person)
    if number % 2:
        keep_spares(runtime, 1)
    if number % 3:
        delete_tenant(runtime, created.tenant.id)
"""


@pytest.mark.kill
@pytest.mark.parametrize("pause", [0.3, 0.47, 0.61, 0.83, 1.09, 1.37])
def test_after_a_kill_the_databases_agree(runtime: Runtime, pause: float) -> None:
    config = runtime.config
    environment = os.environ | {
        "RAPPORT_HOME": str(config.home),
        "RAPPORT_DATABASE_URL": config.database_url,
        "RAPPORT_OWNER_URL": config.owner_url,
        "RAPPORT_REDIS_URL": config.redis_url,
        "RAPPORT_STORAGE_URL": config.storage_url,
        "RAPPORT_SECRET_KEY": config.secret_key,
    }
    with subprocess.Popen([sys.executable, "-c", WORK], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
    time.sleep(0.3)  # the server notices the lost connections and rolls back
    while reconcile(runtime, older_than=0):
        pass
    control, pod = runtime.databases.control, runtime.databases.pod_owner(1)
    assert rows(control, "select id from ledger where state = 'running'") == set()
    assert rows(control, "select id from tenant") == rows(pod, "select id from pod.tenant where state <> 'spare'")
    assert rows(pod, "select id from pod.tenant where state = 'spare' and claim is not null") == set()
    assert rows(control, "select slug from slug where tenant is null") == set()
    assert rows(pod, "select schema from pod.tenant") == rows(
        pod, r"select nspname from pg_namespace where nspname like 'tn\_%%'"
    )


def rows(engine: sa.Engine, query: str) -> set[object]:
    with engine.connect() as connection:
        return set(connection.exec_driver_sql(query).scalars())
