"""The job: parts, orders, kills, cancelling, throwing away, what the log says."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.access import catalogs
from app.core import clock
from app.core.errors import Unavailable
from app.core.jobs import admin, checkpoints
from app.core.jobs.execute import execute
from app.exports import files, parts, run, tasks
from app.exports.errors import ExportBusy, ExportNotFound
from app.exports.service import cancel_export, delete_export
from app.rights import audit
from app.rights.words import told
from tenants.scope import enter_job
from tests.support.exports import begin, export, look, records, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Firm


@pytest.fixture(autouse=True)
def no_other_jobs(firm: Firm) -> Iterator[None]:
    """Before and after."""

    def clean() -> None:
        with firm.runtime.databases.pod_owner(1).begin() as connection:
            connection.exec_driver_sql("delete from pod.job")

    clean()
    yield
    clean()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is a page, a page is ten records."""
    monkeypatch.setattr(parts, "_ROWS", 10)
    monkeypatch.setattr(parts, "_FEW", 10)


def names(content: bytes) -> list[str]:
    return [row["name"] for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]


@pytest.mark.usefixtures("small_parts")
def test_a_file_of_many_parts_is_one_file_in_the_order_asked_for(firm: Firm) -> None:
    firm.companies(57)
    made = export(firm.runtime, firm.tenant, object="company")
    assert names(made) == [f"Company {n:05}" for n in range(57)]
    assert made.count(b"external_id") == 1
    downwards = export(firm.runtime, firm.tenant, object="company", sort="-employees", filter="employees < 33")
    assert names(downwards) == [f"Company {n:05}" for n in range(32, -1, -1)]
    lines = export(firm.runtime, firm.tenant, object="company", format="ndjson", fields=["name"]).splitlines()
    assert len(lines) == 57


def test_nothing_found_is_a_file_with_its_head(firm: Firm) -> None:
    assert export(firm.runtime, firm.tenant, object="company", fields=["name", "tags"]) == b"name,tags\r\n"
    assert export(firm.runtime, firm.tenant, object="company", format="ndjson") == b""


@pytest.mark.usefixtures("small_parts")
def test_killed_anywhere_it_goes_on_and_every_record_is_there_once(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.companies(45)
    export_id = begin(firm.runtime, firm.tenant, object="company", fields=["name"])
    put, keep, kills = firm.runtime.storage.put, run._keep, iter(range(100))

    def at_storage(key: str, content: bytes) -> int:
        size = put(key, content)
        if next(kills) % 3 == 1:
            raise Unavailable("killed after the part was stored")
        return size

    def at_noting(*given: Any) -> None:
        keep(*given)
        if next(kills) % 4 == 2:
            raise Unavailable("killed after the part was noted")

    monkeypatch.setattr(firm.runtime.storage, "put", at_storage)
    monkeypatch.setattr(run, "_keep", at_noting)
    attempts = 0
    while not look(firm.runtime, firm.tenant, export_id).ended:
        attempts += 1
        assert attempts < 50
        try:
            run.run_export(firm.runtime, firm.tenant.id, export_id)
        except Unavailable:
            continue
    assert attempts > 3
    assert names(take(firm.runtime, firm.tenant, export_id)) == [f"Company {n:05}" for n in range(45)]
    assert len(firm.write("select id from event where kind = 'exported'")) == 1


@pytest.mark.usefixtures("small_parts")
def test_two_that_run_it_at_once_write_one_file(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.companies(35)
    export_id = begin(firm.runtime, firm.tenant, object="company", fields=["name"])
    keep = run._keep

    def after_the_other(*given: Any) -> None:
        monkeypatch.setattr(run, "_keep", keep)
        run.run_export(firm.runtime, firm.tenant.id, export_id)
        keep(*given)

    monkeypatch.setattr(run, "_keep", after_the_other)
    run.run_export(firm.runtime, firm.tenant.id, export_id)
    assert names(take(firm.runtime, firm.tenant, export_id)) == [f"Company {n:05}" for n in range(35)]


@pytest.mark.usefixtures("small_parts")
def test_the_job_says_how_far_it_is_and_ends_when_cancelled(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.companies(45)
    export_id = begin(firm.runtime, firm.tenant, object="company")
    progress, seen = checkpoints.store.progress, []

    def cancelled(*given: Any) -> tuple[bool, bool]:
        seen.append((given[-2:], look(firm.runtime, firm.tenant, export_id).rows))
        if len(seen) == 2:
            with enter_job(firm.runtime.databases, firm.tenant.id, actor=firm.owner, write=True) as scope:
                cancel_export(scope, firm.runtime.storage, export_id)
        return progress(*given)

    monkeypatch.setattr(checkpoints.store, "progress", cancelled)
    assert execute(firm.runtime, 1, export_id)
    assert seen == [((10, 45), 10), ((20, 45), 20)]
    row = look(firm.runtime, firm.tenant, export_id)
    assert (row.state, row.rows) == ("cancelled", 20)
    jobs = admin.list_jobs(firm.runtime.databases.pod(1), tenant=firm.tenant.id)
    assert [job for job in jobs if job.name == "exports.run"] == []
    with pytest.raises(ExportBusy, match="no file"):
        take(firm.runtime, firm.tenant, export_id)
    assert firm.write("select id from event where kind = 'exported'") == []


def test_the_operator_cancels_its_job_too(firm: Firm) -> None:
    export_id = begin(firm.runtime, firm.tenant, object="company")
    tasks.cancel(firm.runtime, firm.tenant.id, {"export": str(export_id)})
    assert look(firm.runtime, firm.tenant, export_id).state == "cancelled"
    assert execute(firm.runtime, 1, export_id)
    assert look(firm.runtime, firm.tenant, export_id).state == "cancelled"


def test_its_files_go_with_it_and_after_a_week(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.companies(3)
    storage = firm.runtime.storage
    first, second = (begin(firm.runtime, firm.tenant, object="company") for _ in range(2))
    for one in (first, second):
        run.run_export(firm.runtime, firm.tenant.id, one)
    with enter_job(firm.runtime.databases, firm.tenant.id, actor=firm.owner, write=True) as scope:
        delete_export(scope, storage, first)
    assert not storage.exists(files.part_key(firm.tenant.id, first, 0))
    tasks.sweep(firm.runtime, firm.tenant.id, {})
    assert storage.exists(files.part_key(firm.tenant.id, second, 0))
    later = clock.now() + timedelta(days=7, minutes=1)
    monkeypatch.setattr(tasks.clock, "now", lambda: later)
    tasks.sweep(firm.runtime, firm.tenant.id, {})
    assert not storage.exists(files.part_key(firm.tenant.id, second, 0))
    with pytest.raises(ExportNotFound):
        look(firm.runtime, firm.tenant, second)


def test_a_file_that_is_gone_is_told(firm: Firm) -> None:
    export_id = begin(firm.runtime, firm.tenant, object="company")
    run.run_export(firm.runtime, firm.tenant.id, export_id)
    firm.runtime.storage.delete_prefix(files.folder_of(firm.tenant.id, export_id))
    with pytest.raises(ExportNotFound, match="not there any more"):
        take(firm.runtime, firm.tenant, export_id)


def test_the_audit_log_tells_who_took_which_records_along(firm: Firm) -> None:
    firm.companies(4)
    export(firm.runtime, firm.tenant, object="company", filter="employees >= 2", fields=["name", "employees"])
    with enter_job(firm.runtime.databases, firm.tenant.id, actor=firm.owner, write=False) as scope:
        (entry,), _ = audit.entries(scope, audit.AuditQuery(group="exports"))
        line = told(entry, catalogs.for_scope(scope))
    assert (entry.actor_id, entry.object) == (firm.owner.id, "company")
    assert f"{line['text']} {line['title']}" == "exported companies"
    assert {(label, new) for label, _, new in line["changes"]} == {
        ("records", "2"), ("format", "csv"), ("condition", "employees >= 2"), ("columns", "name, employees"),
    }  # fmt: skip


def test_a_record_in_the_trash_is_left_out_unless_asked_for(firm: Firm) -> None:
    firm.companies(3)
    firm.write("update o_company set deleted_at = now() where name = 'Company 00001'")
    assert names(export(firm.runtime, firm.tenant, object="company")) == ["Company 00000", "Company 00002"]
    assert names(export(firm.runtime, firm.tenant, object="company", trash="only")) == ["Company 00001"]
    assert len(names(export(firm.runtime, firm.tenant, object="company", trash="with"))) == 3


def test_what_is_written_is_the_list_of_the_api(firm: Firm) -> None:
    firm.companies(12)
    by_api = records(firm.runtime, firm.tenant, "company", "name", sort="-name")
    content = export(firm.runtime, firm.tenant, object="company", fields=["name"], sort="-name")
    assert names(content) == [one["name"] for one in by_api]
    assert look(firm.runtime, firm.tenant, begin(firm.runtime, firm.tenant, object="company")).total == 12
