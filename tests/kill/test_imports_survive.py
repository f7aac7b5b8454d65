"""kill -9 of each process in the middle of an import: it finishes, no row is lost or doubled, its events are complete.

Every run kills all of them in turn during one import. The series (marker ``kill``) kills each alone, repeatedly and at
different moments, and prints a table; ``RAPPORT_KILL_TURNS`` sets how often.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.kill.installation import Installation, Workspace, companies, contacts, wait_for
from tests.kill.table import PROPERTY

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


Record = Callable[[str, object], None]

#: All on one installation, so on one test worker.
pytestmark = pytest.mark.xdist_group("kill")

_SHORT_ROWS = 10_000
_LONG_ROWS = 20_000
_TURNS = range(int(os.environ.get("RAPPORT_KILL_TURNS", "3")))
#: How much of the file is written when the victim dies.
MOMENTS = (0.1, 0.4, 0.7)
_SLUGS = (f"made-up-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    made = Installation.make()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def workspace(place: Installation) -> Workspace:
    """Of its own for each test; the installation is whole again, whatever the test before did to it."""
    wait_for(place.ready, "the web server ready")
    return place.new_workspace(next(_SLUGS))


def kill_postgres(place: Installation) -> None:
    place.child("postgres").kill()


def kill_a_backend(place: Installation) -> None:
    """One connection's server process: PostgreSQL then throws out all others and recovers."""
    backends = [one for one in place.below("postgres") if "rapport_app rapport_pod_1" in " ".join(one.cmdline())]
    backends[0].kill()


def kill_valkey(place: Installation) -> None:
    place.child("valkey").kill()


def empty_valkey(place: Installation) -> None:
    wait_for(place.empty_valkey, "an answer of Valkey", 30)


def kill_web(place: Installation) -> None:
    place.child("rapport-web").kill()


def kill_a_web_process(place: Installation) -> None:
    place.below("rapport-web")[0].kill()


def kill_worker(place: Installation) -> None:
    """The one that runs the import."""
    worker = wait_for(lambda: _work_horse(place), "a work horse").parent()
    assert worker is not None
    worker.kill()


def kill_work_horse(place: Installation) -> None:
    """The fork of a worker that runs the import."""
    wait_for(lambda: _work_horse(place), "a work horse").kill()


def _work_horse(place: Installation, other_than: int = 0) -> psutil.Process | None:
    forks = [fork for worker in place.children("rapport-worker") for fork in worker.children()]
    return next((fork for fork in forks if fork.pid != other_than), None)


def kill_relay(place: Installation) -> None:
    place.child("rapport-relay").kill()


def kill_up(place: Installation) -> None:
    """The supervisor alone: what it had started must go by itself before a second start."""
    processes = place.tree()
    processes[0].kill()
    _start_again(place)


def kill_everything(place: Installation) -> None:
    """As when the machine loses power: nobody has time for anything."""
    for process in place.tree():
        process.suspend()
    for process in place.tree():
        process.kill()
    _start_again(place)


def _start_again(place: Installation) -> None:
    assert place.process is not None
    place.process.wait(10)
    wait_for(lambda: not place.left(), "the end of everything below the killed `rapport up`", 30)
    place.start()


VICTIMS: dict[str, Callable[[Installation], None]] = {
    "postgres": kill_postgres,
    "a backend of postgres": kill_a_backend,
    "valkey": kill_valkey,
    "valkey emptied": empty_valkey,
    "web": kill_web,
    "a process of web": kill_a_web_process,
    "worker": kill_worker,
    "work horse": kill_work_horse,
    "relay": kill_relay,
    "rapport up": kill_up,
    "everything": kill_everything,
}


@pytest.mark.kill
@pytest.mark.parametrize("turn", _TURNS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_an_import_survives_the_death_of(
    victim: str, turn: int, place: Installation, workspace: Workspace, record_property: Record
) -> None:
    import_through(place, workspace, victim, _LONG_ROWS, MOMENTS[turn % 3], record_property)


def test_an_import_survives_the_death_of_each_in_turn(
    place: Installation, workspace: Workspace, record_property: Record
) -> None:
    """Not in the series but in every run: all in one import, the worker last, because its lease must run out."""
    order = ("relay", "web", "a process of web", "work horse", "valkey", "postgres", "valkey emptied", "worker")
    started = workspace.start_import(companies(_SHORT_ROWS), object="company")
    for at, victim in enumerate(order):
        seen = workspace.wait_until(started, at * 0.1)
        assert seen["status"] == "running", f"nothing was left to hurt: {seen}"
        VICTIMS[victim](place)
    check(workspace, started, "each in turn", _SHORT_ROWS, record_property)


@pytest.mark.kill
def test_what_rows_link_to_is_neither_lost_nor_doubled(place: Installation, workspace: Workspace) -> None:
    """Companies made on the way, and links to rows further down, which are set when all rows are there."""
    started = workspace.start_import(
        contacts(_SHORT_ROWS), object="contact", links=["company:create"], link_by=["reports_to:external_id"]
    )
    for share, victim in ((0.1, "work horse"), (0.4, "postgres"), (0.7, "worker"), (0.999, "work horse")):
        seen = workspace.wait_until(started, share)
        assert seen["status"] == "running", f"nothing was left to hurt: {seen}"
        VICTIMS[victim](place)
    assert workspace.wait_done(started)["created"] == _SHORT_ROWS
    people, firms = workspace.count("contact"), workspace.count("company", "name")
    assert (people.records, people.distinct, people.created_events) == (_SHORT_ROWS,) * 3
    assert (firms.records, firms.distinct, firms.created_events) == (_SHORT_ROWS // 5,) * 3
    assert (people.records_with_event, firms.records_with_event) == (_SHORT_ROWS, _SHORT_ROWS // 5)
    assert (people.gaps, people.unsealed) == (0, 0)
    found = {one["external_id"]: one for one in workspace.records("contact", "external_id", "company", "reports_to")}
    names = {one["id"]: one["name"] for one in workspace.records("company", "name")}
    for external_id, one in found.items():
        row = int(external_id.removeprefix("P-"))
        assert names[one["company"]] == f"Made-up Company {(row - 1) // 5:06d}"
        boss = found[f"P-{row - row % 10 + 10:06d}"]["id"] if row % 10 else None
        assert one["reports_to"] == boss


@pytest.mark.kill
@pytest.mark.parametrize("turn", _TURNS)
def test_an_import_whose_command_was_killed_is_finished_by_a_worker(
    workspace: Workspace, tmp_path: Path, turn: int, record_property: Record
) -> None:
    command, started = begin_by_command(workspace, tmp_path, _LONG_ROWS)
    workspace.wait_until(started, MOMENTS[turn % 3])
    command.kill()
    check(workspace, started, "rapport import", _LONG_ROWS, record_property)
    command.communicate()


@pytest.mark.kill
def test_a_command_that_imports_goes_on_when_postgres_was_killed(
    place: Installation, workspace: Workspace, tmp_path: Path, record_property: Record
) -> None:
    command, started = begin_by_command(workspace, tmp_path, _LONG_ROWS)
    kill_postgres(place)
    out, error = command.communicate(timeout=120)
    assert command.returncode == 0, error.decode()
    assert json.loads(out)["created"] == _LONG_ROWS
    check(workspace, started, "postgres under rapport import", _LONG_ROWS, record_property)


@pytest.mark.kill
def test_a_work_horse_that_slept_over_its_lease_does_no_harm_when_it_wakes(
    place: Installation, workspace: Workspace, record_property: Record
) -> None:
    """As after the sleep of a machine or a very long pause: two processes believe that the import is theirs."""
    started = workspace.start_import(companies(_LONG_ROWS), object="company")
    workspace.wait_until(started, 0.1)
    asleep = wait_for(lambda: _work_horse(place), "a work horse")
    asleep.suspend()
    wait_for(lambda: _work_horse(place, asleep.pid), "another worker with the job", 60)
    asleep.resume()
    check(workspace, started, "work horse asleep", _LONG_ROWS, record_property)


@pytest.mark.kill
def test_a_command_whose_fork_slept_over_its_lease_reports_the_import_all_the_same(
    workspace: Workspace, tmp_path: Path, record_property: Record
) -> None:
    command, started = begin_by_command(workspace, tmp_path, _LONG_ROWS)
    (asleep,) = psutil.Process(command.pid).children()
    asleep.suspend()
    wait_for(lambda: _work_horse(workspace.place), "a worker with the job", 60)
    asleep.resume()
    out, error = command.communicate(timeout=120)
    assert command.returncode == 0, error.decode()
    assert json.loads(out)["created"] == _LONG_ROWS
    check(workspace, started, "fork of rapport import asleep", _LONG_ROWS, record_property)


def import_through(
    place: Installation, workspace: Workspace, victim: str, rows: int, share: float, record_property: Record
) -> None:
    """Import by the worker, hurt once more than ``share`` is written, check what came out."""
    started = workspace.start_import(companies(rows), object="company")
    seen = workspace.wait_until(started, share)
    assert seen["status"] == "running", f"nothing was left to hurt: {seen}"
    VICTIMS[victim](place)
    check(workspace, started, victim, rows, record_property)


def begin_by_command(workspace: Workspace, folder: Path, rows: int) -> tuple[subprocess.Popen[bytes], str]:
    """`rapport import` in the middle of its work, and the import's id."""
    file = folder / "companies.csv"
    file.write_bytes(companies(rows))
    command = workspace.place.command("import", "--tenant", workspace.slug, "--object", "company", str(file), "--json")
    started = wait_for(workspace.newest_import, "the command's import")
    seen = workspace.wait_until(started, 0.1)
    assert seen["status"] == "running", f"nothing was left to hurt: {seen}"
    return command, started


def check(workspace: Workspace, started: str, victim: str, rows: int, record_property: Record) -> None:
    """Wait for the end, count everything, and say what was found before judging it."""
    before = time.monotonic()
    summary = workspace.wait_done(started)
    seconds = time.monotonic() - before
    found = workspace.count("company")
    lost, doubled = rows - found.distinct, found.records - found.distinct
    record_property(PROPERTY, {"victim": victim, "rows": rows, "lost": lost, "doubled": doubled, "seconds": seconds})
    assert summary["status"] == "done", summary
    assert summary["rows"] == rows == summary["created"] + summary["skipped"] + summary["failed"]
    assert summary["failed"] == 0
    assert (lost, doubled) == (0, 0)
    assert found.in_table == rows
    # One `created` for each record, in the feed and in the table, numbered without a gap; and the import's summary.
    assert found.created_events == found.records_with_event == found.in_event_table == rows
    assert found.events == rows + 1
    assert (found.gaps, found.unsealed) == (0, 0)
