"""Relay and worker that begin while a server is away say so in a line a look, and wait."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from app.cli.patience import open_patiently
from app.core.servers.layout import ServerError
from app.core.servers.process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.core.ports import Runtime


@pytest.mark.parametrize("role", ["relay", "worker"])
def test_a_process_that_finds_no_database_says_so_without_a_stack_trace(role: str, tmp_path: Path) -> None:
    nowhere = "postgresql://{}@127.0.0.1:9/rapport_control"
    environment = os.environ | {
        "RAPPORT_DATABASE_URL": nowhere.format("rapport_app"),
        "RAPPORT_OWNER_URL": nowhere.format("rapport_owner"),
        "RAPPORT_REDIS_URL": "redis://127.0.0.1:9/0",
        "RAPPORT_SECRET_KEY": "of no use elsewhere, but long enough",
        "RAPPORT_STORAGE_URL": tmp_path.as_uri(),
        "RAPPORT_SMTP_URL": "smtp://127.0.0.1:9",
        "RAPPORT_BASE_DOMAIN": "crm.example.test",
        "RAPPORT_HOME": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", role],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
    )
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(2)]
    process.terminate()
    _, rest = process.communicate(timeout=20)
    for line, pause in zip(lines, ("0.5", "1.0"), strict=True):
        assert line.rstrip().endswith(f"PostgreSQL is away; next look in {pause} s")
    assert "Traceback" not in rest


def test_what_is_away_is_waited_for_longer_and_longer(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = [
        psycopg.OperationalError("no server"),
        redis.ConnectionError("no queue"),
        ServerError("the servers are held by another process"),
    ]
    pauses: list[float] = []

    @contextmanager
    def opener() -> Iterator[Runtime]:
        if errors:
            raise errors.pop(0)
        yield runtime

    runtime.ports.pods = lambda _runtime: [1]
    with caplog.at_level(logging.WARNING, "rapport"), open_patiently(pauses.append, opener) as opened:
        assert opened is runtime
    assert pauses == [0.5, 1.0, 2.0]
    assert [record.getMessage() for record in caplog.records if record.name == "rapport"] == [
        "PostgreSQL is away; next look in 0.5 s",
        "Valkey is away; next look in 1.0 s",
        "the servers are held by another process; next look in 2.0 s",
    ]


def test_a_defect_is_not_waited_for() -> None:
    @contextmanager
    def opener() -> Iterator[Runtime]:
        raise ValueError("a defect")
        yield  # pyright: ignore[reportUnreachable]

    with pytest.raises(ValueError, match="a defect"), open_patiently(lambda _: None, opener):
        pass
