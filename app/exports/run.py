"""Runs an export to its end, in any process, as often as it is killed.

A part is read, put into storage under its number, then noted with the place where the next one begins. Whoever runs
the export next goes on behind the last part that was noted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from app.core.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from app.core.jobs import checkpoint
from app.exports import files, repository, service
from app.exports.errors import ExportOutdated
from app.exports.parts import layout_of, read_part
from tenants.scope import SYSTEM, Actor, enter_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from app.exports.parts import Part
    from app.exports.repository import ExportRow
    from tenants.scope import TenantScope

#: Seconds a part may take to be read: a sort without an index reads all records for each page.
_READ_BUDGET: Final = 30.0
_CHANGED: Final = "What its maker may export has changed meanwhile; export again."


class _Overtaken(Exception):
    """Another process runs this export, or it was ended: nothing is left to do here."""


def run_export(runtime: Runtime, tenant: UUID, export_id: UUID) -> None:
    """Take the export to its end. What can't be mended by trying again ends it as ``failed``.

    Raises: whatever may pass (a server that is away, a lock): the job is tried again.
    """
    try:
        more = True
        while more:
            more = _step(runtime, tenant, export_id)
    except _Overtaken:
        return
    except (InvalidInput, NotFound, Forbidden, Unauthenticated) as error:
        end_export(runtime, tenant, export_id, "failed", error.detail)


def end_export(runtime: Runtime, tenant: UUID, export_id: UUID, state: str, reason: str = "") -> None:
    """End an export that did not come to its end; what it had is thrown away."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        row = repository.read_export(scope, export_id, lock=True)
        if row is not None and not row.ended:
            repository.finish(scope, export_id, state, reason)
    runtime.storage.delete_prefix(files.folder_of(tenant, export_id))


def _step(runtime: Runtime, tenant: UUID, export_id: UUID) -> bool:
    """One part; whether there are more."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=False) as scope:
        row = _open(repository.read_export(scope, export_id))
    part = _read(runtime, tenant, row)
    runtime.storage.put(files.part_key(tenant, row.id, row.parts), part.data)
    _keep(runtime, tenant, row, part)
    if part.place is not None:
        checkpoint(row.rows + part.rows, row.total)
    return part.place is not None


def _read(runtime: Runtime, tenant: UUID, row: ExportRow) -> Part:
    options = service.options_of(row)
    with _as_maker(runtime, tenant, row, write=False) as scope:
        layout = layout_of(scope, options)
        if layout.seen != row.seen:
            raise ExportOutdated(_CHANGED)
        return read_part(scope, options, layout, row.place)


def _keep(runtime: Runtime, tenant: UUID, row: ExportRow, part: Part) -> None:
    """Note the part, and with the last one that the records were exported."""
    with _as_maker(runtime, tenant, row, write=True) as scope:
        now = _open(repository.read_export(scope, row.id, lock=True))
        if now.parts != row.parts:
            raise _Overtaken
        repository.advance(scope, row.id, rows=part.rows, size=len(part.data), place=part.place)
        if part.place is None:
            repository.finish(scope, row.id, "done")
            service.note(scope, service.options_of(row), row.rows + part.rows)


@contextmanager
def _as_maker(runtime: Runtime, tenant: UUID, row: ExportRow, *, write: bool) -> Iterator[TenantScope]:
    """A scope with the rights its maker has now."""
    if row.by_kind == "member":
        actor = Actor("member", row.by_id, "")
    elif row.by_kind == "key":
        actor = Actor("key", row.by_id, "")
    else:  # a scope without either has the owner's rights: those are nobody else's
        raise Forbidden("Only members and their keys export in the background.")
    budget = None if write else _READ_BUDGET
    with enter_job(runtime.databases, tenant, actor=actor, write=write, budget=budget) as scope:
        yield scope


def _open(row: ExportRow | None) -> ExportRow:
    if row is None or row.ended:
        raise _Overtaken
    return row
