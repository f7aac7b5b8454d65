"""`rapport up` as people start it: a process of its own in a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from app.core.servers.layout import Layout
from app.core.servers.process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READY_SECONDS = 120


@dataclass
class Up:
    """A running `rapport up` and what it has said."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def wait_for_line(self, part: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if part in line:
                return self.said[-1]
        raise AssertionError(f"ended without {part!r}; said {self.said}")

    def child(self, part: str) -> psutil.Process:
        """The direct child whose command line or name has ``part``."""
        for process in psutil.Process(self.process.pid).children():
            if part in process.name() or part in " ".join(process.cmdline()[:1]):
                return process
        raise AssertionError(f"no child {part}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=60)
        self.said += out.splitlines()
        return self.process.returncode


@dataclass
class Place:
    """A home, a free port, and the command in it."""

    home: Path
    port: int

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
        return {**kept, "RAPPORT_HOME": str(self.home), "PORT": str(self.port)}

    def rapport(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.cli", *arguments]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=120, check=False)

    def up(self) -> Up:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--workers", "1", "--spares", "1"],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        return Up(process)

    def get(self, path: str) -> bytes:
        """The first line of the answer; empty when there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return connection.makefile("rb").readline().strip()
        except OSError:
            return b""

    def is_ready(self) -> bool:
        return self.get("/readyz") == b"HTTP/1.1 200 OK"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="rapport-up-", dir="/tmp"))
    folder.chmod(0o755)
    yield Place(folder / "var", free_port())
    shutil.rmtree(Layout(folder / "var").short, ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running() -> Iterator[list[Up]]:
    """What was started, so that the tests share one as long as it lives."""
    started: list[Up] = []
    yield started
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def up(place: Place, running: list[Up]) -> Up:
    """Running and ready."""
    if not running or running[-1].process.poll() is not None:
        running.append(place.up())
        running[-1].wait_for_line("Rapport is ready")
    return running[-1]


def test_it_says_when_it_is_ready_and_stops_cleanly(place: Place, up: Up) -> None:
    assert f"Rapport is ready at http://localhost:{place.port}" in up.said
    assert place.is_ready()
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert up.stop() == 0
    assert up.said[-2:] == ["Stopping", "Rapport has stopped"]
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert place.get("/readyz") == b""


def test_commands_work_beside_it_and_without_it_on_the_same_data(place: Place, up: Up) -> None:
    asked = ("--slug", "acme", "--name", "Acme", "--email", "ana@example.com", "--password", "correct horse battery")
    made = place.rapport("tenant", "create", *asked, "--json")
    assert made.returncode == 0, made.stderr
    tenant = json.loads(made.stdout)["tenant"]["id"]
    assert up.stop() == 0
    shown = place.rapport("tenant", "show", "acme", "--json")
    assert shown.returncode == 0, shown.stderr
    assert tenant in shown.stdout
    assert place.rapport("tenant", "show", "nobody", "--json").returncode == 3
    listed = place.rapport("jobs", "list", "--tenant", tenant, "--json")
    assert json.loads(listed.stdout) == {"data": []}
    assert place.rapport("jobs", "replay", tenant, "--json").returncode == 3
    assert place.rapport("jobs", "replay").returncode == 2


def test_a_second_one_is_refused_and_so_is_a_port_in_use(place: Place, up: Up, tmp_path: Path) -> None:
    second = place.rapport("up")
    assert second.returncode == 1
    assert "already runs" in second.stderr
    elsewhere = Place(tmp_path / "var", place.port).rapport("up")
    assert elsewhere.returncode == 1
    assert f"port {place.port} is in use" in elsewhere.stderr
    assert "Traceback" not in second.stderr + elsewhere.stderr
    assert up.process.poll() is None


@pytest.mark.parametrize("name", ["postgres", "valkey", "rapport-web", "rapport-worker1", "rapport-relay"])
def test_what_is_killed_comes_back(place: Place, up: Up, name: str) -> None:
    victim = up.child(name)
    victim.kill()
    said = {"postgres": "PostgreSQL had stopped", "valkey": "Valkey had stopped"}
    up.wait_for_line(said.get(name, f"{name.removeprefix('rapport-')} ended (signal SIGKILL)"))
    wait_for(lambda: psutil.Process(up.process.pid).children() and _back(up, name, victim.pid))
    wait_for(place.is_ready)


def _back(up: Up, name: str, before: int) -> bool:
    try:
        return up.child(name).pid != before
    except AssertionError:
        return False


def test_it_stops_in_order_when_nobody_reads_what_it_says(place: Place, up: Up) -> None:
    log = place.home / "log" / "relay.log"
    before = len(log.read_text())  # servers were killed under it by tests that ran earlier
    assert up.process.stdout is not None
    up.process.stdout.close()
    up.process.terminate()
    assert up.process.wait(60) == 0
    assert "Traceback" not in log.read_text()[before:]


def test_everything_ends_with_it_when_it_is_killed(place: Place, up: Up) -> None:
    children = psutil.Process(up.process.pid).children(recursive=True)
    up.process.kill()
    up.process.communicate()
    wait_for(lambda: not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    assert place.get("/readyz") == b""


def test_doctor_finds_everything_in_order_and_prints_one_document(place: Place) -> None:
    place.rapport("migrate")
    done = place.rapport("doctor", "--json")
    document = json.loads(done.stdout)
    assert document["ok"], document
    assert done.returncode == 0
    names = {check["name"] for check in document["checks"]}
    assert {"pod 1: hardening", "pod 1: login", "valkey: version", "storage", "mail"} <= names


def test_its_idle_memory_is_within_the_budget(up: Up) -> None:
    main = psutil.Process(up.process.pid)
    total = sum(process.memory_full_info().pss for process in (main, *main.children(recursive=True)))
    assert total < 500e6, f"{total / 1e6:.0f} MB of PSS"
