"""The log under kill -9 at random moments: every event is sealed once and takes effect once.

A writer makes events all the while, some of its transactions roll back. Meanwhile the worker, its fork, the relay are
killed, and a Valkey of the test's own is emptied and killed.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import redis

from app.core.servers.layout import Layout
from app.core.servers.process import die_with_parent
from app.core.servers.valkey import Valkey
from app.events.audit import audit_tenant
from tenants.scope import SYSTEM, enter_job
from tests.kill.installation import wait_for
from tests.kill.log_process import PREFIX
from tests.kill.table import PROPERTY
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.ports import Runtime
    from tenants.scope import Tenant

pytestmark = pytest.mark.xdist_group("kill")
_EVENTS_A_TRANSACTION = 5


@dataclass
class Fleet:
    """One relay, two workers and a Valkey, each started again when it was killed."""

    runtime: Runtime
    layout: Layout
    valkey: Valkey
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_all(self) -> None:
        for name in ("relay", "worker-1", "worker-2"):
            self.start(name)

    def start(self, name: str) -> None:
        config = self.runtime.config
        self.processes[name] = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.kill.log_process", name.partition("-")[0]),
                *(config.database_url, config.owner_url, self.layout.valkey_url()),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
        )

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()
        self.start(name)

    def kill_fork(self, random_: random.Random) -> bool:
        """False when no worker has one at the moment."""
        forks: list[psutil.Process] = []
        for name in ("worker-1", "worker-2"):
            with contextlib.suppress(psutil.NoSuchProcess):
                forks += psutil.Process(self.processes[name].pid).children()
        if not forks:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            random_.choice(forks).kill()
        return True

    def empty(self) -> None:
        with redis.Redis.from_url(self.layout.valkey_url()) as client, contextlib.suppress(redis.ConnectionError):
            client.flushall()

    def tend(self) -> None:
        """Start again whoever gave up by itself, as `rapport up` does."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(name)

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def fleet(runtime: Runtime) -> Iterator[Fleet]:
    home = Path(tempfile.mkdtemp(prefix="rapport-log-", dir="/tmp"))
    home.chmod(0o711)
    layout = Layout(home)
    valkey = Valkey(layout)
    made = Fleet(runtime, layout, valkey)
    clean(runtime)
    try:
        valkey.start()
        yield made
    finally:
        made.end()
        valkey.stop()
        clean(runtime)
        shutil.rmtree(layout.short, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def clean(runtime: Runtime) -> None:
    with runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql("delete from pod.job")
        connection.exec_driver_sql("delete from pod.outbox")


def lapse(runtime: Runtime) -> None:
    """Let every lease run out, as twenty seconds would."""
    with runtime.databases.pod_owner(1).begin() as connection:
        connection.exec_driver_sql(
            "update pod.job set run_at = now(), lease_until = case when lease_until is null then null"
            " else now() - interval '1 s' end"
        )


class _Undo(Exception):
    """Rolls a transaction of the writer back."""


def write(runtime: Runtime, tenant: Tenant, events: int, stop: threading.Event, pace: Callable[[], float]) -> int:
    """Write ``events`` events, every fifth transaction in vain; how many were rolled back."""
    actor = owner_of(runtime.databases, tenant)
    undone = 0
    for number in range(0, events, _EVENTS_A_TRANSACTION):
        if stop.is_set():
            break
        for in_vain in (True, False) if number % 25 == 0 else (False,):
            with (
                contextlib.suppress(_Undo),
                enter_job(runtime.databases, tenant.id, actor=actor, write=True, budget=30) as scope,
            ):
                scope.execute(
                    "WITH made AS (INSERT INTO event (actor_kind, kind, object)"
                    " SELECT 'member', 'created', 'deal' FROM generate_series(1, %s) RETURNING id)"
                    " INSERT INTO pod.outbox (events) SELECT array_agg(id) FROM made",
                    (_EVENTS_A_TRANSACTION,),
                )
                if in_vain:
                    undone += _EVENTS_A_TRANSACTION
                    raise _Undo
        time.sleep(pace())
    return undone


def hurt(fleet: Fleet, random_: random.Random) -> str:
    """One kill; the name of the victim."""
    victim = random_.choice(["relay", "worker", "fork", "fork", "valkey emptied", "valkey emptied", "valkey killed"])
    if victim == "fork" and not fleet.kill_fork(random_):
        victim = "worker"
    if victim == "relay":
        fleet.kill("relay")
    elif victim == "worker":
        fleet.kill(random_.choice(["worker-1", "worker-2"]))
    elif victim == "valkey emptied":
        fleet.empty()
    elif victim == "valkey killed":
        fleet.valkey.stop()
        fleet.valkey.start()
    return victim


def survive(
    runtime: Runtime, tenant: Tenant, fleet: Fleet, events: int, points: int, longest: float
) -> tuple[Counter[str], dict[str, object]]:
    """Write and hurt, then let everything be done; victims by name and what was found."""
    seed = int(os.environ.get("RAPPORT_KILL_SEED", "20261122"))
    random_ = random.Random(seed)  # noqa: S311 (repeatable)
    stop = threading.Event()
    # The writer takes as long as the kills.
    pace = points * longest / 2 / (events / _EVENTS_A_TRANSACTION)
    writer = threading.Thread(target=write, args=(runtime, tenant, events, stop, lambda: pace), daemon=True)
    fleet.start_all()
    writer.start()
    victims: Counter[str] = Counter()
    try:
        for _ in range(points):
            time.sleep(random_.uniform(0, longest))
            victims[hurt(fleet, random_)] += 1
            fleet.tend()
        writer.join()
    finally:
        stop.set()

    def all_handled() -> bool:
        fleet.tend()
        lapse(runtime)
        return len(handled(runtime, tenant)) >= events

    with contextlib.suppress(AssertionError):
        wait_for(all_handled, "all effects", 60, 1.0)
    effects = handled(runtime, tenant)
    audit = audit_tenant(runtime, tenant.id)
    found: dict[str, object] = {
        "sealed": audit.events,
        "finding": audit.finding,
        "lost": events - len(effects),
        "doubled": sum(count - 1 for count in effects.values()),
    }
    return victims, found


def handled(runtime: Runtime, tenant: Tenant) -> dict[str, int]:
    """How often each event took effect."""
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
        rows = scope.execute("select name, value::int from setting where name like %s", (f"{PREFIX}%",)).fetchall()
    return dict(rows)


def check(events: int, found: dict[str, object]) -> None:
    assert found == {"sealed": events, "finding": None, "lost": 0, "doubled": 0}


def test_events_take_effect_once_through_a_few_kills(runtime: Runtime, new_tenant: NewTenant, fleet: Fleet) -> None:
    _, found = survive(runtime, new_tenant(), fleet, 500, 8, 0.5)
    check(500, found)


@pytest.mark.kill
def test_ten_thousand_events_take_effect_once_through_two_hundred_kills(
    runtime: Runtime, new_tenant: NewTenant, fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    before = time.monotonic()
    victims, found = survive(runtime, new_tenant(), fleet, 10_000, 200, 0.8)
    seconds = time.monotonic() - before
    for victim, count in sorted(victims.items()):
        record_property(
            PROPERTY,
            {
                "victim": f"log: {victim} ({count} times)",
                "rows": 10_000,
                "lost": found["lost"],
                "doubled": found["doubled"],
                "seconds": seconds,
            },
        )
    check(10_000, found)
