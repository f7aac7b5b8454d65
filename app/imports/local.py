"""Importing from the command line on the machine itself: the import is a durable job like any other.

This process runs the job at once under its lease. Is it killed, a worker takes the job over; does a worker have it,
this process waits; is the database away, both wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO, Final

from app.core.errors import Unavailable
from app.core.jobs.execute import execute
from app.core.relay import is_away
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

_PAUSE: Final = 0.3
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
    away_since: float | None = None
    tries = 0
    while True:
        try:
            tried = execute(runtime, pod, job_id)
            row = _read(runtime, tenant.id, import_id)
            away_since = None
        except Exception as error:
            away_since = away_since or time.monotonic()
            if not is_away(error) or time.monotonic() - away_since > _PATIENCE:
                raise
            time.sleep(_PAUSE)
            continue
        if row.ended:
            return row
        tries += tried
        if tries > _TRIES:
            raise Unavailable(f"The import {import_id} met an error again and again; `rapport jobs list` shows it.")
        progress(row)
        time.sleep(_PAUSE)


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
