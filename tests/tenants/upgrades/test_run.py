"""A whole run: who goes first, when it stops, who is skipped, what is gone on with, nobody else disturbed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.core.servers.process import die_with_parent
from tenants.provisioning import keep_spares
from tenants.provisioning.spares import blueprint, owner_transaction
from tenants.scope import SYSTEM, enter_job
from tenants.upgrades import Options, behind, upgrade
from tenants.upgrades.late import catch_up
from tenants.upgrades.run import NotInForceError
from tests.support.api import Api, make_key
from tests.support.shaping import sql
from tests.support.tenants import PATIENT, make_tenant
from tests.support.upgrade_process import Seen, drive
from tests.support.upgrades import bring, changed, in_force, made, present, tenant_of

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant

OLD = changed("", without=["object/deal/fields/next_step"])


def pinned(runtime: Runtime, tenant: Tenant) -> str:
    with owner_transaction(runtime.databases, 1) as connection:
        row = connection.execute("select platform from pod.tenant where id = %s", (tenant.id,)).fetchone()
    assert row is not None
    return row[0]


def break_(runtime: Runtime, tenant: Tenant) -> None:
    """So that laying the release under it fails."""
    sql(runtime.databases, tenant, "alter table o_deal rename to o_gone")


def no_spares(runtime: Runtime) -> None:
    with owner_transaction(runtime.databases, 1) as connection:
        connection.execute("update pod.tenant set state = 'deleting' where state = 'spare'")


def test_it_stops_when_one_of_the_first_fails(runtime: Runtime) -> None:
    tenants = [tenant_of(runtime, OLD) for _ in range(3)]
    for tenant in tenants:
        break_(runtime, tenant)
    report = bring(runtime, present(), canary=0.01)
    assert (len(report.failed), report.left, report.stopped) == (1, 2, "the first workspaces failed")
    assert "o_deal" in report.failed[0].reason
    assert [pinned(runtime, tenant) for tenant in tenants] == [OLD.hash] * 3
    for tenant in tenants:
        sql(runtime.databases, tenant, "alter table o_gone rename to o_deal")


def test_it_stops_when_more_fail_than_the_budget_has(runtime: Runtime) -> None:
    tenants = [tenant_of(runtime, OLD) for _ in range(6)]
    for tenant in tenants:
        break_(runtime, tenant)
    report = bring(runtime, present(), canary=0, budget=0.2, workers=1)
    assert (len(report.failed), report.left, report.stopped) == (3, 3, "too many workspaces failed")
    for tenant in tenants[:5]:
        sql(runtime.databases, tenant, "alter table o_gone rename to o_deal")
    report = bring(runtime, present(), canary=0, budget=0.2)
    assert ([one.tenant for one in report.failed], report.left, report.stopped) == ([str(tenants[5].id)], 0, "")
    assert {pinned(runtime, tenant) for tenant in tenants[:5]} == {present().hash}
    assert pinned(runtime, tenants[5]) == OLD.hash
    sql(runtime.databases, tenants[5], "alter table o_gone rename to o_deal")


def test_who_is_busy_all_the_time_is_skipped_and_not_recorded_as_done(runtime: Runtime) -> None:
    busy, idle = tenant_of(runtime, OLD), tenant_of(runtime, OLD)
    with enter_job(runtime.databases, busy.id, actor=SYSTEM, write=True, budget=PATIENT):
        report = bring(runtime, present(), attempts=2)
    assert [one.tenant for one in report.skipped] == [str(busy.id)]
    assert (pinned(runtime, busy), pinned(runtime, idle)) == (OLD.hash, present().hash)
    assert behind(in_force(runtime, present()), 1) == 1
    assert bring(runtime, present()).done == 1


def test_a_write_checked_under_the_version_before_never_commits_after_the_new_one(runtime: Runtime) -> None:
    tenant = tenant_of(runtime, OLD)
    target = in_force(runtime, present())
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=PATIENT) as scope:
        entered = scope.version
        run = threading.Thread(target=upgrade, args=(target, Options()))
        run.start()
        for _ in range(20):
            time.sleep(0.05)
            assert pinned(runtime, tenant) == OLD.hash
        scope.execute("insert into setting (name, value) values ('checked', to_jsonb(%s::int))", (entered,))
    run.join()
    assert pinned(runtime, tenant) == present().hash
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        assert scope.version == entered + 1
        assert scope.execute("select value from setting where name = 'checked'").fetchall() == [(entered,)]


def test_writers_all_along_see_one_version_in_each_transaction(runtime: Runtime) -> None:
    tenant = tenant_of(runtime, OLD)
    target, stop, wrong = in_force(runtime, present()), threading.Event(), list[tuple[int, int]]()

    def write(number: int) -> None:
        while not stop.is_set():
            with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=PATIENT) as scope:
                scope.execute(
                    "insert into setting (name, value) values (%s, '1') on conflict (name) do update set value = '2'",
                    (f"writer {number}",),
                )
                columns = (
                    "select count(*) from information_schema.columns where (table_schema, table_name, column_name)"
                )
                rows = scope.execute(columns + " = (%s, 'o_deal', 'next_step')", (tenant.schema,)).fetchall()
                if rows[0][0] != scope.version - 1:
                    wrong.append((scope.version, rows[0][0]))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    report = upgrade(target, Options())
    stop.set()
    for writer in writers:
        writer.join()
    assert report.complete
    assert wrong == []


def test_no_request_fails_while_it_runs(site: Flask, runtime: Runtime) -> None:
    tenants = [tenant_of(runtime, OLD) for _ in range(8)]
    apis = [(str(tenant.id), Api(site, make_key(runtime.databases, tenant, "owner"))) for tenant in tenants]
    seen, stop = Seen(), threading.Event()
    threads = [threading.Thread(target=drive, args=(apis, seen, stop, seed)) for seed in range(2)]
    for thread in threads:
        thread.start()
    report = bring(runtime, present())
    further = bring(runtime, changed("kind: field\nname: deal.score\ntype: integer\nlabel: Score\nindexed: true\n"))
    stop.set()
    for thread in threads:
        thread.join()
    assert (report.failed, further.failed, seen.failed) == ([], [], [])
    assert seen.requests > 0
    assert bring(runtime, present()).complete


def test_a_run_that_was_killed_is_gone_on_with(runtime: Runtime) -> None:
    tenants = [tenant_of(runtime, OLD) for _ in range(8)]
    in_force(runtime, present())
    config = runtime.config
    command = [
        *(sys.executable, "-m", "tests.support.upgrade_process", "upgrade"),
        *(config.database_url, config.owner_url, config.redis_url),
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 3:
                process.kill()
                break
    between = [pinned(runtime, tenant) for tenant in tenants]
    assert 3 <= between.count(present().hash) < 8
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(again.stdout.splitlines()[-1])
    assert (report["done"], report["failed"], report["left"]) == (between.count(OLD.hash), [], 0)
    assert {pinned(runtime, tenant) for tenant in tenants} == {present().hash}


def test_spares_are_brought_along_or_thrown_away(runtime: Runtime) -> None:
    no_spares(runtime)
    plain = in_force(runtime, OLD)
    assert keep_spares(plain, 2) == 2
    target = in_force(runtime, present())
    assert upgrade(target, Options()).done >= 2
    with owner_transaction(runtime.databases, 1) as connection:
        rows = connection.execute("select blueprint, version from pod.tenant where state = 'spare'").fetchall()
    assert set(rows) == {(blueprint(target.ports), 1)}

    more = changed("kind: field\nname: deal.score\ntype: integer\nlabel: Score\n")
    taken_back = in_force(runtime, more)
    assert upgrade(taken_back, Options()).complete
    report = bring(runtime, present())
    assert report.complete
    assert report.dropped == 2


def test_an_older_program_leaves_spares_and_workspaces_be(runtime: Runtime) -> None:
    no_spares(runtime)
    old = in_force(runtime, OLD)
    newer = in_force(runtime, present())
    assert keep_spares(newer, 1) == 1
    assert keep_spares(old, 2) == 0
    with pytest.raises(NotInForceError, match="rapport migrate"):
        upgrade(old, Options())
    assert upgrade(newer, Options(pod=1)).complete
    no_spares(runtime)


def test_a_workspace_the_version_before_makes_late_is_brought_along_and_no_other(runtime: Runtime) -> None:
    early = tenant_of(runtime, OLD)
    old, newer = OLD.runtime(runtime), in_force(runtime, present())
    late = make_tenant(old)
    made.append(late)
    assert pinned(runtime, late) == OLD.hash
    assert catch_up(old) == 0, "it is not the version in force"
    with enter_job(runtime.databases, late.id, actor=SYSTEM, write=True, budget=60):
        assert catch_up(newer) == 0, "somebody is at work in it"
    assert catch_up(newer) == 1
    assert pinned(runtime, late) == present().hash
    assert pinned(runtime, early) == OLD.hash, "it is for the run with its canary and budget"
    assert catch_up(newer) == 0


def test_system_tables_come_first(runtime: Runtime) -> None:
    tenant = tenant_of(runtime, OLD)
    sql(runtime.databases, tenant, "drop table rollup_delta, rollup, file cascade")
    sql(runtime.databases, tenant, "update pod.tenant set system_version = '0003' where id = %s", tenant.id)
    assert bring(runtime, present()).complete
    rows = sql(
        runtime.databases, tenant,
        "select system_version, to_regclass('rollup') is not null from pod.tenant where id = %s", tenant.id,
    )  # fmt: skip
    assert rows == [("0005", True)]
    assert pinned(runtime, tenant) == present().hash


def test_a_workspace_of_an_unknown_version_is_told_and_left_alone(runtime: Runtime) -> None:
    tenant = tenant_of(runtime, OLD)
    sql(runtime.databases, tenant, "update pod.tenant set system_version = '9999' where id = %s", tenant.id)
    report = bring(runtime, present(), canary=0, budget=1)
    assert [(one.tenant, "newer" in one.reason) for one in report.failed] == [(str(tenant.id), True)]
    assert pinned(runtime, tenant) == OLD.hash
    sql(runtime.databases, tenant, "update pod.tenant set system_version = '0005' where id = %s", tenant.id)
