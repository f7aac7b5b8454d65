"""Children are forks: they come back when they die, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.core.supervisor import Child, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def sleep_long() -> None:
    time.sleep(60)


def wait_for(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def begin(run: Callable[[], None], **options: float) -> Child:
        child = Child("web", run, tmp_path / "web.log", **options)
        made.append(child)
        child.start()
        return child

    yield begin
    for child in made:
        child.send(signal.SIGKILL)
        child.wait_stopped()


def test_a_killed_child_is_told_about_and_comes_back_after_its_pause(make: Callable[..., Child]) -> None:
    child = make(sleep_long)
    first = child.pid
    assert first is not None
    assert child.check() is None
    os.kill(first, signal.SIGKILL)
    lines: list[str] = []
    wait_for(lambda: lines.append(child.check() or "") or lines[-1])
    assert lines[-1].startswith("web ended (signal SIGKILL) and starts again")
    assert not child.alive(), "there is a pause"
    wait_for(lambda: child.check() or child.alive())
    assert child.pid != first


def test_a_child_that_fails_at_once_is_started_less_and_less_often(make: Callable[..., Child], tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no such thing")

    child = make(fail)
    told: list[str] = []

    def has_died(times: int) -> bool:
        if line := child.check():
            told.append(line)
        return len(told) == times

    for times, pause in enumerate(("0.5 s", "1 s"), start=1):
        wait_for(lambda times=times: has_died(times))
        assert f"(exit code 1) and starts again in {pause};" in told[-1]
        assert not child.alive(), "there is a pause"
    assert "RuntimeError: no such thing" in (tmp_path / "web.log").read_text()


def test_what_a_dead_child_had_started_is_gone_too(make: Callable[..., Child], tmp_path: Path) -> None:
    def fork_and_sleep() -> None:
        pid = os.fork()
        if pid:
            (tmp_path / "pid.part").write_text(str(pid))
            (tmp_path / "pid.part").rename(tmp_path / "pid")
        time.sleep(60)

    child = make(fork_and_sleep)
    wait_for((tmp_path / "pid").exists)
    grandchild = int((tmp_path / "pid").read_text())
    assert exists(grandchild)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    wait_for(child.check)
    wait_for(lambda: not exists(grandchild))


def test_a_child_that_will_not_stop_is_forced(make: Callable[..., Child], tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (tmp_path / "deaf").touch()
        time.sleep(60)

    child = make(ignore, grace=0.3)
    wait_for((tmp_path / "deaf").exists)
    supervisor = Supervisor([child], list, lambda _line: None)
    before = time.monotonic()
    supervisor.stop()
    assert not child.alive()
    assert time.monotonic() - before < 5


def test_a_child_has_no_open_file_of_the_supervisor(make: Callable[..., Child], tmp_path: Path) -> None:
    def list_files() -> None:
        links = [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]
        (tmp_path / "files").write_text(str(str(tmp_path / "secret") in links))

    with (tmp_path / "secret").open("w"):
        child = make(list_files)
        wait_for(lambda: not child.alive())
    assert (tmp_path / "files").read_text() == "False"


def test_servers_that_died_are_revived_and_told_about() -> None:
    said: list[str] = []
    Supervisor([], lambda: ["PostgreSQL"], said.append).tend()
    assert said == ["PostgreSQL had stopped; it runs again"]
