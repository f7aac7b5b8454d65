"""A thousand workspaces brought to this release while a web process works in all of them; killed and gone on with.

``RAPPORT_SCALE_TENANTS`` says how many there are. Figures are printed; what is asserted has no clock in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from app.core.servers.process import die_with_parent
from tenants.provisioning.spares import MOST_ROLES, make_spare, owner_transaction
from tests.support.api import make_key
from tests.support.servers import another_pair
from tests.support.tenants import databases_on, make_tenant, runtime_on
from tests.support.upgrades import changed, in_force, present

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.core.ports import Runtime
    from tenants.scope import Tenant

pytestmark = pytest.mark.scale

#: What this release brings: fields, one a link with its index and foreign key, another label, an option, a stage.
_BEFORE = [
    "object/deal/fields/next_step", "object/deal/fields/product", "object/deal/fields/source/options/website",
    "object/deal/pipelines/sales/stages/negotiation",
]  # fmt: skip


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """On a cluster of its own: so many roles would leave none for the workspaces of other tests."""
    with (
        another_pair() as servers,
        databases_on(servers) as databases,
        runtime_on(databases, servers, tmp_path_factory.mktemp("home")) as made,
    ):
        yield made


def _command(runtime: Runtime, what: str, *more: str) -> subprocess.Popen[str]:
    config = runtime.config
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.upgrade_process", what),
            *(config.database_url, config.owner_url, config.redis_url, *more),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
    )


def _make(runtime: Runtime, count: int) -> list[tuple[Tenant, str]]:
    """Workspaces of the release before, from spares made two at a time."""
    old = in_force(runtime, changed("kind: object\nname: contact\nlabel: {other: People}\n", without=_BEFORE))
    made: list[tuple[Tenant, str]] = []

    def spare() -> None:
        with owner_transaction(runtime.databases, 1) as connection:
            make_spare(connection, old.ports)

    def furnish() -> None:
        tenant = make_tenant(old)
        made.append((tenant, make_key(runtime.databases, tenant)))

    # Roles are made first: each GRANT has every connection learn anew what it may become.
    for step in (spare, furnish):
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(step) for _ in range(count)]:
                done.result()
    return made


@pytest.fixture
def many(runtime: Runtime, tmp_path: Path) -> tuple[int, Path]:
    with owner_transaction(runtime.databases, 1) as connection:
        row = connection.execute(r"select count(*) from pg_roles where rolname like 'tn\_%'").fetchone()
    assert row is not None
    count = min(int(os.environ.get("RAPPORT_SCALE_TENANTS", "1000")), MOST_ROLES - row[0])
    made = _make(runtime, count)
    assert len(made) == count
    file = tmp_path / "workspaces"
    file.write_text("\n".join(f"{tenant.id} {key}" for tenant, key in made))
    return count, file


def _upgrade(runtime: Runtime, kill_at: int | None = None) -> dict[str, Any]:
    """One run of the command; killed with -9 when so many are done."""
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(_command(runtime, "upgrade"))
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line
            if kill_at is not None and line.strip().isdigit() and int(line) >= kill_at:
                psutil.Process(process.pid).kill()
                return {}
    return json.loads(last)


def _done(runtime: Runtime) -> int:
    with owner_transaction(runtime.databases, 1) as connection:
        row = connection.execute("select count(*) from pod.tenant where platform = %s", (present().hash,)).fetchone()
    return row[0] if row else 0


def test_a_thousand_workspaces_are_upgraded_while_people_work(runtime: Runtime, many: tuple[int, Path]) -> None:
    count, file = many
    before = _done(runtime)
    in_force(runtime, present())
    with _command(runtime, "traffic", str(file)) as web:
        assert web.stdout is not None
        assert web.stdin is not None
        assert web.stdout.readline() == "ready\n"
        time.sleep(5)
        _upgrade(runtime, kill_at=count // 3)
        between = _done(runtime) - before
        assert count // 3 <= between < count
        began = time.monotonic()
        report = _upgrade(runtime)
        took = time.monotonic() - began
        time.sleep(5)
        web.stdin.close()
        seen = json.loads(web.stdout.readline())
    print(f"\n{count} workspaces; killed at {between}; then {report['done']} in {report['seconds']} s ({took:.1f} s)")  # noqa: T201
    print(json.dumps({**report, "steps": None}))  # noqa: T201
    print(json.dumps(seen))  # noqa: T201
    assert (report["skipped"], report["failed"], report["left"]) == ([], [], 0)
    assert _done(runtime) - before == count
    assert seen["failed"] == []
