"""A whole `rapport up` of its own, as an operator has it: started, hurt, started again, asked over its API."""

from __future__ import annotations

import contextlib
import http.client
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
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import psycopg
import redis
from psycopg import sql

from app.core.servers.layout import Layout
from app.core.servers.process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READY_SECONDS = 180.0
_T = TypeVar("_T")
_UNSEEN = http.client.HTTPException, OSError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition: Callable[[], _T | None], what: str, seconds: float = 60, pause: float = 0.05) -> _T:
    """Ask until the answer is true, and give it back."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(pause)
    return found


def is_alive(process: psutil.Process) -> bool:
    """Whether it still does anything; a number given away again is somebody else."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Installation:
    """One home and one port; ``process`` is the `rapport up` that runs there now."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _seen: list[psutil.Process] = field(default_factory=list)

    @classmethod
    def make(cls) -> Installation:
        """Below /tmp, where the servers' user may walk."""
        folder = Path(tempfile.mkdtemp(prefix="rapport-kill-", dir="/tmp"))
        folder.chmod(0o755)
        return cls(folder / "var", free_port())

    @property
    def layout(self) -> Layout:
        return Layout(self.home)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
        return {**kept, "RAPPORT_HOME": str(self.home), "PORT": str(self.port)}

    @property
    def said(self) -> str:
        """All that this home's `rapport up` have printed."""
        return (self.home.parent / "said").read_text() if (self.home.parent / "said").exists() else ""

    def begin(self, *before: str) -> None:
        """Start `rapport up`, without waiting for it; ``before`` is a command that starts it."""
        with (self.home.parent / "said").open("ab") as stream:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "app.cli", "up", "--workers", "1", "--spares", "1"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
            )

    def start(self, *before: str) -> None:
        """Start and wait until it says that it is ready."""
        started = self.said.count("Rapport is ready")
        self.begin(*before)
        process = self._running()

        def ready() -> bool:
            assert process.poll() is None, f"`rapport up` ended:\n{self.said}"
            return self.said.count("Rapport is ready") > started

        wait_for(ready, "Rapport is ready", READY_SECONDS)

    def tree(self) -> list[psutil.Process]:
        """`rapport up` and everything below it; remembered, so that nothing can hide by losing its parent."""
        main = psutil.Process(self._running().pid)
        found = [main, *main.children(recursive=True)]
        self._seen += [one for one in found if one not in self._seen]
        return found

    def children(self, name: str) -> list[psutil.Process]:
        """Direct children by the beginning of their name in ``ps``."""
        self.tree()
        found: list[psutil.Process] = []
        for process in psutil.Process(self._running().pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name().startswith(name) and is_alive(process):
                    found.append(process)
        return found

    def child(self, name: str) -> psutil.Process:
        """The only one of them; waited for while it is between two lives."""
        return wait_for(lambda: self.children(name), f"{name} below `rapport up`", 30)[0]

    def below(self, name: str) -> list[psutil.Process]:
        """What the child ``name`` has started."""
        return self.child(name).children(recursive=True)

    def left(self) -> list[psutil.Process]:
        """Those ever seen below it that still run."""
        return [process for process in self._seen if is_alive(process)]

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 90) -> float:
        """Ask it to stop; how many seconds it took."""
        process = self._running()
        with contextlib.suppress(psutil.NoSuchProcess):
            self.tree()
        before = time.monotonic()
        process.send_signal(number)
        process.wait(seconds)
        return time.monotonic() - before

    def remove(self) -> None:
        """Stop it if need be, by force what is left, and remove every trace."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for process in self.left():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        shutil.rmtree(self.layout.short, ignore_errors=True)
        shutil.rmtree(self.home.parent, ignore_errors=True)

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start another `rapport` command in this home."""
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
        )

    def new_workspace(self, slug: str) -> Workspace:
        """By `rapport tenant create`."""
        asked = (
            "--slug",
            slug,
            "--name",
            slug.title(),
            "--email",
            f"{slug}@example.com",
            "--password",
            "correct horse battery",
        )
        made = self.command("tenant", "create", *asked, "--json")
        out, error = made.communicate(timeout=120)
        assert made.returncode == 0, error.decode()
        document = json.loads(out)
        return Workspace(self, document["tenant"]["id"], slug, document["api_key"])

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
        """One request to the web server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ready(self) -> bool:
        try:
            return self.ask("GET", "/readyz", {"Host": "localhost"})[0] == 200
        except _UNSEEN:
            return False

    def empty_valkey(self) -> bool:
        """FLUSHALL; False while nobody listens."""
        with redis.Redis.from_url(self.layout.valkey_url()) as client:
            try:
                client.flushall()
            except redis.ConnectionError:
                return False
        return True

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "`rapport up` was not started"
        return self.process


@dataclass(frozen=True)
class Counted:
    """What a workspace holds of one object, counted over the API and in the tables."""

    records: int
    distinct: int
    created_events: int
    records_with_event: int
    events: int
    gaps: int
    in_table: int
    in_event_table: int
    unsealed: int


@dataclass(frozen=True)
class Workspace:
    """One tenant, asked with its API key as a program of the customer would."""

    place: Installation
    id: str
    slug: str
    key: str

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and body; the status is 0 when there was no answer."""
        sent = {"Host": f"{self.slug}.localhost:{self.place.port}", "Authorization": f"Bearer {self.key}", **headers}
        try:
            status, text = self.place.ask(method, f"/api/v1{path}", sent, body)
        except _UNSEEN:
            return 0, None
        return status, json.loads(text) if text[:1] in b"{[" else text

    def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        status, body = self.call("GET", path)
        assert status == 200, (path, status, body)
        return body

    def start_import(self, content: bytes, **options: Any) -> str:
        """Upload a file; the import's id."""
        edge = "----rapport-kill-test"
        head = f"--{edge}\r\nContent-Disposition: form-data; name="
        body = (
            (
                f'{head}"options"\r\nContent-Type: application/json\r\n\r\n{json.dumps(options)}\r\n'
                f'{head}"file"; filename="companies.csv"\r\nContent-Type: text/csv\r\n\r\n'
            ).encode()
            + content
            + f"\r\n--{edge}--\r\n".encode()
        )
        status, answer = self.call(
            "POST", "/imports", body, **{"Content-Type": f"multipart/form-data; boundary={edge}"}
        )
        assert status == 202, (status, answer)
        return answer["import"]

    def newest_import(self) -> str | None:
        """The id of the import asked for last, also by a command that has not said it yet."""
        with self.database() as connection:
            row = connection.execute("select id from import order by id desc limit 1").fetchone()
        return str(row[0]) if row else None

    def seen_import(self, import_id: str) -> dict[str, Any]:
        """The import now; empty while nobody answers."""
        status, body = self.call("GET", f"/imports/{import_id}")
        return body if status == 200 else {}

    def wait_until(self, import_id: str, share: float) -> dict[str, Any]:
        """Until more than ``share`` of the file is written."""
        return self._wait(import_id, lambda seen: seen["progress"] > share, f"progress over {share:.0%}", 60)

    def wait_done(self, import_id: str, seconds: float = 300) -> dict[str, Any]:
        """Until the import has ended."""
        ended = {"done", "failed", "undone"}
        return self._wait(import_id, lambda seen: seen["status"] in ended, "the import's end", seconds)

    def _wait(
        self, import_id: str, suits: Callable[[dict[str, Any]], bool], what: str, seconds: float
    ) -> dict[str, Any]:
        def seen() -> dict[str, Any] | None:
            found = self.seen_import(import_id)
            return found if found and suits(found) else None

        return wait_for(seen, what, seconds, 0.02)

    def count(self, name: str, key: str = "external_id") -> Counted:
        """Count every record and every event of the workspace, page by page, and again in the tables.

        ``key`` is the field whose values tell the records apart.
        """
        wait_for(lambda: self._unsealed() == 0, "all events sealed", 60, 0.2)
        records = self.records(name, key)
        events = self._events()
        created = [event["record_id"] for event in events if event["kind"] == "created" and event["object"] == name]
        numbers = [event["seq"] for event in events]
        with self.database() as connection:
            table = sql.Identifier(f"o_{name}")
            in_table = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
            in_events = connection.execute(
                "select count(*) from event where kind = 'created' and object = %s", (name,)
            ).fetchone()
        assert in_table is not None
        assert in_events is not None
        return Counted(
            records=len(records),
            distinct=len({record[key] for record in records}),
            created_events=len(created),
            records_with_event=len({record["id"] for record in records} & set(created)),
            # Its first key is in the log too.
            events=sum(event["object"] not in {"key", "member"} for event in events),
            gaps=len(numbers) - sum(seq == at for at, seq in enumerate(numbers, 1)),
            in_table=in_table[0],
            in_event_table=in_events[0],
            unsealed=self._unsealed(),
        )

    def records(self, name: str, *fields: str) -> list[dict[str, Any]]:
        """All records of one object."""
        wanted = f"/records/{name}?limit=200&fields={','.join(fields)}"
        page = self.get(wanted)
        found: list[dict[str, Any]] = page["data"]
        while page["next"] is not None:
            page = self.get(f"{wanted}&cursor={page['next']}")
            found += page["data"]
        return found

    def _events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.get(f"/events?after={after}&limit=200")
            found += page["data"]
            after = page["next"]
        return found

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The superuser, on this tenant's schema."""
        url = self.place.layout.postgres_url("postgres", "rapport_pod_1")
        connection = psycopg.connect(url, autocommit=True)
        row = connection.execute("select schema from pod.tenant where id = %s", (self.id,)).fetchone()
        assert row is not None
        connection.execute("select set_config('search_path', %s, false)", (row[0],))
        return connection

    def _unsealed(self) -> int:
        with self.database() as connection:
            row = connection.execute(
                "select count(*) from event where id not in (select unnest(event_ids) from event_seal)"
            ).fetchone()
        assert row is not None
        return row[0]


def companies(count: int) -> bytes:
    """A CSV of plainly made-up companies; ``external_id`` is the number of the row."""
    lines = ["external_id,name,website,phone,employees,annual_revenue,description"]
    lines += [
        f"T-{row:06d},Made-up Company {row:06d},https://made-up-{row:06d}.example,+49 30 {1000000 + row},"
        f"{row % 900 + 1},{row * 10}.50,Row {row} of a test file"
        for row in range(1, count + 1)
    ]
    return ("\n".join(lines) + "\n").encode()


def contacts(count: int) -> bytes:
    """Made-up people, five to a company that does not exist yet; nine of ten report to one further down."""
    lines = ["external_id,first_name,last_name,email,company,reports_to"]
    for row in range(1, count + 1):
        boss = f"P-{row - row % 10 + 10:06d}" if row % 10 else ""
        company = f"Made-up Company {(row - 1) // 5:06d}"
        lines.append(f"P-{row:06d},Given{row},Family{row},made-up-{row}@example.com,{company},{boss}")
    return ("\n".join(lines) + "\n").encode()
