"""Importing from the command line on the machine itself: the import is a durable job like any other.

A fork of this process runs the job at once under its lease while this one watches. Are they killed, a worker takes the
job over; does a worker have it, or took it because the fork was held up for longer than its lease, this process waits;
is the database away, all wait.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

from app.core.errors import Unavailable
from app.core.jobs.execute import execute
from app.core.relay import is_away
from app.core.servers.process import die_with_parent
from app.imports import repository
from app.imports.errorfile import error_lines
from app.imports.service import start_import
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from app.core.ports import Runtime
    from app.imports.options import ImportOptions
    from app.imports.repository import ImportRow
    from tenants.registry.directory import TenantRow

_LOG: Final = logging.getLogger("rapport.imports")
#: Seconds between two looks at the import: each is a transaction.
_PAUSE: Final = 0.3
#: Exit codes of the fork.
_NOT_TRIED: Final = 0
_TRIED: Final = 3
#: Seconds for the fork to say that the job is done.
_LAST_WORDS: Final = 5.0
#: Seconds without any sign of the database before the command gives up; the import itself does not.
_PATIENCE: Final = 600.0
#: Attempts of this process that end in an error before it leaves the job to the workers.
_TRIES: Final = 5
#: Reading and surveying a large file happens inside the first scope.
_START_BUDGET: Final = 120.0


def import_here(
    runtime: Runtime, tenant: TenantRow, options: ImportOptions, file_name: str, stream: BinaryIO,
    progress: Callable[[ImportRow], None],
) -> ImportRow:  # fmt: skip
    """Import a file as the operator and wait for the end, whatever happens on the way."""
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=_START_BUDGET) as scope:
        import_id, job_id = start_import(scope, runtime.storage, options, file_name, stream)
        pod = scope.tenant.pod
    fork = _Fork(runtime, pod, job_id)
    try:
        row = _watch(runtime, tenant.id, import_id, fork, progress)
        fork.wait(_LAST_WORDS)
        return row
    finally:
        fork.end()


def _watch(
    runtime: Runtime, tenant: UUID, import_id: UUID, fork: _Fork, progress: Callable[[ImportRow], None]
) -> ImportRow:
    """The import when it has ended."""
    away_since: float | None = None
    while True:
        fork.tend()
        try:
            row = _read(runtime, tenant, import_id)
            away_since = None
        except Exception as error:
            away_since = away_since or time.monotonic()
            if not is_away(error) or time.monotonic() - away_since > _PATIENCE:
                raise
        else:
            if row.ended:
                return row
            if fork.tries > _TRIES:
                raise Unavailable(f"The import {import_id} met an error again and again; `rapport jobs list` shows it.")
            progress(row)
        fork.rest(_PAUSE)


@dataclass(slots=True)
class _Fork:
    """Runs the job while nobody else does, in a process of its own: the loss of the lease ends it (core.jobs)."""

    runtime: Runtime
    pod: int
    job: UUID
    tries: int = 0
    _pid: int = 0
    _not_before: float = 0.0

    def tend(self) -> None:
        """Notice its end; start it, at most once a second."""
        self.wait(0)
        if not self._pid and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + 1
            parent = os.getpid()
            self._pid = os.fork()
            if not self._pid:
                self._run(parent)

    def rest(self, seconds: float) -> None:
        """Let time pass, but not beyond its end."""
        if self._pid:
            self.wait(seconds)
        else:
            time.sleep(seconds)

    def wait(self, seconds: float) -> None:
        """Up to ``seconds`` for its end."""
        deadline = time.monotonic() + seconds
        while self._pid:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                self._pid = 0
                self.tries += os.waitstatus_to_exitcode(status) == _TRIED
            elif time.monotonic() >= deadline:
                return
            else:
                time.sleep(0.01)

    def end(self) -> None:
        """Nobody waits for it any more: the job is a worker's then."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _run(self, parent: int) -> NoReturn:
        code = _NOT_TRIED
        try:
            die_with_parent(signal.SIGKILL, parent)()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
            self.runtime.databases.forget()
            code = _TRIED if execute(self.runtime, self.pod, self.job, makes_way=False) else _NOT_TRIED
        except BaseException as error:  # noqa: BLE001 (the end of a process: the parent looks at the import itself)
            _LOG.warning("the import waits (%s)", type(error).__name__)
        finally:
            os._exit(code)


def write_errors(runtime: Runtime, tenant: TenantRow, row: ImportRow, folder: Path) -> Path | None:
    """The error file beside the other files of this installation; None when there is nothing to report."""
    if not (row.failed or row.warnings):
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{row.id}-errors.csv"
    with (
        enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False, budget=_START_BUDGET) as scope,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        file.writelines(error_lines(scope, row.id))
    return path


def _read(runtime: Runtime, tenant: UUID, import_id: UUID) -> ImportRow:
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=False) as scope:
        row = repository.read_import(scope, import_id)
    if row is None:
        raise Unavailable("The import is not there any more.")
    return row
